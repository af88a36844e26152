"""The steps of `minigan.ops.update` element by element on flat arrays, for compilers: Numba's, and
that of CUDA (`cuda.translate`).

`loop(c, g, p, *state)`: c holds the numbers of the formula in the dtype of the arrays, because one
float64 among float32 would halve the speed of the whole loop. State that an option does not need is
None: the compiled loop then has no trace of it.
"""

import numpy as np

from ..ops import update


def loop(function):
    """Decorator: the loop of the step of this name."""
    getattr(update, function.__name__).loop = function
    return function


@loop
def sgd_step(c, g, p, b=None):
    sign = c[0]
    decay = c[1]
    lr = c[2]
    momentum = c[3]
    fresh = c[4]
    of_d = c[5]
    of_b = c[6]
    for i in range(p.size):
        d = sign * g[i] + decay * p[i]
        if b is not None:
            average = momentum * b[i] + fresh * d
            b[i] = average
            d = of_d * d + of_b * average
        p[i] -= lr * d


@loop
def adam_step(c, g, p, m, v, largest=None):
    sign = c[0]
    decay = c[1]
    shrink = c[2]
    new1 = c[3]
    beta2 = c[4]
    new2 = c[5]
    size = c[6]
    scale = c[7]
    eps = c[8]
    for i in range(p.size):
        d = sign * g[i] + decay * p[i]
        average = m[i] + new1 * (d - m[i])
        square = beta2 * v[i] + new2 * d * d
        m[i] = average
        v[i] = square
        if largest is not None:
            square = max(largest[i], square)
            largest[i] = square
        p[i] = shrink * p[i] - size * average / (np.sqrt(square) * scale + eps)


@loop
def rmsprop_step(c, g, p, s, a=None, b=None):
    sign = c[0]
    decay = c[1]
    lr = c[2]
    alpha = c[3]
    new = c[4]
    eps = c[5]
    momentum = c[6]
    for i in range(p.size):
        d = sign * g[i] + decay * p[i]
        square = alpha * s[i] + new * d * d
        s[i] = square
        if a is not None:
            average = a[i] + new * (d - a[i])
            a[i] = average
            square -= average * average
        d /= np.sqrt(square) + eps
        if b is not None:
            d += momentum * b[i]
            b[i] = d
        p[i] -= lr * d


@loop
def adagrad_step(c, g, p, s):
    sign = c[0]
    decay = c[1]
    lr = c[2]
    eps = c[3]
    for i in range(p.size):
        d = sign * g[i] + decay * p[i]
        square = s[i] + d * d
        s[i] = square
        p[i] -= lr * d / (np.sqrt(square) + eps)


@loop
def adadelta_step(c, g, p, s, a):
    sign = c[0]
    decay = c[1]
    lr = c[2]
    rho = c[3]
    new = c[4]
    eps = c[5]
    for i in range(p.size):
        d = sign * g[i] + decay * p[i]
        square = rho * s[i] + new * d * d
        s[i] = square
        d = d * np.sqrt(a[i] + eps) / np.sqrt(square + eps)
        a[i] = rho * a[i] + new * d * d
        p[i] -= lr * d


@loop
def adamax_step(c, g, p, m, u):
    sign = c[0]
    decay = c[1]
    new = c[2]
    beta2 = c[3]
    size = c[4]
    eps = c[5]
    for i in range(p.size):
        d = sign * g[i] + decay * p[i]
        average = m[i] + new * (d - m[i])
        m[i] = average
        largest = max(beta2 * u[i], abs(d) + eps)
        u[i] = largest
        p[i] -= size * average / largest


@loop
def radam_step(c, g, p, m, v):
    sign = c[0]
    decay = c[1]
    shrink = c[2]
    new1 = c[3]
    beta2 = c[4]
    new2 = c[5]
    plain = c[6]
    scaled = c[7]
    eps = c[8]
    for i in range(p.size):
        d = sign * g[i] + decay * p[i]
        average = m[i] + new1 * (d - m[i])
        square = beta2 * v[i] + new2 * d * d
        m[i] = average
        v[i] = square
        p[i] = shrink * p[i] - average * (plain + scaled / (np.sqrt(square) + eps))


@loop
def ema_step(c, p, a):
    old = c[0]
    for i in range(a.size):
        a[i] = p[i] - old * (p[i] - a[i])
