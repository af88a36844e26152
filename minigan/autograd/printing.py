"""How Tensors are printed: as torch prints them.

A number of floats is written with 4 digits after the point, with none where all are whole numbers,
and with an exponent where they are too far apart; all of a Tensor get the same width.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

# minigan.set_printoptions
printed: dict[str, Any] = {
    "precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None,
}  # fmt: skip


def text(array: np.ndarray, start: str, notes: list[str]) -> str:
    """start, the elements of an array of NumPy's, and notes: "tensor(", ["requires_grad=True"].

    Of more than `threshold` elements `edgeitems` at each end of a dimension are shown.
    """
    if not array.size:
        notes = [f"size={array.shape}", *notes] if array.ndim != 1 else notes
        body = "[]"
    else:
        ends = array.size > printed["threshold"]
        write, width = _writer(_ends(array) if ends else array)
        body = _body(array, len(start), ends, write, width)
    made = start + body
    last = len(made) - made.rfind("\n") + 1
    for note in notes:
        if last + len(note) + 2 > printed["linewidth"]:
            made += ",\n" + " " * len(start) + note
            last = len(start) + len(note)
        else:
            made += ", " + note
            last += len(note) + 2
    return made + ")"


def _ends(array):
    """The elements that are shown of a large array."""
    edge = printed["edgeitems"]
    for dim, n in enumerate(array.shape):
        if n > 2 * edge:
            array = array.take([*range(edge), *range(n - edge, n)], dim)
    return array


def _writer(array) -> tuple[Callable[[Any], str], int]:
    """The function that writes an element, and the width of all."""
    if array.dtype.kind != "f":
        return str, max(len(str(v)) for v in array.ravel().tolist())
    values = array.astype(np.float64).ravel()
    values = values[np.isfinite(values) & (values != 0)]
    digits, whole = printed["precision"], bool((values == np.ceil(values)).all())
    if not values.size:
        return _whole, 1
    low, high = np.abs(values).min(), np.abs(values).max()
    far_apart = printed["sci_mode"]
    if far_apart is None:
        far_apart = high / low > 1000 or high > 1e8 or low < 1e-4
    if far_apart:
        write = lambda v: f"{v:.{digits}e}"
    elif whole:
        write = _whole
    else:
        write = lambda v: f"{v:.{digits}f}"
    return write, max(len(write(v)) for v in values.tolist())


def _whole(v):
    return f"{v:.0f}." if math.isfinite(v) else str(v)


def _body(array, indent, ends, write, width):
    if not array.ndim:
        return write(array.item())
    edge, n = printed["edgeitems"], len(array)
    first, last = (range(edge), range(n - edge, n)) if ends and n > 2 * edge else (range(n), ())
    if array.ndim == 1:
        shown = [write(array[i].item()).rjust(width) for i in first]
        if last:
            shown += [" ...", *(write(array[i].item()).rjust(width) for i in last)]
        per_line = max(1, (printed["linewidth"] - indent) // (width + 2))
        lines = [", ".join(shown[i : i + per_line]) for i in range(0, len(shown), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    shown = [_body(array[i], indent + 1, ends, write, width) for i in first]
    if last:
        shown += ["...", *(_body(array[i], indent + 1, ends, write, width) for i in last)]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(shown) + "]"
