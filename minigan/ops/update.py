"""The steps of the optimisers. Not differentiable ops: they change their arrays in place.

A step is a card, like an op's:

numbers(...)                    the few scalars of the formula, computed once for all elements, in
                                float64
reference(c, g, p, *state)      the step in array expressions, for the arrays of either library in
                                any layout; c: the numbers
loop(c, g, p, *state)           the same element by element on flat arrays, for compilers; c holds
                                the numbers in the dtype of the arrays, because one float64 among
                                float32 would halve the speed of the whole loop

g is the gradient, p the parameter, the rest is the optimiser's memory of earlier gradients; p and
state are overwritten. `sign` is 1 to descend, -1 to ascend (maximize). State that an option does
not need is None: the compiled loop then has no trace of it.
"""

import numpy as np

__all__ = [
    "adadelta_step",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "ema_step",
    "radam_step",
    "rmsprop_step",
    "sgd_step",
]


# "cpu", "cuda" -> a faster way to step the parameters of an optimiser that lie there, (optimizer,
# gradients), or to update averages, (ema): in the place of `optim.optimizer.step_by_reference` and
# `optim.ema.update_by_reference`.
STEPS: dict = {}
AVERAGES: dict = {}


class update:
    """Decorator: the step of a card. `step(numbers, g, p, *state)` on arrays of one shape, in
    place."""

    def __init__(self, card):
        self.__name__ = card.__name__
        self.__doc__ = card.__doc__
        self.__module__ = card.__module__
        self.numbers = card.numbers
        self.loop = card.loop
        self.reference = card.reference

    def __call__(self, numbers, *arrays):
        self.reference(numbers, *arrays)


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

    def loop(c, g, p, b=None):
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

    def reference(c, g, p, b=None):
        sign, decay, lr, momentum, fresh, of_d, of_b = c
        d = sign * g + decay * p
        if b is not None:
            b *= momentum
            b += fresh * d
            d = of_d * d + of_b * b
        p -= lr * d


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
        return (
            -1.0 if maximize else 1.0,
            decay,
            shrink,
            1.0 - beta1,
            beta2,
            1.0 - beta2,
            size,
            scale,
            eps,
        )

    def loop(c, g, p, m, v, largest=None):
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

    def reference(c, g, p, m, v, largest=None):
        sign, decay, shrink, new1, beta2, new2, size, scale, eps = c
        d = sign * g + decay * p
        m += new1 * (d - m)
        v *= beta2
        v += new2 * d * d
        if largest is not None:
            np.maximum(largest, v, out=largest)
            v = largest
        p *= shrink
        p -= size * m / (np.sqrt(v) * scale + eps)


@update
class rmsprop_step:
    """RMSprop (Tieleman and Hinton 2012; centered: Graves 2013).

    d = sign g + weight_decay p;    s = alpha s + (1 - alpha) d^2;
    a += (1 - alpha) (d - a)  (centered; else a = 0)
    d /= sqrt(s - a^2) + eps;       b = momentum b + d  (momentum; else b = d);    p -= lr b
    """

    def numbers(t, lr, alpha, eps, weight_decay, momentum, maximize):
        return -1.0 if maximize else 1.0, weight_decay, lr, alpha, 1.0 - alpha, eps, momentum

    def loop(c, g, p, s, a=None, b=None):
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

    def reference(c, g, p, s, a=None, b=None):
        sign, decay, lr, alpha, new, eps, momentum = c
        d = sign * g + decay * p
        s *= alpha
        s += new * d * d
        square = s
        if a is not None:
            a += new * (d - a)
            square = s - a * a
        d /= np.sqrt(square) + eps
        if b is not None:
            b *= momentum
            b += d
            d = b
        p -= lr * d


@update
class adagrad_step:
    """Adagrad (Duchi et al. 2011).
    d = sign g + weight_decay p;
    s += d^2;
    p -= lr / (1 + (t - 1) lr_decay) d / (sqrt(s) + eps)"""

    def numbers(t, lr, lr_decay, weight_decay, eps, maximize):
        return -1.0 if maximize else 1.0, weight_decay, lr / (1.0 + (t - 1) * lr_decay), eps

    def loop(c, g, p, s):
        sign = c[0]
        decay = c[1]
        lr = c[2]
        eps = c[3]
        for i in range(p.size):
            d = sign * g[i] + decay * p[i]
            square = s[i] + d * d
            s[i] = square
            p[i] -= lr * d / (np.sqrt(square) + eps)

    def reference(c, g, p, s):
        sign, decay, lr, eps = c
        d = sign * g + decay * p
        s += d * d
        p -= lr * d / (np.sqrt(s) + eps)


@update
class adadelta_step:
    """Adadelta (Zeiler 2012).    d = sign g + weight_decay p;    s = rho s + (1 - rho) d^2
    d *= sqrt(a + eps) / sqrt(s + eps);    a = rho a + (1 - rho) d^2;    p -= lr d"""

    def numbers(lr, rho, eps, weight_decay, maximize):
        return -1.0 if maximize else 1.0, weight_decay, lr, rho, 1.0 - rho, eps

    def loop(c, g, p, s, a):
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

    def reference(c, g, p, s, a):
        sign, decay, lr, rho, new, eps = c
        d = sign * g + decay * p
        s *= rho
        s += new * d * d
        d = d * np.sqrt(a + eps) / np.sqrt(s + eps)
        a *= rho
        a += new * d * d
        p -= lr * d


@update
class adamax_step:
    """Adamax (Kingma and Ba 2015).
    d = sign g + weight_decay p;
    m += (1 - beta1) (d - m);
    u = max(beta2 u, |d| + eps)
    p -= lr / (1 - beta1^t) m / u"""

    def numbers(t, lr, betas, eps, weight_decay, maximize):
        beta1, beta2 = betas
        return (
            -1.0 if maximize else 1.0,
            weight_decay,
            1.0 - beta1,
            beta2,
            lr / (1.0 - beta1**t),
            eps,
        )

    def loop(c, g, p, m, u):
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

    def reference(c, g, p, m, u):
        sign, decay, new, beta2, size, eps = c
        d = sign * g + decay * p
        m += new * (d - m)
        u *= beta2
        np.maximum(u, np.abs(d) + eps, out=u)
        p -= size * m / u


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
        share = (
            (
                (length - 4.0)
                * (length - 2.0)
                * limit
                / ((limit - 4.0) * (limit - 2.0) * length)
                * rest
            )
            ** 0.5
            if sure
            else 0.0
        )
        plain, scaled = (0.0, size * share) if sure else (size, 0.0)
        return (
            -1.0 if maximize else 1.0,
            decay,
            shrink,
            1.0 - beta1,
            beta2,
            1.0 - beta2,
            plain,
            scaled,
            eps,
        )

    def loop(c, g, p, m, v):
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

    def reference(c, g, p, m, v):
        sign, decay, shrink, new1, beta2, new2, plain, scaled, eps = c
        d = sign * g + decay * p
        m += new1 * (d - m)
        v *= beta2
        v += new2 * d * d
        p *= shrink
        p -= m * (plain + scaled / (np.sqrt(v) + eps))


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

    def loop(c, p, a):
        old = c[0]
        for i in range(a.size):
            a[i] = p[i] - old * (p[i] - a[i])

    def reference(c, p, a):
        a[...] = p - c[0] * (p - a)
