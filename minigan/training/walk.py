"""Walks through the latent space of a saved run: a strip of pictures (PNG) and an animation (GIF).

python -m minigan.training.walk runs/mnist_gan
python -m minigan.training.walk runs/mnist_gan --direction 3:8   # from threes to eights
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..arrays import DeviceError, Generator, resolve_device
from ..gan.latents import WAYS, equal_labels, interpolate
from ..viz import image_grid, save_gif, save_grid
from .cli import SEED, number
from .direction import find_direction, try_direction
from .pretrained import generate, load_generator
from .terminal import program

FRAMES = 30  # of the animation, for one way
LENGTH = 1.5  # of a walk along a direction, in distances of the two means


def save_walk(
    generator: nn.Module, latent_dim: int, prefix: str | Path, rows: int = 5, steps: int = 10,
    mode: str = "slerp", seed: int = 0,
    classes: int = 0,
) -> tuple[Path, Path]:  # fmt: skip
    """Draw `rows` walks, each from one random latent vector to another, into <prefix>.png and
    <prefix>.gif.

    The strip has a row of `steps` pictures for each walk; in the animation all walk at once, there
    and back, for ever. Of a conditional generator each walk has one of the `classes`.
    """
    return _save(
        generator, prefix, Generator(seed).normal((2, rows, latent_dim)), steps, mode, classes
    )


def _save(generator, prefix, ends, steps, mode, classes=0) -> tuple[Path, Path]:
    """The pictures on the ways between ends (2, rows, latent_dim)."""
    rows, latent_dim = ends.shape[1:]

    def pictures(n):
        """(n, rows, C, H, W): n points of each walk."""
        labels = [np.tile(equal_labels(rows, classes).numpy(), n)] if classes else []
        images = generate(generator, interpolate(*ends, n, mode).reshape(-1, latent_dim), *labels)
        return images.reshape(n, rows, *images.shape[1:])

    png, gif = Path(f"{prefix}.png"), Path(f"{prefix}.gif")
    strip = pictures(steps).swapaxes(0, 1)
    save_grid(png, strip.reshape(-1, *strip.shape[2:]), rows, steps)
    frames = [
        image_grid(frame, math.isqrt(rows)).repeat(2, 0).repeat(2, 1) for frame in pictures(FRAMES)
    ]
    save_gif(gif, [*frames, *frames[-2:0:-1]], ms_per_frame=80, hold_last=80)
    return png, gif


def save_direction(
    generator: nn.Module, config: dict[str, Any], prefix: str | Path, a: int, b: int,
    rows: int = 5, steps: int = 10, length: float = LENGTH, seed: int = 0, say=print,
) -> tuple[Path, Path]:  # fmt: skip
    """Draw `rows` walks as `save_walk` does, from samples of digit a along the direction to digit
    b, and say of how many the classifier calls the end b, beside a random direction.

    length : of each walk, in multiples of the distance of the two digits' mean latent vectors
    """
    found = find_direction(generator, config, a, b, seed)
    way = length * found.vector
    tried = try_direction(generator, found.starts, way, b, seed)
    rows = min(rows, len(found.starts))
    say(
        f"direction {a}:{b}: from the mean z of {found.found[0]} samples of {a} to that of "
        f"{found.found[1]} of {b}, {np.linalg.norm(found.vector):.2f} long, times {length:g}"
    )
    for what, ends in (("this direction", tried.along), ("a random one as long", tried.control)):
        say(
            f"{what}: {ends[:rows].sum()} of {rows} rows end as {b}; of all {len(ends)} other "
            f"samples of {a}: {ends.mean():.1%}"
        )
    starts = found.starts[:rows]
    ends = np.stack([starts, starts + way]).astype(np.float32)
    return _save(generator, prefix, ends, steps, "linear")


def digits(text: str) -> tuple[int, int]:
    """An argparse type: two different digits, "3:8"."""
    a, colon, b = text.partition(":")
    if not (colon and len(a) == len(b) == 1 and (a + b).isdecimal() and a != b):
        raise argparse.ArgumentTypeError(f"expected two different digits such as 3:8, not {text!r}")
    return int(a), int(b)


@program
def main(arguments=None) -> int:
    p = argparse.ArgumentParser(
        prog="python -m minigan.training.walk", description=__doc__.splitlines()[0]
    )
    p.add_argument("run", help="folder of a run, such as runs/mnist_gan")
    p.add_argument(
        "--steps",
        type=number(int, 2),
        default=10,
        help="pictures in a row of the strip (default %(default)s)",
    )
    p.add_argument("--rows", type=number(int, 1), default=5, help="walks (default %(default)s)")
    p.add_argument(
        "--mode",
        choices=WAYS,
        default="slerp",
        help="along the sphere, or straight (default %(default)s)",
    )
    p.add_argument(
        "--direction",
        type=digits,
        metavar="A:B",
        help="walk from samples of digit A in the direction of digit B, straight; prints how many "
        "become B",
    )
    p.add_argument(
        "--length",
        type=number(float, above=0),
        default=LENGTH,
        help="of a walk with --direction, in distances of the digits' mean z (default %(default)s)",
    )
    p.add_argument("--seed", type=SEED, default=0, help="of the walks' ends (default %(default)s)")
    p.add_argument("--out", help="where: OUT.png and OUT.gif are written (default: RUN/walk)")
    p.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:N or auto")
    options = p.parse_args(arguments)
    prefix = options.out or Path(options.run) / "walk"
    try:
        generator, config = load_generator(options.run, resolve_device(options.device))
        rows, steps, seed = options.rows, options.steps, options.seed
        if options.direction:
            a, b = options.direction
            pictures = save_direction(
                generator, config, prefix, a, b, rows, steps, options.length, seed
            )
        else:
            pictures = save_walk(
                generator, config["latent_dim"], prefix, rows, steps, options.mode, seed,
                config.get("classes", 0),
            )  # fmt: skip
    except (DeviceError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"error: cannot write {prefix}.png and .gif ({error.strerror}): name another place "
            "with --out",
            file=sys.stderr,
        )
        return 2
    print("written: " + " and ".join(map(str, pictures)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
