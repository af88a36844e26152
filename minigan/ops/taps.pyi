"""Signatures of the ops in taps.py."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..autograd import Tensor

__all__ = ["apply_taps"]

class Taps:
    outputs: int
    inputs: int
    index: np.ndarray
    weight: np.ndarray
    gaps: bool
    def __init__(self, outputs: int, inputs: int, output: np.ndarray, source: np.ndarray, weight: np.ndarray) -> None: ...
    @cached_property
    def T(self) -> Taps: ...
    def like(self, x: Any) -> tuple[Any, Any]: ...

def taps(
    outputs: int, inputs: int, output: Sequence[int] | range, source: Sequence[int] | range, weight: Sequence[float] | None = None
) -> Taps: ...
def identity_taps(n: int) -> Taps: ...
def apply_taps(input: Tensor, *maps: Taps) -> Tensor: ...
