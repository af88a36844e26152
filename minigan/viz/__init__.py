"""Pictures of a run: grids of samples, an animation of them, the curves of its metrics."""

from .curves import read_metrics, save_curves
from .grid import as_bytes, image_grid, save_gif, save_grid, save_images
from .music import Music
from .pictures import (
    Clips,
    Grid,
    Lines,
    Panel,
    Panels,
    Picture,
    Points,
    Text,
    beside,
    principal_plane,
    strips,
)

__all__ = [
    "Clips", "Grid", "Lines", "Music", "Panel", "Panels", "Picture", "Points", "Text", "as_bytes",
    "beside", "image_grid", "principal_plane", "read_metrics", "save_curves", "save_gif",
    "save_grid", "save_images", "strips",
]  # fmt: skip
