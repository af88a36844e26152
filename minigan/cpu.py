"""What is only for the CPU: a step as one straight function."""

__all__ = ["graph"]


def graph(step):
    """`step` as a function that repeats its computations without the tape: see `minigan.fast.replay.jit.graph`.

    Without the fast path it is `step` itself.
    """
    try:
        from .fast.replay.jit import graph
    except ImportError:
        return step
    return graph(step)
