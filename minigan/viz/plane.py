"""Pictures of a game in the plane."""

from __future__ import annotations

import numpy as np

_REAL, _FAKE, _ARROW = "#222222", "#D55E00", "#222222"  # Okabe and Ito's palette, as in the curves: G is orange


def plane_picture(
    limit: float, real: np.ndarray, fake: np.ndarray, surface: np.ndarray, field: np.ndarray, title: str = "",
    note: str = "", groups: np.ndarray | None = None, means: np.ndarray | None = None, size: float = 4.5,
) -> np.ndarray:  # fmt: skip
    """Two panels as an image, uint8 (H, W, 3): samples over data, and D's surface with the field of G's gradient.

    limit : both show [-limit, limit]^2
    real, fake : points (n, 2)
    surface : (k, k) values at the points of the regular k x k grid over the square, row i at the i-th y from below
    field : (j, j, 2) vectors on a j x j grid; their directions are drawn, and where they are small they are pale
    note : a line below the left panel
    groups : (n,) integers, which generator made each fake point: their colours
    means : (K, 2) of the modes: crosses
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2 * size, size), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.scatter(*real.T, s=2, color=_REAL, alpha=0.35, linewidths=0, label="data")
    if groups is None:
        left.scatter(*fake.T, s=5, color=_FAKE, alpha=0.6, linewidths=0, label="samples")
    else:
        left.scatter(*fake.T, s=5, c=groups, cmap="tab10", vmin=0, vmax=9, alpha=0.7, linewidths=0, label="samples, by generator")
    if means is not None:
        left.scatter(*means.T, s=60, marker="+", color=_REAL, linewidths=0.7, alpha=0.5)
    left.set_xlabel(note)
    left.set_title(title, fontsize=10, loc="left")

    image = right.imshow(surface, extent=(-limit, limit) * 2, origin="lower", cmap="viridis", aspect="auto")
    figure.colorbar(image, ax=right, fraction=0.05)
    at = np.linspace(-limit, limit, len(field))
    lengths = np.linalg.norm(field, axis=-1)
    typical = max(float(np.median(lengths)), 1e-30)
    directions = field / np.maximum(lengths, 1e-30)[..., None]
    alpha = np.clip(lengths / typical, 0.15, 1.0)
    right.quiver(at, at, directions[..., 0], directions[..., 1], color=_ARROW, alpha=alpha.ravel(), scale=1.25 * len(field), width=0.004)
    right.scatter(*fake.T, s=1.5, color=_FAKE, alpha=0.5, linewidths=0)
    kinds = left.get_legend_handles_labels()
    right.legend(*kinds, loc="lower right", bbox_to_anchor=(1.0, 1.0), markerscale=4, frameon=False, fontsize=8, ncols=2)
    right.set_xlabel("what D says, and where G's samples would go")
    for axes in (left, right):
        axes.set_xlim(-limit, limit)
        axes.set_ylim(-limit, limit)
        axes.set_box_aspect(1)
        axes.tick_params(labelsize=8)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
