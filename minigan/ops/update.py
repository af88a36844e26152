"""The steps of the optimisers: each one pass over memory. Not differentiable ops: they change their arrays in place.

A step is a card, like an op's:

numbers(...)                    the few scalars of the formula, computed once for all elements, in float64
loop(c, g, p, *state)           the step on flat arrays, for Numba; c holds the numbers in the dtype of the arrays, because one
                                float64 among float32 would halve the speed of the whole loop
reference(c, g, p, *state)      the same in array expressions, for the arrays of either library in any layout

g is the gradient, p the parameter, the rest is the optimiser's memory of earlier gradients; p and state are overwritten.
`sign` is 1 to descend, -1 to ascend (maximize). State that an option does not need is None: the compiled loop then has no trace of it.
"""

import functools
import inspect
import itertools

import numpy as np

from ..backend import num_threads, parallel_chunks
from ..backend.cuda import Source, recording
from ..backend.cuda.elementwise import laid_out_as
from ..backend.cuda.translate import HELPERS, Formula
from ..backend.kernels import compiled
from ..backend.layout import COMPILED

__all__ = ["adagrad_step", "adam_step", "ema_step", "rmsprop_step", "run_together", "sgd_step"]

THREADED = 1 << 18  # to wake a thread takes as long as the step of about this many elements
ALIGN = 16  # pieces start at a multiple of this many elements


