"""Products of a layer and a batch, c = activation(a @ b + bias), in tiles that stay in registers.

A BLAS first copies ("packs") its matrices into the order that its innermost loop likes. That pays
where a number is used hundreds of times. A batch of 64 uses each weight 64 times, and then to copy
weights that come from memory takes a good part of the time. Here a tile of c, 6 rows of 64 float32,
is summed up in 24 of the 32 registers of AVX-512, while its rows of `a`, read in place in any
layout, and its columns of `b`, whose rows lie together, pass by. The threads share the rows of c.
Each number of c is summed up in one order, whatever the number of threads.

With the 16 smaller registers of AVX2 the tiles are no faster than OpenBLAS (measured): there, and
on other processors, it is called.
"""

import functools

import numpy as np

from .called import Called
from .gemm import NO_TRANS, gemm, gemm_address
from .kernels import Intrinsic, kernel
from .layout import COMPILED, VECTOR, transpose_blocks
from .shared_kernel import (
    SharedKernel,
    carray,
    dispatch,
    pointer,
    record_at,
    room,
)

TILE_ROWS = 6
WIDTH = 128  # columns of b at a time in `tiled_product`
DEPTH = 256  # columns of `a` at a time: what they meet of b stays near the core

# What a thread's part of a product finds at its address: sizes, addresses, and strides that count
# elements.
PRODUCT = np.dtype(
    [
        ("m", np.int64),
        ("n", np.int64),
        ("k", np.int64),
        ("a", np.int64),
        ("a_row", np.int64),
        ("a_column", np.int64),
        ("b", np.int64),
        ("b_row", np.int64),
        ("b_column", np.int64),
        ("c", np.int64),
        ("bias", np.int64),  # 0: there is none
        ("slope", np.float64),
        ("scratch", np.int64),  # memory for a packed b of each thread
        # arrays like c whose rows will be used together with those of c, or 0
        ("used_next", np.int64, (3,)),
    ],
    align=True,
)


@functools.cache
def registers():
    """Has this processor the registers of AVX-512?"""
    from numba.core.registry import cpu_target

    return "+avx512f" in cpu_target.target_context.codegen().magic_tuple()[2].split(",")


def _make_tile(vectors):
    """tile(zero, a, a_row, a_column, b, b_row, c, c_row, k, more, ahead, step): 6 rows of c = a @
    b, or c += a @ b, `vectors` registers wide; addresses of the dtype of zero, strides in elements.
    Meanwhile k lines of memory from `ahead` on, `step` bytes apart, come into the L2 cache: where a
    column of `a`, not a row, lies together, the hardware does not see what will be needed next."""
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    whole, word = ir.IntType(64), ir.IntType(32)
    byte = ir.IntType(8)

    @intrinsic
    def tile(typing, zero, a, a_row, a_column, b, b_row, c, c_row, k, more, ahead, step):
        def codegen(context, builder, signature, given):
            real = context.get_value_type(zero)
            size = 8 if isinstance(real, ir.DoubleType) else 4
            lanes = VECTOR // size
            vector = ir.VectorType(real, lanes)
            empty = ir.Constant(vector, ir.Undefined)
            everywhere = ir.Constant(ir.VectorType(word, lanes), [0] * lanes)
            name = f"llvm.fma.v{lanes}f{8 * size}"
            fma = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 3), name
            )
            _, a, a_row, a_column, b, b_row, c, c_row, k, more, ahead, step = given
            a, b, c = (builder.inttoptr(p, real.as_pointer()) for p in (a, b, c))

            def vectors_at(start):
                places = (builder.gep(start, [whole(v * lanes)]) for v in range(vectors))
                return [builder.bitcast(p, vector.as_pointer()) for p in places]

            prefetch = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(ir.VoidType(), [byte.as_pointer(), word, word, word]),
                "llvm.prefetch.p0",
            )

            targets = [
                vectors_at(builder.gep(c, [builder.mul(c_row, whole(r))])) for r in range(TILE_ROWS)
            ]
            for place in sum(targets, []):  # c will be written: have its lines here by then
                builder.call(
                    prefetch, [builder.bitcast(place, byte.as_pointer()), word(1), word(3), word(1)]
                )
            zeros = ir.Constant(vector, [0.0] * lanes)
            sums = [
                [cgutils.alloca_once_value(builder, zeros) for _ in range(vectors)]
                for _ in range(TILE_ROWS)
            ]
            with builder.if_then(more):
                for own, places in zip(sums, targets):
                    for there, place in zip(own, places):
                        builder.store(builder.load(place, align=size), there)
            rows = [builder.gep(a, [builder.mul(a_row, whole(r))]) for r in range(TILE_ROWS)]
            with cgutils.for_range(builder, k) as loop:
                row = [
                    builder.load(p, align=size)
                    for p in vectors_at(builder.gep(b, [builder.mul(loop.index, b_row)]))
                ]
                column = builder.mul(loop.index, a_column)
                line = builder.inttoptr(
                    builder.add(ahead, builder.mul(loop.index, step)), byte.as_pointer()
                )
                builder.call(prefetch, [line, word(0), word(1), word(1)])
                for start, own in zip(rows, sums):
                    one = builder.insert_element(
                        empty, builder.load(builder.gep(start, [column])), word(0)
                    )
                    one = builder.shuffle_vector(one, empty, everywhere)
                    for there, part in zip(own, row):
                        builder.store(builder.call(fma, [one, part, builder.load(there)]), there)
            for own, places in zip(sums, targets):
                for there, place in zip(own, places):
                    builder.store(builder.load(there), place, align=size)
            return context.get_dummy_value()

        return types.void(zero, *[types.intp] * 8, types.boolean, *[types.intp] * 2), codegen

    return tile


