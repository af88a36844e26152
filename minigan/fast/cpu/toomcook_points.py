"""Toom-Cook in one dimension: between inputs or outputs of a tile and the values of polynomials at
the points 0, infinity, 1, -1, 2.

There are two maps and their transposes, matrices all: between m outputs, or q inputs, and q points.
Each input, output or point stands for a run of n numbers in a flat array, so that a map is a few
sums and multiples of vectors.

Numba would have these loops look whether the runs overlap, and for a few vectors not use vectors at
all: so their code is made here.
"""

import contextlib
import functools
from fractions import Fraction

import numpy as np

from .kernels import Intrinsic, kernel
from .layout import VECTOR

POINTS = (0, None, 1, -1, 2)  # None: infinity


def values(m, q):
    """The matrix (q, m) that takes the m coefficients of a polynomial to its values at the first q
    points; at infinity that is the highest coefficient."""
    return [
        [Fraction(j == m - 1) if point is None else Fraction(point) ** j for j in range(m)]
        for point in POINTS[:q]
    ]


def interpolation(q):
    """The matrix (q, q) that takes q values to the coefficients: the inverse of `values`."""
    inverse = np.linalg.inv(np.array(values(q, q), float))
    return [[Fraction(c).limit_denominator(60) for c in row] for row in inverse]


def transposed(matrix):
    return [list(column) for column in zip(*matrix)]


def _row(builder, numbers, constant, fma):
    """Code for the sum of multiples of vectors: numbers is [(factor, vector)]. What needs no
    multiplication comes first."""
    total = None
    for factor, vector in sorted(numbers, key=lambda one: abs(one[0]) != 1):
        if total is None:
            total = vector if factor == 1 else builder.fmul(constant(factor), vector)
        elif abs(factor) == 1:
            total = (builder.fadd if factor > 0 else builder.fsub)(total, vector)
        else:
            total = builder.call(fma, [constant(factor), vector, total])
    return total


@contextlib.contextmanager
def _plain_loop(builder, n):
    """`with` it as i: code for i = 0 ... n - 1, of which LLVM makes no vectors and no copies: that
    takes it longer than all else here."""
    from llvmlite import ir

    before, body = builder.block, builder.append_basic_block("body")
    end = builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed(">", n, n.type(0)), body, end)
    builder.position_at_end(body)
    i = builder.phi(n.type)
    i.add_incoming(n.type(0), before)
    yield i
    more = builder.add(i, n.type(1))
    i.add_incoming(more, builder.block)
    again = builder.cbranch(builder.icmp_signed("<", more, n), body, end)
    module = builder.module
    no_vectors = module.add_metadata(["llvm.loop.vectorize.enable", ir.IntType(1)(0)])
    no_copies = module.add_metadata(["llvm.loop.unroll.disable"])
    loop = module.add_metadata([module.get_unique_name("loop"), no_vectors, no_copies])
    loop.operands = loop, no_vectors, no_copies  # it names itself, so that it is one of its kind
    again.set_metadata("llvm.loop", loop)
    builder.position_at_end(end)


def _make_map(cases, name):
    """apply(case, n, x, from_, y, to): the runs of n numbers that begin in y at `to` are a matrix
    times those that begin in x at `from_`. x and y are flat arrays, the places five whole numbers.

    cases : {case: (matrix, how many of its first results are added to what is in y)}
    name : of the code, which a kernel has once, however often it calls it
    """
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    whole, n_points = ir.IntType(64), len(POINTS)

    def code(module, real):
        """The function (case, n, the runs of x, the runs of y) of a module."""
        if (found := module.globals.get(name)) is not None:
            return found
        given = [whole] * 2 + [real.as_pointer()] * 2 * n_points
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), given), name)
        function.linkage = "internal"
        case, n, *runs = function.args
        x, y = runs[:n_points], runs[n_points:]
        builder = ir.IRBuilder(function.append_basic_block())
        lanes = VECTOR // _size(real)
        vectors = builder.udiv(n, whole(lanes))
        done = builder.mul(vectors, whole(lanes))
        end = function.append_basic_block("mapped")
        switch = builder.switch(case, end)
        for key, one in cases.items():
            block = function.append_basic_block(f"case_{key}")
            switch.add_case(whole(key), block)
            builder.position_at_end(block)
            with _plain_loop(builder, vectors) as i:
                _once(builder, real, x, y, *one, builder.mul(i, whole(lanes)), lanes)
            with _plain_loop(builder, builder.sub(n, done)) as i:
                _once(builder, real, x, y, *one, builder.add(done, i), 1)
            builder.branch(end)
        builder.position_at_end(end)
        builder.ret_void()
        return function

    @intrinsic
    def apply(typing, case, n, x, from_, y, to):
        def codegen(context, builder, signature, given):
            case, n, *arrays = given

            def runs(array, places):
                start = context.make_array(signature.args[2])(context, builder, array).data
                return [
                    builder.gep(start, [builder.extract_value(places, i)]) for i in range(n_points)
                ]

            real = context.get_value_type(signature.args[2].dtype)
            builder.call(
                code(builder.module, real), [case, n, *runs(*arrays[:2]), *runs(*arrays[2:])]
            )
            return context.get_dummy_value()

        runs_of = types.Array(x.dtype, 1, "C"), types.UniTuple(types.intp, n_points)
        return types.void(types.intp, types.intp, *runs_of, *runs_of), codegen

    return apply


