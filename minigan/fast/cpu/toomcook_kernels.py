"""Kernels of `toomcook.py`: between images and the values of polynomials at the points 0, infinity, 1, -1, 2.

A tile is a run of m outputs, computed from q = m + taps - 1 inputs at q points, always the first q of the five. Along one dimension,
tiles with 5 points come first, then those with 4, 3 and 2: tile number i is then number i also among those that use any one point.
`high`, `wide` (5,) hold how many tiles use each point, downwards and across.

A spectrum is one flat array: for each pair of points (vertical, horizontal) a matrix (columns, channels) that begins at start[pair], a
row of channels for each image and tile. Images are worked on with their channels last, so that every inner loop runs over neighbouring
numbers. Indices are unsigned there: Numba would look whether a signed one counts from the end, and LLVM then does not vectorise.

In one dimension there are two maps and their transposes: between q inputs, or m outputs, and q points. Each of these is a run of n
numbers in a flat array: input number i begins at `at + i * step`, point number i at `p0` ... `p4`.
"""

import numpy as np

from .gemm import PLAIN, TRANSPOSED, gemm
from .kernels import kernel

U = np.uintp
BLOCK = 16  # channels that are put last at a time: their numbers for one position fill one line of the cache


@kernel
def channels_last(x, plane):
    """plane (H, W, C) = x (C, H, W)"""
    channels, height, width = x.shape
    for c0 in range(0, channels, BLOCK):
        for h in range(height):
            for c in range(c0, min(c0 + BLOCK, channels)):
                for w in range(width):
                    plane[U(h), U(w), U(c)] = x[U(c), U(h), U(w)]


@kernel
def channels_first(plane, x, bias):
    """x (C, H, W) = plane (H, W, C) + bias (C,)"""
    channels, height, width = x.shape
    for c0 in range(0, channels, BLOCK):
        for h in range(height):
            for c in range(c0, min(c0 + BLOCK, channels)):
                for w in range(width):
                    x[U(c), U(h), U(w)] = plane[U(h), U(w), U(c)] + bias[U(c)]


@kernel
def inputs_to_points(q, n, d, at, step, p, p0, p1, p2, p3, p4):
    """The transpose of interpolation: what multiplies the value of the kernel's polynomial at each point."""
    half, third, sixth, two = p.dtype.type(1 / 2), p.dtype.type(1 / 3), p.dtype.type(1 / 6), p.dtype.type(2)
    i0, i1, i2, i3, i4 = at, at + step, at + 2 * step, at + 3 * step, at + 4 * step
    if q == 5:
        for k in range(n):
            a, b, c, e, f = d[U(i0 + k)], d[U(i1 + k)], d[U(i2 + k)], d[U(i3 + k)], d[U(i4 + k)]
            p[U(p0 + k)] = a - c + half * (e - b)
            p[U(p1 + k)] = f - c + two * (b - e)
            p[U(p2 + k)] = b + half * (c - e)
            p[U(p3 + k)] = half * c - third * b - sixth * e
            p[U(p4 + k)] = sixth * (e - b)
    elif q == 4:
        for k in range(n):
            a, b, c, e = d[U(i0 + k)], d[U(i1 + k)], d[U(i2 + k)], d[U(i3 + k)]
            p[U(p0 + k)] = a - c
            p[U(p1 + k)] = e - b
            p[U(p2 + k)] = (b + c) * half
            p[U(p3 + k)] = (c - b) * half
    elif q == 3:
        for k in range(n):
            a, b, c = d[U(i0 + k)], d[U(i1 + k)], d[U(i2 + k)]
            p[U(p0 + k)] = a - b
            p[U(p1 + k)] = c - b
            p[U(p2 + k)] = b
    else:
        for k in range(n):
            p[U(p0 + k)] = d[U(i0 + k)]
            p[U(p1 + k)] = d[U(i1 + k)]


