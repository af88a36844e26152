"""Padding layers. `padding` is one number for all sides, or (before, after) of the last dimension,
then of the one before it."""

from . import functional as F
from .module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    per_example = True
    dims: int
    mode = "constant"
    value = 0.0

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.dims) if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != 2 * self.dims:
            raise ValueError(
                f"{type(self).__name__}: padding={padding!r}, expected one integer or "
                f"{2 * self.dims}"
            )

    def forward(self, input):
        if input.ndim not in (self.dims + 1, self.dims + 2):
            raise ValueError(
                f"{type(self).__name__}: expected input of {self.dims + 1} or {self.dims + 2} "
                f"dimensions, got shape {tuple(input.shape)}"
            )
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self):
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """A number around the last dimensions; negative padding cuts."""

    def __init__(self, padding, value) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """`value` around (N, C, L) or (C, L); negative padding cuts."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """`value` around (N, C, H, W) or (C, H, W); negative padding cuts."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """`value` around (N, C, D, H, W) or (C, D, H, W); negative padding cuts."""

    dims = 3


class ZeroPad1d(_Pad):
    """Zeros around (N, C, L) or (C, L); negative padding cuts."""

    dims = 1


class ZeroPad2d(_Pad):
    """Zeros around (N, C, H, W) or (C, H, W); negative padding cuts."""

    dims = 2


class ZeroPad3d(_Pad):
    """Zeros around (N, C, D, H, W) or (C, D, H, W); negative padding cuts."""

    dims = 3


class ReflectionPad1d(_Pad):
    """(N, C, L) or (C, L) mirrored at its edge elements, which are not repeated; less than L on a
    side."""

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """(N, C, H, W) or (C, H, W) mirrored at its edge elements, which are not repeated; less than
    the size on a side."""

    dims, mode = 2, "reflect"


class ReplicationPad1d(_Pad):
    """(N, C, L) or (C, L) with its edge elements repeated."""

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """(N, C, H, W) or (C, H, W) with its edge elements repeated."""

    dims, mode = 2, "replicate"


class ReflectionPad3d(_Pad):
    """(N, C, D, H, W) or (C, D, H, W) mirrored at its edge elements, which are not repeated; less
    than the size on a side.
    """

    dims, mode = 3, "reflect"


class ReplicationPad3d(_Pad):
    """(N, C, D, H, W) or (C, D, H, W) with its edge elements repeated."""

    dims, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """(N, C, L) or (C, L) continued from its other side."""

    dims, mode = 1, "circular"


class CircularPad2d(_Pad):
    """(N, C, H, W) or (C, H, W) continued from its other sides."""

    dims, mode = 2, "circular"


class CircularPad3d(_Pad):
    """(N, C, D, H, W) or (C, D, H, W) continued from its other sides."""

    dims, mode = 3, "circular"
