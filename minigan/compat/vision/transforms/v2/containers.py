"""Transforms of samples one after the other, or by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .....arrays import default_generator
from .....nn import Module, ModuleList
from ..base import chance, listed
from ..looks import RandomChoice as _Choice


def _checked(transforms: Any) -> Any:
    if not isinstance(transforms, (Sequence, ModuleList)):
        raise TypeError(f"transforms={transforms!r}: expected a sequence of transforms")
    if not len(transforms):
        raise ValueError("transforms: pass at least one")
    return transforms


class _Container(Module):
    def __init__(self, transforms: Sequence[Callable[..., Any]]):
        super().__init__()
        self.transforms = _checked(transforms)

    def _run(self, order: Any, inputs: tuple[Any, ...]) -> Any:
        several = len(inputs) > 1
        for i in order:
            out = self.transforms[int(i)](*inputs)
            inputs = tuple(out) if several else (out,)
        return inputs if several else inputs[0]

    def __repr__(self) -> str:
        return listed(self)


class Compose(_Container):
    """One transform after the other."""

    def forward(self, *inputs: Any) -> Any:
        return self._run(range(len(self.transforms)), inputs)


class RandomApply(_Container):
    """All of these transforms with probability p, else none."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: float = 0.5):
        super().__init__(transforms)
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"RandomApply: p={p}: expected a probability, 0 to 1")
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        return self._run(range(len(self.transforms)) if chance(self.p) else (), inputs)


class RandomOrder(_Container):
    """All of these transforms, in a random order."""

    def forward(self, *inputs: Any) -> Any:
        return self._run(default_generator.permutation(len(self.transforms)), inputs)


class RandomChoice(_Choice):
    """One of these transforms.

    p : how probable each is, in any unit; default: all equally
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None):
        super().__init__(_checked(transforms), p)
