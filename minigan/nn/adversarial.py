"""Layers that papers on adversarial training have added. Shapes: N examples, C channels (dimension
1)."""

import math

from ..arrays import module_for
from ..autograd import tensor_of
from ..ops import amax, cat, conv2d, conv_transpose2d, exp, linear, randn_like
from ..ops.convolution.geometry import each_dim
from ..ops.reversal import gradient_reversal
from . import init
from .conv import Conv2d, ConvTranspose2d
from .linear import Linear
from .module import Module
from .parameter import Parameter, as_device, new_parameter

__all__ = [
    "EqualizedConv2d", "EqualizedConvTranspose2d", "EqualizedLinear", "GaussianNoise",
    "GradientReversal", "MaskedConv2d", "Maxout", "MinibatchDiscrimination", "MinibatchStdDev",
    "PixelNorm",
]  # fmt: skip


class Maxout(Linear):
    """y_j = max over k of (x W_jk + b_jk): (..., in_features) -> (..., out_features). Goodfellow et
    al. 2013, section 3

    pieces : linear functions for each output (k)
    weight : (out_features pieces, in_features), the pieces of one output side by side;
    bias : (out_features pieces,) or None
    Both start as in `Linear`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        pieces: int,
        bias: bool = True,
        device=None,
        dtype=None,
    ) -> None:
        if pieces < 1:
            raise ValueError(f"Maxout: pieces={pieces} must be positive")
        super().__init__(in_features, out_features * pieces, bias, device, dtype)
        self.out_features, self.pieces = out_features, pieces

    def forward(self, input):
        each = linear(input, self.weight, self.bias)
        return amax(each.reshape(*input.shape[:-1], self.out_features, self.pieces), -1)

    def extra_repr(self):
        return f"{super().extra_repr()}, pieces={self.pieces}"


# --- statistics of the batch, which show D that all samples are alike ---


class MinibatchDiscrimination(Module):
    """How close each example is to the others of its batch, behind its features: (N, A) -> (N, A +
    B). Salimans et al. 2016, 3.2

    With M_i = x_i T, a (B, C) matrix:  o(x_i)_b = sum over j of exp(-|M_ib - M_jb|_1)
    (j = i is in the sum, as it is there)

    in_features : A;  num_kernels : B;  kernel_dim : C
    T : (A, B, C), starts as N(0, 1 / A), which is our choice: with larger distances the
        exponentials and their gradients vanish
    """

    T: Parameter

    def __init__(
        self, in_features: int, num_kernels: int, kernel_dim: int, device=None, dtype=None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.num_kernels = num_kernels
        self.kernel_dim = kernel_dim
        self.T = new_parameter((in_features, num_kernels, kernel_dim), device, dtype)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw T anew."""
        init.normal_(self.T, 0.0, 1 / math.sqrt(max(self.in_features, 1)))

    def forward(self, input):
        if input.ndim != 2 or input.shape[1] != self.in_features:
            raise ValueError(
                f"MinibatchDiscrimination: expected (N, {self.in_features}), got shape "
                f"{tuple(input.shape)}: flatten first?"
            )
        m = (input @ self.T.reshape(self.in_features, -1)).reshape(
            -1, self.num_kernels, self.kernel_dim
        )
        distances = abs(m[:, None] - m[None]).sum(-1)
        return cat([input, exp(-distances).sum(1)], 1)

    def extra_repr(self):
        return f"{self.in_features}, num_kernels={self.num_kernels}, kernel_dim={self.kernel_dim}"


