"""LAPGAN: a small picture is drawn, then details into it, size by size, each by a GAN of its own.

    python -m minigan train lapgan
    python -m minigan measure runs/lapgan --control

Algorithm (Denton et al. 2015, Algorithm 1; `minigan.gan.LAPGAN`). I_0 is a picture of the data,
I_(k+1) = down(I_k) has half its sides, l_k = up(I_(k+1)) twice those again, and h_k = I_k - l_k is
what it lacks. Of each size but the smallest, 7x7,

    D_k ascends   E log D_k(h_k, l_k) + E log(1 - D_k(G_k(z_k, l_k), l_k))
    G_k descends  - E log D_k(G_k(z_k, l_k), l_k)

and of the smallest a plain GAN of I_k. Levels know nothing of each other: one round moves all. A
sample goes up the pyramid: x <- up(x) + G_k(z_k, up(x)).

What to look at: samples/*.png, in each column a sample at 7x7, 14x14 and 28x28. What shows that it
works: the Frechet distance is below that of one GAN at a single scale that has learnt for as many
seconds. Control: that GAN, whose networks are those of the smallest level; it makes 2.3 times as
many epochs, as a round of it takes 16 ms where one of the pyramid takes 38 (of a processor's time).
"""

from __future__ import annotations

import numpy as np

from ..autograd import tensor_of
from ..data import DataError
from ..gan.lapgan import LAPGAN as Game
from ..gan.lapgan import mlp_pyramid
from ..viz import Grid
from .evidence import image_rows
from .system import System, counts

COLUMNS = 10  # of what is shown


class LAPGAN(System):
    """A small picture is drawn, then details into it, size by size, each by a GAN of its own."""

    paper = (
        "Denton, Chintala, Szlam, Fergus 2015, Deep Generative Image Models using a Laplacian "
        "Pyramid of Adversarial Networks, arXiv:1506.05751"
    )
    control = "one GAN at a single scale, for as many seconds"
    control_epochs = 2.3
    defaults = {"epochs": 10, "ema": 0.999, "latent_dim": 64}

    def options(self, parser):
        super().options(parser)
        counts(
            parser,
            ("levels", 3, "sizes, each half as large as the one before"),
            ("width", 512, "units of the layers that draw details"),
        )

    def facts(self, data, c):
        sides = data.images.shape[2:]
        if any(side % 2 ** (c.levels - 1) for side in sides):
            raise DataError(
                f"--levels {c.levels}: pictures of {sides[0]}x{sides[1]} cannot be halved so often"
            )
        return super().facts(data, c)

    def game(self, c):
        levels = 1 if c.control else c.levels
        return Game(*mlp_pyramid(c.latent_dim, tuple(c.image_shape), levels, c.width))

    def exhibit(self, game, data, generator, device):
        latents = tensor_of(generator.normal((COLUMNS, game.latent_dim), device=device))

        def picture():
            made = [x.cpu().numpy() for x in game.levels(latents)]
            side = made[-1].shape[-1]
            rows = [x.repeat(side // x.shape[-1], 2).repeat(side // x.shape[-1], 3) for x in made]
            return Grid(np.concatenate(rows), len(rows), COLUMNS)

        return picture

    def measure(self, game, c, samples, device):
        return image_rows(game, c, samples, device)
