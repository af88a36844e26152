"""Features: what a finished D has learnt helps a classifier that has few labels.

    python -m minigan train dcgan
    python -m minigan train features --of runs/dcgan --labels 100
    python -m minigan measure runs/features --control

Algorithm (Radford et al. 2016, section 5.1; Goodfellow et al. 2014, section 6, point 4): D is
frozen; f(x) are the maxima of each of its activations over a grid of 4x4, all side by side. A
logistic regression C of f(x) descends its cross entropy on the labelled images (+ decay |W|^2), all
of them at each step; so does P on their pixels (`minigan.gan.Readout`). Features and pixels are
standardised by unlabelled images. The run that has D must stay where it is: this one holds C and P.

What to look at: samples/*.png has a row for each class, with samples of the finished G that C takes
for it. What shows that it works: C errs on fewer test images than P, and than in the control.
Control: D is new and untrained; its batch statistics are those of the finished G's samples.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import nn
from ..arrays import Generator, default_generator
from ..autograd import no_grad
from ..data.batches import Batches
from ..gan.latents import calibration_inputs
from ..gan.readout import Layers, Readout, Regression
from ..gan.recalibrate import recalibrate_batch_norm
from ..ops import zeros
from ..training.cli import number
from ..viz import Grid
from .labelled import add_labels, class_count, error_row, predicted, some_of_each
from .loading import load_game
from .of_run import OfRun
from .system import adam_options

SEEN = 2000  # unlabelled images that features are standardised by
DRAWN = 400  # samples that are sorted by class
COLUMNS = 8


class Features(OfRun):
    """A classifier from few labels, by the features of a finished D."""

    paper = (
        "Radford, Metz, Chintala 2016, Unsupervised Representation Learning with Deep "
        "Convolutional Generative Adversarial Networks, arXiv:1511.06434, section 5.1"
    )
    control = "D is new and untrained"
    averaged = None
    whose = "D"
    defaults = {"epochs": 300, "batch_size": 10_000, "lr": 1e-2, "b1": 0.9, "sample_interval": 100}

    def options(self, parser):
        super().options(parser)
        p = parser
        add_labels(p)
        adam_options(p)
        p.add_argument(
            "--decay",
            type=number(float, 0),
            default=1e-2,
            help="weight of the squared weights (default %(default)s)",
        )

    def check(self, found):
        G: Any = found.game.players.get("G")
        D: Any = found.game.players.get("D")
        inputs = found.game.inputs(2, Generator(0))
        try:
            if G is None or not isinstance(D, nn.Sequential) or len(inputs) > 1:
                raise ValueError("its pictures are made of more than z, or its D is no Sequential")
            Layers(D)(G(*inputs))
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"the D of {found.system.name} does not judge single pictures, which a G makes of "
                "z, by layer after layer: give a run of dcgan or gan"
            ) from error

    def facts(self, data, c):
        return super().facts(data, c) | {"classes": class_count(data)}

    def game(self, c):
        players = self.same(c).game.players
        G, D = players["G"], players["D"]
        if c.control:
            D = untrained(c.of, c.seed)
        features = Layers(D).eval().requires_grad_(False)
        with no_grad():
            numbers = features(zeros(1, *c.image_shape)).shape[1]
        pixels = math.prod(c.image_shape)
        regressions = Regression(numbers, c.classes), Regression(pixels, c.classes)
        return Readout(features, G, *regressions, c.latent_dim, c.decay)

    def begin(self, game, data, c, device):
        some = Batches(data, min(SEEN, len(data)), c.seed, device)
        (images,) = next(some.epoch(0))
        game.players["C"].standardise(game.describe(images))
        game.players["P"].standardise(images)

    def batches(self, game, data, c, device):
        few = some_of_each(data, c.labels, c.seed)
        return Batches(few, min(c.batch_size, len(few)), c.seed, device, game.columns)

    def exhibit(self, game, data, generator, device):
        images = game.sample(*game.inputs(DRAWN, generator, device)).cpu().numpy()

        def picture():
            said = predicted(game.classifier, images, device)
            classes = game.players["C"].linear.out_features
            rows = np.full((classes, COLUMNS, *images.shape[1:]), -1, np.float32)
            for label, row in enumerate(rows):
                found = images[said == label][:COLUMNS]
                row[: len(found)] = found
            return Grid(rows.reshape(-1, *images.shape[1:]), classes, COLUMNS)

        return picture

    def measure(self, game, c, samples, device):
        note = f"{c.labels} labels"
        by_pixels = error_row(game.players["P"], c, device, note=f"{note}, regression of pixels")
        found = error_row(game.classifier, c, device, note=f"{note}; target: those by pixels")
        target = by_pixels.value
        return [found._replace(target=target), by_pixels._replace(name="errors by pixels")]


def untrained(folder: str, seed: int) -> nn.Module:
    """A D as that of the run, new; its batch statistics are those of the finished G's samples."""
    kind, game, c, _ = load_game(folder)
    before = default_generator.get_state()
    try:
        default_generator.manual_seed(seed)
        D = kind.game(c).players["D"]
    finally:
        default_generator.set_state(before)
    with no_grad():
        samples = [(game.sample(*z),) for z in calibration_inputs(c.latent_dim)]
    recalibrate_batch_norm(D, samples)
    return D.eval()
