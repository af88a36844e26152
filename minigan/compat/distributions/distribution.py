"""What all distributions share: shapes, draws, and the checks of parameters and values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ...autograd import Size, Tensor, no_grad
from ...ops import as_tensor, broadcast_tensors
from ..settings import get_default_dtype

Number = float | Tensor


class Distribution:
    """P over values of shape (*batch_shape, *event_shape).

    batch_shape    how many independent distributions this is
    event_shape    the shape of one value
    validate_args  whether parameters and values are checked; default: yes
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = True
    support: Callable[[Tensor], Tensor] | None = None  # which values are possible, elementwise

    def __init__(
        self,
        batch_shape: Sequence[int] = (),
        event_shape: Sequence[int] = (),
        validate_args: bool | None = None,
    ):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        Distribution._validate_args = bool(value)

    @property
    def batch_shape(self) -> Size:
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        return self._event_shape

    @property
    def mean(self) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no mean here")

    @property
    def mode(self) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no mode here")

    @property
    def variance(self) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no variance here")

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws of shape (*sample_shape, *batch_shape, *event_shape), without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws with a gradient: a function of the parameters and of noise that does not depend on
        them."""
        raise NotImplementedError(
            f"{type(self).__name__} has no rsample: its draws have no gradient"
        )

    def sample_n(self, n: int) -> Tensor:
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(value), of shape (*sample_shape, *batch_shape)."""
        raise NotImplementedError(f"{type(self).__name__} has no log_prob here")

    def cdf(self, value: Tensor) -> Tensor:
        """P(x <= value)."""
        raise NotImplementedError(f"{type(self).__name__} has no cdf here")

    def icdf(self, value: Tensor) -> Tensor:
        """The x with P(below x) = value."""
        raise NotImplementedError(f"{type(self).__name__} has no icdf here")

    def entropy(self) -> Tensor:
        """-E log p, of shape batch_shape."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy here")

    def perplexity(self) -> Tensor:
        return self.entropy().exp()

    def _shape(self, sample_shape: Sequence[int]) -> Size:
        return Size((*sample_shape, *self.batch_shape, *self.event_shape))

    def _check_value(self, value: Any) -> None:
        """ValueError for a value that cannot be, as torch says it."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        if self.support is not None and not bool(self.support(value.detach()).all()):
            raise ValueError(
                f"{type(self).__name__}.log_prob: a value is outside of the distribution's support"
            )

    def _check(self, name: str, value: Tensor, allowed: Tensor, what: str) -> None:
        """ValueError for a parameter that cannot be."""
        if self._validate_args and not bool(allowed.all()):
            raise ValueError(f"{type(self).__name__}: {name} must be {what}, got {value.detach()}")

    def __repr__(self) -> str:
        parameters = ", ".join(
            f"{k}: {v.item() if v.numel() == 1 else v.shape}"
            for k, v in vars(self).items() if isinstance(v, Tensor) and not k.startswith("_")
        )  # fmt: skip
        return f"{type(self).__name__}({parameters})"


def together(*parameters: Number) -> list[Tensor]:
    """Numbers and Tensors as Tensors of one shape; numbers have the dtype of the Tensors beside
    them, or the default."""
    like = next((x for x in parameters if isinstance(x, Tensor)), None)
    dtype, device = (get_default_dtype(), None) if like is None else (like.dtype, like.device)
    return list(
        broadcast_tensors(
            *(
                x if isinstance(x, Tensor) else as_tensor(x, dtype=dtype, device=device)
                for x in parameters
            )
        )
    )


def sum_rightmost(value: Tensor, n: int) -> Tensor:
    return value.sum(tuple(range(-n, 0))) if n else value


LOG_2PI = math.log(2 * math.pi)