class MinibatchStdDev(Module):
    """The standard deviation over groups of examples as further channels: (N, C, ...) -> (N, C + F,
    ...). Karras et al. 2018, 3

    group_size : G, examples in a group (at most N; it must divide N), None: the batch; example i is
        in group i mod (N / G)
    num_channels : F, the channels are divided in this many parts, each gives one channel
    eps : added to the variance (biased, as in the authors' program)

    The value of a group and part, sqrt(var + eps) averaged over its channels and places, is the
    same for all examples of the group and all places.
    """

    def __init__(
        self, group_size: int | None = 4, num_channels: int = 1, eps: float = 1e-8
    ) -> None:
        super().__init__()
        self.group_size = group_size
        self.num_channels = num_channels
        self.eps = eps

    def forward(self, input):
        n, c, *size = input.shape
        group, parts = n if self.group_size is None else min(self.group_size, n), self.num_channels
        if n % group or c % parts:
            raise ValueError(
                f"MinibatchStdDev: group_size={group} must divide the batch, num_channels={parts} "
                f"the channels of {(n, c, *size)}"
            )
        y = input.reshape(group, n // group, parts, -1)
        d = y - y.mean(0, True)
        y = ((d * d).mean(0) + self.eps).sqrt().mean(-1)  # (groups, parts)
        y = y.reshape(1, n // group, parts, *[1] * len(size)).expand(
            group, n // group, parts, *size
        )
        return cat([input, y.reshape(n, parts, *size)], 1)

    def extra_repr(self):
        return f"group_size={self.group_size}, num_channels={self.num_channels}"


class PixelNorm(Module):
    """y = x / sqrt(mean over the channels of x^2 + eps), at each place for itself. Karras et al.
    2018, section 4.2"""

    per_example = True

    def __init__(self, eps: float = 1e-8) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, input):
        return input * ((input * input).mean(1, True) + self.eps).rsqrt()

    def extra_repr(self):
        return f"eps={self.eps}"


# --- equalized learning rate: Karras et al. 2018, section 4.1 ---

GAIN = math.sqrt(2)


class _Equalized:
    """Weights start as N(0, 1) and are scaled by gain / sqrt(fan_in) (He's constant) whenever they
    are used: an optimiser with steps of a fixed size then changes all layers at one pace. Biases
    start as 0.

    gain : sqrt(2) in front of ReLUs; the paper takes 1 in the last layers
    lrmul : a factor of the learning rate of this layer (Karras et al. 2019): weights start as N(0,
        1 / lrmul^2), and weights and biases are multiplied by lrmul when they are used
    """

    def _factor(self, fan_in):
        return self.gain * self.lrmul / math.sqrt(max(fan_in, 1))

    def _bias(self):
        return self.bias if self.bias is None or self.lrmul == 1 else self.bias * self.lrmul

    def reset_parameters(self):
        """Draw the weight anew; bias 0."""
        init.normal_(self.weight, 0.0, 1 / self.lrmul)
        if self.bias is not None:
            init.zeros_(self.bias)

    def extra_repr(self):
        return f"{super().extra_repr()}, gain={self.gain:.4g}, lrmul={self.lrmul}"


class EqualizedLinear(_Equalized, Linear):
    __doc__ = f"""`Linear` with an equalized learning rate.\n\n    {_Equalized.__doc__}"""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        gain: float = GAIN,
        lrmul: float = 1.0,
        device=None,
        dtype=None,
    ) -> None:
        self.gain, self.lrmul = gain, lrmul
        super().__init__(in_features, out_features, bias, device, dtype)

    def forward(self, input):
        # The input is scaled in the weight's stead: a batch is smaller.
        return linear(input * self._factor(self.in_features), self.weight, self._bias())


class EqualizedConv2d(_Equalized, Conv2d):
    __doc__ = f"""`Conv2d` with an equalized learning rate.\n\n    {_Equalized.__doc__}"""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size, stride=1, padding=0, dilation=1,
        groups: int = 1, bias: bool = True,
        gain: float = GAIN, lrmul: float = 1.0, device=None, dtype=None,
    ) -> None:  # fmt: skip
        self.gain, self.lrmul = gain, lrmul
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            device=device,
            dtype=dtype,
        )

    def forward(self, input):
        weight = self.weight * self._factor(math.prod(self.weight.shape[1:]))
        return conv2d(
            input, weight, self._bias(), self.stride, self.padding, self.dilation, self.groups
        )


