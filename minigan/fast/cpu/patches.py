"""Convolution of any geometry as matrix products: the patches of x that each y sees are copied side
by side first (im2col).

With P the patches (C kernel, positions) of some images and w as a matrix (O, C kernel),

    conv  y = w @ P        conv_transpose  P = w^T @ y, added to x        conv_weight  w = y @ P^T

An image with many positions has a matrix of its own; those with few share one, side by side. So
many images are taken at a time that P stays in the cache.
"""

import math

import numpy as np

from .gemm import NO_TRANS, TRANS, gemm, gemm_address
from .im2col import PLANE, SMALL, U, col2im, im2col, side_by_side, sizes_of, table_of, three
from .kernels import kernel
from .layout import row_major
from .threads import num_threads, parallel_ranges

CACHE = 1 << 17  # numbers in the patches that a thread works on at a time
ENOUGH = 64  # positions that make a product efficient
MIN_WORK = 1 << 16  # numbers in patches that are worth a thread


@kernel
def put_bias(x, bias, pointwise):
    """x (C, D, H, W) = bias (C,), or += bias. (Assigned to a whole plane, numbers may be of
    a shape that does not fit, and Numba compiles for seconds what it would say then.)"""
    channels, depth, height, width = x.shape
    for c in range(channels):
        b = bias[c]
        for d in range(depth):
            for h in range(height):
                for k in range(width):
                    x[U(c), U(d), U(h), U(k)] = x[U(c), U(d), U(h), U(k)] + b if pointwise else b


@kernel
def conv_kernel(x, w, bias, y, at_once, joint, pointwise, sizes, index, plane, address):
    """y (N, O, positions) = convolution of x (N, C, D, H, W); w (O, C kernel), bias (O,)."""
    (outputs, rows), positions = w.shape, y.shape[2]
    zero = x.dtype.type(0)
    patches = np.empty(1 if pointwise else at_once * rows * positions, x.dtype)
    result = np.empty(outputs * at_once * positions if joint else 1, x.dtype)
    for low in range(0, len(x), at_once):
        images = min(at_once, len(x) - low)
        if joint:
            n = images * positions
            im2col(x[low : low + images], patches, n, positions, sizes, index, plane)
            gemm(address, NO_TRANS, NO_TRANS, outputs, n, rows,
                 w, rows, patches, n, zero, result, n)  # fmt: skip
        elif not pointwise:
            im2col(x[low : low + images], patches, positions, rows * positions, sizes, index, plane)
        for i in range(images):
            to = y[low + i]
            if pointwise:
                gemm(address, NO_TRANS, NO_TRANS, outputs, positions, rows,
                     w, rows, x[low + i], positions, zero, to, positions)  # fmt: skip
            elif not joint:
                matrix = patches[i * rows * positions :]
                gemm(address, NO_TRANS, NO_TRANS, outputs, positions, rows,
                     w, rows, matrix, positions, zero, to, positions)  # fmt: skip
            for c in range(outputs):
                b, at = bias[c], (c * images + i) * positions
                if joint:
                    for k in range(positions):
                        to[U(c), U(k)] = result[U(at + k)] + b
                elif b != zero:
                    for k in range(positions):
                        to[U(c), U(k)] += b


@kernel
def conv_transpose_kernel(y, w, bias, x, at_once, joint, pointwise, sizes, index, plane, address):
    """x (N, C, D, H, W) = transposed convolution of y (N, O, positions); w (O, C kernel), bias
    (C,)."""
    (outputs, rows), positions = w.shape, y.shape[2]
    zero = x.dtype.type(0)
    patches = np.empty(1 if pointwise else at_once * rows * positions, x.dtype)
    given = np.empty(outputs * at_once * positions if joint else 1, x.dtype)
    for low in range(0, len(y), at_once):
        images = min(at_once, len(y) - low)
        for i in range(images):
            to = x[low + i]
            if pointwise:
                gemm(address, TRANS, NO_TRANS, rows, positions, outputs,
                     w, rows, y[low + i], positions, zero, to, positions)  # fmt: skip
                put_bias(to, bias, True)
            else:
                put_bias(to, bias, False)
                if not joint:
                    matrix = patches[i * rows * positions :]
                    gemm(address, TRANS, NO_TRANS, rows, positions, outputs,
                         w, rows, y[low + i], positions, zero, matrix, positions)  # fmt: skip
        if joint:
            n = images * positions
            side_by_side(y[low : low + images], given)
            gemm(address, TRANS, NO_TRANS, rows, n, outputs, w, rows, given, n, zero, patches, n)
            col2im(x[low : low + images], patches, n, positions, sizes, index, plane)
        elif not pointwise:
            col2im(x[low : low + images], patches, positions, rows * positions, sizes, index, plane)


@kernel
def conv_weight_kernel(x, y, w, row, at_once, joint, pointwise, sizes, index, plane, address):
    """w (O, C kernel) = sum over the images of y (N, O, positions) and the patches of x; w's rows
    begin `row` numbers apart."""
    (outputs, rows), positions = w.shape, y.shape[2]
    patches = np.empty(1 if pointwise else at_once * rows * positions, x.dtype)
    given = np.empty(outputs * at_once * positions if joint else 1, x.dtype)
    for low in range(0, len(x), at_once):
        images, beta = min(at_once, len(x) - low), x.dtype.type(0 if low == 0 else 1)
        if joint:
            n = images * positions
            im2col(x[low : low + images], patches, n, positions, sizes, index, plane)
            side_by_side(y[low : low + images], given)
            gemm(address, NO_TRANS, TRANS, outputs, rows, n, given, n, patches, n, beta, w, row)
        elif not pointwise:
            im2col(x[low : low + images], patches, positions, rows * positions, sizes, index, plane)
        if not joint:
            for i in range(images):
                beta = x.dtype.type(0 if low + i == 0 else 1)
                if pointwise:
                    gemm(address, NO_TRANS, TRANS, outputs, rows, positions,
                         y[low + i], positions, x[low + i], positions, beta, w, row)  # fmt: skip
                else:
                    matrix = patches[i * rows * positions :]
                    gemm(address, NO_TRANS, TRANS, outputs, rows, positions,
                         y[low + i], positions, matrix, positions, beta, w, row)  # fmt: skip


