"""G against D with any objective, penalty, constraint and trick (docs/games.md), and the systems
that are one choice of these switches."""

from __future__ import annotations

from ..training.options import (
    augmentation,
    build_constraints,
    build_game,
    build_optimizers,
    build_players,
)
from ..training.switches import add_networks, add_switches, recipe
from .evidence import image_rows
from .system import System, b2_option


class Switched(System):
    """A GAN of images with any of the switches: by default the classic MLP GAN with the
    non-saturating loss."""

    paper = "Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661"
    defaults = {"lr": 1e-3}

    def recipe(self, words):
        found = recipe(words, self.defaults.get("model", "mlp"))
        return {k: v for k, v in found.items() if k not in self.defaults}

    def options(self, parser):
        super().options(parser)
        b2_option(parser)
        add_networks(parser)
        add_switches(parser)

    def facts(self, data, c):
        return super().facts(data, c) | augmentation(c.augment, data)

    def complete(self, config):
        found = super().complete(config)
        if found["model"] == "conv" and "d_features" not in config:  # D was half as wide then
            found["d_features"] = max(1, (found["features"] or 16) // 2)
        return found

    def players(self, config):
        """New networks (G, D)."""
        if config["model"] == "mlp":
            if config["features"] not in (None, self.defaults.get("features")):
                raise ValueError(
                    "--features is for networks with convolutions: --model mlp has no channels"
                )
            config = config | {"features": None}
        return build_players(config)

    def game(self, c):
        return build_game(*self.players(vars(c)), vars(c))

    def optimizers(self, game, c):
        return build_optimizers(game, vars(c))

    def constraints(self, game, c):
        return build_constraints(vars(c))

    def measure(self, game, c, samples, device):
        return image_rows(game, c, samples, device)


class DCGAN(Switched):
    """Convolutions with batch normalisation, transposed ones in G."""

    paper = (
        "Radford, Metz, Chintala 2016, Unsupervised Representation Learning with Deep "
        "Convolutional Generative Adversarial Networks, arXiv:1511.06434"
    )
    defaults = {"model": "dcgan", "lr": 1e-3, "epochs": 5, "ema": 0.99, "features": 32}


class WGANGP(Switched):
    """A critic of the Wasserstein distance whose gradient is kept near length 1 by a penalty; five
    ascents for a descent."""

    paper = "Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028"
    defaults = {
        "objective": "wasserstein", "penalty": ["gradient"], "k": 5, "lr": 1e-4, "b1": 0.0,
        "b2": 0.9, "epochs": 30, "ema": 0.999,
    }  # fmt: skip


class LSGAN(Switched):
    """D is told 1 for real and 0 for fake, and both are far from it by the square: fakes that are
    right but far from the data are pulled, too."""

    paper = "Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv:1611.04076"
    defaults = {"objective": "lsgan", "lr": 1e-3, "epochs": 30, "ema": 0.999}


class PacGAN(Switched):
    """D judges two examples at once, so that it sees when G repeats itself."""

    paper = "Lin et al. 2018, PacGAN: The power of two samples in generative adversarial networks"
    defaults = {"pack": 2, "lr": 1e-3, "epochs": 30, "ema": 0.999}
