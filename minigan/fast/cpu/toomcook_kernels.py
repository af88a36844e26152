"""Kernels of `toomcook.py`: between images and the values of polynomials at the points 0, infinity,
1, -1, 2.

A tile is a run of m outputs, computed from q = m + taps - 1 inputs at q points, always the first q
of the five. Along one dimension, tiles with 5 points come first, then those with 4, 3 and 2: tile
number i is then number i also among those that use any one point. `high`, `wide` (5,) hold how many
tiles use each point, downwards and across.

A spectrum is one flat array: for each pair of points (vertical, horizontal) a matrix (columns,
channels) that begins at start[pair], a row of channels for each image and tile. Images are worked
on with their channels last, so that every inner loop runs over neighbouring numbers.
`toomcook_points` has the maps of one dimension.
"""

import numpy as np

from .called import Called
from .gemm import NO_TRANS, TRANS, gemm, place
from .kernels import kernel
from .layout import channels_first, channels_last
from .tiles import TILE_ROWS, small_product, tiled_product
from .toomcook_points import (
    evenly,
    inputs_to_points,
    of,
    outputs_to_points,
    points_to_inputs,
    points_to_outputs,
    points_to_taps,
    taps_to_points,
)

U = np.uintp  # a signed index may count from the end, and Numba would look


@kernel
def extent(tiles, taps):
    """How many inputs the tiles of one dimension reach over."""
    return tiles[0] * (3 - taps) + tiles[2] + tiles[3] + tiles[4] + taps - 1


@kernel
def places(start, p, tile, wide, j, depth, first):
    """Where the channels, from number `first` of `depth` on, of tile (`tile`, j) are in the
    matrices of p with each of the points."""
    return (
        start[p, 0] + (tile * wide[0] + j) * depth + first,
        start[p, 1] + (tile * wide[1] + j) * depth + first,
        start[p, 2] + (tile * wide[2] + j) * depth + first,
        start[p, 3] + (tile * wide[3] + j) * depth + first,
        start[p, 4] + (tile * wide[4] + j) * depth + first,
    )


@kernel
def _expand_x(x, out, start, stride, taps, pad_h, pad_w, high, wide):
    """x (N, C, H, W) -> points, for each of its stride^2 phases (row and column modulo the stride):
    channels (phase, C)."""
    images, channels, height, width = x.shape
    rows, columns = stride * extent(high, taps), stride * extent(wide, taps)
    line, n = max(columns, pad_w + width) * channels, stride * channels
    flat, v = np.zeros(max(rows, pad_h + height) * line, x.dtype), np.empty(5 * line, x.dtype)
    whole, inside = x.reshape(-1), pad_h * line + pad_w * channels
    depth, row = stride * stride * channels, height * width
    for image in range(images):
        begin = image * channels * row
        channels_last(whole, begin, row, channels, height, width, flat, inside, line)
        for phase in range(stride):
            top = phase * line
            for i in range(high[0]):
                q = 5 if i < high[4] else 4 if i < high[3] else 3 if i < high[2] else 2
                inputs_to_points(
                    q, columns * channels, flat, evenly(top, stride * line), v, evenly(0, line)
                )
                top += stride * line * (q - taps + 1)
                for p in range(q):
                    tile, left = image * high[p] + i, p * line
                    for j in range(wide[0]):
                        r = 5 if j < wide[4] else 4 if j < wide[3] else 3 if j < wide[2] else 2
                        to = places(start, p, tile, wide, j, depth, phase * n)
                        inputs_to_points(r, n, v, evenly(left, n), out, to)
                        left += n * (r - taps + 1)


@kernel
def _collapse_x(x, given, start, stride, taps, pad_h, pad_w, high, wide, bias, slope):
    """The transpose of `_expand_x`, plus bias (C,); of that a leaky ReLU."""
    images, channels, height, width = x.shape
    rows, columns = stride * extent(high, taps), stride * extent(wide, taps)
    line, n = max(columns, pad_w + width) * channels, stride * channels
    flat, v = np.zeros(max(rows, pad_h + height) * line, x.dtype), np.empty(5 * line, x.dtype)
    whole, inside = x.reshape(-1), pad_h * line + pad_w * channels
    depth, row = stride * stride * channels, height * width
    for image in range(images):
        for phase in range(stride):
            top = phase * line
            for i in range(high[0]):
                q = 5 if i < high[4] else 4 if i < high[3] else 3 if i < high[2] else 2
                for p in range(q):
                    tile, left = image * high[p] + i, p * line
                    for j in range(wide[0]):
                        r = 5 if j < wide[4] else 4 if j < wide[3] else 3 if j < wide[2] else 2
                        at = places(start, p, tile, wide, j, depth, phase * n)
                        sums = taps - 1 if j else 0
                        points_to_inputs(of(sums, r), n, given, at, v, evenly(left, n))
                        left += n * (r - taps + 1)
                case, down = of(taps - 1 if i else 0, q), evenly(top, stride * line)
                points_to_inputs(case, columns * channels, v, evenly(0, line), flat, down)
                top += stride * line * (q - taps + 1)
        begin = image * channels * row
        channels_first(
            flat, inside, line, channels, height, width, whole, begin, row, bias, slope
        )  # fmt: skip


