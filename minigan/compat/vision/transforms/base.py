"""What the classes of transforms share: how they print, and draws from minigan's generator."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ....arrays import default_generator
from ....nn import Module
from .sizes import InterpolationMode


def described(transform: Any, names: Sequence[str]) -> str:
    """Name(a=1, b=2) of these attributes."""
    values = {name: getattr(transform, name) for name in names}
    shown = (
        f"{name}={v.value if isinstance(v, InterpolationMode) else v}" for name, v in values.items()
    )
    return f"{type(transform).__name__}({', '.join(shown)})"


def listed(transform: Any, first: str = "") -> str:
    """Name(, its transforms a line each, )."""
    lines = [*([f"    {first}"] if first else []), *(f"    {t}" for t in transform.transforms)]
    return "\n".join([f"{type(transform).__name__}(", *lines, ")"])


class Transform(Module):
    """A transform that is also a Module, so that `nn.Sequential` takes it. `shown`: the attributes
    that it prints."""

    shown: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return described(self, self.shown)


def chance(p: float) -> bool:
    """True with probability p."""
    return bool(default_generator.uniform((1,))[0] < p)


def uniform(low: float, high: float) -> float:
    """A number between low and high."""
    return float(low) + (float(high) - float(low)) * float(default_generator.uniform((1,))[0])


def integer(low: int, high: int) -> int:
    """low, ..., high - 1, each as often."""
    return int(default_generator.integers(low, high, (1,))[0])


def sequence(name: str, value: Any, lengths: tuple[int, ...]) -> Any:
    """`value`, if it is a sequence of one of these lengths."""
    wanted = " or ".join(map(str, lengths))
    if not isinstance(value, Sequence):
        raise TypeError(f"{name}={value!r}: expected a sequence of length {wanted}")
    if len(value) not in lengths:
        raise ValueError(
            f"{name}={value!r}: expected a sequence of length {wanted}, got {len(value)}"
        )
    return value


def angles(name: str, value: Any, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """(-x, x) of a number x, or the floats of a sequence."""
    if isinstance(value, numbers.Number):
        if value < 0:  # type: ignore[operator]
            raise ValueError(f"{name}={value}: a single number must not be negative")
        value = [-value, value]  # type: ignore[operator]
    return [float(d) for d in sequence(name, value, lengths)]


def checked_fill(fill: Any) -> Any:
    if fill is None:
        return 0
    if not isinstance(fill, (Sequence, numbers.Number)):
        raise TypeError(f"fill={fill!r}: expected a number or a sequence")
    return fill
