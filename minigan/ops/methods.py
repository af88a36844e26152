"""Put the ops on Tensor: Python's operators, and methods under torch's names.

An op is a plain Python function, so as a class attribute it is a method: `x.exp()` is `exp(x)`.
"""

import functools

import numpy as np

from ..arrays import is_array
from ..autograd import Tensor, raw, tensor_of
from ..autograd.tensor import from_python
from . import (
    activation,
    angles,
    arithmetic,
    arrange,
    bits,
    compose,
    contraction,
    creation,
    decompositions,
    elementary,
    extremes,
    indexing,
    inplace,
    linear_algebra,
    matrices,
    product,
    quantiles,
    reduction,
    running,
    sampling,
    shape,
    sorting,
    special,
    thresholds,
)

METHODS = {
    angles: "acos acosh arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh deg2rad hypot rad2deg sinc",
    arrange: "argwhere diag_embed diagflat diagonal_scatter dsplit hsplit masked_scatter moveaxis select_scatter slice_scatter "
    "split_with_sizes tensor_split unique_consecutive vsplit",
    contraction: "addbmm addmv addr aminmax corrcoef cov cross inner kron nanmean nansum vdot",
    decompositions: "cholesky qr svd",
    linear_algebra: "det inverse logdet pinverse slogdet",
    matrices: "matrix_power",
    quantiles: "kthvalue median mode msort nanmedian nanquantile quantile",
    running: "cummax cummin cumprod diff",
    special: "copysign div divide erfc erfinv fix float_power fmax fmin greater greater_equal heaviside "
    "isneginf isposinf isreal ldexp less less_equal logaddexp2 not_equal positive sgn signbit true_divide xlogy",
    thresholds: "hardshrink",
    activation: "tanh sigmoid relu softplus prelu",
    arithmetic: "add sub mul neg pow maximum minimum clamp eq ne lt le gt ge isfinite isnan floor floor_divide fmod "
    "round logical_and logical_or logical_not remainder",
    bits: "bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor",
    compose: "absolute addcdiv addcmul baddbmm bincount ceil clamp_max clamp_min clip cosh "
    "diag dist exp2 fliplr flipud frac ger histc index_add index_copy index_fill isclose isinf lerp log10 log2 "
    "logaddexp logical_xor logit multiply mv nan_to_num negative repeat_interleave rot90 scatter select sinh subtract take tan trace "
    "trunc unique",
    elementary: "abs sign square sqrt rsqrt reciprocal exp expm1 log log1p sin cos erf",
    indexing: "gather index_put index_select masked_fill masked_select nonzero scatter_add take_along_dim",
    product: "matmul mm bmm dot outer addmm",
    extremes: "amax amin max min argmax argmin",
    reduction: "sum mean var std prod cumsum norm logsumexp softmax log_softmax all any count_nonzero equal allclose",
    sampling: "normal_ uniform_ bernoulli_ random_ exponential_ multinomial bernoulli",
    sorting: "argsort sort topk",
    shape: "reshape view flatten ravel unflatten permute transpose swapaxes swapdims t movedim squeeze unsqueeze expand expand_as "
    "broadcast_to repeat tile flip roll narrow split chunk unbind tril triu diagonal clone contiguous to",
}


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


def install():
    """Called once, when minigan.ops is imported."""
    _operators()
    for module, names in METHODS.items():
        for name in names.split():
            setattr(Tensor, name, getattr(module, name))
    for name, method in inplace.methods().items():
        setattr(Tensor, name, method)
    for name in ("zeros", "ones", "empty"):
        setattr(Tensor, f"new_{name}", _new(name))
    Tensor.new_full, Tensor.new_tensor, Tensor.new = new_full, new_tensor, new
    Tensor.__contains__ = __contains__
    Tensor.unfold = arrange.windows
    Tensor.where = lambda self, condition, other: indexing.where(condition, self, other)
    Tensor.view_as = lambda self, other: shape.view(self, *other.shape)
    Tensor.reshape_as = lambda self, other: shape.reshape(self, *other.shape)
    Tensor.T = property(shape._reversed, doc="All dimensions in reverse order.")
    Tensor.mH = property(lambda self: self.mT, doc="As mT: there are no complex numbers.")
    Tensor.mT = property(lambda self: shape.transpose(self, -2, -1), doc="Each matrix transposed.")
