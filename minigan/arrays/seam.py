"""The one seam of the engine: whatever computes with arrays during a step is called as
`seam.execute(function, *args)`.

By itself that is `function(*args)` and nothing more. A fast path may put a function of its own here
for a while, which notes the calls of a step in order to repeat them; nobody else knows.

A function that is executed takes arrays (and numbers, lists of arrays, ...), and gives an array, a
tuple of arrays, or None where it writes into memory that others know, or raises what is wrong with
an array. What it calls itself is part of it.
"""

import contextlib
import functools
import operator

from .device import array_place

# By itself. The engine, whose calls are many and short, looks first whether anything else stands
# here: `f(*args)` is quicker than `plain(f, *args)`.
plain = execute = operator.call


def may_exchange():
    """May a Tensor be given other memory instead of being overwritten? A step that is repeated
    writes where it reads."""
    return execute is plain


def counted(what):
    """Called by what reads a number that Python counts from step to step, `what`: a step that is
    captured would read it once and for all, and cannot be."""


def repeated(step, *about):
    """A step of training, and what it is a step of, as a function that computes the same: this very
    step, or faster."""
    return step


@contextlib.contextmanager
def told(listener):
    """Inside, `listener(function, args, result)` is told of each call: of what a network computes,
    in the order in which it does."""
    global execute
    before = execute

    def tell(function, *args):
        result = before(function, *args)
        listener(function, args, result)
        return result

    execute = tell
    try:
        yield
    finally:
        execute = before


class CaptureError(RuntimeError):
    """The step cannot be a CUDA graph: the message says what it does that cannot be captured, and
    in which line."""


class dispatched:
    """Decorator: a function on arrays that is no op but may have kernels,
    `@gather_scaled.kernel("cpu")`. The first argument decides."""

    def __init__(self, reference):
        self.reference, self.kernels = reference, {}
        functools.update_wrapper(self, reference)

    def kernel(self, place):
        """Decorator: this is faster for arrays there, "cpu" or "cuda"."""

        def put(kernel):
            self.kernels[place] = kernel
            return kernel

        return put

    def __call__(self, x, *rest):
        return self.kernels.get(array_place(x), self.reference)(x, *rest)
