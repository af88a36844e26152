"""Put the ops on Tensor: Python's operators, and methods under torch's names."""

from ..autograd import Tensor, move
from . import activation, arithmetic, elementary, product


def _method(function):
    def method(self, *args, **kwargs):
        return function(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__, method.__wrapped__ = function.__doc__, function
    return method


def _operators():
    a = arithmetic
    plain = dict(add=a.add, sub=a.sub, mul=a.mul, truediv=a.div, pow=a.pow, matmul=product.matmul, mod=a.remainder)
    for name, function in plain.items():
        setattr(Tensor, f"__{name}__", lambda x, y, f=function: f(x, y))
        setattr(Tensor, f"__r{name}__", lambda x, y, f=function: f(y, x))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(Tensor, f"__{name}__", lambda x, y, f=getattr(a, name): f(x, y))
    Tensor.__and__, Tensor.__or__ = lambda x, y: a.logical_and(x, y), lambda x, y: a.logical_or(x, y)
    Tensor.__invert__, Tensor.__neg__, Tensor.__abs__ = lambda x: a.logical_not(x), lambda x: a.neg(x), lambda x: elementary.abs(x)


METHODS = {
    activation: "tanh sigmoid relu softplus prelu",
    arithmetic: "add sub mul div neg pow maximum minimum clamp eq ne lt le gt ge isfinite isnan floor round",
    elementary: "abs sign square sqrt rsqrt reciprocal exp expm1 log log1p sin cos erf",
    product: "matmul mm bmm dot outer addmm",
}


def install():
    """Called once, when minigan.ops is imported."""
    _operators()
    for module, names in METHODS.items():
        for name in names.split():
            setattr(Tensor, name, _method(getattr(module, name)))