@kernel
def points_to_inputs(q, n, p, p0, p1, p2, p3, p4, d, at, step):
    """Its transpose, added to the inputs."""
    half, third, sixth, two = p.dtype.type(1 / 2), p.dtype.type(1 / 3), p.dtype.type(1 / 6), p.dtype.type(2)
    i0, i1, i2, i3, i4 = at, at + step, at + 2 * step, at + 3 * step, at + 4 * step
    if q == 5:
        for k in range(n):
            a, b, c, e, f = p[U(p0 + k)], p[U(p1 + k)], p[U(p2 + k)], p[U(p3 + k)], p[U(p4 + k)]
            d[U(i0 + k)] += a
            d[U(i1 + k)] += two * b - half * a + c - third * e - sixth * f
            d[U(i2 + k)] += half * (c + e) - a - b
            d[U(i3 + k)] += half * (a - c) - two * b + sixth * (f - e)
            d[U(i4 + k)] += b
    elif q == 4:
        for k in range(n):
            a, b, c, e = p[U(p0 + k)], p[U(p1 + k)], p[U(p2 + k)] * half, p[U(p3 + k)] * half
            d[U(i0 + k)] += a
            d[U(i1 + k)] += c - e - b
            d[U(i2 + k)] += c + e - a
            d[U(i3 + k)] += b
    elif q == 3:
        for k in range(n):
            a, b, c = p[U(p0 + k)], p[U(p1 + k)], p[U(p2 + k)]
            d[U(i0 + k)] += a
            d[U(i1 + k)] += c - a - b
            d[U(i2 + k)] += b
    else:
        for k in range(n):
            d[U(i0 + k)] += p[U(p0 + k)]
            d[U(i1 + k)] += p[U(p1 + k)]


@kernel
def value(m, t, n, y, at, step, p, to):
    """The polynomial whose m coefficients are the outputs, at the point t."""
    t, i1, i2, i3 = p.dtype.type(t), at + step, at + 2 * step, at + 3 * step
    if m == 1:
        for k in range(n):
            p[U(to + k)] = y[U(at + k)]
    elif m == 2:
        for k in range(n):
            p[U(to + k)] = y[U(at + k)] + t * y[U(i1 + k)]
    elif m == 3:
        for k in range(n):
            p[U(to + k)] = y[U(at + k)] + t * (y[U(i1 + k)] + t * y[U(i2 + k)])
    else:
        for k in range(n):
            p[U(to + k)] = y[U(at + k)] + t * (y[U(i1 + k)] + t * (y[U(i2 + k)] + t * y[U(i3 + k)]))


@kernel
def outputs_to_points(m, q, n, y, at, step, p, p0, p1, p2, p3, p4):
    """The same at q points; at infinity it is the highest coefficient."""
    value(1, 0, n, y, at, step, p, p0)
    value(1, 0, n, y, at + (m - 1) * step, step, p, p1)
    if q > 2:
        value(m, 1, n, y, at, step, p, p2)
    if q > 3:
        value(m, -1, n, y, at, step, p, p3)
    if q > 4:
        value(m, 2, n, y, at, step, p, p4)


@kernel
def points_to_outputs(m, q, n, p, p0, p1, p2, p3, p4, y, at, step):
    """Its transpose. For points that the tile has not, the first stands, times 0."""
    kind = p.dtype.type
    w2, w3, w4 = kind(q > 2), kind(q > 3), kind(q > 4)
    p2, p3, p4 = p2 if q > 2 else p0, p3 if q > 3 else p0, p4 if q > 4 else p0
    two, four, eight, i1, i2, i3 = kind(2), kind(4), kind(8), at + step, at + 2 * step, at + 3 * step
    if m == 1:
        for k in range(n):
            y[U(at + k)] = p[U(p0 + k)] + p[U(p1 + k)] + w2 * p[U(p2 + k)] + w3 * p[U(p3 + k)] + w4 * p[U(p4 + k)]
    elif m == 2:
        for k in range(n):
            a, b, c, e, f = p[U(p0 + k)], p[U(p1 + k)], w2 * p[U(p2 + k)], w3 * p[U(p3 + k)], w4 * p[U(p4 + k)]
            y[U(at + k)] = a + c + e + f
            y[U(i1 + k)] = b + c - e + two * f
    elif m == 3:
        for k in range(n):
            a, b, c, e, f = p[U(p0 + k)], p[U(p1 + k)], w2 * p[U(p2 + k)], w3 * p[U(p3 + k)], w4 * p[U(p4 + k)]
            y[U(at + k)] = a + c + e + f
            y[U(i1 + k)] = c - e + two * f
            y[U(i2 + k)] = b + c + e + four * f
    else:
        for k in range(n):
            a, b, c, e, f = p[U(p0 + k)], p[U(p1 + k)], w2 * p[U(p2 + k)], w3 * p[U(p3 + k)], w4 * p[U(p4 + k)]
            y[U(at + k)] = a + c + e + f
            y[U(i1 + k)] = c - e + two * f
            y[U(i2 + k)] = c + e + four * f
            y[U(i3 + k)] = b + c - e + eight * f


