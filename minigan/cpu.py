"""What is only for the CPU: a step as one straight function."""

from .fast.replay.jit import graph

__all__ = ["graph"]
