"""Convolution of any geometry as one matrix product: the patches of x that each y sees are copied side by side first (im2col).

With P the patches (C kernel, positions) of some images and w as a matrix (O, C kernel),

    conv  y = w @ P        conv_transpose  P = w^T @ y, added to x        conv_weight  w = y @ P^T

One image after the other, or some where one has few positions: P never grows beyond `CACHE`, or one image.
"""

import math

import numpy as np

from ...backend import kernel, parallel_ranges

CACHE = 1 << 17  # numbers in the patches that a thread works on at a time: they stay in its cache
ENOUGH = 64  # positions that make a product efficient
MIN_WORK = 1 << 16  # numbers in patches that are worth a thread
U = np.uintp


@kernel
def pack(x, patches, out, sizes, stride, padding, dilation):
    """patches (C, kd, kh, kw, N, positions) of x (N, C, D, H, W); `out`, `sizes`: of y and of the kernel."""
    images, channels, depth, height, width = x.shape
    zero = x.dtype.type(0)
    for c in range(channels):
        for kd in range(sizes[0]):
            for kh in range(sizes[1]):
                for kw in range(sizes[2]):
                    # the columns whose tap kw lies inside x
                    shift = kw * dilation[2] - padding[2]
                    low = min(max(0, -(shift // stride[2])), out[2])
                    high = max(low, min(out[2], (width - 1 - shift) // stride[2] + 1))
                    for n in range(images):
                        row = patches[c, kd, kh, kw, n]
                        at = 0
                        for od in range(out[0]):
                            d = od * stride[0] - padding[0] + kd * dilation[0]
                            for oh in range(out[1]):
                                h = oh * stride[1] - padding[1] + kh * dilation[1]
                                if 0 <= d < depth and 0 <= h < height:
                                    line = x[n, c, d, h]
                                    for k in range(low):
                                        row[U(at + k)] = zero
                                    for k in range(low, high):
                                        row[U(at + k)] = line[U(k * stride[2] + shift)]
                                    for k in range(high, out[2]):
                                        row[U(at + k)] = zero
                                else:
                                    for k in range(out[2]):
                                        row[U(at + k)] = zero
                                at += out[2]


@kernel
def unpack(patches, x, out, sizes, stride, padding, dilation):
    """x += the transpose of `pack`."""
    images, channels, depth, height, width = x.shape
    for c in range(channels):
        for kd in range(sizes[0]):
            for kh in range(sizes[1]):
                for kw in range(sizes[2]):
                    shift = kw * dilation[2] - padding[2]
                    low = min(max(0, -(shift // stride[2])), out[2])
                    high = max(low, min(out[2], (width - 1 - shift) // stride[2] + 1))
                    for n in range(images):
                        row = patches[c, kd, kh, kw, n]
                        at = 0
                        for od in range(out[0]):
                            d = od * stride[0] - padding[0] + kd * dilation[0]
                            for oh in range(out[1]):
                                h = oh * stride[1] - padding[1] + kh * dilation[1]
                                if 0 <= d < depth and 0 <= h < height:
                                    line = x[n, c, d, h]
                                    for k in range(low, high):
                                        line[U(k * stride[2] + shift)] += row[U(at + k)]
                                at += out[2]


class _Patches:
    """Patches of a geometry, with one group's `channels`: all sizes as three, those missing being 1."""

    def __init__(self, geometry, channels, dtype):
        def three(values, missing):
            return (*[missing] * (3 - len(values)), *values)

        self.size, self.out, self.kernel = (three(v, 1) for v in (geometry.size, geometry.out, geometry.kernel))
        self.arguments = self.out, self.kernel, three(geometry.stride, 1), three(geometry.padding, 0), three(geometry.dilation, 1)
        self.positions, self.channels, self.rows = math.prod(self.out), channels, channels * math.prod(self.kernel)
        # Where each tap sees the whole of x, x itself is the matrix.
        self.plain = self.rows == channels and self.out == self.size and set(geometry.stride) == {1} and not any(geometry.padding)
        self.dtype, self.matrix = dtype, None

    def at_once(self, images, bound=CACHE):
        """How many of the images to take together."""
        enough = -(-ENOUGH // self.positions)
        return max(1, min(images, max(enough, bound // (self.rows * self.positions))) if enough > 1 else 1)

    def empty(self, images):
        """The matrix for so many images, of undefined numbers; the memory is used again and again."""
        n = self.rows * images * self.positions
        if self.matrix is None or self.matrix.size < n:
            self.matrix = np.empty(n, self.dtype)
        return self.matrix[:n].reshape(self.rows, -1)

    def of(self, x):
        """The matrix of the images x (N, C, *size)."""
        if self.plain and len(x) == 1:
            return x.reshape(self.channels, -1)
        matrix = self.empty(len(x))
        pack(x.reshape(*x.shape[:2], *self.size), matrix.reshape(self.channels, *self.kernel, len(x), -1), *self.arguments)
        return matrix

    def add_to(self, x, matrix):
        """x += matrix, as patches."""
        if self.plain and len(x) == 1:
            x += matrix.reshape(x.shape)
        else:
            patches = matrix.reshape(self.channels, *self.kernel, len(x), -1)
            unpack(patches, x.reshape(*x.shape[:2], *self.size), *self.arguments)


def _rows(y):
    """y (N, O, ...) as a matrix (O, N positions)."""
    if len(y) == 1:
        return y.reshape(y.shape[1], -1)
    return y.reshape(*y.shape[:2], -1).swapaxes(0, 1).reshape(y.shape[1], -1)


def _parts(low, high, step):
    return [slice(a, min(a + step, high)) for a in range(low, high, step)]


def _grouped(geometry, x, y, w):
    """For each group: its channels of x and of y as slices, its part of w as a matrix (O, C kernel)."""
    groups = geometry.groups
    c, o = x // groups, y // groups
    return [(slice(g * c, (g + 1) * c), slice(g * o, (g + 1) * o), w[g * o : (g + 1) * o].reshape(o, -1)) for g in range(groups)]


def conv(x, w, bias, geometry):
    """As `formula.conv`, plus bias."""
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    y = np.empty((len(x), len(w), *geometry.out), x.dtype)
    groups = _grouped(geometry, x.shape[1], len(w), w)
    shape = (-1, *[1] * len(geometry.out))

    def run(low, high):
        patches = _Patches(geometry, w.shape[1], x.dtype)
        for part in _parts(low, high, patches.at_once(high - low)):
            for cs, os, matrix in groups:
                columns = patches.of(x[part, cs])
                if part.stop - part.start == 1:
                    np.matmul(matrix, columns, out=y[part.start, os].reshape(len(matrix), -1))
                else:
                    product = np.matmul(matrix, columns).reshape(len(matrix), part.stop - part.start, *geometry.out)
                    y[part, os] = product.swapaxes(0, 1)
            if bias is not None:
                y[part] += bias.reshape(shape)

    _in_threads(run, x, geometry)
    return y


def conv_transpose(y, w, bias, geometry):
    """As `formula.conv_transpose`, plus bias."""
    y, w = np.ascontiguousarray(y), np.ascontiguousarray(w)
    c = w.shape[1] * geometry.groups
    x = np.empty((len(y), c, *geometry.size), y.dtype)
    groups = _grouped(geometry, c, len(w), w)
    shape = (-1, *[1] * len(geometry.out))

    def run(low, high):
        patches = _Patches(geometry, w.shape[1], y.dtype)
        for part in _parts(low, high, patches.at_once(high - low)):
            x[part] = 0 if bias is None else bias.reshape(shape)
            for cs, os, matrix in groups:
                rows = _rows(y[part, os])
                patches.add_to(x[part, cs], np.matmul(matrix.T, rows, out=patches.empty(part.stop - part.start)))

    _in_threads(run, x, geometry)
    return x


def conv_weight(x, y, geometry):
    """As `formula.conv_weight`. Each thread sums over its images; the sums are added in the order of the images."""
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    shape = (y.shape[1], x.shape[1] // geometry.groups, *geometry.kernel)
    sums = {}

    def run(low, high):
        w = sums[low] = np.empty(shape, x.dtype)
        patches = _Patches(geometry, shape[1], x.dtype)
        for part in _parts(low, high, patches.at_once(high - low, 8 * CACHE)):
            for cs, os, matrix in _grouped(geometry, x.shape[1], y.shape[1], w):
                rows, columns = _rows(y[part, os]), patches.of(x[part, cs])
                if part.start == low:
                    np.matmul(rows, columns.T, out=matrix)
                else:
                    matrix += rows @ columns.T

    _in_threads(run, x, geometry)
    first, *rest = [sums[low] for low in sorted(sums)]
    for w in rest:
        first += w
    return first


def _in_threads(run, x, geometry):
    numbers = x.shape[1] // geometry.groups * math.prod(geometry.kernel) * math.prod(geometry.out)
    parallel_ranges(run, len(x), MIN_WORK // max(1, numbers), products=True)