_tile4, _tile2, _tile1 = (Intrinsic(functools.partial(_make_tile, n)) for n in (4, 2, 1))


_product_at, _product_room = record_at(PRODUCT), room(PRODUCT)


@kernel
def _strip(zero, size, p, b, b_row, c, i, first, last, low, high):
    """Rows i to i + 5 of c, columns first to last - 1 (whole vectors): the products of columns low
    to high - 1 of a."""
    lanes, k = VECTOR // size, high - low
    more = low > 0
    a = p.a + size * (i * p.a_row + low * p.a_column)
    b = b + size * low * b_row
    c = c + size * i * p.n
    # the columns that the next rows need, where they lie together
    ahead, step = a + VECTOR, size * p.a_column
    j, tile = first, 0
    while j < last:
        if p.used_next[0]:  # each tile fetches k lines of one of these arrays
            ahead, step = p.used_next[tile % 3] + size * i * p.n + tile // 3 * k * VECTOR, VECTOR
        left = (last - j) // lanes
        if left >= 4:
            _tile4(
                zero,
                a,
                p.a_row,
                p.a_column,
                b + size * j,
                b_row,
                c + size * j,
                p.n,
                k,
                more,
                ahead,
                step,
            )
            j += 4 * lanes
        elif left >= 2:
            _tile2(
                zero,
                a,
                p.a_row,
                p.a_column,
                b + size * j,
                b_row,
                c + size * j,
                p.n,
                k,
                more,
                ahead,
                step,
            )
            j += 2 * lanes
        else:
            _tile1(
                zero,
                a,
                p.a_row,
                p.a_column,
                b + size * j,
                b_row,
                c + size * j,
                p.n,
                k,
                more,
                ahead,
                step,
            )
            j += lanes
        tile += 1


@kernel
def multiply(zero, size, p, b, b_row, c, low, high):
    """Rows low to high - 1 of the matrix at c, of the product p, from a packed b.

    What whole tiles leave over below and at the right is summed up in tiles that begin earlier.
    """
    n, lanes = p.n, VECTOR // size
    b = np.intp(b.ctypes.data)
    bottom, right = high - (high - low) % TILE_ROWS, n - n % lanes
    for k in range(0, p.k, DEPTH):
        for i in range(low, bottom, TILE_ROWS):
            _strip(zero, size, p, b, b_row, c, i, 0, right, k, min(k + DEPTH, p.k))
    if bottom < high:
        _strip(zero, size, p, b, b_row, c, high - TILE_ROWS, 0, right, 0, p.k)
    if right < n:
        for i in range(low, high, TILE_ROWS):
            _strip(zero, size, p, b, b_row, c, min(i, high - TILE_ROWS), n - lanes, n, 0, p.k)


@kernel
def _tiled_product(zero, size, a, a_row, a_column, b, c, m, n, k):
    """c (m, n) = a (m, k) @ b (k, n), addresses of numbers of the dtype of zero, `size` bytes each;
    a's strides are given, rows of b and c follow each other. m >= TILE_ROWS, n in whole vectors
    (see `tiles_fit`).

    A panel of b stays in the cache while all rows of `a` pass.
    """
    block = _product_room()
    p = _product_at(block)
    p.m, p.n, p.k = m, n, k
    p.a, p.a_row, p.a_column = a, a_row, a_column
    p.used_next[0] = 0
    bottom = m - m % TILE_ROWS
    for low in range(0, k, DEPTH):
        high = min(low + DEPTH, k)
        for first in range(0, n, WIDTH):
            last = min(first + WIDTH, n)
            for i in range(0, bottom, TILE_ROWS):
                _strip(zero, size, p, b, n, c, i, first, last, low, high)
    if bottom < m:  # tiles that begin earlier, anew
        for first in range(0, n, WIDTH):
            last = min(first + WIDTH, n)
            _strip(zero, size, p, b, n, c, m - TILE_ROWS, first, last, 0, k)


tiled_product = Called(_tiled_product, lambda real, whole, array: [real, *[whole] * 9])


