"""What a call of an op is given: its arguments in order, as arrays of one dtype."""

import numpy as np

from ..arrays import seam
from ..arrays.defaults import default
from ..messages import calls as problems
from .tensor import FLOATS, Tensor, tensor_of

ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "input": "x"}
_F64 = np.dtype("float64")


def bind(card, inputs, named):
    """All arguments in order, from a call with keywords or defaults. axis and keepdims stand for
    dim and keepdim."""
    names, defaults = card.names, card.defaults
    values = list(inputs)
    if len(values) > len(names):
        raise problems.too_many(card, values)
    named = {k if k in names else ALIASES.get(k, k): v for k, v in named.items()}
    required = len(names) - len(defaults)
    for i in range(len(values), len(names)):
        if names[i] in named:
            values.append(named.pop(names[i]))
        elif i >= required:
            values.append(defaults[i - required])
        else:
            raise problems.missing(card, i)
    if named:
        raise problems.unexpected(card, next(iter(named)))
    return tuple(values)


def convert(card, inputs, arrays, dtype):
    """(inputs, arrays, dtype) of a call whose arguments differ in dtype, or are numbers where
    floats are needed."""
    if not card.mixed and any(isinstance(x, Tensor) and x.array.dtype is not dtype for x in inputs):
        inputs, arrays, dtype = _common_dtype(card.name, inputs, arrays)
    inputs, arrays = _constants(inputs, arrays, None if card.mixed else dtype)
    if card.floating and dtype.kind != "f":
        dtype = default.dtype
        arrays = [_converted(a, dtype) if hasattr(a, "dtype") else a for a in arrays]
    return inputs, arrays, dtype


def as_result(card, out, dtype):
    """What an op computed from arguments of this dtype, as its result: NumPy makes scalars of
    arrays without dimensions, and float64 of integers."""
    if isinstance(out, np.generic):
        out = seam.execute(np.asarray, out)
    if out.dtype is _F64 and dtype is not _F64 and not card.mixed:
        out = _converted(out, default.dtype)
    return out


def _common_dtype(name, inputs, arrays):
    """Integers and booleans adapt to the floats beside them; two kinds of floats are an error,
    never a silent change."""
    tensors = [isinstance(x, Tensor) for x in inputs]
    floats = {a.dtype for a, t in zip(arrays, tensors) if t and a.dtype in FLOATS}
    if len(floats) > 1:
        raise problems.different_dtypes(name, inputs)
    if not floats:
        dtype = integer_dtype([a for a, t in zip(arrays, tensors) if t])
        tensors = [t and not a.ndim and a.dtype.kind != "b" for a, t in zip(arrays, tensors)]
    else:
        (dtype,) = floats
    arrays = [_converted(a, dtype) if t else a for a, t in zip(arrays, tensors)]
    given = zip(inputs, arrays, tensors)
    return [tensor_of(a) if t and x.array is not a else x for x, a, t in given], arrays, dtype


def integer_dtype(arrays):
    """The dtype of a result of integers and booleans. A Tensor without dimensions adapts, as
    Python's numbers do, unless it is an integer among booleans."""
    sized = [a for a in arrays if a.ndim]
    if sized and (
        any(a.dtype.kind != "b" for a in sized) or all(a.dtype.kind == "b" for a in arrays)
    ):
        arrays = sized
    return np.result_type(*arrays)


def wrapped(error, card, args, dtype):
    """The arguments of arithmetic that NumPy refused because a Python integer does not fit into an
    integer dtype, which wraps around, as in torch; None if the error is another."""
    arithmetic = card.names[:2] == ("input", "other")
    if not (arithmetic and isinstance(error, OverflowError) and dtype and dtype.kind in "iu"):
        return None
    known = np.iinfo(dtype)
    size = known.max - known.min + 1
    return [(a - known.min) % size + known.min if isinstance(a, int) else a for a in args]


def _constants(inputs, arrays, dtype):
    """NumPy's numbers and arrays beside a Tensor are constants: they take its dtype, as Python's
    numbers do."""
    inputs, arrays = list(inputs), list(arrays)
    for i, x in enumerate(inputs):
        if isinstance(x, np.generic):
            inputs[i] = arrays[i] = x.item()
        elif x.__class__ is np.ndarray and dtype is not None and dtype.kind == "f" == x.dtype.kind:
            inputs[i] = arrays[i] = x.astype(dtype, copy=False)
    return inputs, arrays


def _converted(array, dtype):
    return array if array.dtype is dtype else seam.execute(_astype, array, dtype)


def _astype(array, dtype):
    return array.astype(dtype, copy=False)
