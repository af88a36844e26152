"""The steps of the optimisers. Not differentiable ops: they change their arrays in place.

A step is a card, like an op's:

numbers(...)               its few scalars, computed once for all elements, in float64
formula(c, g, p, *state)   the new parameter and state: arrays of either library in any layout, or
                           Tensors, which record it (`optim.functional`); c: the numbers

g is the gradient, p the parameter, the rest is the optimiser's memory of earlier gradients. `sign`
is 1 to descend, -1 to ascend (maximize). State that an option does not need is None. The fast path
has each formula once more, as a loop over the elements.
"""

import numpy as np

from ..arrays.device import array_place
from .arithmetic import maximum
from .elementary import abs, sqrt

__all__ = [
    "adadelta_step", "adagrad_step", "adam_step", "adamax_step", "ema_step", "radam_step",
    "rmsprop_step", "sgd_step",
]  # fmt: skip


# "cpu", "cuda" -> a faster way to step the parameters of an optimiser that lie there, (optimizer,
# gradients), or to update averages, (ema): in the place of `optim.optimizer.step_by_reference` and
# `optim.ema.update_by_reference`.
STEPS: dict = {}
AVERAGES: dict = {}


def place_of(x):
    """Where faster ways are looked up for this array: "cpu", "cuda", or None where kernels cannot
    run for the dtype."""
    place = array_place(x)
    return place if place == "cpu" or (place and x.dtype.char in "fd") else None


PIECE = 1 << 17  # elements of a large array that are stepped at once