class EqualizedConvTranspose2d(_Equalized, ConvTranspose2d):
    __doc__ = f"""`ConvTranspose2d` with an equalized learning rate; fan_in =
    in_channels kh kw / groups.

    {_Equalized.__doc__}"""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size, stride=1, padding=0,
        output_padding=0, groups: int = 1,
        bias: bool = True, dilation=1, gain: float = GAIN, lrmul: float = 1.0, device=None,
        dtype=None,
    ) -> None:  # fmt: skip
        self.gain, self.lrmul = gain, lrmul
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            output_padding,
            groups,
            bias,
            dilation,
            device=device,
            dtype=dtype,
        )

    def forward(self, input):
        weight = self.weight * self._factor(
            self.in_channels // self.groups * math.prod(self.kernel_size)
        )
        return conv_transpose2d(
            input, weight, self._bias(), self.stride, self.padding, self.output_padding,
            self.groups, self.dilation
        )  # fmt: skip


# --- others ---


class MaskedConv2d(Conv2d):
    """`Conv2d` that sees only the pixels before its own, row by row. van den Oord et al. 2016
    (PixelCNN), section 3.4

    mask_type : "A" without the centre (the first layer), "B" with it. Channels are not put in an
        order (R before G before B).
    padding : default half the kernel, which keeps the size (with stride 1)
    """

    def __init__(
        self, mask_type: str, in_channels: int, out_channels: int, kernel_size, stride=1,
        padding=None, dilation=1, bias: bool = True,
        device=None, dtype=None,
    ) -> None:  # fmt: skip
        if mask_type not in ("A", "B"):
            raise ValueError(f"MaskedConv2d: mask_type={mask_type!r}; expected 'A' or 'B'")
        if padding is None:
            kernel, dilated = (
                each_dim("MaskedConv2d", name, n, 2)
                for name, n in (("kernel_size", kernel_size), ("dilation", dilation))
            )
            padding = tuple(d * (k // 2) for k, d in zip(kernel, dilated))
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            1,
            bias,
            device=device,
            dtype=dtype,
        )
        self.mask_type = mask_type
        height, width = self.kernel_size
        if not height % 2 or not width % 2:
            raise ValueError(
                f"MaskedConv2d: kernel_size={self.kernel_size} has no centre: odd sizes are needed"
            )
        xp = module_for(as_device(device))
        mask = xp.ones(self.kernel_size, self.weight.dtype)
        mask[height // 2, width // 2 + (mask_type == "B") :] = 0
        mask[height // 2 + 1 :] = 0
        self.register_buffer("mask", tensor_of(mask), persistent=False)

    def forward(self, input):
        return conv2d(
            input, self.weight * self.mask, self.bias, self.stride, self.padding, self.dilation
        )

    def extra_repr(self):
        return f"mask_type={self.mask_type!r}, {super().extra_repr()}"


class GaussianNoise(Module):
    """y = x + std N(0, 1) in training, y = x in evaluation: before D it is instance noise (Sonderby
    et al. 2017)."""

    per_example = True

    def __init__(self, std: float) -> None:
        super().__init__()
        if std < 0:
            raise ValueError(f"GaussianNoise: std={std} must not be negative")
        self.std = std

    def forward(self, input):
        return input + randn_like(input) * self.std if self.training and self.std else input

    def extra_repr(self):
        return f"std={self.std}"


class GradientReversal(Module):
    """y = x, and the gradient that comes back is multiplied by -lambda_. Ganin et al. 2016
    (domain-adversarial training)

    One optimiser and one loss then play the game: what is behind the layer descends the loss, what
    is before it ascends it.
    """

    per_example = True

    def __init__(self, lambda_: float = 1.0) -> None:
        super().__init__()
        self.lambda_ = lambda_

    def forward(self, input):
        return gradient_reversal(input, self.lambda_)

    def extra_repr(self):
        return f"lambda_={self.lambda_}"