@kernel
def _expand_y(y, out, start, stride, taps, pad_h, pad_w, high, wide):
    """y (N, O, H, W) -> points. The arguments are `_expand_x`'s, so that one kernel calls both;
    stride and padding do not matter here."""
    images, n, height, width = y.shape
    line, row, whole = width * n, height * width, y.reshape(-1)
    flat, v = np.empty(height * line, y.dtype), np.empty(5 * line, y.dtype)
    for image in range(images):
        channels_last(whole, image * n * row, row, n, height, width, flat, 0, line)
        top = 0
        for i in range(high[0]):
            q = 5 if i < high[4] else 4 if i < high[3] else 3 if i < high[2] else 2
            case = of(q - taps + 1, q)
            outputs_to_points(case, line, flat, evenly(top, line), v, evenly(0, line))
            top += line * (q - taps + 1)
            for p in range(q):
                tile, left = image * high[p] + i, p * line
                for j in range(wide[0]):
                    r = 5 if j < wide[4] else 4 if j < wide[3] else 3 if j < wide[2] else 2
                    to = places(start, p, tile, wide, j, n, 0)
                    outputs_to_points(of(r - taps + 1, r), n, v, evenly(left, n), out, to)
                    left += n * (r - taps + 1)


@kernel
def _collapse_y(y, given, start, stride, taps, pad_h, pad_w, high, wide, bias, slope):
    """The transpose of `_expand_y`, plus bias (O,); of that a leaky ReLU."""
    images, n, height, width = y.shape
    line, row, whole = width * n, height * width, y.reshape(-1)
    flat, v = np.empty(height * line, y.dtype), np.empty(5 * line, y.dtype)
    for image in range(images):
        top = 0
        for i in range(high[0]):
            q = 5 if i < high[4] else 4 if i < high[3] else 3 if i < high[2] else 2
            for p in range(q):
                tile, left = image * high[p] + i, p * line
                for j in range(wide[0]):
                    r = 5 if j < wide[4] else 4 if j < wide[3] else 3 if j < wide[2] else 2
                    at = places(start, p, tile, wide, j, n, 0)
                    points_to_outputs(of(r - taps + 1, r), n, given, at, v, evenly(left, n))
                    left += n * (r - taps + 1)
            case = of(q - taps + 1, q)
            points_to_outputs(case, line, v, evenly(0, line), flat, evenly(top, line))
            top += line * (q - taps + 1)
        begin = image * n * row
        channels_first(flat, 0, line, n, height, width, whole, begin, row, bias, slope)


def _expanding(real, whole, array):
    sizes, tiles = [whole] * 4, [array(whole, 1)] * 2
    return [array(real, 4), array(real, 1), array(whole, 2), *sizes, *tiles]


def _collapsing(real, whole, array):
    return [*_expanding(real, whole, array), array(real, 1), real]


expand_x, collapse_x = Called(_expand_x, _expanding), Called(_collapse_x, _collapsing)
expand_y, collapse_y = Called(_expand_y, _expanding), Called(_collapse_y, _collapsing)


