"""CoGAN: pairs of pictures of two domains, learnt without a single pair.

    python -m minigan train cogan --target negative
    python -m minigan train cogan --target edges --epochs 12
    python -m minigan train cogan --target uci --weight 1 --epochs 5
    python -m minigan draw runs/cogan --label target --seed 3    # of the same z as --label source

Algorithm (Liu and Tuzel 2016; `minigan.gan.CoGAN`). A GAN for each domain; all layers of G_1 and
G_2 but the last are the same, and all of D_1 and D_2 but the first:

    D_1, D_2 ascend  sum over i of  E log D_i(x_i) + E log(1 - D_i(G_i(z)))
    G_1, G_2 descend sum over i of  - E log D_i(G_i(z)),  of one z for both

With --weight, a classifier of D's last hidden layer learns the source's labels at the same time
(section 5): with the target's first layer before it, it names pictures that nobody named. The
target are outlines or negatives of other digits, or UCI's digits (scikit-learn).

What to look at: samples/*.png, a row of the source above a row of the target, of the same z. What
shows that it works: what the target should be is known for outlines and negatives: how many pixels
of G_2(z) are as those of the outlined (inverted) G_1(z). Control: no layer is shared.

It rests on the networks, which are like the paper's. Of negatives 97 % of the pixels are as the
truth, of outlines 94 % (control 81 %, other pairs 82 %). With a last layer of each G that doubled
the picture, and no hidden layer in D, outlines fitted no better than those of other pairs; with one
of the two alone 83 % and 80 %. Of UCI's digits, of which there are 1,197, it names 72 % (control
20 %), by the source's first layer 80 %: less than the source alone teaches DANN's networks.
"""

from __future__ import annotations

import math

import numpy as np

from .. import nn
from ..autograd import tensor_of
from ..gan import CoGAN as Game
from ..gan import Coupled, dcgan_generator
from ..training.cli import number
from ..viz import Grid, as_bytes
from .domains import OfDomains, outlined, right
from .evidence import BATCH
from .system import Row

# target -> what a picture of the source, bytes, is in it
TRUTH = {"negative": lambda x: 255 - x, "edges": outlined, "same": lambda x: x}
SHOWN = 10  # pairs of a row
HIDDEN = 256  # numbers that D's last layer sees


class CoupledGAN(OfDomains):
    """Pairs of pictures of two domains, of which no pair was ever seen, by layers that are
    shared."""

    paper = "Liu and Tuzel 2016, Coupled Generative Adversarial Networks, arXiv:1606.07536"
    control = "no layer is shared"
    defaults = {"target": "negative", "lr": 1e-3, "epochs": 6, "ema": 0.99}

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument(
            "--latent-dim", type=number(int, 1), default=64, help="(default %(default)s)"
        )  # fmt: skip
        p.add_argument(
            "--features", type=number(int, 1), default=16,
            help="channels of the layers next to the images (default %(default)s)",
        )  # fmt: skip
        p.add_argument(
            "--weight", type=number(float, 0), default=0.0,
            help="of the labels of the source; 0: they are not looked at (default %(default)s)",
        )  # fmt: skip

    def facts(self, data, c):
        names = {"class_names": ["source", "target"]}  # of samples: their domain
        return super().facts(data, c) | names

    def game(self, c):
        pairs = [generators(c), critics(c)]
        return Game(*pairs, nn.Linear(HIDDEN, c.classes), c.latent_dim, c.weight)

    def exhibit(self, game, data, generator, device):
        z = tensor_of(generator.normal((4 * SHOWN, game.latent_dim), device=device))

        def picture():
            both = [x.cpu().numpy() for x in game.pairs(z)]
            rows = np.stack([x.reshape(4, SHOWN, *x.shape[1:]) for x in both], 1)
            return Grid(rows.reshape(-1, *rows.shape[3:]), 8, SHOWN)

        return picture

    def measure(self, game, c, samples, device):
        found = []
        if c.target in TRUTH:
            one, two = pairs_of(game, samples, device)
            found.append(
                Row("pixel agreement", agreement(TRUTH[c.target](one), two), 1.0,
                    note="share of pixels of G_2(z) as in the truth made of G_1(z)")
            )  # fmt: skip
            other = np.roll(two, 1, 0)
            found.append(
                Row("of other pairs", agreement(TRUTH[c.target](one), other),
                    note="the same with G_2 of another z")
            )  # fmt: skip
        if c.weight:
            test = self.test_data(c)
            for name, domain in (("target accuracy", 1), ("by source's layer", 0)):
                net = game.classifier(domain)
                found.append(
                    Row(name, right(net, test.other, samples, device), note="target's test images")
                )
            found.append(Row("source accuracy", right(game.classifier(0), test, samples, device)))
        return found


def couple(make, own: slice, c) -> Coupled:
    """Two networks of `make()`, with the modules outside of `own` in common; in the control, none.
    They begin alike, so that z means the same of both before they have learnt anything."""
    first, second = list(make()), list(make())
    for one, other in zip(first, second):
        other.load_state_dict(one.state_dict())
    if not c.control:
        mine = set(range(len(first))[own])
        second = [second[i] if i in mine else module for i, module in enumerate(first)]
    return Coupled(nn.Sequential(*first), nn.Sequential(*second))


def generators(c) -> Coupled:
    """DCGAN's up to maps of the pictures' size; of these each makes its pictures by a convolution
    of its own."""
    channels, *sides = c.image_shape

    def make():
        *shared, _ = dcgan_generator(c.latent_dim, c.features, *sides, c.features)
        shared[-1].bias = None  # batch normalisation takes away what it adds
        drawn = nn.Conv2d(c.features, channels, 5, 1, 2)
        return nn.Sequential(*shared, nn.BatchNorm2d(c.features), nn.ReLU(), drawn, nn.Tanh())

    return couple(make, slice(-2, None), c)


def critics(c) -> Coupled:
    """Two convolutions, of which the first is each one's own, and a linear layer; no statistics of
    the batch, as real and made pictures of two domains go through the layers that are shared."""
    channels, *sides = c.image_shape
    f, maps = c.features, math.prod(-(-side // 4) for side in sides)

    def make():
        return nn.Sequential(
            nn.Conv2d(channels, f, 5, 2, 2), nn.LeakyReLU(0.2),
            nn.Conv2d(f, 4 * f, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(),
            nn.Linear(4 * f * maps, HIDDEN), nn.LeakyReLU(0.2), nn.Linear(HIDDEN, 1),
        )  # fmt: skip

    return couple(make, slice(0, 2), c)


def pairs_of(game, n: int, device) -> tuple[np.ndarray, np.ndarray]:
    """G_1(z) and G_2(z) of n z, uint8."""
    from ..arrays import Generator

    z = Generator(0).normal((n, game.latent_dim), device=device)
    parts = [game.pairs(tensor_of(z[i : i + BATCH])) for i in range(0, n, BATCH)]
    one, two = (np.concatenate([p[i].cpu().numpy() for p in parts]) for i in range(2))
    return as_bytes(one), as_bytes(two)


def agreement(x: np.ndarray, y: np.ndarray) -> float:
    """The share of pixels of uint8 images that are both light or both dark."""
    return float(((x > 127) == (y > 127)).mean())
