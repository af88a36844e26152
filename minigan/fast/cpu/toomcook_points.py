"""Toom-Cook in one dimension: between inputs or outputs of a tile and the values of polynomials at
the points 0, infinity, 1, -1, 2.

There are two maps and their transposes: between q inputs, or m outputs, and q points. Each of these
is a run of n numbers in a flat array: input number i begins at `at + i * step`, point number i at
`p0` ... `p4`.
"""

import numpy as np

from .kernels import kernel

U = np.uintp


@kernel
def inputs_to_points(q, n, d, at, step, p, p0, p1, p2, p3, p4):
    """The transpose of interpolation: what multiplies the value of the kernel's polynomial at each
    point."""
    half, third = p.dtype.type(1 / 2), p.dtype.type(1 / 3)
    sixth, two = p.dtype.type(1 / 6), p.dtype.type(2)
    i0, i1 = at, at + step
    i2, i3 = at + 2 * step, at + 3 * step
    i4 = at + 4 * step
    if q == 5:
        for k in range(n):
            a, b = d[U(i0 + k)], d[U(i1 + k)]
            c, e = d[U(i2 + k)], d[U(i3 + k)]
            f = d[U(i4 + k)]
            p[U(p0 + k)] = a - c + half * (e - b)
            p[U(p1 + k)] = f - c + two * (b - e)
            p[U(p2 + k)] = b + half * (c - e)
            p[U(p3 + k)] = half * c - third * b - sixth * e
            p[U(p4 + k)] = sixth * (e - b)
    elif q == 4:
        for k in range(n):
            a, b = d[U(i0 + k)], d[U(i1 + k)]
            c, e = d[U(i2 + k)], d[U(i3 + k)]
            p[U(p0 + k)] = a - c
            p[U(p1 + k)] = e - b
            p[U(p2 + k)] = (b + c) * half
            p[U(p3 + k)] = (c - b) * half
    elif q == 3:
        for k in range(n):
            a, b = d[U(i0 + k)], d[U(i1 + k)]
            c = d[U(i2 + k)]
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
    half, third = p.dtype.type(1 / 2), p.dtype.type(1 / 3)
    sixth, two = p.dtype.type(1 / 6), p.dtype.type(2)
    i0, i1 = at, at + step
    i2, i3 = at + 2 * step, at + 3 * step
    i4 = at + 4 * step
    if q == 5:
        for k in range(n):
            a, b = p[U(p0 + k)], p[U(p1 + k)]
            c, e = p[U(p2 + k)], p[U(p3 + k)]
            f = p[U(p4 + k)]
            d[U(i0 + k)] += a
            d[U(i1 + k)] += two * b - half * a + c - third * e - sixth * f
            d[U(i2 + k)] += half * (c + e) - a - b
            d[U(i3 + k)] += half * (a - c) - two * b + sixth * (f - e)
            d[U(i4 + k)] += b
    elif q == 4:
        for k in range(n):
            a, b = p[U(p0 + k)], p[U(p1 + k)]
            c, e = p[U(p2 + k)] * half, p[U(p3 + k)] * half
            d[U(i0 + k)] += a
            d[U(i1 + k)] += c - e - b
            d[U(i2 + k)] += c + e - a
            d[U(i3 + k)] += b
    elif q == 3:
        for k in range(n):
            a, b = p[U(p0 + k)], p[U(p1 + k)]
            c = p[U(p2 + k)]
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
    t, i1 = p.dtype.type(t), at + step
    i2, i3 = at + 2 * step, at + 3 * step
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
    w2, w3 = kind(q > 2), kind(q > 3)
    w4 = kind(q > 4)
    p2, p3 = p2 if q > 2 else p0, p3 if q > 3 else p0
    p4 = p4 if q > 4 else p0
    two, four = kind(2), kind(4)
    eight, i1 = kind(8), at + step
    i2, i3 = at + 2 * step, at + 3 * step
    if m == 1:
        for k in range(n):
            y[U(at + k)] = (
                p[U(p0 + k)]
                + p[U(p1 + k)]
                + w2 * p[U(p2 + k)]
                + w3 * p[U(p3 + k)]
                + w4 * p[U(p4 + k)]
            )
    elif m == 2:
        for k in range(n):
            a, b = p[U(p0 + k)], p[U(p1 + k)]
            c, e = w2 * p[U(p2 + k)], w3 * p[U(p3 + k)]
            f = w4 * p[U(p4 + k)]
            y[U(at + k)] = a + c + e + f
            y[U(i1 + k)] = b + c - e + two * f
    elif m == 3:
        for k in range(n):
            a, b = p[U(p0 + k)], p[U(p1 + k)]
            c, e = w2 * p[U(p2 + k)], w3 * p[U(p3 + k)]
            f = w4 * p[U(p4 + k)]
            y[U(at + k)] = a + c + e + f
            y[U(i1 + k)] = c - e + two * f
            y[U(i2 + k)] = b + c + e + four * f
    else:
        for k in range(n):
            a, b = p[U(p0 + k)], p[U(p1 + k)]
            c, e = w2 * p[U(p2 + k)], w3 * p[U(p3 + k)]
            f = w4 * p[U(p4 + k)]
            y[U(at + k)] = a + c + e + f
            y[U(i1 + k)] = c - e + two * f
            y[U(i2 + k)] = c + e + four * f
            y[U(i3 + k)] = b + c - e + eight * f