class _Call:
    """What the kernels need to know of a geometry; they see three spatial dimensions, those missing
    being 1."""

    def __init__(self, geometry, channels, outputs, dtype):
        g = geometry
        self.size = three(g.size, 1)
        self.sizes = sizes_of(g)
        self.positions, self.rows = math.prod(g.out), channels // g.groups * math.prod(g.kernel)
        # Where each tap sees the whole of x, x itself is the matrix.
        self.pointwise = (
            g.out == g.size
            and set(g.kernel) == {1} == set(g.stride)
            and not any(g.padding)
            and self.positions >= ENOUGH
        )
        self.joint = self.positions < ENOUGH
        self.weight, self.address = self.rows * outputs // g.groups, gemm_address(dtype)
        c, o = channels // g.groups, outputs // g.groups
        self.groups = [
            (slice(i * c, (i + 1) * c), slice(i * o, (i + 1) * o)) for i in range(g.groups)
        ]
        self.index, self.plane = (
            table_of(g)
            if self.positions <= SMALL
            else (np.empty((0, 0), np.int64), np.zeros(1, PLANE))
        )
        self.least = MIN_WORK // max(1, self.rows * self.positions)

    def arguments(self, images):
        """at_once, joint, pointwise, sizes, index, plane, address. Where images share a product, a
        large weight is worth more of them."""
        bound = max(CACHE, self.weight // 2) if self.joint else CACHE
        step = max(
            1,
            bound // (self.rows * self.positions),
            -(-ENOUGH // self.positions) if self.joint else 1,
        )
        parts = -(-images // step)
        at_once = -(-images // parts)
        return at_once, self.joint, self.pointwise, self.sizes, self.index, self.plane, self.address

    def volume(self, x):
        """x (N, C, *size) as (N, C, D, H, W)."""
        return x.reshape(*x.shape[:2], *self.size)


def conv(x, w, bias, geometry):
    """As `formula.conv`, plus bias."""
    x, w = row_major(x), np.ascontiguousarray(w)
    y = np.empty((len(x), len(w), *geometry.out), x.dtype)
    call = _Call(geometry, x.shape[1], len(w), x.dtype)
    bias = np.zeros(len(w), x.dtype) if bias is None else np.ascontiguousarray(bias)
    volume, matrix = call.volume(x), w.reshape(len(w), -1)
    flat = y.reshape(len(y), len(w), -1)

    def run(low, high):
        for c, o in call.groups:
            conv_kernel(
                volume[low:high, c],
                matrix[o],
                bias[o],
                flat[low:high, o],
                *call.arguments(high - low),
            )

    parallel_ranges(run, len(x), call.least, products=True)
    return y


def conv_transpose(y, w, bias, geometry):
    """As `formula.conv_transpose`, plus bias."""
    y, w = row_major(y), np.ascontiguousarray(w)
    channels = w.shape[1] * geometry.groups
    x = np.empty((len(y), channels, *geometry.size), y.dtype)
    call = _Call(geometry, channels, len(w), y.dtype)
    bias = np.zeros(channels, y.dtype) if bias is None else np.ascontiguousarray(bias)
    volume, matrix = call.volume(x), w.reshape(len(w), -1)
    flat = y.reshape(len(y), len(w), -1)

    def run(low, high):
        for c, o in call.groups:
            conv_transpose_kernel(
                flat[low:high, o],
                matrix[o],
                bias[c],
                volume[low:high, c],
                *call.arguments(high - low),
            )

    parallel_ranges(run, len(y), call.least, products=True)
    return x


def conv_weight(x, y, geometry):
    """As `formula.conv_weight`. Threads share the channels of x, or its images if these are few:
    then their sums are added in order."""
    x, y = row_major(x), row_major(y)
    outputs = y.shape[1]
    channels = x.shape[1] // geometry.groups
    taps = math.prod(geometry.kernel)
    call = _Call(geometry, x.shape[1], outputs, x.dtype)
    volume, flat = call.volume(x), y.reshape(len(y), outputs, -1)
    shape = outputs, channels * taps
    if channels >= 4 * num_threads():
        w = np.empty(shape, x.dtype)

        def run(low, high):
            for c, o in call.groups:
                part, to = volume[:, c][:, low:high], w[o, low * taps : high * taps]
                conv_weight_kernel(part, flat[:, o], to, shape[1], *call.arguments(len(x)))

        parallel_ranges(run, channels, call.least * channels // len(x), products=True)
        return w.reshape(outputs, channels, *geometry.kernel)
    sums = {}

    def run_images(low, high):
        w = sums[low] = np.empty(shape, x.dtype)
        for c, o in call.groups:
            conv_weight_kernel(
                volume[low:high, c], flat[low:high, o], w[o], shape[1], *call.arguments(high - low)
            )

    parallel_ranges(run_images, len(x), call.least, products=True)
    first, *rest = [sums[low] for low in sorted(sums)]
    for w in rest:
        first += w
    return first.reshape(outputs, channels, *geometry.kernel)
