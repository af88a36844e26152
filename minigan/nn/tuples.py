"""torch.nn.modules.utils: a number for each dimension."""

from collections.abc import Iterable
from itertools import repeat
from typing import Any


def _ntuple(n: int, name: str = "parse") -> Any:
    """A function that makes a tuple of n equal numbers of one number, and a tuple of an
    iterable."""

    def parse(x):
        return tuple(x) if isinstance(x, Iterable) else tuple(repeat(x, n))

    parse.__name__ = name
    return parse


_single = _ntuple(1, "_single")
_pair = _ntuple(2, "_pair")
_triple = _ntuple(3, "_triple")
_quadruple = _ntuple(4, "_quadruple")


def _reverse_repeat_tuple(t: Any, n: int) -> tuple[Any, ...]:
    """(1, 2) -> (2, 2, 1, 1) for n = 2: as `pad` takes the sizes."""
    return tuple(x for x in reversed(t) for _ in range(n))