@kernel
def extent(tiles, taps):
    """How many inputs the tiles of one dimension reach over."""
    return tiles[0] * (3 - taps) + tiles[2] + tiles[3] + tiles[4] + taps - 1


@kernel
def places(start, p, tile, wide, j, depth, first):
    """Where the channels, from number `first` of `depth` on, of tile (`tile`, j) are in the matrices of p with each of the points."""
    return (
        start[p, 0] + (tile * wide[0] + j) * depth + first,
        start[p, 1] + (tile * wide[1] + j) * depth + first,
        start[p, 2] + (tile * wide[2] + j) * depth + first,
        start[p, 3] + (tile * wide[3] + j) * depth + first,
        start[p, 4] + (tile * wide[4] + j) * depth + first,
    )


@kernel
def expand_x(x, out, start, stride, taps, pad, high, wide):
    """x (N, C, H, W) -> points, for each of its stride^2 phases (row and column modulo the stride): channels (phase, C)."""
    images, channels, height, width = x.shape
    rows, columns = stride * extent(high, taps), stride * extent(wide, taps)
    plane = np.zeros((max(rows, pad[0] + height), max(columns, pad[1] + width), channels), x.dtype)
    line, n, depth = plane[0].size, stride * channels, stride * stride * channels
    flat, v = plane.reshape(-1), np.empty(5 * line, x.dtype)
    for image in range(images):
        channels_last(x[image], plane[pad[0] : pad[0] + height, pad[1] : pad[1] + width])
        for phase in range(stride):
            top = phase * line
            for i in range(high[0]):
                q = 5 if i < high[4] else 4 if i < high[3] else 3 if i < high[2] else 2
                inputs_to_points(q, columns * channels, flat, top, stride * line, v, 0, line, 2 * line, 3 * line, 4 * line)
                top += stride * line * (q - taps + 1)
                for p in range(q):
                    tile, left = image * high[p] + i, p * line
                    for j in range(wide[0]):
                        r = 5 if j < wide[4] else 4 if j < wide[3] else 3 if j < wide[2] else 2
                        a0, a1, a2, a3, a4 = places(start, p, tile, wide, j, depth, phase * n)
                        inputs_to_points(r, n, v, left, n, out, a0, a1, a2, a3, a4)
                        left += n * (r - taps + 1)


@kernel
def collapse_x(x, given, start, stride, taps, pad, high, wide, bias):
    """The transpose of `expand_x`, plus bias (C,)."""
    images, channels, height, width = x.shape
    rows, columns = stride * extent(high, taps), stride * extent(wide, taps)
    plane = np.zeros((max(rows, pad[0] + height), max(columns, pad[1] + width), channels), x.dtype)
    line, n, depth = plane[0].size, stride * channels, stride * stride * channels
    flat, v = plane.reshape(-1), np.empty(5 * line, x.dtype)
    for image in range(images):
        flat[:] = 0
        for phase in range(stride):
            top = phase * line
            for i in range(high[0]):
                q = 5 if i < high[4] else 4 if i < high[3] else 3 if i < high[2] else 2
                v[: q * line] = 0
                for p in range(q):
                    tile, left = image * high[p] + i, p * line
                    for j in range(wide[0]):
                        r = 5 if j < wide[4] else 4 if j < wide[3] else 3 if j < wide[2] else 2
                        a0, a1, a2, a3, a4 = places(start, p, tile, wide, j, depth, phase * n)
                        points_to_inputs(r, n, given, a0, a1, a2, a3, a4, v, left, n)
                        left += n * (r - taps + 1)
                points_to_inputs(q, columns * channels, v, 0, line, 2 * line, 3 * line, 4 * line, flat, top, stride * line)
                top += stride * line * (q - taps + 1)
        channels_first(plane[pad[0] : pad[0] + height, pad[1] : pad[1] + width], x[image], bias)


