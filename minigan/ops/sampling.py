"""Random Tensors. All draw from one counter-based generator (`minigan.manual_seed`)
unless given another."""

from typing import Any

import numpy as np

from ..arrays import Generator, default_generator, device_of, seam, to_numpy
from ..arrays import device as as_device
from ..arrays.defaults import default
from ..autograd import Tensor, op, raw, tensor_of, zero
from ..autograd._types import DType, Ints, Place, Shape
from .inplace import S, assign
from .shape import _numbers

__all__ = [
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm",
]  # fmt: skip


def _place(device):
    return default.device if device is None else as_device(device)


def rand(
    *sizes: Ints,
    size: Shape = (),
    generator: Generator | None = None,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1): rand(2, 3), rand((2, 3)) or rand(size=(2, 3))."""
    draws = (generator or default_generator).uniform(
        _numbers(sizes or size), dtype or default.dtype, _place(device)
    )
    return tensor_of(draws, requires_grad)


def randn(
    *sizes: Ints,
    size: Shape = (),
    generator: Generator | None = None,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal: randn(2, 3), randn((2, 3)) or randn(size=(2, 3))."""
    draws = (generator or default_generator).normal(
        _numbers(sizes or size), dtype or default.dtype, _place(device)
    )
    return tensor_of(draws, requires_grad)


