"""What is only for the CPU: a step as one straight function."""

from .utils.program import graph

__all__ = ["graph"]