@kernel
def expand_w(
    piece, pieces, w, transposed, out, matrix, row, depth, stride, taps, points_h, points_w
):
    """w (R, C, kh, kw) -> points: the taps of each phase are a polynomial's coefficients. Pieces
    are of the rows. transposed: w is (C, R, kh, kw).

    out is flat: a matrix for each pair of points, `matrix` apart; in it the channels of row i and
    phase j begin at i * row + j * depth
    """
    rows, channels, kh, kw = w.shape
    if transposed:
        rows, channels = channels, rows
    size, n = stride * taps, stride * channels
    line, window, whole = size * channels, kh * kw, w.reshape(-1)
    flat, v = np.zeros(size * line, w.dtype), np.empty(5 * line, w.dtype)
    to = np.empty(5 * n, w.dtype)
    first, apart = (window, rows * window) if transposed else (channels * window, window)
    for i in range(rows * piece // pieces, rows * (piece + 1) // pieces):
        channels_last(whole, i * first, apart, channels, kh, kw, flat, 0, line)
        for phase in range(stride):
            down = evenly(phase * line, stride * line)
            taps_to_points(of(taps, points_h), line, flat, down, v, evenly(0, line))
            for p in range(points_h):
                across, case = evenly(p * line, n), of(taps, points_w)
                taps_to_points(case, n, v, across, to, evenly(0, n))
                for r in range(points_w):
                    for other in range(stride):
                        a = (p * 5 + r) * matrix + i * row + (phase * stride + other) * depth
                        b = r * n + other * channels
                        for c in range(channels):
                            out[U(a + c)] = to[U(b + c)]


@kernel
def collapse_w(piece, pieces, w, given, matrix, row, depth, stride, taps, points_h, points_w):
    """The transpose of `expand_w`."""
    rows, channels, kh, kw = w.shape
    size, n = stride * taps, stride * channels
    line, window, whole = size * channels, kh * kw, w.reshape(-1)
    flat, v = np.zeros(size * line, w.dtype), np.empty(5 * line, w.dtype)
    to, none, one = np.empty(5 * n, w.dtype), np.zeros(channels, w.dtype), w.dtype.type(1)
    for i in range(rows * piece // pieces, rows * (piece + 1) // pieces):
        for phase in range(stride):
            for p in range(points_h):
                for r in range(points_w):
                    for other in range(stride):
                        a = (p * 5 + r) * matrix + i * row + (phase * stride + other) * depth
                        b = r * n + other * channels
                        for c in range(channels):
                            to[U(b + c)] = given[U(a + c)]
                across, case = evenly(p * line, n), of(taps, points_w)
                points_to_taps(case, n, to, evenly(0, n), v, across)
            down = evenly(phase * line, stride * line)
            points_to_taps(of(taps, points_h), line, v, evenly(0, line), flat, down)
        begin = i * channels * window
        channels_first(flat, 0, line, channels, kh, kw, whole, begin, window, none, one)


@kernel
def spectrum(channels, images, high, wide, start):
    """How many numbers there are; start (5, 5): where the matrix of each pair of points begins."""
    total = 0
    for p in range(5):
        for q in range(5):
            start[p, q] = total
            total += images * high[p] * wide[q] * channels
    return total


@kernel
def conv(
    piece, pieces, x, weights, bias, slope, y, at_once, ways, stride, taps, pad, high, wide
):  # fmt: skip
    """y = leaky ReLU of the convolution of x plus bias, `at_once` images at a time: by `expand_x`
    and `collapse_y`, with weights (25, stride^2 C, O); the transposed one by `expand_y` and
    `collapse_x`, with weights (25, O, stride^2 C). Pieces are of the images."""
    (tiles, address, expand, collapse), zero = ways, x.dtype.type(0)
    _, k, o = weights.shape
    at_x, at_y = np.empty((5, 5), np.int64), np.empty((5, 5), np.int64)
    X = np.empty(spectrum(k, at_once, high, wide, at_x), x.dtype)
    Y = np.empty(spectrum(o, at_once, high, wide, at_y), x.dtype)
    begin, end = len(x) * piece // pieces, len(x) * (piece + 1) // pieces
    for low in range(begin, end, at_once):
        part = x[low : min(low + at_once, end)]
        spectrum(k, len(part), high, wide, at_x)
        spectrum(o, len(part), high, wide, at_y)
        # or expand_y, and below collapse_x: what is called is at the address
        expand_x(expand, part, X, at_x, stride, taps, pad[0], pad[1], high, wide)
        for p in range(5):
            for q in range(5):
                columns = len(part) * high[p] * wide[q]
                if columns:
                    a, b = place(X, at_x[p, q]), place(weights, (p * 5 + q) * k * o)
                    c = place(Y, at_y[p, q])
                    small_product(zero, x.itemsize, tiles, address, a, b, c, columns, o, k)
        out = y[low : low + len(part)]
        collapse_y(collapse, out, Y, at_y, stride, taps, pad[0], pad[1], high, wide, bias, slope)


@kernel
def expand(piece, pieces, x, y, X, Y, at_x, at_y, ways, stride, taps, pad, high, wide):
    """The points of x and y in spectra that begin at `at_x`, `at_y`. Pieces are of the images."""
    expand_in, expand_out = ways
    first, end = len(x) * piece // pieces, len(x) * (piece + 1) // pieces
    at_x, at_y = at_x.copy(), at_y.copy()
    for p in range(5):
        for q in range(5):
            at_x[p, q] += first * high[p] * wide[q] * x.shape[1] * stride * stride
            at_y[p, q] += first * high[p] * wide[q] * y.shape[1]
    expand_x(expand_in, x[first:end], X, at_x, stride, taps, pad[0], pad[1], high, wide)
    expand_y(expand_out, y[first:end], Y, at_y, stride, taps, pad[0], pad[1], high, wide)


@kernel
def multiply(piece, pieces, X, Y, at_x, at_y, weights, images, high, wide, beta, ways):
    """weights (25, O, K) = Y^T X + beta weights. Pieces are of the pairs of points."""
    (tiles, address), (_, o, k) = ways, weights.shape
    for pair in range(piece, 25, pieces):
        p, q = pair // 5, pair % 5
        columns = images * high[p] * wide[q]
        if columns:
            a, b = place(Y, at_y[p, q]), place(X, at_x[p, q])
            c, factor = place(weights, pair * o * k), X.dtype.type(beta)
            if tiles and beta == 0 and o >= TILE_ROWS:
                tiled_product(tiles, factor, X.itemsize, a, 1, o, b, c, o, k, columns)
            else:
                gemm(address, TRANS, NO_TRANS, o, k, columns, a, o, b, k, factor, c, k)
