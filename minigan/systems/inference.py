"""Inference: the z of a picture, by an encoder for a generator that is finished.

    python -m minigan train gan
    python -m minigan train inference --of runs/gan
    python -m minigan measure runs/inference --control

Algorithm (Goodfellow et al. 2014, section 6, after wake-sleep): G is frozen; E descends, on samples
of G alone, E |z - E(G(z))|^2 (`minigan.gan.Inference`). Any run whose G makes pictures of z alone
will do; its folder must stay where it is, since this run holds E only.

What to look at: samples/*.png, two rows of test images over G(E(x)), then samples over theirs. What
shows that it works: how much of a new z's variance E tells (R^2); test images, which neither has
seen in training E, are nearer to their G(E(x)) than to the nearest of 10,000 samples.
Control: E is shown the sample of another z, so that the best it can tell is the mean of all z.
"""

from __future__ import annotations

import math
import os

import numpy as np

from .. import nn
from ..arrays import Generator
from ..autograd import no_grad
from ..gan import Inference as Game
from ..metrics import nearest_images
from ..metrics.classifier import digest_of
from ..training.cli import number
from .evidence import digits_of, drawn, some_images
from .loading import load_game
from .parts import layers
from .reconstruct import Reconstructing, reconstructed
from .system import Row

SAMPLES = 10_000  # among which the nearest to a test image is sought
TESTED = 1000  # test images


class Inference(Reconstructing):
    """An encoder that tells the z of a picture, for the generator of a finished run."""

    paper = (
        "Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, section 6, point 2"
    )
    control = "E is shown the sample of another z"
    averaged = "E"
    defaults = {"epochs": 10, "ema": 0.999}

    def options(self, parser):
        p = parser
        p.add_argument("--of", metavar="RUN", help="folder of the run whose G it is for")
        p.add_argument(
            "--lr",
            type=number(float, above=0),
            default=1e-3,
            help="Adam's learning rate (default %(default)s)",
        )
        p.add_argument(
            "--b1",
            type=number(float, 0, below=1),
            default=0.9,
            help="Adam's decay of the mean (default %(default)s)",
        )

    def facts(self, data, c):
        if c.of is None:
            raise ValueError("--of RUN: say whose G the encoder is for, such as --of runs/gan")
        G, found = finished(c.of)
        if found.dataset != data.name:
            raise ValueError(
                f"{c.of} was trained on {found.dataset!r}, not on {data.name!r}: give it by "
                "--dataset, too"
            )
        own = {"of": os.path.abspath(c.of), "of_digest": digest_of(G)}
        return super().facts(data, c) | own | {"latent_dim": found.latent_dim}

    def game(self, c):
        G, _ = finished(c.of)
        if digest_of(G) != c.of_digest:
            raise ValueError(f"the G of {c.of} is not the one of before: that run was trained on")
        sizes = math.prod(c.image_shape), 1024, 1024, 512, c.latent_dim
        return Game(nn.Sequential(nn.Flatten(), *layers(*sizes)), G, c.latent_dim, not c.control)

    def measure(self, game, c, samples, device):
        images, (z,) = drawn(game, max(samples, SAMPLES), device, seed=1)
        parts = [told(game, z[i : i + TESTED]) for i in range(0, samples, TESTED)]
        error, size = np.sum(parts, 0)
        test = some_images(digits_of(c, "test"), min(samples, TESTED))
        again = reconstructed(game, test, device)
        near = nearest_images(test, images[:SAMPLES])[0].mean()
        return [
            Row("R^2 of z", float(1 - error / size), target=0.8, note="on new z"),
            Row("test distance", float(np.sqrt(((test - again) ** 2).sum((1, 2, 3))).mean()),
                better="down", target=float(near),
                note="of G(E(x)) from x; target: of the nearest of 10,000 samples"),
        ]  # fmt: skip


def finished(folder: str):
    """(the frozen G of a run, the run's facts); ValueError where its pictures are not G(z)."""
    kind, game, c, _ = load_game(folder)
    G = game.players.get("G")
    inputs = game.inputs(2, Generator(0))
    if G is None or len(inputs) != 1 or not hasattr(c, "image_shape"):
        raise ValueError(f"{folder}: the pictures of {kind.name} are not made of z alone by a G")
    with no_grad():
        if not np.allclose(G(*inputs).numpy(), game.sample(*inputs).numpy()):
            raise ValueError(f"{folder}: the pictures of {kind.name} are not what its G gives")
    return G, c


def told(game, z) -> tuple[float, float]:
    """(sum of |z - E(G(z))|^2, sum of |z|^2)"""
    found, z = (x.cpu().numpy().astype(np.float64) for x in (game.encode(game.sample(z)), z))
    return float(((z - found) ** 2).sum()), float((z**2).sum())
