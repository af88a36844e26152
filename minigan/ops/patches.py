"""Patches of images as columns (unfold), and columns added back into images (fold): each is the
other's derivative.
"""

import math

from ..arrays import array_module
from ..autograd import Tensor, op
from ..autograd._types import Ints
from .convolution import formula
from .convolution.geometry import Geometry, each_dim

__all__ = ["fold", "unfold"]


@op(saves=("geometry",))
def _unfold(x, geometry):
    """x (N, C, H, W) -> (N, C kernel, positions): the patch that a convolution sees at each
    position.    dL/dx = fold of g
    """
    padded = formula._pad(x, geometry)[:, 0]
    parts = [
        padded[(..., *where)].reshape(*x.shape[:2], math.prod(geometry.out))
        for _, where in formula.taps(geometry)
    ]
    return (
        array_module(x)
        .stack(parts, 2)
        .reshape(len(x), x.shape[1] * len(parts), math.prod(geometry.out))
    )


@_unfold.backward
def _(g, need, geometry):
    return _fold(g, geometry)


@op(saves=("geometry",))
def _fold(y, geometry):
    """y (N, C kernel, positions) -> (N, C, H, W): patches added where they came from.    dL/dy =
    unfold of g
    """
    kernel = math.prod(geometry.kernel)
    parts = y.reshape(len(y), y.shape[1] // kernel, kernel, *geometry.out)
    padded = array_module(y).zeros((*parts.shape[:2], *geometry.padded()), y.dtype)
    for k, (_, where) in enumerate(formula.taps(geometry)):
        padded[(..., *where)] += parts[:, :, k]
    return padded[(..., *formula._inside(geometry))]


@_fold.backward
def _(g, need, geometry):
    return _unfold(g, geometry)


def _geometry(name, size, kernel_size, dilation, padding, stride):
    kernel = each_dim(name, "kernel_size", kernel_size, 2)
    dilation = each_dim(name, "dilation", dilation, 2)
    padding, stride = each_dim(name, "padding", padding, 2), each_dim(name, "stride", stride, 2)
    if min(kernel) < 1 or min(stride) < 1 or min(dilation) < 1 or min(padding) < 0:
        numbers = f"kernel_size={kernel}, stride={stride} and dilation={dilation}"
        raise ValueError(f"{name}: {numbers} must be positive, padding={padding} not negative")
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(size, padding, dilation, kernel, stride)
    )
    if min(out) < 1:
        window = f"kernel_size={kernel} with dilation={dilation}"
        raise ValueError(
            f"{name}: a window of {window} does not fit into {tuple(size)} with padding={padding}"
        )
    return Geometry(tuple(int(n) for n in size), out, kernel, stride, padding, dilation, 1)


def unfold(
    input: Tensor,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:
    """The patches of input (N, C, H, W) or (C, H, W) as columns: (N, C kernel, positions),
    positions row by row.

    kernel_size, dilation, padding, stride : one number, or two, as in a convolution
    """
    if input.ndim not in (3, 4):
        raise ValueError(
            f"unfold: expected input (N, C, H, W) or (C, H, W), got shape {tuple(input.shape)}"
        )
    x = input if input.ndim == 4 else input[None]
    y = _unfold(x, _geometry("unfold", x.shape[2:], kernel_size, dilation, padding, stride))
    return y if input.ndim == 4 else y[0]


def fold(
    input: Tensor,
    output_size: Ints,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:
    """Columns (N, C kernel, positions) or (C kernel, positions), as `unfold` gives them for images
    of output_size, added up into such images: (N, C, H, W) or (C, H, W)."""
    size = each_dim("fold", "output_size", output_size, 2)
    geometry = _geometry("fold", size, kernel_size, dilation, padding, stride)
    kernel, positions = math.prod(geometry.kernel), math.prod(geometry.out)
    if input.ndim not in (2, 3) or input.shape[-2] % kernel or input.shape[-1] != positions:
        raise ValueError(
            f"fold: expected input (N, C {kernel}, {positions}) for output_size={size} and "
            f"kernel_size={geometry.kernel}, got shape {tuple(input.shape)}"
        )
    y = _fold(input if input.ndim == 3 else input[None], geometry)
    return y if input.ndim == 3 else y[0]
