"""Convolution with fewer multiplications (Toom and Cook; for images Winograd, in Lavin and Gray
2016, arXiv:1509.09308).

A convolution with stride s is one with stride 1 over s^2 phases of its input: a 4x4 kernel with
stride 2 has 2x2 taps in each of 4. A run of m outputs under r taps is a product of polynomials,
transposed. It is known from the product's values at m + r - 1 points: that many multiplications
instead of m r, in each dimension. With the points 0, infinity, 1, -1, 2 all else are a few
additions: 3 outputs under 2 taps take 4 multiplications instead of 6, in two dimensions 16 instead
of 36; 4 take 5 instead of 8, 25 instead of 64. Results differ from a direct sum's only by rounding.
(A NaN or infinity makes NaN of its tile.)

For each pair of points the multiplications of all channels and tiles are one matrix product. With
X, Y, W the values of x, y, w there,

    conv  Y = X @ W^T        conv_transpose  X = Y @ W        conv_weight  W = Y^T @ X

and the maps between x and X (`expand_x`, transposed `collapse_x`) are the same for all three; so
are those for y and w.
"""

import functools
from typing import NamedTuple

import numpy as np

from ...machine.threads import num_threads
from . import toomcook_kernels as kernels
from .layout import row_major
from .patches import given_or_zeros
from .shared_kernel import InPieces, pieces_of
from .threads import parallel_ranges
from .tiles import product_addresses

# numbers in the spectra of x and y of the images that a thread works on at a time: they stay in
# its cache
CACHE = 1 << 17
ENOUGH = 64  # columns that make a product efficient: as many images are taken together at least
BOUND = 1 << 23  # numbers in the spectra that `conv_weight` holds at a time
MIN_WORK = 1 << 13  # numbers in a spectrum that are worth a thread
# of one image: multiplications, and channels, that are worth a thread that repeats the others' work
ALONE, WIDE = 1 << 21, 16
POINTS = 5


_conv = InPieces(kernels.conv, products=True)
_expand, _multiply = InPieces(kernels.expand), InPieces(kernels.multiply, products=True)
_expand_w, _collapse_w = InPieces(kernels.expand_w), InPieces(kernels.collapse_w)


class Plan(NamedTuple):
    """How the outputs of a geometry are cut into tiles. `high`, `wide` (5,): how many tiles use
    each point; see the kernels."""

    stride: int
    taps: int
    pad: tuple[int, int]
    high: np.ndarray
    wide: np.ndarray
    pairs: np.ndarray  # (5, 5) columns of an image


