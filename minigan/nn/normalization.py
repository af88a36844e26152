"""Instance, layer and group normalisation. The arithmetic is in `minigan.ops.normalization`."""

import numpy as np

from ..ops import local_response_norm, rms_norm
from ..ops.group_normalization import group_norm, instance_norm, layer_norm
from . import init
from .batchnorm import _BatchNorm
from .module import Module
from .parameter import Parameter, new_parameter

__all__ = [
    "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "LayerNorm",
    "LocalResponseNorm", "RMSNorm",
]  # fmt: skip


class _InstanceNorm(_BatchNorm):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, mean and (biased) variance of each channel
    of each example.

    eps : added to the variance
    momentum : share of a batch's mean statistics in the running ones (None: 0)
    affine : learn weight (starts as 1) and, unless bias=False, bias (starts as 0), both
        (num_features,)
    track_running_stats : keep running statistics, and use them in evaluation
    Ulyanov et al. 2016
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False,
        device=None, dtype=None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    @property
    def per_example(self):
        return not (self.training and self.track_running_stats)

    def forward(self, input):
        if input.ndim not in self.sizes:
            raise ValueError(
                f"{type(self).__name__}({self.num_features}): expected "
                f"{' or '.join(self.sizes.values())} input, "
                f"got {input.ndim} dimensions: shape {tuple(input.shape)}"
            )
        x = input if input.ndim == max(self.sizes) else input[None]
        if x.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}({self.num_features}): the input has {x.shape[1]} channels "
                f"(shape {tuple(input.shape)})"
            )
        own = self.training or not self.track_running_stats
        y = instance_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            own,
            self.momentum or 0.0,
            self.eps,
        )
        return y if x is input else y[0]


class InstanceNorm1d(_InstanceNorm):
    __doc__ = f"""Instance normalisation of (N, C, L) or (C, L).

    {_InstanceNorm.__doc__}"""
    sizes = {2: "2-D (C, L)", 3: "3-D (N, C, L)"}


class InstanceNorm2d(_InstanceNorm):
    __doc__ = f"""Instance normalisation of (N, C, H, W) or (C, H, W).

    {_InstanceNorm.__doc__}"""
    sizes = {3: "3-D (C, H, W)", 4: "4-D (N, C, H, W)"}


class InstanceNorm3d(_InstanceNorm):
    __doc__ = f"""Instance normalisation of (N, C, D, H, W) or (C, D, H, W).

    {_InstanceNorm.__doc__}"""
    sizes = {4: "4-D (C, D, H, W)", 5: "5-D (N, C, D, H, W)"}


class _Affine(Module):
    """A weight that starts as 1 and a bias that starts as 0, of one shape; either may be None."""

    per_example = True
    weight: Parameter | None
    bias: Parameter | None

    def _make(self, shape, weight, bias, device, dtype):
        self.register_parameter("weight", new_parameter(shape, device, dtype) if weight else None)
        self.register_parameter(
            "bias", new_parameter(shape, device, dtype) if weight and bias else None
        )
        self.reset_parameters()

    def reset_parameters(self):
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(_Affine):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, mean and (biased) variance over the last
    dimensions of each example.

    normalized_shape : the sizes of these dimensions, and of weight and bias
    elementwise_affine : learn weight and, unless bias=False, bias
    Ba et al. 2016
    """

    def __init__(
        self, normalized_shape, eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, device=None, dtype=None
    ) -> None:  # fmt: skip
        super().__init__()
        one = isinstance(normalized_shape, (int, np.integer))
        self.normalized_shape = (int(normalized_shape),) if one else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, bias, device, dtype)

    def forward(self, input):
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(_Affine):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, mean and (biased) variance of groups of
    channels of each example.

    num_groups : into how many groups the num_channels channels of (N, C, ...) are divided
    affine : learn weight and, unless bias=False, bias, both (num_channels,)
    Wu and He 2018
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        device=None, dtype=None, *, bias: bool = True
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels={num_channels} must be divisible by "
                f"num_groups={num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make((num_channels,), affine, bias, device, dtype)

    def forward(self, input):
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """y = x / sqrt(mean(x^2) + eps) * weight, the mean over the last dimensions normalized_shape of
    each example.

    eps : None: the dtype's machine epsilon;  elementwise_affine : learn weight
    Zhang and Sennrich 2019
    """

    def __init__(
        self, normalized_shape, eps: float | None = None, elementwise_affine: bool = True,
        device=None, dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        one = isinstance(normalized_shape, (int, np.integer))
        self.normalized_shape = (int(normalized_shape),) if one else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, False, device, dtype)

    def forward(self, input):
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        shape, affine = self.normalized_shape, self.elementwise_affine
        return f"{shape}, eps={self.eps}, elementwise_affine={affine}"


class LocalResponseNorm(Module):
    """x / (k + alpha m)^beta, m the mean of x^2 over `size` neighbouring channels of (N, C, ...).
    Krizhevsky et al. 2012
    """

    per_example = True

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input):
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self):
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