@kernel
def small_product(zero, size, tiles, address, a, b, c, m, n, k):
    """c (m, n) = a (m, k) @ b (k, n), all addresses; tiles: where `tiled_product` is, or 0. It is
    called where there are rows enough."""
    if tiles and m >= TILE_ROWS:
        tiled_product(tiles, zero, size, a, k, 1, b, c, m, n, k)
    else:
        gemm(address, NO_TRANS, NO_TRANS, m, n, k, a, k, b, n, zero, c, n)


def tiles_fit(n, dtype):
    """Has this processor the registers, and are n columns whole vectors?"""
    return dtype in COMPILED and n * dtype.itemsize % VECTOR == 0 and registers()


def product_addresses(n, dtype):
    """Where `small_product` finds the ways of multiplying matrices of n columns: our tiles (0 if
    they do not fit), and the BLAS."""
    return tiled_product.address(dtype) if tiles_fit(n, dtype) else 0, gemm_address(dtype)


@kernel
def packed(zero, p, scratch):
    """(b with the numbers of each row side by side, elements from row to row): b itself, or a copy
    in this thread's scratch memory.

    Each thread copies for itself: what another core has just written would have to come from there.
    """
    if p.b_column == 1:
        return carray(pointer(p.b, zero), (p.k, p.n)), p.b_row
    copy = carray(pointer(scratch, zero), (p.k, p.n))
    transpose_blocks(carray(pointer(p.b, zero), (p.n, p.b_column)), copy)
    return copy, p.n


@kernel
def rows_of_part(rows, part, parts):
    """The rows of a thread, (low, high): whole tiles, and in the last part what is left."""
    tiles = rows // TILE_ROWS
    return tiles * part // parts * TILE_ROWS, rows if part == parts - 1 else tiles * (
        part + 1
    ) // parts * TILE_ROWS


@kernel
def add_bias(c, bias, slope):
    """c = leaky ReLU of c + bias[:, None]"""
    slope = c.dtype.type(slope)
    for i in range(c.shape[0]):
        row, b = c[i], bias[i]
        for j in range(row.size):
            v = row[j] + b
            row[j] = v if v > 0 else slope * v


@kernel
def _work(zero, size, args, part, parts):
    """A thread's part of a product: its rows of c."""
    p = _product_at(args)
    low, high = rows_of_part(p.m, part, parts)
    b, b_row = packed(zero, p, p.scratch + size * part * p.k * p.n)
    multiply(zero, size, p, b, b_row, p.c, low, high)
    if p.bias:
        c, bias = carray(pointer(p.c, zero), (p.m, p.n)), carray(pointer(p.bias, zero), (p.m,))
        add_bias(c[low:high], bias[low:high], p.slope)


def _work32(args, part, parts):
    _work(np.float32(0), 4, args, part, parts)


def _work64(args, part, parts):
    _work(0.0, 8, args, part, parts)


def _begin(records, workers, work, sched_yield, a, b, scratch, c, bias, slope):
    """Give a product to those of these workers who wait, and take part in it. Returns the number of
    parts."""
    block = _product_room()
    p = _product_at(block)
    p.m, p.n = c.shape
    p.k = a.shape[1]
    p.a = a.ctypes.data
    p.a_row = a.strides[0] // a.itemsize
    p.a_column = a.strides[1] // a.itemsize
    p.b = b.ctypes.data
    p.b_row = b.strides[0] // a.itemsize
    p.b_column = b.strides[1] // a.itemsize
    p.c = c.ctypes.data
    p.bias = bias.ctypes.data if bias.size else 0
    p.slope = slope
    p.scratch = scratch.ctypes.data
    p.used_next[0] = 0
    return dispatch(records, workers, work, block, sched_yield)


def _arguments(array, real, number):
    matrix, vector = array(real, 2, "A"), array(real, 1)
    scratch, c = array(real, 1, written=True), array(real, 2, written=True)
    return {"a": matrix, "b": matrix, "scratch": scratch, "c": c, "bias": vector, "slope": number}


multiply_in_threads = SharedKernel(_work32, _work64, _begin, _arguments)


def tile_readable(a, b):
    """a and b, or copies that tiles can read: of `a` any layout, of b one in which the numbers of
    rows or of columns are side by side."""
    size = a.itemsize
    if not a.flags.aligned:  # it begins within an element
        a = a.copy()
    if not b.flags.aligned or not (
        b.strides[1] == size or (b.strides[0] == size and b.strides[1] >= len(b) * size)
    ):
        b = b.copy()
    return a, b


def needs_packing(b):
    """Does each thread need scratch memory for b?"""
    return b.strides[1] != b.itemsize


def described(a, b, used_next):
    """A PRODUCT of two matrices that tiles can read, as a tuple; without a place for the result."""
    size = a.itemsize
    left = a.ctypes.data, a.strides[0] // size, a.strides[1] // size
    right = b.ctypes.data, b.strides[0] // size, b.strides[1] // size
    no_c = no_bias = no_scratch = 0
    return len(a), b.shape[1], len(b), *left, *right, no_c, no_bias, 1.0, no_scratch, used_next
