"""Convolutional layers, with torch's arguments, initialisation and state-dict keys."""

import math

from ..ops import convolution
from ..ops.convolution.geometry import each_dim, paddings
from . import functional, init
from .module import Module
from .parameter import Parameter, new_parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """What all convolutional layers share: sizes, the two parameters, and how they start."""

    dims: int
    transposed = False
    per_example = True
    convolves = True
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size, stride=1, padding=0, dilation=1,
        groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device=None, dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        name = type(self).__name__
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: groups={groups} must divide in_channels={in_channels} and "
                f"out_channels={out_channels}"
            )
        if padding_mode not in PADDING_MODES:
            raise ValueError(
                f"{name}: padding_mode={padding_mode!r}: expected one of {', '.join(PADDING_MODES)}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.groups = groups
        self.padding_mode = padding_mode
        self.kernel_size = each_dim(name, "kernel_size", kernel_size, self.dims)
        self.stride = each_dim(name, "stride", stride, self.dims)
        self.dilation = each_dim(name, "dilation", dilation, self.dims)
        self.padding = (
            padding if isinstance(padding, str) else each_dim(name, "padding", padding, self.dims)
        )
        # its errors belong to this line of the user
        paddings(name, padding, self.kernel_size, self.stride, self.dilation)
        rows, columns = (
            (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        )
        self.weight = new_parameter((rows, columns // groups, *self.kernel_size), device, dtype)
        self.register_parameter(
            "bias", new_parameter((out_channels,), device, dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self):
        """Draw weight and bias anew: U(-k, k) with k = 1 / sqrt(fan_in), as torch does."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input, weight, bias):
        """This convolution, with another weight and bias: for layers that compute theirs."""
        padding = self.padding
        if self.padding_mode != "zeros":
            low, high = paddings(
                type(self).__name__, padding, self.kernel_size, self.stride, self.dilation
            )
            # F.pad begins with the last dimension
            both = [n for pair in zip(reversed(low), reversed(high)) for n in pair]
            input, padding = functional.pad(input, both, mode=self.padding_mode), 0
        run = getattr(convolution, f"conv{self.dims}d")
        return run(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self):
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        none = (0,) * self.dims
        if self.padding != none:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.dims:
            text += f", dilation={self.dilation}"
        if getattr(self, "output_padding", none) != none:
            text += f", output_padding={self.output_padding}"
        text += f", groups={self.groups}" if self.groups != 1 else ""
        text += ", bias=False" if self.bias is None else ""
        return text + (
            f", padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else ""
        )


class Conv1d(_Conv):
    """Cross-correlation of (N, C, L): see `Conv2d`. weight : (out_channels, in_channels / groups,
    k)"""

    dims = 1


class Conv2d(_Conv):
    """Cross-correlation of (N, in_channels, H, W) -> (N, out_channels, H', W'):
    `minigan.nn.functional.conv2d`.

    kernel_size, stride, padding, dilation : a whole number, or (height, width); padding also 'same'
        or 'valid'
    groups : channels are divided in this many groups that do not see each other
    padding_mode : what stands outside: 'zeros', 'reflect', 'replicate', 'circular'
    weight : (out_channels, in_channels / groups, kh, kw);
    bias : (out_channels,), or None with bias=False
    """

    dims = 2


class Conv3d(_Conv):
    """Cross-correlation of (N, C, D, H, W): see `Conv2d`. weight : (out_channels, in_channels /
    groups, kd, kh, kw)"""

    dims = 3


class _ConvTranspose(_Conv):
    """A transposed convolution; its weight has the input's channels first."""

    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size, stride=1, padding=0,
        output_padding=0, groups: int = 1,
        bias: bool = True, dilation=1, padding_mode: str = "zeros", device=None, dtype=None,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(
                f"{name}: padding_mode={padding_mode!r}: a transposed convolution knows only "
                "'zeros'"
            )
        if isinstance(padding, str):
            raise ValueError(f"{name}: padding={padding!r}: expected whole numbers")
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            "zeros",
            device,
            dtype,
        )
        self.output_padding = each_dim(name, "output_padding", output_padding, self.dims)

    def forward(self, input, output_size=None):
        """output_size : the spatial size wanted, where several inputs of the convolution give this
        one's size."""
        extra = (
            self.output_padding
            if output_size is None
            else self._extra(input, tuple(output_size)[-self.dims :])
        )
        run = getattr(convolution, f"conv_transpose{self.dims}d")
        return run(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            extra,
            self.groups,
            self.dilation,
        )

    def _extra(self, input, wanted):
        """The output_padding that gives the output size `wanted`."""
        sizes = zip(
            input.shape[-self.dims :], self.stride, self.padding, self.dilation, self.kernel_size
        )
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in sizes]
        extra = tuple(w - n for w, n in zip(wanted, least))
        if len(extra) != self.dims or not all(
            0 <= e < max(s, d) for e, s, d in zip(extra, self.stride, self.dilation)
        ):
            raise ValueError(
                f"output_size={wanted}: the output can have sizes from {tuple(least)} to less "
                "than a stride more"
            )
        return extra


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution of (N, C, L): see `ConvTranspose2d`. weight : (in_channels,
    out_channels / groups, k)"""

    dims = 1


class ConvTranspose2d(_ConvTranspose):
    """(N, in_channels, H, W) -> (N, out_channels, H', W'), H' = (H - 1) stride - 2 padding +
    dilation (kh - 1) + output_padding + 1.

    The gradient of `Conv2d` with respect to its input; with kernel 4, stride 2, padding 1 it
    doubles the size.
    weight : (in_channels, out_channels / groups, kh, kw);
    bias : (out_channels,), or None with bias=False
    """

    dims = 2


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution of (N, C, D, H, W): see `ConvTranspose2d`. weight : (in_channels,
    out_channels / groups, kd, kh, kw)"""

    dims = 3


_ConvNd, _ConvTransposeNd = _Conv, _ConvTranspose  # torch's names
