"""Completion: one network for what is hidden of a picture, whatever is known of it.

    python -m minigan train completion
    python -m minigan measure runs/completion --control

Algorithm (Goodfellow et al. 2014, section 6: all conditionals p(x_S | x_not S) by one family of
models with shared parameters, here as a conditional GAN). m is a random mask, 1 where x is known:
it hides a rectangle, a half, single pixels, or everything. With y = G(z, m x, m) and x^ = m x +
(1 - m) y:

    D ascends   E log D(x, m x, m) + E log(1 - D(x^, m x, m))
    G descends  -E log D(x^, m x, m) + lambda E |m (x - y)|_1

(`minigan.gan.Completion`). With nothing known it is a GAN: so `draw` draws whole pictures.

What to look at: samples/*.png, in each row what is known of a test image, four completions, and
the image. What shows that it works: the lower half of test digits is hidden; the completed digit
is, for a classifier, the right one; two completions of one digit differ about as much as one does
from the truth, as independent draws from p(x_S | x_not S) would.
Control: both players are told nothing of what is known, which is only pasted in.
"""

from __future__ import annotations

import math

import numpy as np

from .. import nn
from ..arrays import Generator, to_device
from ..autograd import tensor_of
from ..gan import Completion as Game
from ..gan.completion import OfBoth
from ..metrics import describe, nearest_images
from ..metrics.rows import subset
from ..training.cli import number
from ..viz import Grid
from .evidence import BATCH, digits_of, image_rows, reference, some_images
from .parts import layers
from .system import Row, System

ANSWERS = 4  # completions that are shown of each image
NEIGHBOURS = 1000  # test digits that are completed from their nearest neighbour, for comparison


class Completion(System):
    """What is hidden of a picture is drawn, given what is known, by one network for every mask."""

    paper = (
        "Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, section 6, point 3"
    )
    control = "both players are told nothing of what is known"
    defaults = {"lr": 3e-4, "latent_dim": 64, "epochs": 20, "ema": 0.999}

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument(
            "--d-lr",
            type=number(float, above=0),
            default=1e-3,
            help="D's learning rate; a slower D is soon fooled (default %(default)s)",
        )
        p.add_argument(
            "--weight",
            type=number(float, 0),
            default=10.0,
            help="lambda, of the known pixels' mean absolute error (default %(default)s)",
        )

    def game(self, c):
        n = math.prod(c.image_shape)
        seen = n + math.prod(c.image_shape[1:])  # numbers: m x and m
        G = [*layers(c.latent_dim + seen, 1024, 1024, n), nn.Tanh()]
        G.append(nn.Unflatten(1, tuple(c.image_shape)))
        D = layers(n + seen, 512, 256, 1)
        shape = tuple(c.image_shape)
        parts = OfBoth(nn.Sequential(*G)), OfBoth(nn.Sequential(*D))
        return Game(*parts, c.latent_dim, shape, c.weight, sees=not c.control)

    def shown(self, data, options):
        return self.held_out(data, options)

    def exhibit(self, game, data, generator, device):
        masks = to_device(shown_masks(*game.image_shape[1:]), device)
        mask, n = tensor_of(masks), len(masks)
        x = some_images(data, n)
        real = tensor_of(to_device(x, device))
        latents = [tensor_of(generator.normal((n, game.latent_dim), device=device))
                   for _ in range(ANSWERS)]  # fmt: skip

        def picture():
            answers = [game.complete(real, mask, z).cpu().numpy() for z in latents]
            rows = np.stack([(mask * real).cpu().numpy(), *answers, x], 1)
            return Grid(rows.reshape(-1, *rows.shape[2:]), n, ANSWERS + 2)

        return picture

    def measure(self, game, c, samples, device):
        test = digits_of(c, "test")
        x, labels = some_images(test, samples), subset(test.labels, samples)
        mask = halves(*c.image_shape[1:])[0][None]
        one, two = (completed(game, x, mask, device, seed) for seed in (0, 1))
        net = reference(c, device).classifier
        of = lambda images: float((describe(images, net).digits == labels[: len(images)]).mean())
        far = lambda a, b: float((((a - b) * (1 - mask)) ** 2).mean())
        return [
            Row("right digit", of(one), of(x), target=0.9,
                note="the classifier, of test digits whose lower half is completed"),
            Row("nearest half", of(from_neighbours(c, x[:NEIGHBOURS], mask)), of(x[:NEIGHBOURS]),
                note="the same with the lower half of the training image with the nearest upper"),
            Row("variety", far(one, two) / far(one, x), 1.0,
                note="squared distance of two completions, over that of one from the truth"),
            *image_rows(game, c, samples, device, ("frechet",), one),
        ]  # fmt: skip


def halves(height: int, width: int) -> np.ndarray:
    """(4, 1, height, width): masks that hide the lower, upper, right and left half."""
    masks = np.zeros((4, 1, height, width), np.float32)
    masks[0, :, : height // 2] = masks[1, :, height // 2 :] = 1
    masks[2, :, :, : width // 2] = masks[3, :, :, width // 2 :] = 1
    return masks


def shown_masks(height: int, width: int) -> np.ndarray:
    """(8, 1, height, width): the halves, a hole, all but the middle, one pixel of ten, nothing."""
    masks = np.zeros((8, 1, height, width), np.float32)
    middle = (..., slice(height // 4, -(height // 4)), slice(width // 4, -(width // 4)))
    masks[:4] = halves(height, width)
    masks[4], masks[5][middle] = 1, 1
    masks[4][middle] = 0
    masks[6] = Generator(0).uniform((1, height, width)) < 0.1
    return masks


def completed(game, images: np.ndarray, mask: np.ndarray, device, seed: int) -> np.ndarray:
    """Each image with what the mask hides as the game completes it, once."""
    latents, found = Generator(seed).normal((len(images), game.latent_dim)), []
    m = tensor_of(to_device(mask, device))
    for i in range(0, len(images), BATCH):
        x, z = (tensor_of(to_device(a[i : i + BATCH], device)) for a in (images, latents))
        found.append(game.complete(x, m, z).cpu().numpy())
    return np.concatenate(found)


def from_neighbours(c, images: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Each image with what the mask hides from the training image whose known part is nearest."""
    training = some_images(digits_of(c, "train"), 10**9)
    known = np.broadcast_to(mask[0], images.shape[1:]) > 0
    near = nearest_images(images[:, known], training[:, known])[1][:, 0]
    return mask * images + (1 - mask) * training[near]