class update:
    """Decorator: the step of a card. `step(numbers, g, p, *state)` on arrays of one shape, in place."""

    def __init__(self, card):
        self.__name__, self.__doc__, self.__module__ = card.__name__, card.__doc__, card.__module__
        self.numbers, self.loop, self.reference = card.numbers, card.loop, card.reference

    def compiled(self):
        """The compiled loop, for flat contiguous NumPy arrays: run(c, g, p, *state), with c an array of their dtype."""
        return compiled(self.loop)

    def __call__(self, numbers, *arrays):
        there = [a for a in arrays if a is not None]
        if there[0].dtype in COMPILED and all(a.__class__ is np.ndarray and a.ndim == 1 and a.flags.c_contiguous for a in there):
            run_together([(self.compiled(), np.array(numbers, arrays[0].dtype), arrays)])
        else:
            self.reference(numbers, *arrays)

    # --- on CUDA: all parameters in one launch ---

    def variants(self):
        """All ways in which arrays that an option needs may be missing: the names of those that are None."""
        optional = [n for n, p in inspect.signature(self.loop).parameters.items() if p.default is None]
        return [frozenset(some) for k in range(len(optional) + 1) for some in itertools.combinations(optional, k)]

    @functools.cached_property
    def count(self):
        """How many numbers there are."""
        return Formula(self.loop).constants

    @functools.cache  # noqa: B019  (cards live as long as the program)
    def kernel(self, none=frozenset()):
        """(source, names of the arrays) of the step where the arrays `none` are None: the loop above, translated."""
        formula = Formula(self.loop, none)
        names = [n for n in formula.arguments[1:] if n not in none]
        pointers = "\n".join(f"    REAL* {n} = (REAL*)table.arrays[{i}][t];" for i, n in enumerate(names))
        code = f"""{HELPERS}
struct Table {{ u64 arrays[{MOST_ARRAYS}][{TENSORS}]; i64 size[{TENSORS}], first[{TENSORS + 1}]; }};
struct Numbers {{ double v[{MOST_NUMBERS}]; }};

extern "C" __global__ void step(Table table, Numbers numbers, const double* fed, i64 tensors) {{
    int t = 0;
    while (t + 1 < tensors && (i64)blockIdx.x >= table.first[t + 1]) t++;
    REAL c[{MOST_NUMBERS}];
    for (int k = 0; k < {self.count}; k++) c[k] = (REAL)(fed ? fed[k] : numbers.v[k]);
{pointers}
    const i64 begin = ((i64)blockIdx.x - table.first[t]) * {CHUNK}, end = begin + {CHUNK} < table.size[t] ? begin + {CHUNK} : table.size[t];
    for (i64 i = begin + threadIdx.x; i < end; i += blockDim.x) {{
{formula.body}
    }}
}}
"""
        return Source(f"{self.__name__}:{','.join(names)}", code), names

    def on_device(self, compute, jobs):
        """The step of all `jobs`: (g, p, *state), without gaps and laid out alike, of one dtype on one device.

        compute() : the numbers; while a step is captured it is called at each replay
        """
        recorder, fed = recording(), None
        numbers = np.zeros(1, NUMBERS)
        if recorder is None:
            values = compute()
            numbers["v"][0, : len(values)] = values
        else:
            fed = recorder.feed(compute, self.count)
        jobs = [job for job in jobs if job[0].size]
        names = list(inspect.signature(self.loop).parameters)[1:]
        for start in range(0, len(jobs), TENSORS):
            part = jobs[start : start + TENSORS]
            there = [k for k, a in enumerate(part[0]) if a is not None]
            source, _ = self.kernel(frozenset(n for k, n in enumerate(names) if k not in there))
            table, block = np.zeros(1, TABLE), 0
            for t, (g, *rest) in enumerate(part):
                g = g if g.strides == rest[0].strides else laid_out_as(rest[0], g)
                part[t] = g, *rest  # which keeps a copy alive until the launch
                for row, k in enumerate(there):
                    table["arrays"][0, row, t] = part[t][k].data.ptr
                table["size"][0, t], table["first"][0, t] = g.size, block
                block += -(-g.size // CHUNK)
            table["first"][0, len(part) :] = block
            source.launch("step", part[0][0], (block,), (256,), table, numbers, fed, len(part))


TENSORS, MOST_ARRAYS, MOST_NUMBERS, CHUNK = 64, 5, 12, 2048  # what goes into the 4 KB of a kernel's arguments; elements of a block
TABLE = np.dtype([("arrays", np.uint64, (MOST_ARRAYS, TENSORS)), ("size", np.int64, (TENSORS,)), ("first", np.int64, (TENSORS + 1,))])
NUMBERS = np.dtype([("v", np.float64, (MOST_NUMBERS,))])


def run_together(jobs):
    """Run compiled steps, given as (loop, c, arrays): if they are large, every thread does its part of each of them.

    Threads are woken once for all jobs: a network has many parameters, and a wake-up costs as much as a middling one's step.
    """
    threads = num_threads() if sum(arrays[0].size for _, _, arrays in jobs) >= THREADED else 1
    if threads == 1:
        for loop, c, arrays in jobs:
            loop(c, *arrays)
        return

    def work(parts):
        for loop, c, arrays in jobs:
            size = arrays[0].size
            low, high = (size if part == threads else size * part // threads // ALIGN * ALIGN for part in (parts[0], parts[-1] + 1))
            loop(c, *[a if a is None else a[low:high] for a in arrays])

    parallel_chunks(work, threads, range(threads), min_chunk=1)


@update
class sgd_step:
    """Stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983 in the form of Sutskever et al. 2013).

    d = sign g + weight_decay p;    b = momentum b + (1 - dampening) d, at first b = d;    p -= lr (b, or d + momentum b if nesterov)
    """

    def numbers(first, lr, momentum, dampening, weight_decay, nesterov, maximize):
        fresh = 1.0 if first else 1.0 - dampening  # share of d in b
        mix = (1.0, momentum) if nesterov else (0.0, 1.0)  # shares of d and b in the step
        return -1.0 if maximize else 1.0, weight_decay, lr, momentum, fresh, *mix

    def loop(c, g, p, b=None):
        sign, decay, lr, momentum, fresh, of_d, of_b = c[0], c[1], c[2], c[3], c[4], c[5], c[6]
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
    """Adam (Kingma and Ba 2015), AMSGrad (Reddi et al. 2018), decoupled weight decay (Loshchilov and Hutter 2019).

    d = sign g (+ weight_decay p);    m += (1 - beta1) (d - m);    v = beta2 v + (1 - beta2) d^2
    p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)
    AMSGrad puts the largest v so far in the place of v; decoupled decay first does p *= 1 - lr weight_decay.
    """

    def numbers(t, lr, betas, eps, weight_decay, decoupled, maximize):
        beta1, beta2 = betas
        decay, shrink = (0.0, 1.0 - lr * weight_decay) if decoupled else (weight_decay, 1.0)
        size, scale = lr / (1.0 - beta1**t), (1.0 - beta2**t) ** -0.5
        return -1.0 if maximize else 1.0, decay, shrink, 1.0 - beta1, beta2, 1.0 - beta2, size, scale, eps

    def loop(c, g, p, m, v, largest=None):
        sign, decay, shrink, new1, beta2, new2, size, scale, eps = c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8]
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

    d = sign g + weight_decay p;    s = alpha s + (1 - alpha) d^2;    a += (1 - alpha) (d - a)  (centered; else a = 0)
    d /= sqrt(s - a^2) + eps;       b = momentum b + d  (momentum; else b = d);    p -= lr b
    """

    def numbers(t, lr, alpha, eps, weight_decay, momentum, maximize):
        return -1.0 if maximize else 1.0, weight_decay, lr, alpha, 1.0 - alpha, eps, momentum

    def loop(c, g, p, s, a=None, b=None):
        sign, decay, lr, alpha, new, eps, momentum = c[0], c[1], c[2], c[3], c[4], c[5], c[6]
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
    """Adagrad (Duchi et al. 2011).    d = sign g + weight_decay p;    s += d^2;    p -= lr / (1 + (t - 1) lr_decay) d / (sqrt(s) + eps)"""

    def numbers(t, lr, lr_decay, weight_decay, eps, maximize):
        return -1.0 if maximize else 1.0, weight_decay, lr / (1.0 + (t - 1) * lr_decay), eps

    def loop(c, g, p, s):
        sign, decay, lr, eps = c[0], c[1], c[2], c[3]
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
class ema_step:
    """Exponential moving average, free of the bias towards its start.    a = p - old (p - a),  t = 1, 2, ...

    The biased average m = decay m + (1 - decay) p from m = 0 is corrected as in Adam: a = m / (1 - decay^t). Written for a
    itself this has old = decay (1 - decay^(t-1)) / (1 - decay^t): 0 at first, later decay. An a that equals p stays, exactly.
    """

    def numbers(t, decay):
        return (decay * (1.0 - decay ** (t - 1)) / (1.0 - decay**t),)

    def loop(c, p, a):
        old = c[0]
        for i in range(a.size):
            a[i] = p[i] - old * (p[i] - a[i])

    def reference(c, p, a):
        a[...] = p - c[0] * (p - a)
