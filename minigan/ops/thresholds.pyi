"""Signatures of the ops in thresholds.py."""

from collections.abc import Sequence
from typing import Any

from ..autograd import Tensor

__all__ = [
    "celu", "channel_shuffle", "feature_alpha_dropout", "gumbel_softmax", "hardshrink",
    "hardsigmoid", "local_response_norm", "pdist", "rms_norm", "rrelu", "softshrink",
    "tanhshrink", "threshold",
]  # fmt: skip

def celu(input: Tensor, alpha: float = 1.0) -> Tensor: ...
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor: ...
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor: ...
def tanhshrink(input: Tensor) -> Tensor: ...
def hardsigmoid(input: Tensor) -> Tensor: ...
def threshold(input: Tensor, threshold: Any, value: float) -> Tensor: ...
def rrelu(
    input: Tensor,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    *,
    generator: Any = None,
) -> Tensor: ...
def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, *, generator: Any = None
) -> Tensor: ...
def gumbel_softmax(
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    generator: Any = None,
) -> Tensor: ...
def channel_shuffle(input: Tensor, groups: int) -> Tensor: ...
def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor: ...
def local_response_norm(
    input: Tensor, size: Sequence[int], alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0
) -> Tensor: ...
def pdist(input: Tensor, p: float = 2.0) -> Tensor: ...
