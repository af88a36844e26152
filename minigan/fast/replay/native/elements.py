"""Ops in machine code: element by element, views, copies."""

import numpy as np

from ....engine import tensor
from ....engine.backward import _added, _copied, _copied_for, iadd
from ....nn.functional import check_classes, no_class
from ....ops import inplace
from ....ops.indexing import at, is_basic
from ....ops.loss import no_probabilities
from ....ops.strides import _laid_out
from ...cpu import activation, loss
from ...cpu.kernels import kernel
from ...cpu.layout import COMPILED, transpose_blocks
from ...cpu.threads import MIN_CHUNK
from .code import Unknown
from .forms import FORMS, call, form

# --- one ufunc ---

UFUNCS = {
    "_div": np.true_divide, "abs": np.abs, "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or, "eq": np.equal, "exp": np.exp, "expm1": np.expm1,
    "ge": np.greater_equal, "gt": np.greater, "le": np.less_equal, "log": np.log,
    "log1p": np.log1p, "lt": np.less, "maximum": np.maximum, "minimum": np.minimum,
    "mul": np.multiply, "ne": np.not_equal, "neg": np.negative, "reciprocal": np.reciprocal,
    "sqrt": np.sqrt, "square": np.square, "tanh": np.tanh, _added: np.add,
}  # fmt: skip


def _of(ufunc):
    return lambda native, *xs: native.code.ufunc(ufunc, *xs)


FORMS.update({key: _of(ufunc) for key, ufunc in UFUNCS.items()})


# --- several ---


@form("add")
def _(native, x, y, alpha):
    y = y if alpha == 1 else native.code.ufunc(np.multiply, alpha, y)
    return native.code.ufunc(np.add, x, y)


@form("sub")
def _(native, x, y, alpha):
    y = y if alpha == 1 else native.code.ufunc(np.multiply, alpha, y)
    return native.code.ufunc(np.subtract, x, y)


@form(iadd)
def _(native, x, y):
    return native.code.ufunc(np.add, x, y, out=x)


IN_PLACE = {
    inplace.plain_add: np.add, inplace.plain_sub: np.subtract, inplace.plain_mul: np.multiply,
    inplace.plain_div: np.true_divide,
}  # fmt: skip


@form(inplace._named)
def _(native, function, array, args, named):
    if function not in IN_PLACE or len(args) != 1 or named:
        raise Unknown(f"{function.__qualname__} into an array")
    if isinstance(y := args[0], np.ndarray) and np.shares_memory(array, y):
        raise Unknown("a result in the place of what it comes from")
    native.code.ufunc(IN_PLACE[function], array, y, out=array)


@form("pow")
def _(native, x, exponent):
    if exponent.__class__ not in (int, float) or exponent != 2:
        raise Unknown(f"the power {exponent}")
    return native.code.ufunc(np.square, x)


@form("relu")
def _(native, x):
    return native.code.ufunc(np.maximum, x, 0)


@form("clamp")
def clamp(native, x, low, high, out=None):
    y = x if low is None else native.code.ufunc(np.maximum, x, low, out=out)
    return y if high is None else native.code.ufunc(np.minimum, y, high, out=out)


@form("sigmoid")
def sigmoid(native, x):
    u = native.code.ufunc
    return u(np.true_divide, 1, u(np.add, 1, u(np.exp, u(np.negative, x))))


def _log1p_exp(native, x):
    u = native.code.ufunc
    return u(np.log1p, u(np.exp, u(np.negative, u(np.abs, x))))


@form("softplus")
def softplus(native, x, beta=1.0, threshold=20.0):
    if beta != 1 or threshold < 20:
        raise Unknown("softplus with a beta or a threshold")
    u = native.code.ufunc
    return u(np.add, u(np.maximum, x, 0), _log1p_exp(native, x))


@form("logsigmoid")
def _(native, x):
    u = native.code.ufunc
    return u(np.subtract, u(np.minimum, x, 0), _log1p_exp(native, x))


# --- compiled loops ---


def map_elements(native, loop, x, *rest):
    """See `fast.cpu.map_elements`."""
    if x.size >= 2 * MIN_CHUNK:
        raise Unknown("a loop that threads share")
    y = np.empty_like(x)
    given = [like(native, a, y) if isinstance(a, np.ndarray) else a for a in (x, *rest)]
    call(native, loop, *given, y.ravel("K"))
    return y


def like(native, a, y):
    """The elements of `a`, flat, in the order in which those of y lie in memory, without gaps."""
    if _steps(a) != _steps(y):
        a = native.code.copy(a, np.empty_like(y, a.dtype))
    return a.ravel("K")


def _steps(a):
    return [stride / a.itemsize for size, stride in zip(a.shape, a.strides) if size > 1]


@form("leaky_relu")
def _(native, x, slope):
    return map_elements(native, activation._leaky_relu, x, slope)


@form("leaky_relu_grad")
def _(native, g, x, slope):
    return map_elements(native, activation._leaky_relu_grad, g, x, slope)


@form("tanh_grad")
def _(native, g, y):
    return map_elements(native, activation._tanh_grad, g, y)


@kernel
def _chosen(condition, x, y, out):
    for i in range(out.size):
        out[i] = x[i] if condition[i] else y[i]


@form("_where")
def _where(native, condition, x, y):
    dtype = next((v.dtype for v in (x, y) if isinstance(v, np.ndarray)), None)
    if dtype not in COMPILED or getattr(condition, "dtype", None) != np.bool_:
        raise Unknown("a choice between other things than floats")
    out = np.where(condition, x, y).astype(dtype, copy=False)
    given = [condition, *(np.asarray(v, dtype) for v in (x, y))]
    given = [like(native, np.broadcast_to(v, out.shape), out) for v in given]
    call(native, _chosen, *given, out.ravel("K"))
    return out


