"""VAEGAN: a VAE for which near is what a discriminator finds near.

    python -m minigan train vaegan
    python -m minigan measure runs/vaegan --control

Algorithm (Larsen et al. 2016, Algorithm 1), three players from the same point, with x~ = G(z), z ~
q(z|x), x_p = G(z_p), z_p ~ N(0, I), and D_l the first hidden layer of D:

    E descends  KL(q(z|x) || N(0, I)) + L                      L = E |D_l(x) - D_l(x~)|^2 / 2
    G descends  gamma L - E log D(x~) - E log D(x_p)
    D ascends   E log D(x) + E log(1 - D(x~)) + E log(1 - D(x_p))

(`minigan.gan.VAEGAN`; the paper's G ascends D's loss, which vanishes where D is sure.)

What to look at: samples/*.png, two rows of test images over their reconstructions, then samples:
sharp, where those of `vae` are blurred. What shows that it works: its samples are nearer to data
(Frechet distance) and as sharp (variance of the Laplacian), and what it reconstructs is nearer to
its image as a classifier sees it.
Control: the VAE of the same encoder and generator, without a D.
"""

from __future__ import annotations

import numpy as np

from ..gan import VAE
from ..gan import VAEGAN as Game
from ..metrics import describe
from ..training.cli import number
from .evidence import digits_of, drawn, image_rows, reference, some_images
from .parts import Images
from .reconstruct import Reconstructing, in_batches
from .system import Row
from .vae import encoder, generator

LAYER = -3  # D_l ends here: the first hidden layer, of two, tells more of an image than the last


class VAEGAN(Reconstructing):
    """A VAE whose reconstructions shall be near their images in the features of a D that tells
    them from data."""

    paper = (
        "Larsen, Sonderby, Larochelle, Winther 2016, Autoencoding beyond pixels using a learned "
        "similarity metric, arXiv:1512.09300"
    )
    control = "a VAE of the same encoder and generator, without a D"
    defaults = {"lr": 1e-3, "b1": 0.5, "latent_dim": 20, "epochs": 20}

    def options(self, parser):
        super().options(parser)
        parser.add_argument(
            "--gamma",
            type=number(float, 0),
            default=1.0,
            help="weight of the distance in D's features for G (default %(default)s)",
        )

    def game(self, c):
        E, G = encoder(c), generator(c)
        if c.control:
            return VAE(E, G, c.latent_dim)
        return Game(E, G, Images(c).critic(), c.latent_dim, c.gamma, LAYER)

    def measure(self, game, c, samples, device):
        test, images = some_images(digits_of(c, "test"), samples), drawn(game, samples, device)[0]
        net = reference(c, device).classifier
        real, again = (describe(x, net) for x in (test, in_batches(game.reconstruct, test, device)))
        far = ((real.features - again.features) ** 2).sum(1).mean()
        apart = ((real.features - real.features[::-1]) ** 2).sum(1).mean()
        return [
            Row("feature distance", float(far / apart), better="down",
                note="of test images and reconstructions, squared, in a classifier's features; "
                "two images: 1"),
            Row("sharpness", sharpness(images), sharpness(test),
                note="of samples: variance of the Laplacian"),
            Row("same digit", float((real.digits == again.digits).mean()), 1.0,
                note="the classifier says the same of image and reconstruction"),
            *image_rows(game, c, samples, device, ("frechet", "precision", "recall"), images),
        ]  # fmt: skip


def sharpness(images: np.ndarray) -> float:
    """The variance of the Laplacian of images (N, 1, H, W), a mean over them: low for blurred
    ones."""
    x = images[:, 0].astype(np.float64)
    edges = (
        x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:] - 4 * x[:, 1:-1, 1:-1]
    )
    return float(edges.reshape(len(x), -1).var(1).mean())
