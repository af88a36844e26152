"""What `draw` writes of samples that are no pictures: as they are shown, or as arrays."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..data.files import write_atomic

AT_ONCE = 250  # samples


def sampled(game: Any, inputs: Sequence[Tensor]) -> np.ndarray:
    """What a game makes of its inputs, so many at a time."""
    return np.concatenate([
        game.sample(*[x[i : i + AT_ONCE] for x in inputs]).cpu().numpy()
        for i in range(0, len(inputs[0]), AT_ONCE)
    ])  # fmt: skip


def written(
    game: Any, samples: np.ndarray, what: str, options: Any, most: int | None = None
) -> str:
    """Samples in the form that --out asks for: all in one file, as the game shows them; a file for
    each, in a folder; or FILE.npz. What was written, for people.

    what : samples are;  most : of them the game shows in one file, the first ones; None: all
    """
    picture = game.pictured(samples)
    out = Path(options.out or Path(options.run) / f"drawn{picture.suffix}")
    kinds = (picture.suffix, *getattr(picture, "others", ()))
    if out.suffix in kinds:
        picture.save(out)
        if most is not None and len(samples) > most:
            return f"{most} of {len(samples)} {what} in {out} (--out FILE.npz has all)"
    elif out.suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, samples=samples)
        write_atomic(out, buffer.getvalue())
    elif out.suffix:
        known = ", ".join(f"FILE{suffix}" for suffix in kinds)
        raise ValueError(
            f"--out {out}: {what} are written as {known}, FILE.npz (samples), or into a folder"
        )
    else:
        for i in range(len(samples)):
            game.pictured(samples[i : i + 1]).save(out / f"{i:05d}{picture.suffix}")
    return f"{len(samples)} {what} in {out}"