@kernel
def expand_y(y, out, start, taps, high, wide):
    """y (N, O, H, W) -> points."""
    images, n, height, width = y.shape
    plane = np.empty((height, width, n), y.dtype)
    line, flat = width * n, plane.reshape(-1)
    v = np.empty(5 * line, y.dtype)
    for image in range(images):
        channels_last(y[image], plane)
        top = 0
        for i in range(high[0]):
            q = 5 if i < high[4] else 4 if i < high[3] else 3 if i < high[2] else 2
            outputs_to_points(q - taps + 1, q, line, flat, top, line, v, 0, line, 2 * line, 3 * line, 4 * line)
            top += line * (q - taps + 1)
            for p in range(q):
                tile, left = image * high[p] + i, p * line
                for j in range(wide[0]):
                    r = 5 if j < wide[4] else 4 if j < wide[3] else 3 if j < wide[2] else 2
                    a0, a1, a2, a3, a4 = places(start, p, tile, wide, j, n, 0)
                    outputs_to_points(r - taps + 1, r, n, v, left, n, out, a0, a1, a2, a3, a4)
                    left += n * (r - taps + 1)


@kernel
def collapse_y(y, given, start, taps, high, wide, bias):
    """The transpose of `expand_y`, plus bias (O,)."""
    images, n, height, width = y.shape
    plane = np.empty((height, width, n), y.dtype)
    line, flat = width * n, plane.reshape(-1)
    v = np.empty(5 * line, y.dtype)
    for image in range(images):
        top = 0
        for i in range(high[0]):
            q = 5 if i < high[4] else 4 if i < high[3] else 3 if i < high[2] else 2
            for p in range(q):
                tile, left = image * high[p] + i, p * line
                for j in range(wide[0]):
                    r = 5 if j < wide[4] else 4 if j < wide[3] else 3 if j < wide[2] else 2
                    a0, a1, a2, a3, a4 = places(start, p, tile, wide, j, n, 0)
                    points_to_outputs(r - taps + 1, r, n, given, a0, a1, a2, a3, a4, v, left, n)
                    left += n * (r - taps + 1)
            points_to_outputs(q - taps + 1, q, line, v, 0, line, 2 * line, 3 * line, 4 * line, flat, top, line)
            top += line * (q - taps + 1)
        channels_first(plane, y[image], bias)


@kernel
def expand_w(w, out, matrix, row, depth, stride, taps, points_h, points_w):
    """w (R, C, kh, kw) -> points: the taps of each phase are a polynomial's coefficients.

    out is flat: a matrix for each pair of points, `matrix` apart; in it the channels of row i and phase j begin at i * row + j * depth
    """
    rows, channels, kh, kw = w.shape
    size = stride * taps
    plane, line = np.zeros((size, size, channels), w.dtype), size * channels
    flat, v, to = plane.reshape(-1), np.empty(5 * line, w.dtype), np.empty(5 * stride * channels, w.dtype)
    n = stride * channels
    for i in range(rows):
        channels_last(w[i], plane[:kh, :kw])
        for phase in range(stride):
            outputs_to_points(taps, points_h, line, flat, phase * line, stride * line, v, 0, line, 2 * line, 3 * line, 4 * line)
            for p in range(points_h):
                outputs_to_points(taps, points_w, n, v, p * line, n, to, 0, n, 2 * n, 3 * n, 4 * n)
                for r in range(points_w):
                    for other in range(stride):
                        a, b = (p * 5 + r) * matrix + i * row + (phase * stride + other) * depth, r * n + other * channels
                        for c in range(channels):
                            out[U(a + c)] = to[U(b + c)]


@kernel
def collapse_w(w, given, matrix, row, depth, stride, taps, points_h, points_w):
    """The transpose of `expand_w`."""
    rows, channels, kh, kw = w.shape
    size = stride * taps
    plane, line = np.zeros((size, size, channels), w.dtype), size * channels
    flat, v, to = plane.reshape(-1), np.empty(5 * line, w.dtype), np.empty(5 * stride * channels, w.dtype)
    n, none = stride * channels, np.zeros(channels, w.dtype)
    for i in range(rows):
        for phase in range(stride):
            for p in range(points_h):
                for r in range(points_w):
                    for other in range(stride):
                        a, b = (p * 5 + r) * matrix + i * row + (phase * stride + other) * depth, r * n + other * channels
                        for c in range(channels):
                            to[U(b + c)] = given[U(a + c)]
                points_to_outputs(taps, points_w, n, to, 0, n, 2 * n, 3 * n, 4 * n, v, p * line, n)
            points_to_outputs(taps, points_h, line, v, 0, line, 2 * line, 3 * line, 4 * line, flat, phase * line, stride * line)
        channels_first(plane[:kh, :kw], w[i], none)