@form("sign")
def _(native, x):
    u = native.code.ufunc
    return _where(native, u(np.equal, x, x), u(np.sign, x), 0.0)


@form("elu")
def _(native, x, alpha):
    u = native.code.ufunc
    below = u(np.multiply, u(np.expm1, u(np.minimum, x, 0)), alpha)
    return _where(native, u(np.greater, x, 0), x, below)


@form("silu")
def _(native, x):
    return native.code.ufunc(np.multiply, x, sigmoid(native, x))


@form("_bce_logits")
def _(native, x, target, reduction):
    if reduction == "none":
        raise Unknown("the cross-entropy of each element")
    y = np.empty((), x.dtype)
    flat = (row_major(native, a).reshape(-1) for a in (x, target))
    value = call(native, loss._bce_logits_total, *flat)
    if reduction == "mean":
        value = native.code.builder.fdiv(value, native.code.double(x.size))
    native.code.store(value, y)
    return y


@form("_bce")
def _(native, x, target, reduction):
    if reduction == "none":
        raise Unknown("the cross-entropy of each element")
    code, y = native.code, np.empty((), x.dtype)
    flat = [row_major(native, a).reshape(-1) for a in (x, target)]
    found = call(native, loss._bce_total, *flat)
    value, valid = (code.builder.extract_value(found, i) for i in range(2))
    native.stop_unless(valid, lambda: no_probabilities(x))
    if reduction == "mean":
        value = code.builder.fdiv(value, code.double(x.size))
    code.store(value, y)
    return y


@form("_mse_loss")
def _(native, x, target, reduction):
    u = native.code.ufunc
    y = u(np.square, u(np.subtract, x, target))
    if reduction == "none":
        return y
    y = native.code.reduce(np.add, y, tuple(range(y.ndim)))
    return u(np.true_divide, y, x.size) if reduction == "mean" else y


@form("mean_logsigmoid")
def _(native, x, sign):
    code, y = native.code, np.empty((), x.dtype)
    total = call(native, loss._mean_logsigmoid_total, like(native, x, np.empty_like(x)), sign)
    code.store(code.builder.fdiv(total, code.double(x.size)), y)
    return y


@form("mean_logsigmoid_grad")
def _(native, x, sign, g):
    code = native.code
    scale = code.builder.fmul(code.double(code.number(g)), code.double(sign))
    scale = code.builder.fdiv(scale, code.double(x.size))
    return map_elements(native, loss._mean_logsigmoid_grad, x, sign, scale)


# --- other dtypes, labels ---


@kernel
def _converted(x, y):
    for i in range(len(x)):
        y[i] = x[i]


@form("_convert")
def _(native, x, place, dtype, *old):
    if place is not None or dtype is None:
        raise Unknown("an array on another device")
    y = np.empty_like(x, np.dtype(dtype))
    if x.dtype.kind == "f" and y.dtype.kind != "f":
        raise Unknown(f"{x.dtype} as {y.dtype}")
    call(native, _converted, like(native, x, np.empty_like(y, x.dtype)), y.ravel("K"))
    return y


@kernel
def _within(classes, count):
    within = True
    for i in range(len(classes)):
        within &= 0 <= classes[i] < count
    return within


@form(check_classes)
def _(native, classes, count):
    within = call(native, _within, row_major(native, classes).reshape(-1), count)
    native.stop_unless(within, lambda: no_class(classes, count))


# --- views and copies ---


@form("_permute")
def _(native, x, dims):
    return x.transpose(dims)


@form("expand")
def _(native, x, shape):
    return tensor.writable(np.broadcast_to(x, shape), x)


@form("_reshape")
def _(native, x, shape):
    y = x.reshape(shape)
    return y if np.shares_memory(x, y) else row_major(native, x).reshape(shape)


@form("_getitem")
def _(native, x, index):
    return at(x, _basic(index))


@form("_setitem")
def _(native, x, index, shape):
    y = native.code.copy(np.zeros(shape, x.dtype), np.empty(shape, x.dtype))
    there = at(y, _basic(index))
    native.code.copy(np.broadcast_to(x, there.shape), there)
    return y


def _basic(index):
    if not is_basic(index) or isinstance(index, list):
        raise Unknown("an index of arrays")
    return index


@form("_cat")
def _(native, dim, *xs):
    y = np.concatenate([np.ascontiguousarray(x) for x in xs], axis=dim)
    parts = np.split(y, np.cumsum([x.shape[dim] for x in xs])[:-1], axis=dim)
    for x, part in zip(xs, parts):
        native.code.copy(x, part)
    return y


@form(np.asarray)
def _(native, x):
    return x


@form(_laid_out)
def _(native, x, order):
    rows = np.empty([x.shape[d] for d in order], x.dtype)
    return native.code.copy(x, rows.transpose(np.argsort(order)))


@form(_copied)
def _(native, x):
    return native.code.copy(x, x.copy())


@form(_copied_for)
def _(native, gradient, leaf):
    return native.code.copy(gradient, np.empty_like(leaf))


@form(tensor.row_major)
def row_major(native, x):
    if x.flags.c_contiguous:
        return x
    y, features = np.empty(x.shape, x.dtype), x.transpose(*range(1, x.ndim), 0)
    if x.dtype not in COMPILED or not features.flags.c_contiguous:
        return native.code.copy(x, y)
    call(native, transpose_blocks, features.reshape(-1, len(x)), y.reshape(len(x), -1))
    return y
