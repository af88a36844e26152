"""Messages to the page: JSON, or JSON with arrays behind it."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np


def text(kind: str, **values: Any) -> str:
    """A message without arrays; what is no number becomes null, as JSON has no NaN."""
    return json.dumps({"kind": kind} | _finite(values), allow_nan=False)


def binary(kind: str, arrays: dict[str, np.ndarray], **values: Any) -> bytes:
    """A message with arrays, float32 or uint8: the length of the JSON (uint32, little-endian), the
    JSON, blanks up to a multiple of four, then each array, likewise. The JSON's "arrays" names
    them: [[name, dtype, shape], ...]."""
    named = [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()]
    head = json.dumps({"kind": kind, "arrays": named} | _finite(values), allow_nan=False).encode()
    head += b" " * (-len(head) % 4)
    parts = [len(head).to_bytes(4, "little"), head]
    for array in arrays.values():
        content = np.ascontiguousarray(array).tobytes()
        parts.append(content + b"\0" * (-len(content) % 4))
    return b"".join(parts)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