@kernel
def spectrum(channels, images, high, wide):
    """(where the matrix of each pair of points begins, how many numbers there are)"""
    start, total = np.empty((5, 5), np.int64), 0
    for p in range(5):
        for q in range(5):
            start[p, q] = total
            total += images * high[p] * wide[q] * channels
    return start, total


@kernel
def conv(x, weights, bias, y, at_once, address, stride, taps, pad, high, wide):
    """y (N, O, H', W') = convolution of x (N, C, H, W), `at_once` images at a time; weights (25, stride^2 C, O)."""
    _, k, o = weights.shape
    X, Y = np.empty(spectrum(k, at_once, high, wide)[1], x.dtype), np.empty(spectrum(o, at_once, high, wide)[1], x.dtype)
    for low in range(0, len(x), at_once):
        part = x[low : low + at_once]
        at_x, at_y = spectrum(k, len(part), high, wide)[0], spectrum(o, len(part), high, wide)[0]
        expand_x(part, X, at_x, stride, taps, pad, high, wide)
        for p in range(5):
            for q in range(5):
                columns = len(part) * high[p] * wide[q]
                if columns:
                    a, b, c = X[at_x[p, q] :], weights[p * 5 + q], Y[at_y[p, q] :]
                    gemm(address, PLAIN, PLAIN, columns, o, k, a, k, b, o, x.dtype.type(0), c, o)
        collapse_y(y[low : low + at_once], Y, at_y, taps, high, wide, bias)


@kernel
def conv_transpose(y, weights, bias, x, at_once, address, stride, taps, pad, high, wide):
    """x (N, C, H, W) = transposed convolution of y (N, O, H', W'); weights (25, O, stride^2 C)."""
    _, o, k = weights.shape
    X, Y = np.empty(spectrum(k, at_once, high, wide)[1], x.dtype), np.empty(spectrum(o, at_once, high, wide)[1], x.dtype)
    for low in range(0, len(y), at_once):
        part = y[low : low + at_once]
        at_x, at_y = spectrum(k, len(part), high, wide)[0], spectrum(o, len(part), high, wide)[0]
        expand_y(part, Y, at_y, taps, high, wide)
        for p in range(5):
            for q in range(5):
                columns = len(part) * high[p] * wide[q]
                if columns:
                    a, b, c = Y[at_y[p, q] :], weights[p * 5 + q], X[at_x[p, q] :]
                    gemm(address, PLAIN, PLAIN, columns, k, o, a, o, b, k, x.dtype.type(0), c, k)
        collapse_x(x[low : low + at_once], X, at_x, stride, taps, pad, high, wide, bias)


@kernel
def expand(x, y, first, X, Y, at_x, at_y, stride, taps, pad, high, wide):
    """The points of x and y, images `first` on, in spectra that begin at `at_x`, `at_y`."""
    at_x, at_y = at_x.copy(), at_y.copy()
    for p in range(5):
        for q in range(5):
            at_x[p, q] += first * high[p] * wide[q] * x.shape[1] * stride * stride
            at_y[p, q] += first * high[p] * wide[q] * y.shape[1]
    expand_x(x, X, at_x, stride, taps, pad, high, wide)
    expand_y(y, Y, at_y, taps, high, wide)


@kernel
def multiply(X, Y, at_x, at_y, weights, first, step, images, high, wide, beta, address):
    """weights (25, O, K) = Y^T X + beta weights, for every `step`-th pair of points from `first` on."""
    _, o, k = weights.shape
    for pair in range(first, 25, step):
        p, q = pair // 5, pair % 5
        columns = images * high[p] * wide[q]
        if columns:
            a, b, c = Y[at_y[p, q] :], X[at_x[p, q] :], weights[pair]
            gemm(address, TRANSPOSED, PLAIN, o, k, columns, a, o, b, k, c.dtype.type(beta), c, k)
