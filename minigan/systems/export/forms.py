"""The ONNX form of each op: a function of the writer and the op's arguments, which gives the name
of the result."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...ops.taps import Taps
from .trace import Batch, ExportError, Value

Form = Callable[..., str]
FORMS: dict[str, Form] = {}

# one node of the same meaning
UNARY = {
    "tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "exp": "Exp", "log": "Log",
    "sqrt": "Sqrt", "abs": "Abs", "neg": "Neg", "sign": "Sign", "reciprocal": "Reciprocal",
    "sin": "Sin", "cos": "Cos", "erf": "Erf", "floor": "Floor", "asin": "Asin", "acos": "Acos",
    "atan": "Atan", "asinh": "Asinh", "acosh": "Acosh", "atanh": "Atanh", "logical_not": "Not",
    "isnan": "IsNaN",
}  # fmt: skip
BINARY = {
    "mul": "Mul", "div": "Div", "maximum": "Max", "minimum": "Min", "pow": "Pow", "eq": "Equal",
    "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual",
    "logical_and": "And", "logical_or": "Or",
}  # fmt: skip
SAME = ("identity", "cut", "clone", "packed", "row_major")  # the same numbers, elsewhere


def form(*names: str) -> Callable[[Form], Form]:
    """Decorator: this is the form of ops of these names."""

    def put(function):
        FORMS.update(dict.fromkeys(names, function))
        return function

    return put


for _op, _kind in UNARY.items():
    FORMS[_op] = lambda b, x, kind=_kind: b.node(kind, x)
for _op, _kind in BINARY.items():
    FORMS[_op] = lambda b, x, y, kind=_kind: b.node(kind, *b.pair(x, y))
for _op in SAME:
    FORMS[_op] = lambda b, x, *_: b.node("Identity", x)


# --- arithmetic ---


@form("add")
def _add(b, x, y, alpha=1):
    return _plus(b, "Add", x, y, alpha)


@form("sub")
def _sub(b, x, y, alpha=1):
    return _plus(b, "Sub", x, y, alpha)


def _plus(b, kind, x, y, alpha):
    x, y = b.pair(x, y)
    return b.node(kind, x, y if alpha == 1 else b.node("Mul", y, b.like(x, alpha)))


FORMS["ne"] = lambda b, x, y: b.node("Not", b.node("Equal", *b.pair(x, y)))
FORMS["square"] = lambda b, x: b.node("Mul", x, x)
FORMS["rsqrt"] = lambda b, x: b.node("Reciprocal", b.node("Sqrt", x))
FORMS["expm1"] = lambda b, x: b.node("Sub", b.node("Exp", x), b.like(x, 1))
FORMS["log1p"] = lambda b, x: b.node("Log", b.node("Add", x, b.like(x, 1)))
FORMS["where"] = lambda b, c, x, y: b.node("Where", c, *b.pair(x, y))


@form("round")
def _round(b, x, decimals=0):
    """ONNX rounds halves to even numbers, too."""
    if not decimals:
        return b.node("Round", x)
    scale = b.like(x, 10.0**decimals)
    return b.node("Div", b.node("Round", b.node("Mul", x, scale)), scale)


@form("clamp", "hardtanh")
def _clamp(b, x, low=None, high=None):
    ends = ["" if end is None else b.like(x, end) for end in (low, high)]
    return b.node("Clip", x, *ends)


# --- activations ---


@form("leaky_relu")
def _leaky_relu(b, x, slope):
    return b.node("LeakyRelu", x, alpha=float(slope))


@form("elu")
def _elu(b, x, alpha):
    return b.node("Elu", x, alpha=float(alpha))


@form("prelu")
def _prelu(b, x, weight):
    ones = (1,) * max(0, len(b.shape(x)) - 2)
    weight = np.asarray(weight)
    return b.node("PRelu", x, weight.reshape(-1, *ones) if weight.size > 1 else weight.reshape(1))


@form("silu")
def _silu(b, x):
    return b.node("Mul", x, b.node("Sigmoid", x))


@form("softplus")
def _softplus(b, x, beta=1.0, threshold=20.0):
    """log(1 + exp(beta x)) / beta; beyond the threshold, where minigan returns x, they differ by
    less than float32 can tell if it is 20."""
    if threshold < 15:
        raise ExportError(f"softplus: threshold={threshold}: ONNX has none")
    return b.node("Div", b.node("Softplus", b.node("Mul", x, b.like(x, beta))), b.like(x, beta))


@form("logsigmoid")
def _logsigmoid(b, x):
    return b.node("Neg", b.node("Softplus", b.node("Neg", x)))


@form("gelu")
def _gelu(b, x, approximate="none"):
    if approximate == "tanh":
        cube = b.node("Mul", b.node("Mul", b.node("Mul", x, x), x), b.like(x, 0.044715))
        inner = b.node("Mul", b.node("Add", x, cube), b.like(x, math.sqrt(2 / math.pi)))
        share = b.node("Tanh", inner)
    else:
        share = b.node("Erf", b.node("Mul", x, b.like(x, math.sqrt(0.5))))
    half = b.node("Mul", x, b.like(x, 0.5))
    return b.node("Mul", half, b.node("Add", share, b.like(x, 1)))


for _op, _kind in {"softmax": "Softmax", "log_softmax": "LogSoftmax"}.items():
    FORMS[_op] = lambda b, x, axis, kind=_kind: b.node(kind, x, axis=int(axis))


# --- products ---


@form("linear")
def _linear(b, x, weight, bias=None):
    if len(b.shape(x)) == 2:
        return b.node("Gemm", x, weight, *([] if bias is None else [bias]), transB=1)
    turned = weight.T.copy() if isinstance(weight, np.ndarray) else _permute(b, weight, (1, 0))
    found = b.node("MatMul", x, turned)
    return found if bias is None else b.node("Add", found, bias)


@form("linear_activation")
def _linear_activation(b, x, weight, bias, kind, slope):
    found = _linear(b, x, weight, bias)
    return _leaky_relu(b, found, slope) if kind == "leaky_relu" else b.call(kind, found)


@form("matmul")
def _matmul(b, x, y):
    return b.node("MatMul", x, y)


@form("einsum")
def _einsum(b, equation, *xs):
    return b.node("Einsum", *xs, equation=equation)


@form("conv")
def _conv(b, x, w, bias, g):
    reach = [(o - 1) * s + (k - 1) * d + 1
             for o, s, k, d in zip(g.out, g.stride, g.kernel, g.dilation)]  # fmt: skip
    behind = [max(0, r - p - n) for r, p, n in zip(reach, g.padding, g.size)]
    return b.node("Conv", x, w, *([] if bias is None else [bias]), **_window(g), group=g.groups,
                  pads=[*g.padding, *behind])  # fmt: skip


@form("conv_activation")
def _conv_activation(b, x, w, bias, g, slope):
    return _leaky_relu(b, _conv(b, x, w, bias, g), slope)


@form("conv_transpose")
def _conv_transpose(b, y, w, bias, g):
    """Of y (N, O, *out), which gives (N, C, *size)."""
    more = [n - ((o - 1) * s - 2 * p + (k - 1) * d + 1) for n, o, s, p, k, d in zip(
        g.size, g.out, g.stride, g.padding, g.kernel, g.dilation)]  # fmt: skip
    return b.node("ConvTranspose", y, w, *([] if bias is None else [bias]), **_window(g),
                  group=g.groups, pads=[*g.padding, *g.padding], output_padding=more)  # fmt: skip


def _window(g) -> dict[str, list[int]]:
    return {
        "kernel_shape": list(g.kernel),
        "strides": list(g.stride),
        "dilations": list(g.dilation),
    }


@form("taps")
def _taps(b, x, rows, columns):
    """R x C^T of each plane: interpolation, averages, padding with copies."""
    if rows is not None:
        x = b.node("MatMul", dense(rows), x)
    return x if columns is None else b.node("MatMul", x, np.ascontiguousarray(dense(columns).T))


def dense(taps: Taps) -> np.ndarray:
    """(outputs, inputs) float32"""
    matrix = np.zeros((taps.outputs, taps.inputs + 1))
    for index, weight in zip(taps.index, taps.weight):
        np.add.at(matrix, (np.arange(taps.outputs), index), weight)
    return matrix[:, :-1].astype(np.float32)


@form("plane_gather")
def _plane_gather(b, x, index):
    """Of the places of maxima: max pooling."""
    maker = b.maker(index)
    if maker is None or maker.op != "window_argmax" or maker.args[0] is not x:
        raise ExportError("plane_gather has no ONNX form, but of max pooling")
    _, rows, columns, steps = maker.args
    windows = [_regular(*w, d) for w, d in zip((rows, columns), steps)]
    if None in windows:
        raise ExportError("window_argmax: windows of different size, or dilated: no ONNX form")
    sizes, strides = zip(*windows)
    return b.node("MaxPool", x, kernel_shape=list(sizes), strides=list(strides))


FORMS["window_argmax"] = lambda b, *_: ""  # is a part of plane_gather


def _regular(starts, ends, step) -> tuple[int, int] | None:
    sizes = {e - s for s, e in zip(starts, ends)}
    strides = {t - s for s, t in zip(starts, starts[1:])} or {1}
    if step != 1 or starts[0] != 0 or len(sizes) > 1 or len(strides) > 1:
        return None
    return sizes.pop(), strides.pop()


# --- shapes ---


@form("reshape")
def _reshape(b, x, _shape):
    return b.reshape(x, b.out.shape)


@form("expand")
def _expand(b, x, _shape):
    target, shape = b.out.shape, b.shape(x)
    if target == shape:
        return b.node("Identity", x)
    sizes = [1 if isinstance(n, Batch) else n for n in target]
    full = b.node("Expand", x, np.array(sizes, np.int64))
    batch = [i for i, n in enumerate(target) if isinstance(n, Batch)]
    behind = len(target) - len(shape)
    if all(i >= behind and shape[i - behind] == target[i] for i in batch):
        return full
    raise ExportError("expand: what is the same for every example becomes one for each: no form")


@form("permute")
def _permute(b, x, dims):
    return b.node("Transpose", x, perm=[int(d) for d in dims])


@form("cat")
def _cat(b, dim, *xs):
    return b.node("Concat", *xs, axis=int(dim))


@form("repeat")
def _repeat(b, x, times):
    if len(times) != len(b.shape(x)) or any(isinstance(n, Batch) for n in times):
        raise ExportError(f"repeat: times={times}: no ONNX form")
    return b.node("Tile", x, np.array(times, np.int64))


@form("flip")
def _flip(b, x, dims):
    dims, ends = np.atleast_1d(np.array(dims, np.int64)), np.iinfo(np.int64).min
    n = len(dims)
    return b.node("Slice", x, np.full(n, -1), np.full(n, ends), dims, np.full(n, -1))


@form("pad_constant")
def _pad_constant(b, x, pads, value):
    before, after = zip(*pads)
    return b.node("Pad", x, np.array([*before, *after], np.int64), b.like(x, value))


@form("getitem")
def _getitem(b, x, index):
    """Slices, numbers, None and ...; what is picked by arrays along one dimension."""
    index = list(index) if isinstance(index, tuple) else [index]
    rank = len(b.shape(x))
    if Ellipsis in [i for i in index if not isinstance(i, (np.ndarray, Value))]:
        at = next(k for k, i in enumerate(index) if i is Ellipsis)
        index[at : at + 1] = [slice(None)] * (rank - sum(i is not None for i in index) + 1)
    cuts, gone, new, axis, place = [], [], [], 0, 0
    for i in index:
        if i is None:
            new.append(place)
        elif isinstance(i, (int, np.integer)):
            cuts.append((axis, int(i), int(i) + 1 or np.iinfo(np.int64).max, 1))
            gone.append(axis)
        elif isinstance(i, slice) and not any(
            isinstance(e, Batch) for e in (i.start, i.stop, i.step)):  # fmt: skip
            if (i.start, i.stop, i.step) != (None, None, None):
                ends = np.iinfo(np.int64).max if i.stop is None else int(i.stop)
                cuts.append((axis, int(i.start or 0), ends, int(i.step or 1)))
        else:
            raise ExportError(f"getitem: picked by {type(i).__name__}: it has no ONNX form")
        axis += i is not None
        place += not isinstance(i, (int, np.integer))
    if cuts:
        axes, starts, stops, steps = (np.array(p, np.int64) for p in zip(*cuts))
        x = b.node("Slice", x, starts, stops, axes, steps)
    if gone:
        x = b.node("Squeeze", x, np.array(gone, np.int64))
    return b.node("Unsqueeze", x, np.array(new, np.int64)) if new else b.node("Identity", x)


@form("convert")
def _convert(b, x, _place, dtype, *_):
    return b.cast(x, b.out.dtype if dtype is None else np.dtype(dtype))


@form("pick_rows")
def _pick_rows(b, weight, index, *_):
    return b.node("Gather", weight, index, axis=0)


# --- sums ---

_kinds = {"sum": "ReduceSum", "mean": "ReduceMean", "norm2": "ReduceL2", "logsumexp":
          "ReduceLogSumExp"}  # fmt: skip
for _op, _kind in _kinds.items():
    FORMS[_op] = lambda b, x, axes, keepdim, kind=_kind: _reduced(b, kind, x, axes, keepdim)


@form("extreme")
def _extreme(b, x, axes, keepdim, largest):
    return _reduced(b, "ReduceMax" if largest else "ReduceMin", x, axes, keepdim)


def _reduced(b, kind, x, axes, keepdim):
    over = range(len(b.shape(x))) if axes is None else np.atleast_1d(axes)
    return b.node(kind, x, np.array([int(a) for a in over], np.int64), keepdims=int(keepdim))


@form("argextreme")
def _argextreme(b, x, axis, keepdim, largest):
    kind = "ArgMax" if largest else "ArgMin"
    return b.node(kind, x, axis=int(axis), keepdims=int(keepdim))


@form("group_norm")
def _group_norm(b, x, weight, bias, groups, eps):
    """Each group of an example's channels as one channel of an instance normalisation."""
    shape, ones = b.shape(x), np.ones(groups, np.float32)
    flat = b.node("Reshape", x, np.array([0, groups, -1], np.int64))
    found = b.node("InstanceNormalization", flat, ones, 0 * ones, epsilon=float(eps))
    found = b.reshape(found, shape)
    for kind, each in (("Mul", weight), ("Add", bias)):
        if each is not None:
            found = b.node(kind, found, np.reshape(each, (-1, *(1,) * (len(shape) - 2))))
    return found
