"""Convolution where a group has few outputs, such as the layer that draws an image, or one that
filters each channel by itself: a matrix product would read all patches for a few rows only. Here x
is copied once with the zeros around it, and each tap is a line of it, from another start on.

With strides x is parted into its phases (the numbers whose places leave the same rest), in each of
which neighbours are one stride apart. y has the width that a phase has, so that a tap's numbers
follow each other from row to row; what lies beyond y's own width is left out in the end. The other
way round, each phase of x is a convolution of y.
"""

import functools
import itertools
import math

import numpy as np

from .im2col import U, sizes_of, three
from .kernels import kernel
from .layout import row_major
from .patches import given_or_zeros
from .shared_kernel import InPieces, pieces_of

FEW = 4  # outputs of a group, at most
BLOCK = 2048  # numbers of y that all taps are added to before the next ones: they stay in the cache
SMALL = 1024  # positions of a map
MIN_WORK = 1 << 15  # multiplications that are worth a thread
PHASES = np.dtype(
    [(name, np.int64) for name in ("phases", "size", "flat", "depth", "height", "width")],
    align=True,
)


@kernel
def spread(x, n, c, sizes, layout, plane):
    """A channel of an image of x (N, C, D, H, W) as phases, with the zeros around it."""
    g, sides, zero = sizes[0], layout[0], x.dtype.type(0)
    stride = g.stride[2]
    begin = 0
    for phase in range(sides.phases):
        shift_d = phase // (g.stride[1] * stride) - g.padding[0]
        shift_h = phase // stride % g.stride[1] - g.padding[1]
        shift = phase % stride - g.padding[2]
        low = min(max(0, -(shift // stride)), sides.width)  # the columns that lie inside x
        high = max(low, min(sides.width, (x.shape[4] - 1 - shift) // stride + 1))
        for i in range(sides.depth):
            d = i * g.stride[0] + shift_d
            for j in range(sides.height):
                h = j * g.stride[1] + shift_h
                if 0 <= d < x.shape[2] and 0 <= h < x.shape[3]:
                    line = x[n, c, d, h]
                    for k in range(low):
                        plane[U(begin + k)] = zero
                    for k in range(low, high):
                        plane[U(begin + k)] = line[U(k * stride + shift)]
                    for k in range(high, sides.width):
                        plane[U(begin + k)] = zero
                else:
                    for k in range(sides.width):
                        plane[U(begin + k)] = zero
                begin += sides.width


@kernel
def direct_kernel(piece, pieces, x, w, bias, slope, y, groups, sizes, layout, starts):
    """y (N, O, oD, oH, oW) = leaky ReLU of the convolution of x (N, C, D, H, W); w (O, C / groups,
    taps), bias (O,). Pieces are of the blocks of all images and groups."""
    sides, zero = layout[0], x.dtype.type(0)
    channels, outputs, taps = w.shape[1], len(w) // groups, w.shape[2]
    blocks = (sides.flat + BLOCK - 1) // BLOCK
    units = len(x) * groups * blocks
    unit, end = units * piece // pieces, units * (piece + 1) // pieces
    plane = np.empty(sides.phases * sides.size, x.dtype)
    total = np.empty(outputs * sides.flat, x.dtype)
    while unit < end:
        n, group = unit // blocks // groups, unit // blocks % groups
        first, last = unit % blocks, min(blocks, unit % blocks + end - unit)
        low, high = first * BLOCK, min(sides.flat, last * BLOCK)
        for o in range(outputs):
            for k in range(low, high):
                total[U(o * sides.flat + k)] = bias[group * outputs + o]
        for c in range(channels):
            spread(x, n, group * channels + c, sizes, layout, plane)
            for block in range(first, last):
                begin, stop = block * BLOCK, min(sides.flat, (block + 1) * BLOCK)
                for o in range(outputs):
                    own = w[group * outputs + o, c]
                    at = o * sides.flat
                    t = 0
                    while t + 4 <= taps:
                        a, b, e, f = own[t], own[t + 1], own[t + 2], own[t + 3]
                        i, j, p, q = starts[t], starts[t + 1], starts[t + 2], starts[t + 3]
                        for k in range(begin, stop):
                            total[U(at + k)] += (
                                a * plane[U(i + k)] + b * plane[U(j + k)]
                                + e * plane[U(p + k)] + f * plane[U(q + k)]
                            )  # fmt: skip
                        t += 4
                    while t < taps:
                        a, i = own[t], starts[t]
                        for k in range(begin, stop):
                            total[U(at + k)] += a * plane[U(i + k)]
                        t += 1
        for o in range(outputs):
            for d in range(y.shape[2]):
                for h in range(y.shape[3]):
                    at = (d * sides.height + h) * sides.width
                    line = y[n, group * outputs + o, d, h]
                    for k in range(max(0, low - at), min(len(line), high - at)):
                        v = total[U(o * sides.flat + at + k)]
                        line[U(k)] = v if v > zero else slope * v
        unit += last - first


@kernel
def direct_weight_kernel(piece, pieces, x, y, w, groups, sizes, layout, starts):
    """w (O, C / groups, taps) = sum over images and positions of y (N, O, oD, oH, oW) and what each
    tap sees of x (N, C, D, H, W). Pieces are of the channels of x."""
    sides, zero = layout[0], x.dtype.type(0)
    channels, outputs, taps = w.shape[1], len(w) // groups, w.shape[2]
    plane = np.empty(sides.phases * sides.size, x.dtype)
    given = np.zeros(outputs * sides.flat, x.dtype)
    low, high = x.shape[1] * piece // pieces, x.shape[1] * (piece + 1) // pieces
    for channel in range(low, high):
        group, c = channel // channels, channel % channels
        w[group * outputs : (group + 1) * outputs, c] = zero
    for n in range(len(x)):
        for channel in range(low, high):
            group, c = channel // channels, channel % channels
            if channel == low or c == 0:
                for o in range(outputs):
                    for d in range(y.shape[2]):
                        for h in range(y.shape[3]):
                            line = y[n, group * outputs + o, d, h]
                            at = o * sides.flat + (d * sides.height + h) * sides.width
                            for k in range(len(line)):
                                given[U(at + k)] = line[U(k)]
            spread(x, n, channel, sizes, layout, plane)
            for begin in range(0, sides.flat, BLOCK):
                stop = min(sides.flat, begin + BLOCK)
                for o in range(outputs):
                    own, at = w[group * outputs + o, c], o * sides.flat
                    t = 0
                    while t + 4 <= taps:
                        a, b, e, f = zero, zero, zero, zero
                        i, j, p, q = starts[t], starts[t + 1], starts[t + 2], starts[t + 3]
                        for k in range(begin, stop):
                            v = given[U(at + k)]
                            a += v * plane[U(i + k)]
                            b += v * plane[U(j + k)]
                            e += v * plane[U(p + k)]
                            f += v * plane[U(q + k)]
                        own[t] += a
                        own[t + 1] += b
                        own[t + 2] += e
                        own[t + 3] += f
                        t += 4
                    while t < taps:
                        a, i = zero, starts[t]
                        for k in range(begin, stop):
                            a += given[U(at + k)] * plane[U(i + k)]
                        own[t] += a
                        t += 1


_direct, _direct_weight = InPieces(direct_kernel), InPieces(direct_weight_kernel)


@functools.lru_cache(maxsize=256)
def _layout(geometry):
    """(an array of one PHASES, where each tap's numbers begin in the phases of x)"""
    g = geometry
    dims = list(zip(three(g.padded(), 1), three(g.stride, 1)))
    size = [-(-n // s) for n, s in dims]
    out, strides = three(g.out, 1), [s for _, s in dims]
    flat = ((out[0] - 1) * size[1] + out[1] - 1) * size[2] + out[2]
    phases, whole = math.prod(strides), math.prod(size)
    starts = []
    for tap in np.ndindex(*three(g.kernel, 1)):
        at = [t * d for t, d in zip(tap, three(g.dilation, 1))]
        phase = np.ravel_multi_index([a % s for a, s in zip(at, strides)], strides)
        d, h, w = (a // s for a, s in zip(at, strides))
        starts.append(phase * whole + (d * size[1] + h) * size[2] + w)
    found = np.zeros(1, PHASES)
    found[0] = phases, whole, flat, *size
    return found, np.array(starts, np.int64)


def pays(geometry, channels, outputs):
    """Is it the quicker way for a convolution of so many channels to so many?"""
    return (
        0 < outputs // geometry.groups <= FEW
        and outputs <= channels
        and math.prod(geometry.kernel) > 1
        and math.prod(geometry.out) >= 64
    )


def transpose_pays(geometry, channels, outputs):
    """Is it for the transpose? With strides results are copied to the phases of x, which pays where
    enough taps of the kernel see a position (on the average), and on small maps only for more."""
    phases = math.prod(geometry.stride)
    taps = math.prod(geometry.kernel) / phases
    enough = phases == 1 or taps >= (2 if math.prod(geometry.size) > SMALL else 4)
    return enough and pays(geometry, channels, outputs)


@functools.lru_cache(maxsize=256)
def _phases(geometry):
    """The convolutions of y that give x, one for each phase of x, as (which places of x, which taps
    of the kernel, geometry). The geometry is None for a phase that no tap sees."""
    g = geometry
    dims = [
        [_phase(*sizes, a) for a in range(min(sizes[2], sizes[0]))]
        for sizes in zip(g.size, g.kernel, g.stride, g.padding, g.dilation)
    ]
    found = []
    for parts in itertools.product(*dims):
        places, taps, out, kernel, padding, dilation = zip(*parts)
        part = g._replace(
            size=g.out, out=out, kernel=kernel, stride=(1,) * len(out), padding=padding,
            dilation=dilation,
        )  # fmt: skip
        found.append((places, taps, part if min(kernel) else None))
    return found


def _phase(size, kernel, stride, padding, dilation, a):
    """Along one dimension: the positions a, a + stride, ... of x, the taps that they are seen by,
    how many there are of both, and padding and dilation of the convolution of y."""
    seen = [t for t in range(kernel) if (a + padding - t * dilation) % stride == 0]
    common = math.gcd(stride, dilation)
    before = (seen[-1] * dilation - padding - a) // stride if seen else 0
    taps = slice(seen[0] if seen else kernel, None, stride // common)
    out = -(-(size - a) // stride)
    return slice(a, None, stride), taps, out, len(seen), before, dilation // common


def _volume(a, sizes):
    return a.reshape(*a.shape[:2], *three(sizes, 1))


def conv(x, w, bias, geometry, slope=1.0):
    """As `formula.conv`, plus bias; of that a leaky ReLU."""
    x, w = row_major(x), np.ascontiguousarray(w)
    y = np.empty((len(x), len(w), *geometry.out), x.dtype)
    layout, starts = _layout(geometry)
    units = len(x) * geometry.groups * -(-int(layout[0]["flat"]) // BLOCK)
    work = y.size * (w.size // len(w))
    pieces, long = pieces_of(units, MIN_WORK * units // max(1, work))
    _direct(
        pieces, long, _volume(x, geometry.size), w.reshape(*w.shape[:2], -1),
        given_or_zeros(bias, len(w), x.dtype), x.dtype.type(slope), _volume(y, geometry.out),
        geometry.groups, sizes_of(geometry), layout, starts,
    )  # fmt: skip
    return y


def conv_transpose(y, w, bias, geometry):
    """As `formula.conv_transpose`, plus bias."""
    groups, phases = geometry.groups, _phases(geometry)
    w = w.reshape(groups, len(w) // groups, *w.shape[1:]).swapaxes(1, 2)
    w = w.reshape(-1, *w.shape[2:])
    back = tuple(range(2, w.ndim))
    x, no_tap = np.empty((len(y), len(w), *geometry.size), y.dtype), y.dtype.type(0)
    if bias is not None:
        no_tap = bias.reshape(-1, *[1] * len(back))
    for places, taps, part in phases:
        here = no_tap
        if part is not None:
            here = conv(y, np.flip(w[:, :, *taps], back), bias, part)
        if here.shape == x.shape:
            return here
        x[:, :, *places] = here
    return x


def conv_weight(x, y, geometry):
    """As `formula.conv_weight`."""
    x, y = row_major(x), row_major(y)
    w = np.empty((y.shape[1], x.shape[1] // geometry.groups, *geometry.kernel), x.dtype)
    layout, starts = _layout(geometry)
    work = y.size * (w.size // len(w))
    pieces, long = pieces_of(x.shape[1], MIN_WORK * x.shape[1] // max(1, work))
    _direct_weight(
        pieces, long, _volume(x, geometry.size), _volume(y, geometry.out),
        w.reshape(*w.shape[:2], -1), geometry.groups, sizes_of(geometry), layout, starts,
    )  # fmt: skip
    return w
