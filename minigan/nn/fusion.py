"""Which activations a Linear or a BatchNorm can take into its own op. Sequential asks; the same formula with less overhead."""

from ..ops import linear_activation
from .activation import LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .linear import Linear

# exact type (a subclass may compute something else) -> (name, slope) for `linear_activation`, or None
BEHIND_LINEAR = {
    Tanh: lambda m: ("tanh", 0.0),
    Sigmoid: lambda m: ("sigmoid", 0.0),
    LeakyReLU: lambda m: ("leaky_relu", m.negative_slope) if m.negative_slope > 0 else None,
    Softplus: lambda m: ("softplus", 0.0) if m.beta == 1 and m.threshold >= 20 else None,
}
BEHIND_BATCH_NORM = {LeakyReLU: lambda m: m.negative_slope, ReLU: lambda m: 0.0}  # exact type -> slope
FIRST: dict[type, dict] = {Linear: BEHIND_LINEAR, **dict.fromkeys((BatchNorm1d, BatchNorm2d, BatchNorm3d), BEHIND_BATCH_NORM)}


def _plain(module):
    """Nobody looks on (hooks) or has put another forward in its place."""
    return not (module._hooks or module._pre_hooks or "forward" in module.__dict__)


def _taken(first, module):
    """What the op of `first` needs to know of the activation `module`, or None where it cannot take it."""
    known = FIRST[first.__class__].get(module.__class__)
    return known(module) if known is not None and _plain(module) else None


def run(modules, input):
    """The modules one after the other, a Linear or a BatchNorm and an activation behind it as one op."""
    waiting = None
    for module in modules:
        if waiting is not None:
            known = _taken(waiting, module)
            if known is not None:
                if waiting.__class__ is Linear:
                    input = linear_activation(input, waiting.weight, waiting.bias, *known)
                else:
                    input = waiting.leaky_relu(input, known)
                waiting = None
                continue
            input, waiting = waiting(input), None
        if module.__class__ in FIRST and _plain(module):
            waiting = module
        else:
            input = module(input)
    return input if waiting is None else waiting(input)
