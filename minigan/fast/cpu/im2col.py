"""The patches of x that each position of a convolution sees, copied side by side (im2col), and
added back to where they came from (col2im)."""

import functools
import math

import numpy as np

from .called import Called
from .kernels import kernel

SMALL = 512  # positions up to which a table is faster than lines
U = np.uintp
THREE = (np.int64, (3,))
SIZES = np.dtype(
    [(name, *THREE) for name in ("out", "kernel", "stride", "padding", "dilation")], align=True
)
# Of a plane of x with the zeros around it: where x begins, how many numbers are from one depth and
# row to the next, and in all.
PLANE = np.dtype([(name, np.int64) for name in ("start", "depth", "row", "size")], align=True)


@kernel
def im2col_by_lines(x, start, images, patches, row, image, first, channels, sizes, index, plane):
    """Patches of so many images of x (N, C, D, H, W), from number `start` on, and channels, from
    number `first` on: that of tap t in image n begins at t * row + n * image of the flat array.

    sizes : an array of one SIZES
    """
    depth, height, width = x.shape[2:]
    g, zero = sizes[0], x.dtype.type(0)
    out_d, out_h = g.out[0], g.out[1]
    kernel_h, kernel_w = g.kernel[1], g.kernel[2]
    stride_d, stride_h = g.stride[0], g.stride[1]
    pad_d, pad_h = g.padding[0], g.padding[1]
    dilation_d, dilation_h = g.dilation[0], g.dilation[1]
    out_w, stride = g.out[2], g.stride[2]
    pad_w, dilation_w = g.padding[2], g.dilation[2]
    taps = g.kernel[0] * kernel_h * kernel_w
    for n in range(images):
        for tap in range(channels * taps):
            c, t = first + tap // taps, tap % taps
            kd = t // (kernel_h * kernel_w)
            kh, kw = t // kernel_w % kernel_h, t % kernel_w
            shift = kw * dilation_w - pad_w
            low = min(max(0, -(shift // stride)), out_w)  # the columns whose tap lies inside x
            high = max(low, min(out_w, (width - 1 - shift) // stride + 1))
            at = tap * row + n * image
            for od in range(out_d):
                d = od * stride_d - pad_d + kd * dilation_d
                for oh in range(out_h):
                    h = oh * stride_h - pad_h + kh * dilation_h
                    if 0 <= d < depth and 0 <= h < height:
                        line = x[start + n, c, d, h]
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
def col2im_by_lines(x, start, images, patches, row, image, first, channels, sizes, index, plane):
    """x += the transpose of `im2col_by_lines`."""
    depth, height, width = x.shape[2:]
    g = sizes[0]
    out_d, out_h = g.out[0], g.out[1]
    kernel_h, kernel_w = g.kernel[1], g.kernel[2]
    stride_d, stride_h = g.stride[0], g.stride[1]
    pad_d, pad_h = g.padding[0], g.padding[1]
    dilation_d, dilation_h = g.dilation[0], g.dilation[1]
    out_w, stride = g.out[2], g.stride[2]
    pad_w, dilation_w = g.padding[2], g.dilation[2]
    taps = g.kernel[0] * kernel_h * kernel_w
    for n in range(images):
        for tap in range(channels * taps):
            c, t = first + tap // taps, tap % taps
            kd = t // (kernel_h * kernel_w)
            kh, kw = t // kernel_w % kernel_h, t % kernel_w
            shift = kw * dilation_w - pad_w
            low = min(max(0, -(shift // stride)), out_w)
            high = max(low, min(out_w, (width - 1 - shift) // stride + 1))
            at = tap * row + n * image
            for od in range(out_d):
                d = od * stride_d - pad_d + kd * dilation_d
                for oh in range(out_h):
                    h = oh * stride_h - pad_h + kh * dilation_h
                    if 0 <= d < depth and 0 <= h < height:
                        line = x[start + n, c, d, h]
                        for k in range(low, high):
                            line[U(k * stride + shift)] += patches[U(at + k)]
                    at += out_w


@kernel
def im2col_by_table(x, start, images, patches, row, image, first, channels, sizes, index, plane):
    """As `im2col_by_lines`, with a table: `index` (kernel, positions) says where each number is in
    a plane of x with the zeros around it.

    plane : an array of one PLANE
    Several times faster than `im2col_by_lines` for small images, whose lines are short.
    """
    depth, height, width = x.shape[2:]
    taps, positions = index.shape
    p = plane[0]
    numbers = np.zeros(p.size, x.dtype)
    for n in range(images):
        for c in range(channels):
            for d in range(depth):
                for h in range(height):
                    at = p.start + d * p.depth + h * p.row
                    for w in range(width):
                        numbers[U(at + w)] = x[U(start + n), U(first + c), U(d), U(h), U(w)]
            for t in range(taps):
                at = (c * taps + t) * row + n * image
                for k in range(positions):
                    patches[U(at + k)] = numbers[U(index[U(t), U(k)])]


@kernel
def col2im_by_table(x, start, images, patches, row, image, first, channels, sizes, index, plane):
    """x += the transpose of `im2col_by_table`."""
    depth, height, width = x.shape[2:]
    taps, positions = index.shape
    p = plane[0]
    numbers, zero = np.empty(p.size, x.dtype), x.dtype.type(0)
    for n in range(images):
        for c in range(channels):
            for k in range(p.size):
                numbers[U(k)] = zero
            for t in range(taps):
                at = (c * taps + t) * row + n * image
                for k in range(positions):
                    numbers[U(index[U(t), U(k)])] += patches[U(at + k)]
            for d in range(depth):
                for h in range(height):
                    at = p.start + d * p.depth + h * p.row
                    for w in range(width):
                        x[U(start + n), U(first + c), U(d), U(h), U(w)] += numbers[U(at + w)]


@functools.lru_cache(maxsize=256)
def table_of(geometry):
    """(index, plane) for `im2col_by_table`."""
    padded = geometry.padded()
    steps = [math.prod(padded[i + 1 :]) for i in range(len(padded))]
    dims = zip(geometry.kernel, geometry.dilation, geometry.out, geometry.stride, steps)
    index = np.zeros((1, 1), np.int64)
    for kernel_size, dilation, out, stride, step in dims:
        taps, positions = np.arange(kernel_size) * dilation * step, np.arange(out) * stride * step
        index = (index[:, None, :, None] + taps[:, None, None] + positions).reshape(
            len(index) * kernel_size, -1
        )
    steps = [0] * (3 - len(steps)) + steps
    first = sum(p * s for p, s in zip(geometry.padding, steps[3 - len(padded) :]))
    return index, np.array([(first, steps[0], steps[1], math.prod(padded))], PLANE)


def _kinds(real, whole, array):
    tables = array(SIZES, 1), array(whole, 2), array(PLANE, 1)
    return array(real, 5), whole, whole, array(real, 1), whole, whole, whole, whole, *tables


# In a kernel im2col(address, x, ...), with the address of either: their arguments are the same.
im2col, im2col_of_small = Called(im2col_by_lines, _kinds), Called(im2col_by_table, _kinds)
col2im, col2im_of_small = Called(col2im_by_lines, _kinds), Called(col2im_by_table, _kinds)


@kernel
def side_by_side(y, low, images, first, channels, out):
    """Channels `first` on of so many images of y (N, O, positions), from number `low` on, side by
    side: out (channels, images positions), flat."""
    positions = y.shape[2]
    for c in range(channels):
        for n in range(images):
            at = (c * images + n) * positions
            for k in range(positions):
                out[U(at + k)] = y[U(low + n), U(first + c), U(k)]


def three(sizes, missing):
    """Sizes of three dimensions."""
    return (missing,) * (3 - len(sizes)) + tuple(sizes)


@functools.lru_cache(maxsize=256)
def sizes_of(geometry):
    """An array of one SIZES; dimensions that are missing have size 1."""
    g, sizes = geometry, np.zeros(1, SIZES)
    for name, values in (
        ("out", g.out),
        ("kernel", g.kernel),
        ("stride", g.stride),
        ("dilation", g.dilation),
    ):
        sizes[name] = three(values, 1)
    sizes["padding"] = three(g.padding, 0)
    return sizes
