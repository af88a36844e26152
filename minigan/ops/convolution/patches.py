"""Convolution of any geometry as matrix products: the patches of x that each y sees are copied side by side first (im2col).

With P the patches (C kernel, positions) of some images and w as a matrix (O, C kernel),

    conv  y = w @ P        conv_transpose  P = w^T @ y, added to x        conv_weight  w = y @ P^T

An image with many positions has a matrix of its own; those with few share one, side by side. P is cut so that it stays in the cache.
"""

import math

import numpy as np

from ...backend import kernel, parallel_ranges

CACHE = 1 << 17  # numbers in the patches that a thread works on at a time
ENOUGH = 64  # positions that make a product efficient
MIN_WORK = 1 << 16  # numbers in patches that are worth a thread
U = np.uintp


@kernel
def pack(x, patches, row, image, sizes):
    """Patches of x (N, C, D, H, W): that of tap t in image n begins at t * row + n * image of the flat array.

    sizes : of y, of the kernel; stride, padding and dilation; three numbers each
    """
    images, channels, depth, height, width = x.shape
    zero, taps = x.dtype.type(0), sizes[3] * sizes[4] * sizes[5]
    out_d, out_h, out_w, stride = sizes[0], sizes[1], sizes[2], sizes[8]
    for n in range(images):
        for tap in range(channels * taps):
            c, t = tap // taps, tap % taps
            kd, kh, kw = t // (sizes[4] * sizes[5]), t // sizes[5] % sizes[4], t % sizes[5]
            shift = kw * sizes[14] - sizes[11]
            low = min(max(0, -(shift // stride)), out_w)  # the columns whose tap lies inside x
            high = max(low, min(out_w, (width - 1 - shift) // stride + 1))
            at = tap * row + n * image
            for od in range(out_d):
                d = od * sizes[6] - sizes[9] + kd * sizes[12]
                for oh in range(out_h):
                    h = oh * sizes[7] - sizes[10] + kh * sizes[13]
                    if 0 <= d < depth and 0 <= h < height:
                        line = x[n, c, d, h]
                        for k in range(low):
                            patches[U(at + k)] = zero
                        for k in range(low, high):
                            patches[U(at + k)] = line[U(k * stride + shift)]
                        for k in range(high, out_w):
                            patches[U(at + k)] = zero
                    else:
                        for k in range(out_w):
                            patches[U(at + k)] = zero
                    at += out_w


@kernel
def unpack(x, patches, row, image, sizes):
    """x += the transpose of `pack`."""
    images, channels, depth, height, width = x.shape
    taps = sizes[3] * sizes[4] * sizes[5]
    out_d, out_h, out_w, stride = sizes[0], sizes[1], sizes[2], sizes[8]
    for n in range(images):
        for tap in range(channels * taps):
            c, t = tap // taps, tap % taps
            kd, kh, kw = t // (sizes[4] * sizes[5]), t // sizes[5] % sizes[4], t % sizes[5]
            shift = kw * sizes[14] - sizes[11]
            low = min(max(0, -(shift // stride)), out_w)
            high = max(low, min(out_w, (width - 1 - shift) // stride + 1))
            at = tap * row + n * image
            for od in range(out_d):
                d = od * sizes[6] - sizes[9] + kd * sizes[12]
                for oh in range(out_h):
                    h = oh * sizes[7] - sizes[10] + kh * sizes[13]
                    if 0 <= d < depth and 0 <= h < height:
                        line = x[n, c, d, h]
                        for k in range(low, high):
                            line[U(k * stride + shift)] += patches[U(at + k)]
                    at += out_w


class _Patches:
    """Patches of a geometry, with the channels of one group: matrices (N, C kernel, positions), or one (1, C kernel, N positions)."""

    def __init__(self, geometry, channels, dtype):
        def three(values, missing):
            return [missing] * (3 - len(values)) + list(values)

        g, self.size = geometry, three(geometry.size, 1)
        fields = (g.out, 1), (g.kernel, 1), (g.stride, 1), (g.padding, 0), (g.dilation, 1)
        self.sizes = np.array([n for field, missing in fields for n in three(field, missing)])
        self.positions, self.rows = math.prod(g.out), channels * math.prod(g.kernel)
        # Where each tap sees the whole of x, x itself is the matrix.
        self.plain = self.rows == channels and g.out == g.size and set(g.stride) == {1} and not any(g.padding)
        self.together = self.positions < ENOUGH
        self.dtype, self.memory = dtype, None

    def parts(self, low, high, bound=CACHE):
        """Slices of the images low to high."""
        step = max(1, bound // (self.rows * self.positions), -(-ENOUGH // self.positions) if self.together else 1)
        return [slice(a, min(a + step, high)) for a in range(low, high, step)]

    def empty(self, images):
        """Matrices for so many images, of undefined numbers; the memory is used again and again."""
        n = self.rows * images * self.positions
        if self.memory is None or self.memory.size < n:
            self.memory = np.empty(n, self.dtype)
        return self.memory[:n].reshape((1, self.rows, -1) if self.together else (images, self.rows, -1))

    def _steps(self, images):
        return (images * self.positions, self.positions) if self.together else (self.positions, self.rows * self.positions)

    def of(self, x):
        """The matrices of the images x (N, C, *size)."""
        if self.plain and not self.together:
            return x.reshape(*x.shape[:2], -1)
        matrices = self.empty(len(x))
        pack(x.reshape(*x.shape[:2], *self.size), matrices.reshape(-1), *self._steps(len(x)), self.sizes)
        return matrices

    def add_to(self, x, matrices):
        """x += matrices, as patches."""
        if self.plain and not self.together:
            x += matrices.reshape(x.shape)
        else:
            unpack(x.reshape(*x.shape[:2], *self.size), matrices.reshape(-1), *self._steps(len(x)), self.sizes)

    def beside(self, y):
        """y (N, O, ...) as matrices that fit to those of the patches: (N, O, positions) or (1, O, N positions)."""
        y = y.reshape(*y.shape[:2], -1)
        return y.swapaxes(0, 1).reshape(1, y.shape[1], -1) if self.together else y


def _grouped(geometry, x, y, w):
    """For each group: its channels of x and of y as slices, its part of w as a matrix (O, C kernel)."""
    groups = geometry.groups
    c, o = x // groups, y // groups
    return [(slice(g * c, (g + 1) * c), slice(g * o, (g + 1) * o), w[g * o : (g + 1) * o].reshape(o, -1)) for g in range(groups)]


def conv(x, w, bias, geometry):
    """As `formula.conv`, plus bias."""
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    y = np.empty((len(x), len(w), *geometry.out), x.dtype)
    flat = y.reshape(len(x), len(w), -1)
    groups = _grouped(geometry, x.shape[1], len(w), w)

    def run(low, high):
        patches = _Patches(geometry, w.shape[1], x.dtype)
        for part in patches.parts(low, high):
            for cs, os, matrix in groups:
                if patches.together:
                    product = np.matmul(matrix, patches.of(x[part, cs])[0])
                    flat[part, os] = product.reshape(len(matrix), part.stop - part.start, -1).swapaxes(0, 1)
                else:
                    np.matmul(matrix, patches.of(x[part, cs]), out=flat[part, os])
            if bias is not None:
                flat[part] += bias[:, None]

    _in_threads(run, x, geometry)
    return y


def conv_transpose(y, w, bias, geometry):
    """As `formula.conv_transpose`, plus bias."""
    y, w = np.ascontiguousarray(y), np.ascontiguousarray(w)
    c = w.shape[1] * geometry.groups
    x = np.empty((len(y), c, *geometry.size), y.dtype)
    groups = _grouped(geometry, c, len(w), w)
    start = np.zeros(c, y.dtype) if bias is None else bias

    def run(low, high):
        patches = _Patches(geometry, w.shape[1], y.dtype)
        for part in patches.parts(low, high):
            x[part] = start.reshape(-1, *[1] * len(geometry.out))
            for cs, os, matrix in groups:
                product = np.matmul(matrix.T, patches.beside(y[part, os]), out=patches.empty(part.stop - part.start))
                patches.add_to(x[part, cs], product)

    _in_threads(run, x, geometry)
    return x


def conv_weight(x, y, geometry):
    """As `formula.conv_weight`. Each thread sums over its images; the sums are added in the order of the images."""
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    shape = (y.shape[1], x.shape[1] // geometry.groups, *geometry.kernel)
    sums = {}

    def run(low, high):
        w = sums[low] = np.zeros(shape, x.dtype)
        patches = _Patches(geometry, shape[1], x.dtype)
        for part in patches.parts(low, high, 8 * CACHE if patches.together else CACHE):
            for cs, os, matrix in _grouped(geometry, x.shape[1], y.shape[1], w):
                for rows, columns in zip(patches.beside(y[part, os]), patches.of(x[part, cs])):
                    matrix += rows @ columns.T

    _in_threads(run, x, geometry)
    first, *rest = [sums[low] for low in sorted(sums)]
    for w in rest:
        first += w
    return first


def _in_threads(run, x, geometry):
    numbers = x.shape[1] // geometry.groups * math.prod(geometry.kernel) * math.prod(geometry.out)
    parallel_ranges(run, len(x), MIN_WORK // max(1, numbers), products=True)
