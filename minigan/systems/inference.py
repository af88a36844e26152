"""Inference: the z of a picture, by an encoder for a generator that is finished.

    python -m minigan train gan --latent-dim 10 --out runs/gan10
    python -m minigan train inference --of runs/gan10
    python -m minigan measure runs/inference --control

Algorithm (Goodfellow et al. 2014, section 6, after wake-sleep): G is frozen; E descends, on samples
of G alone, E |z - E(G(z))|^2 (`minigan.gan.Inference`). Any run whose G makes pictures of z alone
will do; its folder must stay where it is, since this run holds E only.

What to look at: samples/*.png, two rows of test images over G(E(x)), then samples. What shows that
it works: how much of a new z's variance E tells (R^2), and how much of that of its sample is in
G(E(G(z))); test images, which E has not seen, are nearer to their G(E(x)) than to the nearest of
10,000 samples. No E can tell what G does not show: of 100 latents, the singular values of the
derivative of `gan`'s G say, pictures show a dozen or two. Hence the ten above.
Control: E is shown the sample of another z, so that the best it can tell is the mean of all z.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import nn
from ..arrays import Generator
from ..gan import Inference as Game
from ..metrics import nearest_images
from .evidence import digits_of, drawn, some_images
from .of_run import OfRun
from .parts import layers
from .reconstruct import Reconstructing, in_batches
from .system import Row, adam_options

SAMPLES = 10_000  # among which the nearest to a test image is sought
TESTED = 1000  # test images


class Inference(OfRun, Reconstructing):
    """An encoder that tells the z of a picture, for the generator of a finished run."""

    paper = (
        "Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, section 6, point 2"
    )
    control = "E is shown the sample of another z"
    averaged = "E"
    defaults = {"epochs": 10, "ema": 0.999, "lr": 1e-3, "b1": 0.9}

    def options(self, parser):
        super().options(parser)
        adam_options(parser)

    def check(self, found):
        G: Any = found.game.players.get("G")
        inputs = found.game.inputs(2, Generator(0))
        if G is None or len(inputs) != 1 or not hasattr(found.c, "image_shape"):
            raise ValueError(f"the pictures of {found.system.name} are not made of z alone by a G")
        if not np.allclose(G(*inputs).numpy(), found.game.sample(*inputs).numpy()):
            raise ValueError(f"the pictures of {found.system.name} are not what its G gives")

    def game(self, c):
        finished = self.same(c).game
        sizes = math.prod(c.image_shape), 1024, 1024, 512, c.latent_dim
        E = nn.Sequential(nn.Flatten(), *layers(*sizes))
        G = finished.players["G"]
        return Game(E, G, c.latent_dim, finished.latent, paired=not c.control)

    def measure(self, game, c, samples, device):
        images, (z,) = drawn(game, max(samples, SAMPLES), device, seed=1)
        test, x = some_images(digits_of(c, "test"), min(samples, TESTED)), images[:samples]
        codes = in_batches(game.encode, x, device)
        again, new = (in_batches(game.reconstruct, some, device) for some in (test, x))
        near = nearest_images(test, images[:SAMPLES])[0].mean()
        return [
            Row("R^2 of z", explained(codes, z[:samples].cpu().numpy()), target=0.8,
                note="by E(G(z)), of new z"),
            Row("R^2 of G(z)", explained(new, x), note="by G(E(G(z))), of the same"),
            Row("test distance", float(np.sqrt(((test - again) ** 2).sum((1, 2, 3))).mean()),
                better="down", target=float(near),
                note="of G(E(x)) from x; target: of the nearest of 10,000 samples"),
        ]  # fmt: skip


def explained(found: np.ndarray, truth: np.ndarray) -> float:
    """R^2: 1 - sum |truth - found|^2 / sum |truth - its mean|^2, over the examples (N, ...)."""
    found, truth = found.astype(np.float64), truth.astype(np.float64)
    return float(1 - ((truth - found) ** 2).sum() / ((truth - truth.mean(0)) ** 2).sum())
