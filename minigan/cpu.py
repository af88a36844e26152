"""What is only for the CPU: a step as one straight function."""

import sys

__all__ = ["graph"]


def graph(step):
    """`step` as a function that repeats its computations without the tape: see
    `minigan.fast.replay.jit.graph`.

    Without the fast path it is `step` itself.
    """
    if "minigan.fast" not in sys.modules:
        return step
    from .fast.replay.jit import graph

    return graph(step)
