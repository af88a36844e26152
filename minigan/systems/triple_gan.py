"""Triple-GAN: a classifier and a conditional generator help each other, where labels are few.

    python -m minigan train triple-gan --labels 100
    python -m minigan draw runs/triple-gan --label 7 --n 20 --out sevens

Algorithm (Li et al. 2017, Algorithm 1; `minigan.gan.TripleGAN` has the equations): D tells pairs
(x, y) of the data from (x, C(x)) and from (G(z, y), y). C descends the cross entropy of the
labelled images, what D says against its pairs, and the cross entropy of G's samples with the labels
they were asked for; on unlabelled images it is kept sure, and balanced among the classes. G and D
are MLPs as in k-plus-1, with the label at each layer; C is a small convolutional net with dropout,
whose averaged weights are tested. As in the authors' program, C is alone at first (--alone-steps),
and pseudo labels come last, when G's samples have the label asked for. Their C is twice as wide,
and they go on for 600,000 steps.

What to look at: samples/*.png, a row for each label. What shows that it works: C's errors among the
test images (0.91 +- 0.58 % are published for 100 labels); samples have the label asked for.
Control: C learns nothing from D and G, only from labels, and by being sure and balanced; D and G
learn as ever.
"""

from __future__ import annotations

import math

from .. import nn
from ..data.batches import Batches
from ..gan import TripleGAN as Game
from ..gan.k_plus_1 import Scaled, begin_at, noisy_classifier, softplus_generator
from ..gan.triple import Told
from .cgan import label_rows
from .evidence import drawn
from .labelled import add_labels, beside_unlabelled, error_row, some_of_each
from .system import System, counts, labels_of, weights


class TripleGAN(System):
    """A classifier from few labels, a generator that is asked by label, and a judge of both."""

    paper = "Li, Xu, Zhu, Zhang 2017, Triple Generative Adversarial Nets, arXiv:1703.02291"
    control = "the classifier learns nothing from the other two"
    averaged = "C"
    defaults = {"lr": 1e-3, "b1": 0.5, "batch_size": 100, "ema": 0.99}

    def options(self, parser):
        super().options(parser)
        p = parser
        add_labels(p)
        counts(
            p,
            ("alone-steps", 3000, "steps of C alone"),
            ("pair-steps", 3000, "steps of all three, without pseudo labels"),
            ("pseudo-steps", 6000, "steps of all three, with pseudo labels"),
        )
        weights(
            p,
            ("alpha", 0.5, "share of C's pairs in what D rejects"),
            ("pseudo", 0.1, "weight of the pseudo labels that G gives C"),
            ("entropy", 0.3, "weight of C's entropy on unlabelled images"),
            ("first-balance", 0.3, "weight of the balance of C's classes, while it is alone"),
            ("balance", 1e-3, "the same, later"),
            most=1,
        )

    def facts(self, data, c):
        return super().facts(data, c) | labels_of(data, self.name)

    def stages(self, c):
        return {"alone": c.alone_steps, "pairs": c.pair_steps, "pseudo labels": c.pseudo_steps}

    def game(self, c):
        shape, k = tuple(c.image_shape), c.classes
        judge = noisy_classifier(math.prod(shape), 1, more=k)
        D = Told(nn.Sequential(nn.Flatten(), Scaled(0.5, 0.5), *judge), k)
        G = Told(softplus_generator(c.latent_dim, shape, more=k), k)
        return self.game_after({"G": G, "D": D, "C": convolutional(shape, k)}, c)

    def game_after(self, players, c):
        alone = c.stage == "alone"
        return Game(
            *(players[name] for name in "GDC"), c.latent_dim, c.classes, c.alpha,
            c.pseudo if c.stage == "pseudo labels" else 0.0, c.entropy,
            c.first_balance if alone else c.balance, not c.control, alone,
        )  # fmt: skip

    def begin(self, game, data, c, device):
        if not game.alone:  # D is as it was at the beginning of the run
            return
        some = some_of_each(data, c.labels, c.seed)
        few = Batches(some, len(some), c.seed, device, ("images", "labels"))
        begin_at(game.D, *next(few.epoch(0)))

    def batches(self, game, data, c, device):
        return beside_unlabelled(data, c, device)

    def measure(self, game, c, samples, device):
        note = f"{c.labels} labels" + ("; published 91 +- 58" if c.labels == 100 else "")
        images, inputs = drawn(game, samples, device)
        return [
            error_row(game.C, c, device, 200, note),
            *label_rows(images, inputs[-1].cpu().numpy(), c, device),
        ]


def convolutional(shape, classes: int) -> nn.Sequential:
    """Images -> logits: convolutions to 16, 32, 64 channels, batch normalisation, ReLU; maxima and
    dropout between them, the mean of each map behind them."""
    layers: list[nn.Module] = []
    for n_in, n_out, size in ((shape[0], 16, 5), (16, 32, 3), (32, 64, 3)):
        layers += [nn.Conv2d(n_in, n_out, size, padding=size // 2, bias=False)]
        layers += [nn.BatchNorm2d(n_out), nn.ReLU()]
        if n_out < 64:
            layers += [nn.MaxPool2d(2), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))
