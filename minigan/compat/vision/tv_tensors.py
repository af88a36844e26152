"""Tensors that say that they are pictures, so that `transforms.v2` knows them among labels."""

from __future__ import annotations

from typing import Any

from ...autograd import Tensor, tensor_of

__all__ = ["Image", "wrap"]


class Image(Tensor):
    """A picture (..., C, H, W). What ops make of it is a plain Tensor."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool | None = None):
        data = data if isinstance(data, Tensor) else tensor_of(data)
        wanted = data.requires_grad if requires_grad is None else requires_grad
        tensor_of(data.array, wanted, None, data._version, self)
        if self.ndim == 2:
            self.array = self.array[None]
        elif self.ndim < 2:
            raise ValueError(f"Image: expected (..., C, H, W), got shape {tuple(self.shape)}")


def wrap(wrappee: Tensor, *, like: Any) -> Any:
    """`wrappee` itself, as an `Image` if `like` is one."""
    if isinstance(like, Image) and isinstance(wrappee, Tensor) and not isinstance(wrappee, Image):
        wrappee.__class__ = Image  # the same memory, the same place in the graph
    return wrappee
