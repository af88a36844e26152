"""Convolution in three dimensions as one in two: what a position sees in depth are more channels.

With kernel kd and stride sd in depth, y[n, :, d] is a convolution of an image with C kd channels,
the planes x[n, c, d sd - p + t] for each tap t. So x is copied kd / sd times, where patches of all
three dimensions are as many times larger as the kernel is larger than the stride in each, and the
images are convolved with as few multiplications as there is a way for. The weight (O, C, kd, kh,
kw) is that of the images as it lies in memory.
"""

import numpy as np

from .threads import parallel_ranges

MIN_WORK = 1 << 16  # numbers to copy that are worth a thread


def images(geometry):
    """The geometry of the images."""
    g = geometry
    rest = [sizes[1:] for sizes in (g.size, g.out, g.kernel, g.stride, g.padding, g.dilation)]
    return type(g)(*rest, 1)


def seen(geometry):
    """For each tap in depth: (the planes of x that it sees, the positions that see them), slices
    of what lies in x."""
    (depth, out), stride = (geometry.size[0], geometry.out[0]), geometry.stride[0]
    for t in range(geometry.kernel[0]):
        shift = t * geometry.dilation[0] - geometry.padding[0]
        first = max(0, -(shift // stride))
        last = min(out, (depth - 1 - shift) // stride + 1)
        if first < last:
            start = first * stride + shift
            planes = slice(start, start + (last - first - 1) * stride + 1, stride)
            yield t, planes, slice(first, last)


def cut(x, geometry):
    """x (N, C, D, H, W) -> the images (N out, C kd, H, W)."""
    n, c = x.shape[:2]
    out, kernel = geometry.out[0], geometry.kernel[0]
    found = np.empty((n, out, c, kernel, *x.shape[3:]), x.dtype)
    taps = list(seen(geometry))

    def run(low, high):
        here = found[low:high]
        if len(taps) < kernel or any(d != slice(0, out) for *_, d in taps):
            here[...] = 0
        for t, planes, positions in taps:
            here[:, positions, :, t] = x[low:high, :, planes].swapaxes(1, 2)

    parallel_ranges(run, n, MIN_WORK * n // max(1, found.size))
    return found.reshape(n * out, c * kernel, *x.shape[3:])


def joined(several, n, bias, geometry):
    """The transpose of `cut`: images (N out, C kd, H, W), their planes added up where they came
    from, and bias (C,) or None, in x (N, C, D, H, W)."""
    out, kernel = geometry.out[0], geometry.kernel[0]
    several = several.reshape(n, out, -1, kernel, *several.shape[2:])
    x = np.empty((n, several.shape[2], *geometry.size), several.dtype)

    def run(low, high):
        x[low:high] = 0 if bias is None else bias[:, None, None, None]
        for t, planes, positions in seen(geometry):
            x[low:high, :, planes] += several[low:high, positions, :, t].swapaxes(1, 2)

    parallel_ranges(run, n, MIN_WORK * n // max(1, several.size))
    return x


def deep(y, n):
    """Images (N out, O, H, W) -> (N, O, out, H, W)."""
    return np.ascontiguousarray(y.reshape(n, -1, *y.shape[1:]).swapaxes(1, 2))


def plane_by_plane(y):
    """Its inverse."""
    return np.ascontiguousarray(y.swapaxes(1, 2)).reshape(-1, y.shape[1], *y.shape[3:])
