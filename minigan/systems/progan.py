"""ProGAN: networks that learn small pictures first, and grow.

    python -m minigan train progan
    python -m minigan train progan --start 32 --steps 4000     # at full size from the start
    python -m minigan measure runs/progan --control

Algorithm (Karras et al. 2018; `minigan.gan.ProGAN`). Pictures are framed to a side that is a power
of 2. Stage by stage, at 4x4, 8x8, ... pixels:

    D ascends   E D(x) - E D(G(z)) - 10 E (|grad D(x^)| - 1)^2 - 0.001 E D(x)^2
    G descends  - E D(G(z))

At each growth G and D get layers for twice the side; in --fade steps alpha goes from 0 to 1, and
their pictures from (1 - alpha) old way, doubled + alpha new way; the data's, too. Then --steps
follow, in the last stage --last. Equalised learning rates, pixelwise normalisation in G, the
deviation over the batch as a channel in D.

What to look at: samples/*.png, the growth strip: in each row the same z at one size. What shows
that it works: the Frechet distance is below that of the same networks at full size from the start
(--start) after as many seconds. Control: alpha = 1 from the start of each stage.
"""

from __future__ import annotations

import copy

import numpy as np

from ..autograd import tensor_of
from ..gan.progan import SMALLEST, GrowingDiscriminator, GrowingGenerator, full_side
from ..gan.progan import ProGAN as Game
from ..optim import Adam
from ..training.cli import number
from ..viz import Grid
from .evidence import image_rows, seconds_of
from .system import Row, System

COLUMNS = 10  # of the growth strip


class ProGAN(System):
    """Networks that learn small pictures first, and grow layers for larger ones."""

    paper = (
        "Karras, Aila, Laine, Lehtinen 2018, Progressive Growing of GANs for Improved Quality, "
        "Stability, and Variation, arXiv:1710.10196"
    )
    control = "alpha = 1 from the start of each stage: nothing is faded in"
    defaults = {"lr": 1e-3, "b1": 0.0, "latent_dim": 64, "batch_size": 16, "ema": 0.999}

    def options(self, parser):
        super().options(parser)
        p = parser
        for name, default, what in (
            ("fade", 600, "steps in which new layers are faded in"),
            ("steps", 600, "of a stage without those"),
            ("last", 1200, "of the last stage without those, in place of --steps"),
            ("width", 8, "channels of the largest maps; smaller ones have twice as many each"),
            ("most", 32, "channels of any maps"),
            ("start", SMALLEST, "side of the first pictures, a power of 2"),
        ):
            p.add_argument(f"--{name}", type=number(int, 1), default=default,
                           help=f"{what} (default %(default)s)")  # fmt: skip

    def facts(self, data, c):
        found = super().facts(data, c)
        possible = sides(found["image_shape"])
        if c.start not in possible:
            raise ValueError(f"--start {c.start}: expected one of {', '.join(map(str, possible))}")
        return found

    def stages(self, c):
        *smaller, last = [side for side in sides(c.image_shape) if side >= c.start]
        found = {f"{side}x{side}": c.steps for side in smaller} | {f"{last}x{last}": c.last}
        return {
            name: steps + (c.fade if n and not c.control else 0)
            for n, (name, steps) in enumerate(found.items())
        }

    def game(self, c):
        channels, widths = c.image_shape[0], widths_of(c)
        G = GrowingGenerator(c.latent_dim, widths, channels).at(c.start)
        D = GrowingDiscriminator(widths, channels).at(c.start)
        return Game(G, D, c.latent_dim, tuple(c.image_shape))

    def game_after(self, players, c):
        G, D = players["G"], players["D"]
        small = copy.deepcopy(G).eval().requires_grad_(False)
        G.grow()
        D.grow()
        before = [players[name] for name in sorted(players.keys() - {"G", "D"})]
        fade = 0 if c.control else c.fade
        return Game(G, D, c.latent_dim, tuple(c.image_shape), fade, (*before, small))

    def optimizers(self, game, c):
        return {n: Adam(m.parameters(), c.lr, (c.b1, 0.99)) for n, m in game.players.items()}

    def exhibit(self, game, data, generator, device):
        latents = tensor_of(generator.normal((COLUMNS, game.latent_dim), device=device))
        rows = len(sides(game.image_shape))

        def strip():
            made = [game.sized(G, latents).cpu().numpy() for G in (*game.before, game.G)]
            to_come = [np.full_like(made[0], -1)] * (rows - len(made))
            return Grid(np.concatenate([*made, *to_come]), rows, COLUMNS)

        return strip

    def measure(self, game, c, samples, device):
        return [
            *image_rows(game, c, samples, device),
            Row("seconds", seconds_of(c), better="down", note="of training, as it was logged"),
        ]


def sides(image_shape) -> list[int]:
    """Of all sizes that are played."""
    found = [SMALLEST]
    while found[-1] < full_side(image_shape):
        found.append(2 * found[-1])
    return found


def widths_of(c) -> tuple[int, ...]:
    """Channels of the maps of each size, from the smallest."""
    n = len(sides(c.image_shape))
    return tuple(min(c.most, c.width * 2**i) for i in reversed(range(n)))
