"""Activation functions as modules. Formulas are with the ops of the same names.

`inplace`: write the result into the input itself (as fast: memory is then exchanged unless
something else uses it).
"""

from .. import ops
from ..arrays import module_for
from ..arrays.defaults import default
from ..messages import warn
from . import functional as F
from .module import Module
from .parameter import Parameter, as_device

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU",
    "Sigmoid", "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh",
    "Tanhshrink", "Threshold",
]  # fmt: skip


class _Activation(Module):
    """An activation treats every element by itself. `options`: the attributes that `repr` shows."""

    per_example = True
    options: tuple[str, ...] = ()

    def extra_repr(self):
        shown = [f"{name}={getattr(self, name)!r}" for name in self.options]
        return ", ".join(shown + (["inplace=True"] if getattr(self, "inplace", False) else []))


class _WithInplace(_Activation):
    def __init__(self, inplace=False) -> None:
        super().__init__()
        self.inplace = inplace


class Sigmoid(_Activation):
    """1 / (1 + e^-x)"""

    def forward(self, input):
        return ops.sigmoid(input)


class Tanh(_Activation):
    """tanh x"""

    def forward(self, input):
        return ops.tanh(input)


class LogSigmoid(_Activation):
    """log(1 / (1 + e^-x))"""

    def forward(self, input):
        return ops.logsigmoid(input)


class Softsign(_Activation):
    """x / (1 + |x|)"""

    def forward(self, input):
        return F.softsign(input)


class ReLU(_WithInplace):
    """max(x, 0)"""

    def forward(self, input):
        return F.relu(input, self.inplace)


class SELU(_WithInplace):
    """Scaled ELU, which keeps mean 0 and variance 1 (Klambauer et al. 2017)"""

    def forward(self, input):
        return F.selu(input, self.inplace)


class SiLU(_WithInplace):
    """x sigmoid(x)"""

    def forward(self, input):
        return F.silu(input, self.inplace)


class LeakyReLU(_Activation):
    """x where x > 0, else negative_slope x"""

    options = ("negative_slope",)

    def __init__(self, negative_slope=0.01, inplace=False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input):
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(_Activation):
    """x where x > 0, else weight x; one learned weight, or one for each channel (dimension 1)"""

    options = ("num_parameters",)

    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        xp = module_for(as_device(device))
        self.weight = Parameter(xp.full((num_parameters,), init, dtype or default.dtype))

    def forward(self, input):
        return ops.prelu(input, self.weight)


class ELU(_Activation):
    """x where x > 0, else alpha (e^x - 1)"""

    options = ("alpha",)

    def __init__(self, alpha=1.0, inplace=False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input):
        return F.elu(input, self.alpha, self.inplace)


class GELU(_Activation):
    """x times the standard normal distribution function of x; approximate="tanh": its tanh
    formula"""

    options = ("approximate",)

    def __init__(self, approximate="none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input):
        return ops.gelu(input, self.approximate)


class Softplus(_Activation):
    """log(1 + e^(beta x)) / beta, and x itself where beta x > threshold"""

    options = ("beta", "threshold")

    def __init__(self, beta=1.0, threshold=20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input):
        return ops.softplus(input, self.beta, self.threshold)


class Hardtanh(_Activation):
    """x limited to [min_val, max_val]"""

    options: tuple[str, ...] = ("min_val", "max_val")

    def __init__(
        self, min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None
    ) -> None:
        super().__init__()
        if min_value is not None or max_value is not None:
            warn("Hardtanh: min_value and max_value are old names of min_val and max_val")
            min_val = min_val if min_value is None else min_value
            max_val = max_val if max_value is None else max_value
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: min_val={min_val} must be less than max_val={max_val}")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input):
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """x limited to [0, 6]"""

    options = ()

    def __init__(self, inplace=False) -> None:
        super().__init__(0.0, 6.0, inplace)


class Softmax(_Activation):
    """e^x / sum of e^x along `dim`"""

    options = ("dim",)

    def __init__(self, dim=None) -> None:
        super().__init__()
        self.dim = dim

    @property
    def per_example(self):
        return self.dim is not None and self.dim >= 1  # a negative dim may be the batch's

    def forward(self, input):
        return F.softmax(input, self.dim)


class LogSoftmax(Softmax):
    """x - log of the sum of e^x along `dim`"""

    def forward(self, input):
        return F.log_softmax(input, self.dim)


class Softmin(Softmax):
    """Softmax of -x along `dim`"""

    def forward(self, input):
        return F.softmin(input, self.dim)


class Softmax2d(_Activation):
    """Softmax over the channels of (N, C, H, W) or (C, H, W)"""

    def forward(self, input):
        if input.ndim not in (3, 4):
            raise ValueError(
                "Softmax2d: expected input (N, C, H, W) or (C, H, W), got shape "
                f"{tuple(input.shape)}"
            )
        return F.softmax(input, -3)


class GLU(_Activation):
    """a sigmoid(b), a and b the halves of x along `dim`"""

    options = ("dim",)

    def __init__(self, dim=-1) -> None:
        super().__init__()
        self.dim = dim

    @property
    def per_example(self):
        return self.dim == -1 or self.dim >= 1

    def forward(self, input):
        return F.glu(input, self.dim)


class Mish(_WithInplace):
    """x tanh(softplus(x))"""

    def forward(self, input):
        return F.mish(input, self.inplace)


class Hardswish(_WithInplace):
    """x relu6(x + 3) / 6"""

    def forward(self, input):
        return F.hardswish(input, self.inplace)


class Hardsigmoid(_WithInplace):
    """relu6(x + 3) / 6"""

    def forward(self, input):
        return F.hardsigmoid(input, self.inplace)


class CELU(ELU):
    """x where x > 0, else alpha (e^(x / alpha) - 1)"""

    def forward(self, input):
        return F.celu(input, self.alpha, self.inplace)


class Hardshrink(_Activation):
    """x where |x| > lambd, else 0"""

    def __init__(self, lambd=0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input):
        return F.hardshrink(input, self.lambd)

    def extra_repr(self):
        return str(self.lambd)


class Softshrink(Hardshrink):
    """x - lambd where x > lambd, x + lambd where x < -lambd, else 0"""

    def forward(self, input):
        return F.softshrink(input, self.lambd)


class Tanhshrink(_Activation):
    """x - tanh x"""

    def forward(self, input):
        return F.tanhshrink(input)


class Threshold(_Activation):
    """x where x > threshold, else value"""

    options = ("threshold", "value")

    def __init__(self, threshold, value, inplace=False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input):
        return F.threshold(input, self.threshold, self.value, self.inplace)


class RReLU(_Activation):
    """x where x > 0, else a x: a drawn from [lower, upper] for each element in training, in
    evaluation the middle of the two
    """

    options = ("lower", "upper")

    def __init__(self, lower=1.0 / 8, upper=1.0 / 3, inplace=False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input):
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)