@functools.lru_cache(maxsize=1024)
def plan(geometry, points=POINTS):
    """The Plan of a geometry with tiles of at most so many points, or None where this method does
    not apply or brings nothing."""
    if len(geometry.size) != 2 or geometry.groups != 1 or geometry.dilation != (1, 1):
        return None
    stride, kernel = geometry.stride[0], max(geometry.kernel)
    taps = -(-kernel // stride)
    if geometry.stride[1] != stride or taps not in (2, 3):
        return None
    high, wide = _tiles(geometry.out[0], taps, points), _tiles(geometry.out[1], taps, points)
    pairs = np.outer(high, wide)
    if pairs.sum() * stride**2 > 0.75 * np.prod(geometry.out) * np.prod(geometry.kernel):
        return None
    return Plan(stride, taps, geometry.padding, high, wide, pairs)


def _tiles(outputs, taps, points=POINTS):
    """How many tiles use each of the 5 points when `outputs` are cut into tiles with as few
    multiplications as can be."""
    sizes = range(1, points - taps + 2)  # outputs of a tile, which has m + taps - 1 points
    # for 0, 1, 2, ... outputs: (multiplications, tiles of each size)
    best = [(0, (0,) * len(sizes))]
    for n in range(1, outputs + 1):
        options = []
        for m in sizes[:n]:
            cost, counts = best[n - m]
            options.append(
                (cost + m + taps - 1, tuple(c + (m == size) for size, c in zip(sizes, counts)))
            )
        best.append(min(options))
    counts = np.zeros(POINTS + 1, int)
    counts[[m + taps - 1 for m in sizes]] = best[outputs][1]
    return np.array([counts[max(2, p + 1) :].sum() for p in range(POINTS)])


class _Weights:
    """The values of a weight (O, C, kh, kw) at all pairs of points, a matrix for each: (K, O), or
    (O, K) if not `transposed`.

    K is the number of channels and phases, stride^2 C. Products of few columns are faster if the
    smaller matrix is not transposed.
    """

    def __init__(self, shape, plan, dtype, transposed=False):
        o, c = shape[0], shape[1]
        k = shape[1] * plan.stride**2
        self.matrices = np.empty((POINTS * POINTS, *((k, o) if transposed else (o, k))), dtype)
        self.row, self.depth = (o, c * o) if transposed else (k, c)
        self.arguments = (
            plan.stride,
            plan.taps,
            int((plan.high > 0).sum()),
            int((plan.wide > 0).sum()),
        )

    def map(self, run, rows, *w):
        """`run` of the rows of w and the matrices, in pieces."""
        flat, matrix = self.matrices.reshape(-1), self.matrices[0].size
        pieces, long = pieces_of(rows, MIN_WORK * rows // flat.size)
        run(pieces, long, *w, flat, matrix, self.row, self.depth, *self.arguments)
        return self

    def expand(self, w, transposed=False):
        return self.map(_expand_w, w.shape[transposed], np.ascontiguousarray(w), transposed)


def _at_once(images, plan, numbers, bound):
    """How many images to take together, so that `numbers` for each pair of points and image stay
    within the bound."""
    enough = -(-ENOUGH // int(plan.pairs.max()))
    parts = -(-images // max(1, enough, bound // int(plan.pairs.sum() * numbers)))
    return -(-images // parts)


def _addresses(dtype, *called):
    return tuple(one.address(dtype) for one in called)


def _convolved(x, weights, bias, slope, y, plan, *called):
    """y, which is made of x by the kernels that are `called`, see `toomcook_kernels.conv`."""
    _, inner, outer = weights.shape
    bias = given_or_zeros(bias, y.shape[1], x.dtype)
    pieces, long = pieces_of(len(x), MIN_WORK // int(plan.pairs.sum() * max(inner, outer)))
    at_once = _at_once(-(-len(x) // pieces), plan, inner + outer, CACHE)
    ways = *product_addresses(outer, x.dtype), *_addresses(x.dtype, *called)
    _conv(pieces, long, x, weights, bias, x.dtype.type(slope), y, at_once, ways, *plan[:5])


def _by_maps(x, w, transposed, bias, slope, y, plan, *called):
    """`_convolved`, with the weight at the points. Threads share the images; of one image each
    makes some of the maps of y, which are along w's first dimension if transposed, else its second,
    and brings all of x to the points."""

    def run(low, high):
        part = w[low:high] if transposed else w[:, low:high]
        own = None if bias is None else bias[low:high]
        weights = _Weights(part.shape, plan, w.dtype, transposed).expand(part, transposed)
        _convolved(x, weights.matrices, own, slope, y[:, low:high], plan, *called)

    if len(x) > 1:
        run(0, y.shape[1])
    else:
        work = int(plan.pairs.sum()) * x.shape[1] * plan.stride**2
        parallel_ranges(run, y.shape[1], max(WIDE, ALONE // max(1, work)), products=True)
    return y


def conv(x, w, bias, geometry, plan, slope=1.0):
    """As `formula.conv`, plus bias, for a geometry that has a plan; of that a leaky ReLU."""
    x = row_major(x)
    y = np.empty((len(x), len(w), *geometry.out), x.dtype)
    return _by_maps(x, w, True, bias, slope, y, plan, kernels.expand_x, kernels.collapse_y)


def conv_transpose(y, w, bias, geometry, plan):
    """As `formula.conv_transpose`, plus bias."""
    y = row_major(y)
    x = np.empty((len(y), w.shape[1], *geometry.size), y.dtype)
    return _by_maps(y, w, False, bias, 1, x, plan, kernels.expand_y, kernels.collapse_x)


def _spectrum(sizes):
    """As `toomcook_kernels.spectrum`, of the sizes of the matrices."""
    ends = np.cumsum(sizes)
    return (ends - sizes).reshape(POINTS, POINTS), int(ends[-1])


def conv_weight(x, y, geometry, plan):
    """As `formula.conv_weight`. Threads share the pairs of points: shared images would need a
    weight for each thread."""
    x, y = row_major(x), row_major(y)
    o, c = y.shape[1], x.shape[1]
    k = x.shape[1] * plan.stride**2
    w = np.empty((o, c, *geometry.kernel), x.dtype)
    weights = _Weights(w.shape, plan, x.dtype)
    ways = product_addresses(k, x.dtype)
    expand = _addresses(x.dtype, kernels.expand_x, kernels.expand_y)
    at_once = _at_once(len(x), plan, o + k, BOUND)
    for start in range(0, len(x), at_once):
        part = slice(start, min(start + at_once, len(x)))
        images = part.stop - start
        (at_x, n_x), (at_y, n_y) = (
            _spectrum(channels * images * plan.pairs.reshape(-1)) for channels in (k, o)
        )
        X, Y = np.empty(n_x, x.dtype), np.empty(n_y, x.dtype)

        pieces, long = pieces_of(images, MIN_WORK // int(plan.pairs.sum() * k))
        _expand(pieces, long, x[part], y[part], X, Y, at_x, at_y, expand, *plan[:5])
        tiles, beta = (images, plan.high, plan.wide), float(start > 0)
        _multiply(num_threads(), True, X, Y, at_x, at_y, weights.matrices, *tiles, beta, ways)
    weights.map(_collapse_w, o, w)
    return w
