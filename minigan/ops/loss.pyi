"""Signatures of the ops in loss.py."""

from ..autograd import Tensor

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "hinge_embedding_loss", "huber_loss", "kl_div",
    "l1_loss", "margin_ranking_loss", "mean_logsigmoid", "mse_loss", "nll_loss", "smooth_l1_loss", "soft_margin_loss",
]  # fmt: skip

def mse_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None, *,
    size_average: bool | None = None, reduce: bool | None = None
) -> Tensor: ...
def l1_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None, *,
    size_average: bool | None = None, reduce: bool | None = None
) -> Tensor: ...
def smooth_l1_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0, *,
    size_average: bool | None = None, reduce: bool | None = None
) -> Tensor: ...
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
    weight: Tensor | None = None
) -> Tensor: ...
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean", *,
    size_average: bool | None = None, reduce: bool | None = None
) -> Tensor: ...
def mean_logsigmoid(x: Tensor, sign: float = 1) -> Tensor: ...
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean",
    pos_weight: Tensor | None = None, *, size_average: bool | None = None,
    reduce: bool | None = None
) -> Tensor: ...
def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100,
    reduction: str = "mean", *, size_average: bool | None = None, reduce: bool | None = None
) -> Tensor: ...
def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0, *, size_average: bool | None = None,
    reduce: bool | None = None
) -> Tensor: ...
def kl_div(
    input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False, *,
    size_average: bool | None = None, reduce: bool | None = None
) -> Tensor: ...
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean", *,
    size_average: bool | None = None, reduce: bool | None = None
) -> Tensor: ...
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean",
    *, size_average: bool | None = None, reduce: bool | None = None
) -> Tensor: ...
def soft_margin_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", *, size_average: bool | None = None,
    reduce: bool | None = None
) -> Tensor: ...
