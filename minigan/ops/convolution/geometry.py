"""The sizes of a convolution, worked out and checked once, in a form that all three of its ops
share."""

import operator
from typing import NamedTuple


class Geometry(NamedTuple):
    """How the positions of a convolution's input x and output y belong together, for 1, 2 or 3
    spatial dimensions:

    y[o] takes x[o * stride - padding + t * dilation] for each tap t of the kernel.

    size, out : the spatial sizes of x and y
    padding : zeros before x; those behind it follow from the sizes
    """

    size: tuple[int, ...]
    out: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    def padded(self):
        """The sizes of x with all the zeros that some y asks for."""
        reach = [
            (o - 1) * s + (k - 1) * d + 1
            for o, s, k, d in zip(self.out, self.stride, self.kernel, self.dilation)
        ]
        return tuple(max(r, p + n) for r, p, n in zip(reach, self.padding, self.size))


def each_dim(name, what, value, dims):
    """`value` for each spatial dimension: a whole number stands for all of them."""
    try:
        try:
            values = (operator.index(value),) * dims
        except TypeError:
            values = tuple(operator.index(v) for v in value)
    except TypeError:
        values = ()
    if len(values) == 1:
        values *= dims
    if len(values) != dims:
        raise ValueError(f"{name}: {what}={value!r}: expected a whole number or {dims} of them")
    return values


def conv_geometry(name, dims, x, w, bias, stride, padding, dilation, groups):
    """The geometry of a convolution of x (N, C, *size) with w (O, C / groups, *kernel); ValueError
    where there is none."""
    stride = each_dim(name, "stride", stride, dims)
    dilation = each_dim(name, "dilation", dilation, dims)
    _check(name, dims, x, w, bias, stride, dilation, groups, w.shape[0])
    size, kernel = tuple(x.shape[2:]), tuple(w.shape[2:])
    if x.shape[1] != w.shape[1] * groups:
        raise ValueError(
            f"{name}: input of shape {tuple(x.shape)} has {x.shape[1]} channels, the weight of "
            f"shape {tuple(w.shape)} with groups={groups} expects {w.shape[1] * groups}"
        )
    low, high = paddings(name, padding, kernel, stride, dilation)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    out = tuple((n + a + b - r) // s + 1 for n, a, b, r, s in zip(size, low, high, reach, stride))
    if min(out) < 1:
        raise ValueError(
            f"{name}: the kernel does not fit into the padded input: input size {size}, kernel "
            f"{kernel}, stride {stride}, padding {padding!r}, dilation {dilation}"
        )
    return Geometry(size, out, kernel, stride, low, dilation, groups)


def conv_transpose_geometry(
    name, dims, y, w, bias, stride, padding, output_padding, dilation, groups
):
    """The geometry of the convolution that `y` (N, O, *out) could come from; w (O, C / groups,
    *kernel)."""
    stride = each_dim(name, "stride", stride, dims)
    dilation = each_dim(name, "dilation", dilation, dims)
    padding = each_dim(name, "padding", padding, dims)
    extra = each_dim(name, "output_padding", output_padding, dims)
    _check(name, dims, y, w, bias, stride, dilation, groups, w.shape[1] * groups)
    if y.shape[1] != w.shape[0]:
        raise ValueError(
            f"{name}: input of shape {tuple(y.shape)} has {y.shape[1]} channels, the weight of "
            f"shape {tuple(w.shape)} expects {w.shape[0]}"
        )
    if (
        min(padding) < 0
        or min(extra) < 0
        or any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation))
    ):
        raise ValueError(
            f"{name}: padding={padding} and output_padding={extra} must not be negative, and "
            f"output_padding must be smaller than stride={stride} or dilation={dilation}"
        )
    out, kernel = tuple(y.shape[2:]), tuple(w.shape[2:])
    size = tuple(
        (o - 1) * s - 2 * p + d * (k - 1) + e + 1
        for o, s, p, d, k, e in zip(out, stride, padding, dilation, kernel, extra)
    )
    if min(size) < 1:
        raise ValueError(
            f"{name}: the output would have size {size}: input size {out}, kernel {kernel}, "
            f"stride {stride}, padding {padding}, dilation {dilation}, output_padding {extra}"
        )
    return Geometry(size, out, kernel, stride, padding, dilation, groups)


def paddings(name, padding, kernel, stride, dilation):
    """(zeros before, zeros behind) each dimension. 'same' puts the odd one behind, as torch
    does."""
    if padding == "valid":
        return (0,) * len(kernel), (0,) * len(kernel)
    if padding == "same":
        if max(stride) > 1:
            raise ValueError(f"{name}: padding='same' needs stride 1, got stride {stride}")
        total = [d * (k - 1) for k, d in zip(kernel, dilation)]
        return tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    if isinstance(padding, str):
        raise ValueError(f"{name}: padding={padding!r}: expected whole numbers, 'same' or 'valid'")
    low = each_dim(name, "padding", padding, len(kernel))
    if min(low) < 0:
        raise ValueError(f"{name}: padding={padding!r} must not be negative")
    return low, low


def _check(name, dims, x, w, bias, stride, dilation, groups, channels):
    """What convolution and its transpose ask alike."""
    if x.ndim != dims + 2:
        spatial = ("L", "H, W", "D, H, W")[dims - 1]
        raise ValueError(
            f"{name}: expected input (N, C, {spatial}) or (C, {spatial}), got shape "
            f"{tuple(x.shape)}"
        )
    if w.ndim != dims + 2:
        raise ValueError(
            f"{name}: expected a weight with {dims + 2} dimensions, got shape {tuple(w.shape)}"
        )
    if min(stride) < 1 or min(dilation) < 1:
        raise ValueError(f"{name}: stride={stride} and dilation={dilation} must be positive")
    if min(x.shape[2:]) < 1:
        raise ValueError(f"{name}: the input of shape {tuple(x.shape)} has a spatial size of 0")
    if groups < 1 or w.shape[0] % groups:
        raise ValueError(
            f"{name}: groups={groups!r} must be positive and divide the first size of the weight "
            f"{tuple(w.shape)}"
        )
    if min(w.shape) < 1:
        raise ValueError(f"{name}: the weight of shape {tuple(w.shape)} is empty")
    if bias is not None and tuple(bias.shape) != (channels,):
        raise ValueError(
            f"{name}: bias has shape {tuple(bias.shape)}, the output has {channels} channels"
        )
