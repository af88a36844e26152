"""The three ops of convolution. Each one's derivatives are the other two, so they close under
differentiation.

They are the three gradients of one trilinear form, sum over n, o, c, positions p and taps t of
y[n,o,p] w[o,c,t] x[n,c,p*stride+t].
"""

from collections.abc import Sequence

from ...autograd import Tensor, expand, op
from ..reduction import sum
from . import formula
from .geometry import conv_geometry, conv_transpose_geometry

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def check_dtypes(**arrays):
    """Nothing is promoted silently; and a kernel would read the memory of one as the other."""
    found = {name: a.dtype for name, a in arrays.items() if a is not None}
    if len(set(found.values())) > 1:
        raise TypeError(
            ", ".join(f"{name} is {dtype}" for name, dtype in found.items())
            + ": convert one, e.g. with .float()"
        )


def _with_bias(y, bias):
    if bias is not None:
        y += bias.reshape(-1, *[1] * (y.ndim - 2))
    return y


@op(saves=("g.shape",))
def channel_sums(g):
    """y = the sums over all dimensions but 1, (N, C, ...) -> (C,).    d/dg = gg for each"""
    return sum(g, (0, *range(2, g.ndim)))


@channel_sums.backward
def _(gg, need, shape):
    return expand(gg.reshape((-1,) + (1,) * (len(shape) - 2)), shape)


@op(saves=("x for w", "w for x", "geometry"))
def conv(x, w, bias, geometry):
    """y[n,o,p] = bias[o] + sum over c, t of w[o,c,t] x[n,c, p stride - padding + t dilation]

    dL/dx = conv_transpose(g, w), dL/dw = conv_weight(x, g), dL/dbias = sum of g over batch and
    positions
    """
    check_dtypes(input=x, weight=w, bias=bias)
    return _with_bias(formula.conv(x, w, geometry), bias)


@conv.backward
def _(g, need, x, w, geometry):
    return (
        need[0] and conv_transpose(g, w, None, geometry),
        need[1] and conv_weight(x, g, geometry),
        need[2] and channel_sums(g),
    )


@op(saves=("y for w", "w for y", "geometry"))
def conv_transpose(y, w, bias, geometry):
    """x[n,c,q] = bias[c] + sum over o and those p, t with q = p stride - padding + t dilation of
    w[o,c,t] y[n,o,p]

    dL/dy = conv(g, w),  dL/dw = conv_weight(g, y),  dL/dbias = sum of g over batch and positions
    """
    check_dtypes(input=y, weight=w, bias=bias)
    return _with_bias(formula.conv_transpose(y, w, geometry), bias)


@conv_transpose.backward
def _(g, need, y, w, geometry):
    return (
        need[0] and conv(g, w, None, geometry),
        need[1] and conv_weight(g, y, geometry),
        need[2] and channel_sums(g),
    )


@op(saves=("x for y", "y for x", "geometry"))
def conv_weight(x, y, geometry):
    """w[o,c,t] = sum over n, p of y[n,o,p] x[n,c, p stride - padding + t dilation]

    dL/dx = conv_transpose(y, g),  dL/dy = conv(x, g)
    """
    check_dtypes(x=x, y=y)
    return formula.conv_weight(x, y, geometry)


@conv_weight.backward
def _(g, need, x, y, geometry):
    return need[0] and conv_transpose(y, g, None, geometry), need[1] and conv(x, g, None, geometry)


def _conv(name, dims, input, weight, bias, stride, padding, dilation, groups):
    if input.ndim == dims + 1 == weight.ndim - 1:  # one example without a batch dimension
        return _conv(name, dims, input[None], weight, bias, stride, padding, dilation, groups)[0]
    return conv(
        input,
        weight,
        bias,
        conv_geometry(name, dims, input, weight, bias, stride, padding, dilation, groups),
    )


def _conv_transpose(
    name, dims, input, weight, bias, stride, padding, output_padding, groups, dilation
):
    if input.ndim == dims + 1 == weight.ndim - 1:
        return _conv_transpose(
            name, dims, input[None], weight, bias, stride, padding, output_padding, groups, dilation
        )[0]
    geometry = conv_transpose_geometry(
        name, dims, input, weight, bias, stride, padding, output_padding, dilation, groups
    )
    return conv_transpose(input, weight, bias, geometry)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of input (N, C, L) or (C, L) with weight (O, C / groups, k) -> (N, O, L'),
    as `conv2d`."""
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of input (N, C, H, W) or (C, H, W) with weight (O, C / groups, kh, kw) ->
    (N, O, H', W'),

    H' = floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1

    bias : (O,) or None
    stride, dilation : whole numbers, or one for each dimension
    padding : zeros on both sides, whole numbers; 'valid' is none, 'same' (stride 1) as many as keep
        the size
    groups : input and output channels are divided in this many groups, each output sees only the
        inputs of its group
    ValueError where the kernel is larger than the padded input, or sizes do not fit.
    """
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of input (N, C, D, H, W) with weight (O, C / groups, kd, kh, kw) -> (N, O,
    D', H', W'), as `conv2d`."""
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Transposed convolution: input (N, C, L), weight (C, O / groups, k) -> (N, O, L'), as
    `conv_transpose2d`."""
    return _conv_transpose(
        "conv_transpose1d",
        1,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """The gradient of a convolution with respect to its input, used as a layer that enlarges:

    input (N, C, H, W) or (C, H, W), weight (C, O / groups, kh, kw) -> (N, O, H', W')

    H' = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1

    output_padding : rows and columns added behind the output, less than stride or dilation; the
        other arguments as in `conv2d`
    """
    return _conv_transpose(
        "conv_transpose2d",
        2,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Transposed convolution: input (N, C, D, H, W), weight (C, O / groups, kd, kh, kw) -> (N, O,
    D', H', W')."""
    return _conv_transpose(
        "conv_transpose3d",
        3,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )
