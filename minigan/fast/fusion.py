"""A Linear, a convolution or a BatchNorm and the activation behind it as one op: the same formula
with less overhead. `Sequential` is a loop; importing this puts one in its place that looks one
layer ahead."""

from ..nn.activation import LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from ..nn.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from ..nn.container import Sequential
from ..nn.conv import Conv1d, Conv2d, Conv3d
from ..nn.linear import Linear
from ..nn.module import Module
from ..ops.activation import leaky_relu
from ..ops.convolution.geometry import conv_geometry
from ..ops.normalization import batch_norm, check_parameters, in_training
from .batch_norm_activation import activated, batch_norm_activation
from .conv_activation import conv_activation
from .linear_activation import linear_activation

# exact type (a subclass may compute something else) -> (name, slope) for `linear_activation`, or
# None
BEHIND_LINEAR = {
    Tanh: lambda m: ("tanh", 0.0),
    Sigmoid: lambda m: ("sigmoid", 0.0),
    LeakyReLU: lambda m: ("leaky_relu", m.negative_slope) if m.negative_slope > 0 else None,
    Softplus: lambda m: ("softplus", 0.0) if m.beta == 1 and m.threshold >= 20 else None,
}
# exact type -> slope
BEHIND_CONVOLUTION = {LeakyReLU: lambda m: m.negative_slope if m.negative_slope > 0 else None}
BEHIND_BATCH_NORM = {LeakyReLU: lambda m: m.negative_slope, ReLU: lambda m: 0.0}
FIRST: dict[type, dict] = {
    Linear: BEHIND_LINEAR,
    **dict.fromkeys((Conv1d, Conv2d, Conv3d), BEHIND_CONVOLUTION),
    **dict.fromkeys((BatchNorm1d, BatchNorm2d, BatchNorm3d), BEHIND_BATCH_NORM),
}


def _unhooked(module):
    """Nobody looks on (hooks) or has put another forward in its place."""
    return not (module._hooks or module._pre_hooks or "forward" in module.__dict__)


def _option(first, module):
    """What the op of `first` needs to know of the activation `module`, or None where it cannot take
    it."""
    known = FIRST[first.__class__].get(module.__class__)
    return known(module) if known is not None and _unhooked(module) else None


def _linear_activation(input, layer, known):
    return linear_activation(input, layer.weight, layer.bias, *known)


def _conv_activation(input, layer, slope):
    """What `layer`, a convolution, and a leaky ReLU of this slope give."""
    dims, weight, bias = layer.dims, layer.weight, layer.bias
    if layer.padding_mode != "zeros" or input.ndim != dims + 2:  # one example without a batch
        return leaky_relu(layer(input), slope)
    window = layer.stride, layer.padding, layer.dilation, layer.groups
    geometry = conv_geometry(f"conv{dims}d", dims, input, weight, bias, *window)
    return conv_activation(input, weight, bias, geometry, slope)


def _batch_norm_activation(input, layer, slope):
    """What `layer`, a BatchNorm, and a leaky ReLU of this slope (0: a ReLU) give."""
    mean, var, weight, bias, training, momentum, eps = layer.arguments(input)
    if not training:
        return activated(batch_norm(input, mean, var, weight, bias, False, momentum, eps), slope)
    check_parameters(
        "batch_norm", input, running_mean=mean, running_var=var, weight=weight, bias=bias
    )
    return in_training(batch_norm_activation, input, mean, var, weight, bias, momentum, eps, slope)


BOTH = {Linear: _linear_activation, **dict.fromkeys((Conv1d, Conv2d, Conv3d), _conv_activation)}


def run(modules, input):
    """The modules one after the other, a layer of FIRST and an activation behind it as one op."""
    waiting = None
    for module in modules:
        if waiting is not None:
            known = _option(waiting, module)
            if known is not None:
                both = BOTH.get(waiting.__class__, _batch_norm_activation)
                input = both(input, waiting, known)
                waiting = None
                continue
            input, waiting = waiting(input), None
        if module.__class__ in FIRST and _unhooked(module):
            waiting = module
        else:
            input = module(input)
    return input if waiting is None else waiting(input)


def _forward(self, input):
    return run([m for m in self.__dict__.values() if isinstance(m, Module)], input)


Sequential.forward = _forward  # type: ignore[method-assign]
