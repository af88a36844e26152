"""K+1: a classifier that learns from few labels, because it must also tell images from fakes.

    python -m minigan train k-plus-1 --labels 100
    python -m minigan train k-plus-1 --labels 100 --epochs 300    # the paper's time: 180,000 steps

Algorithm (Salimans et al. 2016, section 5; `minigan.gan.KPlusOne`): with K logits l of D, and
Z(x) = sum of exp l_k(x), D(x) = Z / (Z + 1);

    D descends  -E log softmax_y l(x)  -  1/2 E log D(x)  -  1/2 E log(1 - D(G(z)))
    G descends  |E f(x) - E f(G(z))|^2,  f the last hidden layer of D

over labelled x in the first term, unlabelled x (all images) in the others. A step has a batch of
each. Networks, noise, weight normalisation and its beginning at the data, learning rate 0.003 and
averaged weights of D for the test are those of the authors' program; z is N(0, 1), there U(0, 1).

What to look at: d_real and d_fake come near each other; samples/*.png need not be beautiful: G
matches features, and the paper says that what draws better classifies worse. What shows that it
works: the errors of D among the test images; 93 +- 6.5 of 10,000 are published for 100 labels and
300 epochs. Control: the same D on the labelled images alone, no unlabelled ones and no fakes.
"""

from __future__ import annotations

import math

from .. import nn
from ..data.batches import Batches
from ..gan.k_plus_1 import (
    KPlusOne,
    Scaled,
    begin_at,
    noisy_classifier,
    softplus_generator,
)
from .labelled import add_labels, beside_unlabelled, error_row
from .system import System, labels_of


class KPlus1(System):
    """A classifier from few labels: D says which class an image is of, or that it is a fake."""

    paper = (
        "Salimans et al. 2016, Improved Techniques for Training GANs, arXiv:1606.03498, section 5"
    )
    control = "labelled images alone: no unlabelled ones, no fakes"
    averaged = "D"
    defaults = {"lr": 3e-3, "b1": 0.5, "batch_size": 100, "epochs": 50, "ema": 0.9998}

    def options(self, parser):
        super().options(parser)
        add_labels(parser)

    def facts(self, data, c):
        return super().facts(data, c) | labels_of(data, self.name)

    def game(self, c):
        shape = tuple(c.image_shape)
        D = nn.Sequential(
            nn.Flatten(), Scaled(0.5, 0.5), *noisy_classifier(math.prod(shape), c.classes)
        )
        G = softplus_generator(c.latent_dim, shape)
        return KPlusOne(G, D, c.latent_dim, supervised=c.control)

    def begin(self, game, data, c, device):
        begin_at(game.D, *next(Batches(data, min(500, len(data)), c.seed, device).epoch(0)))

    def batches(self, game, data, c, device):
        return beside_unlabelled(data, c, device)

    def measure(self, game, c, samples, device):
        note = f"{c.labels} labels" + ("; published 93 +- 6.5" if c.labels == 100 else "")
        return [error_row(game.D, c, device, 150, note)]
