"""Batch normalisation layers (Ioffe and Szegedy 2015). The arithmetic is in
`minigan.ops.normalization`."""

import numpy as np

from ..arrays import module_for
from ..arrays.defaults import default
from ..autograd import Tensor, tensor_of
from ..ops.normalization import batch_norm
from . import init
from .module import Module
from .parameter import Parameter, as_device, new_parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]


class _BatchNorm(Module):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, for each channel (dimension 1).

    In training, mean and (biased) variance are the batch's; in evaluation the running ones, if
    there are any.

    eps : added to the variance
    momentum : share of each batch's statistics in the running ones (which take the unbiased
        variance); None: their plain average over all batches so far
    affine : learn weight (starts as 1) and, unless bias=False, bias (starts as 0), both
        (num_features,)
    track_running_stats : keep running_mean, running_var and num_batches_tracked; without them
        evaluation uses the batch's
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    sizes: dict[int, str] = {}  # the numbers of dimensions an input may have, with their names

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True,
        device=None, dtype=None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter(
            "weight", new_parameter((num_features,), device, dtype) if affine else None
        )
        self.register_parameter(
            "bias", new_parameter((num_features,), device, dtype) if affine and bias else None
        )
        xp = module_for(as_device(device))

        def buffer(shape, dtype):
            return tensor_of(xp.zeros(shape, dtype)) if track_running_stats else None

        self.register_buffer("running_mean", buffer((num_features,), dtype or default.dtype))
        self.register_buffer("running_var", buffer((num_features,), dtype or default.dtype))
        self.register_buffer("num_batches_tracked", buffer((), np.int64))
        self.reset_parameters()

    def reset_running_stats(self):
        """Mean 0, variance 1, no batches seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """Weight 1, bias 0, and fresh running statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    @property
    def per_example(self):
        return not self.training and self.running_mean is not None

    def forward(self, input):
        return batch_norm(input, *self.arguments(input))

    def _check_input_dim(self, input):
        """ValueError for an input of other dimensions than `sizes`, if it has any."""
        if self.sizes and input.ndim not in self.sizes:
            raise ValueError(
                f"{type(self).__name__}({self.num_features}): expected "
                f"{' or '.join(self.sizes.values())} input, "
                f"got {input.ndim} dimensions: shape {tuple(input.shape)}"
            )

    def arguments(self, input):
        """What `batch_norm` takes besides the input, and counts the batch: (mean, var, weight,
        bias, training, momentum, eps)."""
        self._check_input_dim(input)
        mean, var = self.running_mean, self.running_var
        if not self.training:
            return mean, var, self.weight, self.bias, mean is None, 0.0, self.eps
        if not self.track_running_stats:
            return None, None, self.weight, self.bias, True, 0.0, self.eps
        momentum = self.momentum
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:
                momentum = 1 / self.num_batches_tracked.item()
        return mean, var, self.weight, self.bias, True, momentum or 0.0, self.eps

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    __doc__ = f"""Batch normalisation of (N, C) or (N, C, L).\n\n    {_BatchNorm.__doc__}"""
    sizes = {2: "2-D (N, C)", 3: "3-D (N, C, L)"}


class BatchNorm2d(_BatchNorm):
    __doc__ = f"""Batch normalisation of (N, C, H, W).\n\n    {_BatchNorm.__doc__}"""
    sizes = {4: "4-D (N, C, H, W)"}


class BatchNorm3d(_BatchNorm):
    __doc__ = f"""Batch normalisation of (N, C, D, H, W).\n\n    {_BatchNorm.__doc__}"""
    sizes = {5: "5-D (N, C, D, H, W)"}


_NormBase = _BatchNorm  # torch's name
