"""Views: what is done with examples before D sees them, with real and fake ones alike, in D's moves
and in G's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import Tensor
from ..ops import arange, rand, randint, randn_like, where
from ..ops.padding import pad


class InstanceNoise:
    """Normal noise on everything that D sees: Sonderby et al. 2017; Arjovsky and Bottou 2017. Both
    distributions then overlap.

    std : its standard deviation at the start
    steps : it goes down linearly to 0 in this many moves of D; None: it stays
    """

    name = "noise"

    def __init__(self, std: float = 0.1, steps: int | None = None):
        if std < 0 or (steps is not None and steps < 1):
            raise ValueError(
                f"InstanceNoise: std={std}, steps={steps}: expected at least 0, and at least 1 or "
                "None"
            )
        self.std = std
        self.steps = steps
        self.made = 0

    def __call__(self, x: Tensor) -> Tensor:
        left = 1.0 if self.steps is None else max(0.0, 1 - self.made / self.steps)
        return x + randn_like(x.detach()) * (self.std * left) if self.std * left else x

    def after_step(self) -> None:
        """Called after D's step."""
        if self.steps is not None:
            self.made += 1

    def state_dict(self) -> dict[str, Any]:
        """The moves made; of noise that stays nothing, so that a step can be recorded."""
        return {} if self.steps is None else {"made": self.made}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` gave."""
        if self.steps is not None:
            self.made = int(state["made"])


class Pack:
    """PacGAN, Lin et al. 2018, section 2: D judges m examples at once, side by side as channels:
    (N, C, ...) -> (N / m, m C, ...).

    A G without variety is then told by its packs. D must be made for m C channels (m C numbers for
    vectors).

    size : m; it must divide the batch
    """

    name = "pack"

    def __init__(self, size: int = 2):
        if size < 1:
            raise ValueError(f"Pack: size={size} must be positive")
        self.size = size

    def __call__(self, x: Tensor) -> Tensor:
        n, c, *rest = x.shape
        if n % self.size:
            raise ValueError(
                f"Pack: a batch of {n} cannot be divided into packs of {self.size}: choose "
                "another batch size"
            )
        return x.reshape(n // self.size, self.size * c, *rest)


# --- augmentation: Zhao et al. 2020 (DiffAugment), section 3 and their program ---


def _each(x: Tensor) -> Tensor:
    """U(0, 1) for each image."""
    return rand(len(x), 1, 1, 1, dtype=x.dtype, device=x.device)


def color(x: Tensor) -> Tensor:
    """Each image brighter by U(-0.5, 0.5); its colours from grey scaled by U(0, 2); then its
    contrast by U(0.5, 1.5)."""
    x = x + (_each(x) - 0.5)
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * (_each(x) * 2) + grey
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * (_each(x) + 0.5) + mean


def translation(x: Tensor, ratio: float = 0.125) -> Tensor:
    """Each image shifted by up to `ratio` of its size in both directions; zeros come in."""
    n, _, height, width = x.shape
    reach = [int(size * ratio + 0.5) for size in (height, width)]
    down, right = (randint(-r, r + 1, (n, 1), device=x.device) for r in reach)
    rows = arange(height, device=x.device) + down + reach[0]
    columns = arange(width, device=x.device) + right + reach[1]
    wide = pad(x, (reach[1], reach[1], reach[0], reach[0]))
    moved = wide.permute(0, 2, 3, 1)[
        arange(n, device=x.device)[:, None, None], rows[:, :, None], columns[:, None, :]
    ]
    return moved.permute(0, 3, 1, 2)


def cutout(x: Tensor, ratio: float = 0.5) -> Tensor:
    """A rectangle of `ratio` of each side set to zero, its centre anywhere in each image."""
    n, _, height, width = x.shape
    inside = []
    for size, shape in ((height, (n, 1, height, 1)), (width, (n, 1, 1, width))):
        hole = int(size * ratio + 0.5)
        start = randint(0, size + (1 - hole % 2), (n, 1), device=x.device) - hole // 2
        at = arange(size, device=x.device)
        inside.append(((at >= start) & (at < start + hole)).reshape(shape))
    return where(inside[0] & inside[1], 0.0, x)


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    f.__name__: f for f in (color, translation, cutout)
}


class DiffAugment:
    """Zhao et al. 2020: random changes of every image that D sees; gradients flow through them to
    G. For small data sets.

    policy : names out of `AUGMENTATIONS`, joined by commas; images (N, C, H, W)
    """

    name = "augment"

    def __init__(self, policy: str = "color,translation,cutout"):
        names = [n.strip() for n in policy.split(",")]
        if unknown := [n for n in names if n not in AUGMENTATIONS]:
            raise ValueError(
                f"DiffAugment: policy {policy!r}: {unknown[0]!r} is not one of "
                f"{', '.join(AUGMENTATIONS)}"
            )
        self.changes = [AUGMENTATIONS[n] for n in names]

    def __call__(self, x: Tensor) -> Tensor:
        if x.ndim != 4:
            raise ValueError(
                f"DiffAugment: expected images (N, C, H, W), got shape {tuple(x.shape)}"
            )
        for change in self.changes:
            x = change(x)
        return x


VIEWS: dict[str, Callable[..., Any]] = {v.name: v for v in (InstanceNoise, DiffAugment, Pack)}
