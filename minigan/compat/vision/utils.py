"""Pictures of batches: `make_grid` and `save_image`, with torchvision's arguments and layout."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import to_numpy
from ...autograd import Tensor, raw, tensor_of
from ...data.files import write_atomic

__all__ = ["make_grid", "save_image"]


def make_grid(
    tensor: Any, nrow: int = 8, padding: int = 2, normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False, pad_value: float = 0.0, *, range: tuple[float, float] | None = None,
) -> Tensor:  # fmt: skip
    """Images side by side: a Tensor (3, rows * (H + padding) + padding, nrow * (W + padding) +
    padding); one image stays as it is.

    tensor : (N, C, H, W), a list of (C, H, W), one (C, H, W) or (H, W); one channel becomes three
    nrow : images in a row
    padding, pad_value : pixels around each image, and their value
    normalize : scale the values from value_range (default: from the smallest to the largest) to [0,
        1]
    scale_each : take the smallest and largest of each image instead
    range : the old name of value_range
    """
    value_range = value_range if range is None else range
    images = (
        np.stack([to_numpy(raw(x)) for x in tensor])
        if isinstance(tensor, (list, tuple))
        else to_numpy(raw(tensor))
    )
    if not 2 <= images.ndim <= 4:
        raise ValueError(
            f"make_grid: expected (N, C, H, W), (C, H, W) or (H, W), got shape {images.shape}"
        )
    images = images.reshape(*[1] * (4 - images.ndim), *images.shape)
    if images.shape[1] == 1:
        images = np.repeat(images, 3, axis=1)
    if normalize:
        images = images if images.dtype.kind == "f" else images.astype(np.float32)
        parts = list(images) if scale_each else [images]
        parts = [_scaled(p, *(value_range or (float(p.min()), float(p.max())))) for p in parts]
        images = np.stack(parts) if scale_each else parts[0]
    n, c, h, w = images.shape
    if n == 1:
        return tensor_of(images[0].copy())
    columns = min(nrow, n)
    rows = -(-n // columns)
    grid = np.full(
        (c, rows * (h + padding) + padding, columns * (w + padding) + padding),
        pad_value,
        images.dtype,
    )
    for k, image in enumerate(images):
        top, left = k // columns * (h + padding) + padding, k % columns * (w + padding) + padding
        grid[:, top : top + h, left : left + w] = image
    return tensor_of(grid)


def _scaled(x, low, high):
    return (np.clip(x, low, high) - x.dtype.type(low)) / x.dtype.type(max(high - low, 1e-5))


def save_image(tensor: Any, fp: Any, format: str | None = None, **options: Any) -> None:
    """Write `make_grid(tensor, **options)` as a picture; values from 0 to 1.

    fp : a path (written atomically, folders are made; its suffix says the format), or a file object
        with `format`
    """
    from PIL import Image

    grid = to_numpy(make_grid(tensor, **options).array)
    pixels = (
        np.clip(np.nan_to_num(grid.astype(np.float32)) * 255 + np.float32(0.5), 0, 255)
        .astype(np.uint8)
        .transpose(1, 2, 0)
    )
    if format is None and isinstance(fp, (str, os.PathLike)):
        format = Image.registered_extensions().get(Path(fp).suffix.lower())
        if format is None:
            raise ValueError(
                f"save_image: the name {os.fspath(fp)!r} says no format; end it with .png or .jpg"
            )
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    if hasattr(fp, "write"):
        fp.write(buffer.getvalue())
    else:
        write_atomic(fp, buffer.getvalue())