def _size(real):
    """Bytes of a number."""
    from llvmlite import ir

    return 8 if isinstance(real, ir.DoubleType) else 4


def _once(builder, real, x, y, matrix, sums, index, width):
    """Code for `width` numbers of each run, from `index` on."""
    from llvmlite import ir
    from numba.core import cgutils

    size = _size(real)
    kind = real if width == 1 else ir.VectorType(real, width)
    name = f"llvm.fma.{'' if width == 1 else f'v{width}'}f{8 * size}"
    fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)

    def constant(factor):
        factor = float(factor)
        return ir.Constant(kind, factor if width == 1 else [factor] * width)

    def numbers_at(run):
        place = builder.gep(run, [index])
        return place if width == 1 else builder.bitcast(place, kind.as_pointer())

    def read(run):
        return builder.load(numbers_at(run), align=size)

    found = [read(run) for run, _ in zip(x, matrix[0])]
    for i, (run, row) in enumerate(zip(y, matrix)):
        terms = [(c, v) for c, v in zip(row, found) if c]
        terms = ([(Fraction(1), read(run))] if i < sums else []) + terms
        builder.store(_row(builder, terms, constant, fma), numbers_at(run), align=size)


def _map(cases, name):
    return Intrinsic(functools.partial(_make_map, cases, f"minigan_{name}"))


@kernel
def evenly(at, step):
    """The places of runs that begin `step` numbers apart."""
    return (at, at + step, at + 2 * step, at + 3 * step, at + 4 * step)


@kernel
def of(m, q):
    """The case of q points, and m outputs, coefficients, or inputs with sums in them."""
    return 8 * m + q


_SIZES = (2, 3, 4, 5)
_INPUTS = {q: transposed(interpolation(q)) for q in _SIZES}
# a tile's outputs under 2 or 3 taps, and the taps of a weight
_OUTPUTS = {(q - taps + 1, q) for taps in (2, 3) for q in _SIZES if q >= taps}
_TAPS = {(taps, q) for taps in (2, 3) for q in _SIZES if q >= taps}


def _values(runs):
    return {of.reference(m, q): (values(m, q), 0) for m, q in sorted(runs)}


def _sums(runs):
    return {of.reference(m, q): (transposed(values(m, q)), 0) for m, q in sorted(runs)}


# q inputs -> points, the transpose of interpolation: what multiplies the values of the kernel's
# polynomial. Case of(0, q).
inputs_to_points = _map({q: (matrix, 0) for q, matrix in _INPUTS.items()}, "inputs")
# Its transpose. Case of(s, q): the first s inputs are added to, as the tile before has a part in
# them.
points_to_inputs = _map(
    {
        of.reference(s, q): (transposed(_INPUTS[q]), s)
        for s in range(3) for q in _SIZES if q > s
    },
    "inputs_back",
)  # fmt: skip
# m outputs or taps, a polynomial's coefficients -> its values, and the transpose. Case of(m, q).
outputs_to_points = _map(_values(_OUTPUTS), "outputs")
points_to_outputs = _map(_sums(_OUTPUTS), "outputs_back")
taps_to_points = _map(_values(_TAPS), "taps")
points_to_taps = _map(_sums(_TAPS), "taps_back")