class update:
    """Decorator: the step of a card. `step(numbers, g, p, *state)` on arrays of one shape, in
    place."""

    def __init__(self, card):
        self.__name__ = card.__name__
        self.__doc__ = card.__doc__
        self.__module__ = card.__module__
        self.numbers = card.numbers
        self.formula = card.formula

    def reference(self, numbers, *arrays):
        """The formula in place; of large arrays on the CPU piece by piece, which stay in the
        cache."""
        p, pieces = arrays[1], [arrays]
        if isinstance(p, np.ndarray) and p.size > PIECE:
            rows = -(-PIECE * len(p) // p.size)
            starts = range(0, len(p), rows)
            pieces = [[a if a is None else a[i : i + rows] for a in arrays] for i in starts]
        for piece in pieces:
            for old, new in zip(piece[1:], self.formula(numbers, *piece)):
                if old is not None:
                    old[...] = new

    __call__ = reference


def _descent(sign, decay, g, p):
    """Where to: the gradient, of the loss with weight_decay |p|^2 / 2."""
    d = g if sign == 1 else -g
    return d + decay * p if decay else d


@update
class sgd_step:
    """Stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983 in the form of
    Sutskever et al. 2013).

    d = sign g + weight_decay p;
    b = momentum b + (1 - dampening) d, at first b = d;
    p -= lr (b, or d + momentum b if nesterov)
    """

    def numbers(first, lr, momentum, dampening, weight_decay, nesterov, maximize):
        fresh = 1.0 if first else 1.0 - dampening  # share of d in b
        kept = 0.0 if first else momentum  # of b
        mix = (1.0, momentum) if nesterov else (0.0, 1.0)  # shares of d and b in the step
        return -1.0 if maximize else 1.0, weight_decay, lr, kept, fresh, *mix

    def formula(c, g, p, b=None):
        sign, decay, lr, momentum, fresh, of_d, of_b = c
        d = _descent(sign, decay, g, p)
        if b is not None:
            b = momentum * b + fresh * d
            d = of_d * d + of_b * b if of_d else b
        return p - lr * d, b


@update
class adam_step:
    """Adam (Kingma and Ba 2015), AMSGrad (Reddi et al. 2018), decoupled weight decay (Loshchilov
    and Hutter 2019).

    d = sign g (+ weight_decay p);    m += (1 - beta1) (d - m);    v = beta2 v + (1 - beta2) d^2
    p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)
    AMSGrad puts the largest v so far in the place of v; decoupled decay first does p *= 1 - lr
    weight_decay.
    """

    def numbers(t, lr, betas, eps, weight_decay, decoupled, maximize):
        beta1, beta2 = betas
        decay, shrink = (0.0, 1.0 - lr * weight_decay) if decoupled else (weight_decay, 1.0)
        size, scale = lr / (1.0 - beta1**t), (1.0 - beta2**t) ** -0.5
        sign = -1.0 if maximize else 1.0
        return sign, decay, shrink, 1.0 - beta1, beta2, 1.0 - beta2, size, scale, eps

    def formula(c, g, p, m, v, largest=None, sqrt=sqrt):
        sign, decay, shrink, new1, beta2, new2, size, scale, eps = c
        d = _descent(sign, decay, g, p)
        m = m + new1 * (d - m)
        v = square = beta2 * v + new2 * d * d
        if largest is not None:
            square = largest = maximum(largest, v)
        p = p if shrink == 1 else shrink * p
        return p - size * m / (sqrt(square) * scale + eps), m, v, largest


@update
class rmsprop_step:
    """RMSprop (Tieleman and Hinton 2012; centered: Graves 2013).

    d = sign g + weight_decay p;    s = alpha s + (1 - alpha) d^2;
    a += (1 - alpha) (d - a)  (centered; else a = 0)
    d /= sqrt(s - a^2) + eps;       b = momentum b + d  (momentum; else b = d);    p -= lr b
    """

    def numbers(t, lr, alpha, eps, weight_decay, momentum, maximize):
        return -1.0 if maximize else 1.0, weight_decay, lr, alpha, 1.0 - alpha, eps, momentum

    def formula(c, g, p, s, a=None, b=None):
        sign, decay, lr, alpha, new, eps, momentum = c
        d = _descent(sign, decay, g, p)
        s = square = alpha * s + new * d * d
        if a is not None:
            a = a + new * (d - a)
            square = s - a * a
        d = d / (sqrt(square) + eps)
        if b is not None:
            b = d = momentum * b + d
        return p - lr * d, s, a, b


@update
class adagrad_step:
    """Adagrad (Duchi et al. 2011).
    d = sign g + weight_decay p;
    s += d^2;
    p -= lr / (1 + (t - 1) lr_decay) d / (sqrt(s) + eps)"""

    def numbers(t, lr, lr_decay, weight_decay, eps, maximize):
        return -1.0 if maximize else 1.0, weight_decay, lr / (1.0 + (t - 1) * lr_decay), eps

    def formula(c, g, p, s):
        sign, decay, lr, eps = c
        d = _descent(sign, decay, g, p)
        s = s + d * d
        return p - lr * d / (sqrt(s) + eps), s


@update
class adadelta_step:
    """Adadelta (Zeiler 2012).    d = sign g + weight_decay p;    s = rho s + (1 - rho) d^2
    d *= sqrt(a + eps) / sqrt(s + eps);    a = rho a + (1 - rho) d^2;    p -= lr d"""

    def numbers(lr, rho, eps, weight_decay, maximize):
        return -1.0 if maximize else 1.0, weight_decay, lr, rho, 1.0 - rho, eps

    def formula(c, g, p, s, a):
        sign, decay, lr, rho, new, eps = c
        d = _descent(sign, decay, g, p)
        s = rho * s + new * d * d
        d = d * sqrt(a + eps) / sqrt(s + eps)
        a = rho * a + new * d * d
        return p - lr * d, s, a


@update
class adamax_step:
    """Adamax (Kingma and Ba 2015).
    d = sign g + weight_decay p;
    m += (1 - beta1) (d - m);
    u = max(beta2 u, |d| + eps)
    p -= lr / (1 - beta1^t) m / u"""

    def numbers(t, lr, betas, eps, weight_decay, maximize):
        beta1, beta2 = betas
        sign, size = -1.0 if maximize else 1.0, lr / (1.0 - beta1**t)
        return sign, weight_decay, 1.0 - beta1, beta2, size, eps

    def formula(c, g, p, m, u):
        sign, decay, new, beta2, size, eps = c
        d = _descent(sign, decay, g, p)
        m = m + new * (d - m)
        u = maximum(beta2 * u, abs(d) + eps)
        return p - size * m / u, m, u


@update
class radam_step:
    """RAdam (Liu et al. 2020).
    m, v as Adam's;
    r = 2 / (1 - beta2) - 1;
    q = r - 2 t beta2^t / (1 - beta2^t)
    p -= lr m / (1 - beta1^t), and if q > 5
        times sqrt((q - 4) (q - 2) r / ((r - 4) (r - 2) q)) / (sqrt(v / (1 - beta2^t)) + ...)"""

    def numbers(t, lr, betas, eps, weight_decay, decoupled, maximize):
        beta1, beta2 = betas
        decay, shrink = (0.0, 1.0 - lr * weight_decay) if decoupled else (weight_decay, 1.0)
        size, rest = lr / (1.0 - beta1**t), 1.0 - beta2**t
        limit = 2.0 / (1.0 - beta2) - 1.0
        length = limit - 2.0 * t * beta2**t / rest
        sure = length > 5.0
        share = 0.0
        if sure:
            ratio = (length - 4.0) * (length - 2.0) * limit
            share = (ratio / ((limit - 4.0) * (limit - 2.0) * length) * rest) ** 0.5
        plain, scaled = (0.0, size * share) if sure else (size, 0.0)
        sign = -1.0 if maximize else 1.0
        return sign, decay, shrink, 1.0 - beta1, beta2, 1.0 - beta2, plain, scaled, eps

    def formula(c, g, p, m, v):
        sign, decay, shrink, new1, beta2, new2, plain, scaled, eps = c
        d = _descent(sign, decay, g, p)
        m = m + new1 * (d - m)
        v = beta2 * v + new2 * d * d
        p = p if shrink == 1 else shrink * p
        return p - m * (plain + scaled / (sqrt(v) + eps)), m, v


@update
class ema_step:
    """Exponential moving average, free of the bias towards its start.
    a = p - old (p - a),  t = 1, 2, ...

    The biased average m = decay m + (1 - decay) p from m = 0 is corrected as in Adam: a = m / (1 -
    decay^t). Written for a itself this has old = decay (1 - decay^(t-1)) / (1 - decay^t): 0 at
    first, later decay. An a that equals p stays, exactly.
    """

    def numbers(t, decay):
        return (decay * (1.0 - decay ** (t - 1)) / (1.0 - decay**t),)

    def formula(c, p, a):
        return (p - c[0] * (p - a),)
