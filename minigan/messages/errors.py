"""What goes wrong, and what it is told with: the op, its arguments, the line."""

import os
import sys

import numpy as np

from ..arrays import DeviceError, device_of, is_array
from ..arrays.defaults import FLOATS
from ..machine.cuda import memory_left
from .names import called
from .reasons import reason


class AnomalyError(RuntimeError):
    """A NaN or infinity appeared under `detect_anomaly()`; the message names the op and the line
    that called it."""


class OpError(RuntimeError, ValueError, TypeError, IndexError):
    """An op could not compute: the message names it, its arguments with shapes, dtypes and devices,
    and the reason.

    It is all these kinds of error because PyTorch raises RuntimeError where NumPy raises ValueError
    or TypeError.
    """


class OutOfMemoryError(OpError, MemoryError):
    """An array did not fit into memory: the message says what was asked for, what is free, and what
    to lower."""


def describe(inputs):
    def one(x):
        x = getattr(x, "array", x)  # of a Tensor
        return f"{x.dtype.name}{list(x.shape)} on {device_of(x)}" if is_array(x) else repr(x)[:60]

    return ", ".join(one(x) for x in inputs)


def explained(error, name, names, inputs):
    """The error of a kernel, said again with the op and what it was given."""
    if isinstance(error, (OpError, DeviceError)):
        return error
    known = called(name)
    what = f"{name}({', '.join(names)})" if known == name else known
    if isinstance(error, MemoryError):
        what = f"{what}: {error or 'an allocation failed'}{memory_left()}"
        return OutOfMemoryError(
            f"{what}; given: {describe(inputs)}; lower the batch size, the size of the pictures "
            "or the networks"
        )
    arrays = [getattr(x, "array", x) for x in inputs]
    devices = sorted({str(device_of(a)) for a in arrays if is_array(a)})
    hint = f"; move one of them: they are on {' and '.join(devices)}" if len(devices) > 1 else ""
    said = reason(error, [a.shape for a in arrays if is_array(a)])
    said = said.removeprefix(f"{known}: ")  # the card has said it already
    return OpError(f"{what}: {said}; given: {describe(inputs)}{hint}")


def check_finite(array, what, line):
    """AnomalyError if a floating-point array has a NaN or infinity."""
    if array.dtype in FLOATS and not bool(np.isfinite(array).all()):
        bad = "NaN" if bool(np.isnan(array).any()) else "infinity"
        raise AnomalyError(f"{bad} in the result of {what}, called at {line}")


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


_ENGINE = tuple(
    os.path.join(_PACKAGE, part, "")
    for part in ("arrays", "messages", "engine", "autograd", "ops", "nn", "optim", "fast")
)


def user_line():
    """file:line of the innermost frame outside the engine: of a network, a game or a script."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_ENGINE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
