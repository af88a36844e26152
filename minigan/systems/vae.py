"""VAE: codes of pictures, and pictures of codes, by a bound of the likelihood.

    python -m minigan train vae
    python -m minigan measure runs/vae --control

Algorithm (Kingma and Welling 2014, Algorithm 1 with the estimator of equation 10): E and G ascend
the evidence lower bound

    E_q log p(x|z) - KL(q(z|x) || N(0, I)),   q(z|x) = N(m(x), diag v(x)),   z = m + sqrt(v) eps

from the same point (`minigan.gan.VAE`). Pixels lie in [0, 1] and p(x|z) is Bernoulli: a grey value
is the probability of white.

What to look at: samples/*.png, two rows of test images over their reconstructions, then samples:
blurred, but of all kinds. What shows that it works: the bound on test images, in nats, and a
tighter one, weighted by importance (Burda et al. 2016): log mean_k p(x|z_k) p(z_k) / q(z_k|x).
Control: G gets noise in place of the code, so that it can only draw the mean image.
"""

from __future__ import annotations

import math

import numpy as np

from .. import nn
from ..arrays import Generator, to_device
from ..autograd import no_grad, tensor_of
from ..gan import VAE as Game
from ..gan.vae import cross_entropy, gaussian_kl
from .evidence import BATCH, digits_of, image_rows, some_images
from .parts import layers
from .reconstruct import Reconstructing
from .system import Row

DRAWS = 20  # of z for each test image


class VAE(Reconstructing):
    """An encoder and a generator that together bound the likelihood of data from below."""

    paper = "Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114"
    control = "G gets noise in place of the code"
    averaged = None
    defaults = {"lr": 1e-3, "b1": 0.9, "latent_dim": 20, "epochs": 20}

    def game(self, c):
        return Game(encoder(c), generator(c), c.latent_dim, coded=not c.control)

    def measure(self, game, c, samples, device):
        test = some_images(digits_of(c, "test"), samples)
        bound, weighted, kl = bounds(game, test, device)
        return [
            Row("ELBO", bound, target=-105.0, note="nats, of test images"),
            Row("weighted bound", weighted, note=f"nats, {DRAWS} draws of z for each image"),
            Row("KL", kl, note="nats that a code tells of its image"),
            *image_rows(game, c, samples, device, ("frechet", "precision", "recall")),
        ]


def encoder(c) -> nn.Module:
    """pixels-512-512-(m, log v)"""
    n = math.prod(c.image_shape)
    return nn.Sequential(nn.Flatten(), *layers(n, 512, 512, 2 * c.latent_dim, activation=nn.ReLU))


def generator(c) -> nn.Module:
    """z-512-512-logits of the pixels"""
    n = math.prod(c.image_shape)
    parts = layers(c.latent_dim, 512, 512, n, activation=nn.ReLU)
    return nn.Sequential(*parts, nn.Unflatten(1, tuple(c.image_shape)))


def bounds(game, images: np.ndarray, device, draws: int = DRAWS) -> tuple[float, float, float]:
    """(ELBO, the bound weighted by importance, KL) in nats, means over images in [-1, 1], with so
    many draws of z for each."""
    generator, found = Generator(0), []
    with no_grad():
        for i in range(0, len(images), BATCH):
            x = tensor_of(to_device(images[i : i + BATCH], device))
            mean, log_var = game.encode(x)
            kl, errors, weights = gaussian_kl(mean, log_var), [], []
            for _ in range(draws):
                eps = tensor_of(generator.normal(tuple(mean.shape), device=device))
                z = mean + (0.5 * log_var).exp() * eps
                errors.append(cross_entropy(game.G(z), x).cpu().numpy().astype(np.float64))
                # log p(z) - log q(z|x): the constants cancel
                ratio = 0.5 * (eps * eps + log_var - z * z).sum(1)
                weights.append(ratio.cpu().numpy() - errors[-1])
            most, told = np.max(weights, 0), kl.cpu().numpy()
            weighted = most + np.log(np.mean(np.exp(weights - most), 0))
            found.append((-np.mean(errors, 0) - told, weighted, told))
    means = [float(np.concatenate(part).mean()) for part in zip(*found)]
    return means[0], means[1], means[2]
