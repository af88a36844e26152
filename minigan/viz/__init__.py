"""Pictures of a run: grids of samples, an animation of them, the curves of its metrics."""

from .curves import read_metrics, save_curves
from .grid import as_bytes, image_grid, save_gif, save_grid, save_images
from .pictures import Grid, Picture, beside

__all__ = [
    "Grid", "Picture", "as_bytes", "beside", "image_grid", "read_metrics", "save_curves",
    "save_gif", "save_grid", "save_images",
]  # fmt: skip
