"""Pooling layers. The arithmetic is in `minigan.ops.pooling` and `max_pooling`."""

from . import functional as F
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d",
    "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]  # fmt: skip


class _Pool(Module):
    per_example = True


class _MaxPool(_Pool):
    """Maxima of windows over (N, C, {0}) or (C, {0}).

    kernel_size, stride, padding, dilation : one number{1}; stride None: kernel_size
    padding : positions without a value on both sides, at most half the window;
    dilation : distance between a window's elements
    return_indices : forward gives (maxima, their positions)
    ceil_mode : windows may reach over the end, as long as they start inside
    """

    dims: int

    def __init__(
        self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input):
        pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[self.dims - 1]
        return pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    __doc__ = (_MaxPool.__doc__ or "").format("L", "")
    dims = 1


class MaxPool2d(_MaxPool):
    __doc__ = (_MaxPool.__doc__ or "").format("H, W", ", or one for each dimension")
    dims = 2


class MaxPool3d(_MaxPool):
    __doc__ = (_MaxPool.__doc__ or "").format("D, H, W", ", or one for each dimension")
    dims = 3


class AvgPool1d(_Pool):
    """Means of windows over (N, C, L) or (C, L).

    kernel_size, stride, padding : numbers; stride None: kernel_size
    padding : zeros on both sides, at most half the window; they count as elements if
        count_include_pad
    ceil_mode : windows may reach over the end, as long as they start inside
    """

    def __init__(
        self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True
    ) -> None:
        super().__init__()
        one = [
            v[0] if isinstance(v, (tuple, list)) else v
            for v in (kernel_size, kernel_size if stride is None else stride, padding)
        ]
        self.kernel_size, self.stride, self.padding = [(v,) for v in one]
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input):
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(_Pool):
    """Means of windows over (N, C, H, W) or (C, H, W).

    kernel_size, stride, padding : one number, or one for each dimension; stride None: kernel_size
    padding : zeros on both sides, at most half the window; they count as elements if
        count_include_pad
    ceil_mode : windows may reach over the end, as long as they start inside
    divisor_override : divide each sum by this number instead
    """

    def __init__(
        self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
        divisor_override=None
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input):
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    extra_repr = AvgPool1d.extra_repr


class AvgPool3d(AvgPool2d):
    """Means of windows over (N, C, D, H, W) or (C, D, H, W). Arguments as in `AvgPool2d`."""

    def forward(self, input):
        options = self.ceil_mode, self.count_include_pad, self.divisor_override
        return F.avg_pool3d(input, self.kernel_size, self.stride, self.padding, *options)


class _AdaptivePool(_Pool):
    def __init__(self, output_size) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self):
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means of `output_size` windows that cover (N, C, L) or (C, L)."""

    def forward(self, input):
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptivePool):
    """Means of windows that cover (N, C, H, W) or (C, H, W); output_size: one number, or two (None
    keeps the size)."""

    def forward(self, input):
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptivePool):
    """Means of windows that cover (N, C, D, H, W) or (C, D, H, W); output_size: one number, or
    three (None keeps the size).
    """

    def forward(self, input):
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPool(_AdaptivePool):
    def __init__(self, output_size, return_indices=False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Maxima of the windows of `AdaptiveAvgPool1d`, and their positions if return_indices."""

    def forward(self, input):
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Maxima of the windows of `AdaptiveAvgPool2d`, and their positions if return_indices."""

    def forward(self, input):
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Maxima of the windows of `AdaptiveAvgPool3d`, and their positions if return_indices."""

    def forward(self, input):
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _MaxUnpool(_Pool):
    """Maxima of a pooling of (N, C, {0}) or (C, {0}) put back to where they were, zeros elsewhere:
    forward(input, indices).

    kernel_size, stride, padding : those of the pooling; stride None: kernel_size
    """

    dims: int

    def __init__(self, kernel_size, stride=None, padding=0) -> None:
        super().__init__()
        each = lambda v: tuple(v) if isinstance(v, (tuple, list)) else (v,) * self.dims
        self.kernel_size, self.padding = each(kernel_size), each(padding)
        self.stride = self.kernel_size if stride is None else each(stride)

    def forward(self, input, indices, output_size=None):
        unpool = (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[self.dims - 1]
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    extra_repr = AvgPool1d.extra_repr


class MaxUnpool1d(_MaxUnpool):
    __doc__ = (_MaxUnpool.__doc__ or "").format("L")
    dims = 1


class MaxUnpool2d(_MaxUnpool):
    __doc__ = (_MaxUnpool.__doc__ or "").format("H, W")
    dims = 2


class MaxUnpool3d(_MaxUnpool):
    __doc__ = (_MaxUnpool.__doc__ or "").format("D, H, W")
    dims = 3


class _LPPool(_Pool):
    """(sum x^p)^(1/p) of windows over (N, C, {0}) or (C, {0}), p = norm_type.

    kernel_size, stride : one number{1}; stride None: kernel_size
    ceil_mode : windows may reach over the end, as long as they start inside
    """

    dims: int

    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False) -> None:
        super().__init__()
        self.norm_type, self.ceil_mode = norm_type, ceil_mode
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, input):
        pool = (F.lp_pool1d, F.lp_pool2d, F.lp_pool3d)[self.dims - 1]
        return pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self):
        windows = f"kernel_size={self.kernel_size}, stride={self.stride}"
        return f"norm_type={self.norm_type}, {windows}, ceil_mode={self.ceil_mode}"


class LPPool1d(_LPPool):
    __doc__ = (_LPPool.__doc__ or "").format("L", "")
    dims = 1


class LPPool2d(_LPPool):
    __doc__ = (_LPPool.__doc__ or "").format("H, W", ", or one for each dimension")
    dims = 2


class LPPool3d(_LPPool):
    __doc__ = (_LPPool.__doc__ or "").format("D, H, W", ", or one for each dimension")
    dims = 3
