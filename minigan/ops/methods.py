"""Put the ops on Tensor: Python's operators, and methods under torch's names.

An op is a plain Python function, so as a class attribute it is a method: `x.exp()` is `exp(x)`.
"""

import functools
import inspect

import numpy as np

from ..arrays import is_array
from ..autograd import Tensor, raw, tensor_of
from ..autograd.tensor import from_python
from . import arithmetic, arrange, bits, creation, elementary, indexing, inplace, product, sampling, shape

# Functions of a Tensor that are no methods, as in torch
FUNCTIONS = set(
    """
    alpha_dropout bucketize celu channel_shuffle combinations dropout elu feature_alpha_dropout feature_dropout gelu getitem glu
    hardsigmoid hardswish hardtanh is_floating_point leaky_relu linear local_response_norm logsigmoid mish numel pdist rand_like
    randint_like randn_like rms_norm rrelu rsub selu silu softshrink std_mean tanhshrink threshold vander var_mean
    """.split()
)
LAYERS = {"convolution", "creation", "dtypes", "group_normalization", "normalization"}  # families without a method
DRAWN = "bernoulli_ exponential_ normal_ random_ uniform_"  # of sampling: they are methods only


def _is_method(name, function):
    """Is it a function of a Tensor first?"""
    return name not in FUNCTIONS and inspect.unwrap(function).__code__.co_varnames[:1] in (("input",), ("x",), ("A",))


def _operators():
    a = arithmetic
    plain = dict(add=a.add, sub=a.sub, mul=a.mul, truediv=a._div, pow=a.pow, matmul=product.matmul, mod=a.remainder,
                 floordiv=a.floor_divide,
                 lshift=bits.bitwise_left_shift, rshift=bits.bitwise_right_shift)  # fmt: skip
    for name, function in plain.items():
        setattr(Tensor, f"__{name}__", function)
        setattr(Tensor, f"__r{name}__", lambda x, y, f=function: f(y, x))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(Tensor, f"__{name}__", _comparison(getattr(a, name)))
    for name in ("and", "or", "xor"):
        function = getattr(bits, f"bitwise_{name}")
        setattr(Tensor, f"__{name}__", function)
        setattr(Tensor, f"__r{name}__", function)
    Tensor.__invert__, Tensor.__pos__ = bits.bitwise_not, lambda x: x
    Tensor.__neg__, Tensor.__abs__, Tensor.__getitem__ = a.neg, elementary.abs, indexing.getitem


def _comparison(function):
    """Of a Tensor with something that is no number Python decides, as for other objects: x == None is False."""

    @functools.wraps(function)
    def compare(self, other):
        if isinstance(other, (Tensor, int, float, np.generic)) or is_array(other):
            return function(self, other)
        return NotImplemented

    return compare


def __contains__(self, element):
    """Is an element equal to a number (or a Tensor)?"""
    if isinstance(element, (Tensor, int, float, np.generic)):
        return bool(raw(self == element).any())
    raise TypeError(f"`in` a Tensor: expected a number or a Tensor, got {type(element).__name__}")


def _matrices_transposed(self):
    if self.ndim == 1:
        raise RuntimeError("mT is for matrices (..., m, n), this Tensor has one dimension")
    return shape.transpose(self, -2, -1) if self.ndim else self


def _matrix_transposed(self):
    if self.ndim not in (0, 2):
        raise RuntimeError(f"H is for matrices (m, n), this Tensor has {self.ndim} dimensions: use mH")
    return _matrices_transposed(self)


def _new(name):
    def method(self, *sizes, size=(), dtype=None, device=None, requires_grad=False):
        place, kind = device or self.device, dtype or self.dtype
        return getattr(creation, name)(*sizes, size=size, dtype=kind, device=place, requires_grad=requires_grad)

    method.__doc__ = f"{name}(size) in the dtype and on the device of this Tensor."
    return method


def new_full(self, size, fill_value, dtype=None, device=None, requires_grad=False):
    """full(size, fill_value) in the dtype and on the device of this Tensor."""
    return creation.full(size, fill_value, dtype or self.dtype, device or self.device, requires_grad)


def new_tensor(self, data, dtype=None, device=None, requires_grad=False):
    """tensor(data) in the dtype and on the device of this Tensor."""
    return creation.tensor(data, dtype or self.dtype, device or self.device, requires_grad)


def new(self, *arguments):
    """Tensor(...) in the dtype and on the device of this Tensor: sizes (uninitialised), or numbers."""
    return tensor_of(from_python(arguments, self.dtype)).to(self.device)


def install(families):
    """Called once, when minigan.ops is imported, with all of its families: a public function whose first argument is a Tensor is a
    method, too."""
    _operators()
    for family in families:
        if family.__name__.rpartition(".")[2] not in LAYERS:
            functions = {name: getattr(family, name) for name in family.__all__}
            for name, function in functions.items():
                if _is_method(name, function):
                    setattr(Tensor, name, function)
    for name in DRAWN.split():
        setattr(Tensor, name, getattr(sampling, name))
    for name, method in inplace.methods().items():
        setattr(Tensor, name, method)
    for name in ("zeros", "ones", "empty"):
        setattr(Tensor, f"new_{name}", _new(name))
    Tensor.new_full, Tensor.new_tensor, Tensor.new = new_full, new_tensor, new
    Tensor.__contains__ = __contains__
    Tensor.unfold = arrange.windows
    Tensor.view_as = lambda self, other: shape.view(self, *other.shape)
    Tensor.reshape_as = lambda self, other: shape.reshape(self, *other.shape)
    Tensor.T = property(shape._reversed, doc="All dimensions in reverse order.")
    Tensor.mT = Tensor.mH = property(_matrices_transposed, doc="Each matrix transposed; a number itself.")
    Tensor.H = property(_matrix_transposed, doc="The matrix transposed; a number itself.")
