"""Signatures of the ops in sampling.py."""

from ..autograd import Tensor
from ..autograd._types import DType, Ints, Place, Shape
from ..backend import Generator

__all__ = [
    "alpha_dropout", "bernoulli", "dropout", "feature_dropout", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like",
    "randn",
    "randn_like", "randperm",
]  # fmt: skip

def rand(
    *sizes: Ints, size: Shape = (), generator: Generator | None = None, dtype: DType = None, device: Place = None,
    requires_grad: bool = False
) -> Tensor: ...
def randn(
    *sizes: Ints, size: Shape = (), generator: Generator | None = None, dtype: DType = None, device: Place = None,
    requires_grad: bool = False
) -> Tensor: ...
def randint(
    low: int = 0, high: int | Shape | None = None, size: Shape | None = None, *, generator: Generator | None = None, dtype: DType = ...,
    device: Place = None, requires_grad: bool = False
) -> Tensor: ...
def randperm(n: int, *, generator: Generator | None = None, dtype: DType = ..., device: Place = None) -> Tensor: ...
def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType = None, device: Place = None, requires_grad: bool = False
) -> Tensor: ...
def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType = None, device: Place = None, requires_grad: bool = False
) -> Tensor: ...
def randint_like(
    input: Tensor, low: int = 0, high: int | None = None, *, generator: Generator | None = None, dtype: DType = None,
    device: Place = None
) -> Tensor: ...
def normal(
    mean: float | Tensor = 0.0, std: float | Tensor = 1.0, size: Shape | None = None, *, generator: Generator | None = None,
    dtype: DType = None, device: Place = None, requires_grad: bool = False
) -> Tensor: ...
def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor: ...
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor: ...
def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, *, train: bool | None = None, generator: Generator | None = None
) -> Tensor: ...
def feature_dropout(
    input: Tensor, p: float = 0.5, training: bool = True, *, train: bool | None = None, generator: Generator | None = None
) -> Tensor: ...
def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, *, train: bool | None = None, generator: Generator | None = None
) -> Tensor: ...