def randint(
    low: int = 0,
    high: int | Shape | None = None,
    size: Shape | None = None,
    *,
    generator: Generator | None = None,
    dtype: DType = np.int64,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers uniform on [low, high), or [0, low) in the form randint(high, size)."""
    if size is None:
        high, size = None, high
    if high is None:
        low, high = 0, low
    draws = (generator or default_generator).integers(
        int(low), int(high), tuple(size), _place(device)
    )
    return tensor_of(draws.astype(dtype or np.int64, copy=False), requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DType = np.int64,
    device: Place = None,
) -> Tensor:
    """0 .. n-1 in random order."""
    return tensor_of(
        (generator or default_generator).permutation(n, _place(device)).astype(dtype, copy=False)
    )


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Uniform on [0, 1), in the shape and dtype and on the device of `input`."""
    return rand(
        input.shape,
        generator=generator,
        dtype=dtype or input.dtype,
        device=device or input.device,
        requires_grad=requires_grad,
    )


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Standard normal, in the shape and dtype and on the device of `input`."""
    return randn(
        input.shape,
        generator=generator,
        dtype=dtype or input.dtype,
        device=device or input.device,
        requires_grad=requires_grad,
    )


def randint_like(
    input: Tensor,
    low: int = 0,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Place = None,
    memory_format: Any = None,
) -> Tensor:
    """Integers uniform on [low, high), or [0, low), in the shape and dtype and on the device of
    `input`."""
    low, high = (0, low) if high is None else (low, high)
    return randint(
        low,
        high,
        input.shape,
        generator=generator,
        dtype=dtype or input.dtype,
        device=device or input.device,
    )


def normal(
    mean: float | Tensor = 0.0,
    std: float | Tensor = 1.0,
    size: Shape | None = None,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with the given mean and standard deviation: numbers (with `size`) or Tensors of one
    shape.

    The gradient by a Tensor is 0, as in torch; a draw that depends on them smoothly is
    `distributions.Normal(mean, std).rsample()`.
    """
    like = next((x for x in (mean, std) if isinstance(x, Tensor)), None)
    if like is None:
        draws = randn(() if size is None else size, generator=generator, dtype=dtype, device=device)
    else:
        draws = randn_like(like, generator=generator)
    draws = draws * _constant(std) + _constant(mean)
    draws = _depending(_depending(draws, mean), std)
    return draws.requires_grad_() if requires_grad else draws


def _constant(x):
    return x.detach() if isinstance(x, Tensor) else x


@op
def _drawn(values: Tensor, parameter: Tensor) -> Tensor:
    """The values, which were drawn at random with this parameter.    dL/dparameter = 0"""
    return values


@_drawn.backward
def _(g, need):
    return g, need[1] and zero(g)


def _depending(values, parameter):
    """The draws, requiring a gradient where their parameter does."""
    wanted = isinstance(parameter, Tensor) and parameter.requires_grad
    return _drawn(values, parameter) if wanted else values


def bernoulli(
    input: Tensor,
    p: float | None = None,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """1 with probability input[i] (or p, for every element), else 0, in the dtype of `input`."""
    array = raw(input)
    values = seam.execute(_bernoulli, array, array if p is None else raw(p), generator)
    return _depending(tensor_of(values), input)


def _bernoulli(array, p, generator):
    return (
        (generator or default_generator).uniform(array.shape, np.float32, device_of(array)) < p
    ).astype(array.dtype)


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Indices (int64) drawn with probabilities proportional to each row of `input`; on the CPU."""
    weights = np.atleast_2d(to_numpy(raw(input))).astype(np.float64)
    if (weights < 0).any() or (weights.sum(1) <= 0).any():
        raise ValueError("multinomial: the weights must be non-negative and not all zero")
    draws = (generator or default_generator).uniform(
        (len(weights), num_samples if replacement else weights.shape[1]), np.float64
    )
    if replacement:
        edges = np.cumsum(weights, 1)
        edges /= edges[:, -1:]  # so the last is exactly 1
        picked = np.stack([np.searchsorted(e, u, side="right") for e, u in zip(edges, draws)])
    else:  # the smallest of -log(u) / w win (Efraimidis and Spirakis 2006)
        if (np.count_nonzero(weights, axis=1) < num_samples).any():
            raise ValueError(
                f"multinomial: num_samples={num_samples} exceeds the number of non-zero weights; "
                "use replacement=True"
            )
        # weight 0: infinite, or 0 / 0, comes last
        with np.errstate(divide="ignore", invalid="ignore"):
            picked = np.argsort(-np.log1p(-draws) / weights, axis=1)[:, :num_samples]
    return tensor_of(picked.reshape(*input.shape[:-1], num_samples).astype(np.int64))


def _fill(self, name, draw):
    array = self.array
    return assign(self, name, ..., tensor_of(draw(array.shape, array.dtype, device_of(array))))


def normal_(
    self: S, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> S:
    """Overwrite with normal numbers of the given mean and standard deviation."""
    return _fill(
        self,
        "normal_",
        lambda *a: (generator or default_generator).normal(*a) * a[1].type(std) + a[1].type(mean),
    )


def uniform_(
    self: S, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None
) -> S:
    """Overwrite with numbers uniform on [from_, to)."""
    return _fill(
        self,
        "uniform_",
        lambda *a: (
            (generator or default_generator).uniform(*a) * a[1].type(to - from_) + a[1].type(from_)
        ),
    )


def bernoulli_(self: S, p: float = 0.5, *, generator: Generator | None = None) -> S:
    """Overwrite with 1 (probability p) or 0."""
    return _fill(
        self,
        "bernoulli_",
        lambda s, t, d: ((generator or default_generator).uniform(s, np.float32, d) < p).astype(t),
    )


def random_(
    self: S, from_: int = 0, to: int | None = None, *, generator: Generator | None = None
) -> S:
    """Overwrite with integers uniform on [from_, to), or on [0, from_) in the form random_(to).

    With no limits up to the largest integer that the dtype can count to (booleans: 0 or 1).
    """
    kind = self.array.dtype
    if to is None and from_ == 0:
        to = (
            2
            if kind.kind == "b"
            else min(
                np.iinfo(kind).max + 1 if kind.kind in "iu" else 2 ** (np.finfo(kind).nmant + 1),
                2**32,
            )
        )
    elif to is None:
        from_, to = 0, from_
    return _fill(
        self,
        "random_",
        lambda s, t, d: (generator or default_generator).integers(from_, to, s, d).astype(t),
    )


def exponential_(self: S, lambd: float = 1.0, *, generator: Generator | None = None) -> S:
    """Overwrite with draws from the exponential distribution of rate `lambd`: -log(1 - u) /
    lambd."""

    def draw(shape, dtype, device):
        return -np.log1p(
            -(generator or default_generator).uniform(shape, dtype, device)
        ) / dtype.type(lambd)

    return _fill(self, "exponential_", draw)
