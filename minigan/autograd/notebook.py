"""How a Tensor looks in a notebook: what it is, and its numbers, as a table, text or pictures."""

from __future__ import annotations

import base64
import html
import io
from typing import Any

import numpy as np

from .attributes import attach

CELLS = 400  # numbers of a table, at most
PICTURES = 64  # that are shown
SIDES = 8, 256  # in which a plane of numbers may be a picture


@attach
class TensorInNotebook:
    """Methods of Tensor. `self` is one."""

    def _repr_html_(self: Any) -> str:
        """What Jupyter shows. Numbers in [-1, 1] of shape (N, C, H, W) or (C, H, W), C 1 or 3, H
        and W from 8 to 256, are shown as pictures."""
        x = self.detach().cpu().numpy()
        facts = [f"{self.dtype.name} ({', '.join(map(str, self.shape))})", f"on {self.device}"]
        facts += [f"by {self._node.op.__name__}"] if self._node else []
        facts += ["requires grad"] if self.requires_grad and not self._node else []
        shown = _pictures(x) or _table(x) or f"<pre>{html.escape(repr(self))}</pre>"
        return f"<div><code>tensor {html.escape(', '.join(facts))}</code>{shown}</div>"


def _table(x: np.ndarray) -> str:
    """One or two dimensions of a few numbers; "" for others."""
    if x.ndim not in (1, 2) or not 0 < x.size <= CELLS or (x.ndim == 2 and x.shape[1] > 20):
        return ""
    number = (lambda v: f"{v:.4g}") if x.dtype.kind == "f" else str
    rows = x[None] if x.ndim == 1 and len(x) <= 20 else x.reshape(len(x), -1)
    cells = ["".join(f"<td>{html.escape(number(v))}</td>" for v in row) for row in rows]
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _pictures(x: np.ndarray) -> str:
    """An <img> of pictures side by side; "" where it is none."""
    images = x[None] if x.ndim == 3 else x
    if images.ndim != 4 or not len(images) or images.shape[1] not in (1, 3):
        return ""
    low, high = SIDES
    if x.dtype.kind != "f" or not all(low <= n <= high for n in images.shape[2:]):
        return ""
    if not np.isfinite(x).all() or np.abs(x).max() > 1.001:
        return ""
    from PIL import Image

    first, (c, h, w) = images[:PICTURES], images.shape[1:]
    columns = min(len(first), 8)
    rows = -(-len(first) // columns)
    cells = np.zeros((rows * columns, c, h, w), np.uint8)
    zero = x.min() >= 0  # in [0, 1]
    cells[: len(first)] = np.rint((first if zero else (first + 1) / 2).clip(0, 1) * 255)
    pixels = cells.reshape(rows, columns, c, h, w).transpose(0, 3, 1, 4, 2)
    pixels = pixels.reshape(rows * h, columns * w, c)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if c == 1 else pixels).save(buffer, "PNG")
    text = base64.b64encode(buffer.getvalue()).decode()
    scale = max(1, min(2, 640 // pixels.shape[1]))
    said = f"{len(first)} of {len(images)} pictures, {'0 to 1' if zero else '-1 to 1'}"
    return (
        f'<br><img src="data:image/png;base64,{text}" alt="{said}" title="{said}" '
        f'width="{pixels.shape[1] * scale}" style="image-rendering: pixelated">'
    )
