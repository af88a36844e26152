"""InfoGAN: G is given codes, and what it makes must tell them; so they come to mean something.

    python -m minigan train infogan
    python -m minigan draw runs/infogan --label 3       # of one value of the label code c1

Algorithm (Chen et al. 2016, section 4 to 6). c = (c1, c2, c3), c1 ~ Cat(10), c2 and c3 ~ U(-1, 1);
z ~ N(0, 1). Q(c | x) is a head on D's trunk:

    V = E log D(x) + E log(1 - D(G(z, c)))
    L_I = E log Q(c | G(z, c))        L_I + H(c) <= I(c; G(z, c))

D and Q ascend V + lambda L_I (as in the authors' program: the trunk is moved by both), then G
descends V - lambda L_I, non-saturating. Q is a categorical distribution of c1, and of c2 and c3 a
Gaussian with fixed standard deviation (--sd). No label of the data is read. It is
`minigan.gan.InfoGAN`. Other than in the paper, so that c1 takes the digit: z has 16 numbers, not
62; G hears c1 ten times as loud as one of them (ClusterGAN, Mukherjee et al. 2019, makes z small
for the same end); c2 and c3 weigh a tenth; and D and Q see everything under noise (--instance-noise
0.4), so that no code hides in details of fakes that real images do not have.

What to look at: samples/*.png. A row for each value of c1; in the left block samples, in the next
ones c2 and c3 move from -2 to 2. What shows that it works: c1 = argmax Q(c1 | x) tells the digits
of test images, once each value got the digit that suits it best, on training images (published:
5 % of errors); c2 and c3 correlate with how far the strokes of samples lean and how thick they are.
Control: lambda = 0.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np

from .. import nn
from ..autograd import no_grad
from ..data import ImageSet
from ..data.batches import Batches
from ..gan import Beside, Joined, recalibrate_batch_norm
from ..gan import InfoGAN as Game
from ..metrics import describe
from ..metrics.strokes import slant, stroke_width
from ..nn import init
from ..ops import ones
from ..training.cli import number
from ..training.options import adapt, build_game
from .evidence import BATCH, digits_of, drawn, image_rows, reference
from .labelled import predicted
from .switched import Switched
from .system import Row

READ = 128  # units of Q's own layer, as in the paper
SPREAD = 0.02  # standard deviation of new weights of G, as DCGAN's


class InfoGAN(Switched):
    """Digits whose class, slant and width are found without labels."""

    paper = (
        "Chen et al. 2016, InfoGAN: Interpretable Representation Learning by Information "
        "Maximizing Generative Adversarial Nets, arXiv:1606.03657"
    )
    control = "lambda = 0: nobody reads the codes"
    defaults = {
        "model": "dcgan", "features": 16, "latent_dim": 16, "batch_size": 64, "lr": 1e-3,
        "instance_noise": 0.4, "epochs": 12, "ema": 0.99,
    }  # fmt: skip

    def options(self, parser):
        super().options(parser)
        add = parser.add_argument
        more = number(int, 2)
        add("--categories", type=more, default=10, help="values of c1 (default %(default)s)")
        more = number(int, 0)
        add("--codes", type=more, default=2, help="continuous codes (default %(default)s)")
        positive = number(float, above=0)
        add("--information", type=positive, default=1.0, help="lambda (default %(default)s)")
        add(
            "--hidden",
            type=number(int, 1),
            default=256,
            help="units of the dense layer before G's convolutions, and of that before D's and Q's "
            "outputs (default %(default)s; 1024 in the paper)",
        )
        add(
            "--loudness",
            type=positive,
            default=10.0,
            help="of c1 to G at the start, beside one of the numbers of z (default %(default)s)",
        )
        add(
            "--code-weight",
            type=positive,
            default=0.1,
            help="of c2 and c3 in L_I, beside c1 (default %(default)s; 1 in the paper)",
        )
        add("--sd", type=positive, default=1.0, help="of Q's Gaussian (default %(default)s)")

    def game(self, c):
        G, D = self.players(vars(c) | {"latent_dim": c.hidden})
        n = c.latent_dim + c.codes + c.categories
        G = nn.Sequential(*loud(n, c), *G)
        source = D.pop()
        shared = dense(source.in_features, c.hidden, nn.LeakyReLU(0.2))
        D.extend(adapt(nn.Sequential(*shared), vars(c) | {"minibatch_discrimination": False}))
        Q = nn.Sequential(
            nn.Linear(c.hidden, READ), nn.LeakyReLU(0.1), nn.Linear(READ, c.categories + c.codes)
        )
        D.append(Beside(nn.Linear(c.hidden, 1), Q))
        kind = functools.partial(self.kind(c), classes=c.categories, codes=c.codes, sd=c.sd,
                                 code_weight=c.code_weight,
                                 weight=0.0 if c.control else c.information)  # fmt: skip
        return build_game(Joined(G, c.categories), D, vars(c), kind)

    def kind(self, c):
        """Makes the game."""
        return Game

    def measure(self, game, c, samples, device):
        images, inputs = drawn(game, samples, device)
        training, test = digits_of(c, "train"), digits_of(c, "test")
        see_real(game, training, device)
        tell = lambda images: predicted(game.classifier, images, device)
        digits = self.meaning(tell(training.images), training.labels, game.classes)
        wrong = digits[tell(test.images)] != test.labels
        known = reference(c, device).classifier
        ceiling = float((describe(test.images, known).digits != test.labels).mean())
        asked = digits[inputs[-1].cpu().numpy()]
        return [
            Row("error of c1", float(wrong.mean()), ceiling, "down", self.most,
                note=self.note),
            Row("digit of c1", float((describe(images, known).digits == asked).mean()),
                note="the classifier says of samples what their c1 means"),
            *code_rows(images, inputs, game),
            *image_rows(game, c, samples, device, ("frechet",), images),
        ]  # fmt: skip

    most = 0.05  # errors, published
    note = "test images; each value means one digit, matched on training images"

    def meaning(self, codes, labels, classes):
        """The digit of each value of c1, from training images."""
        return matched(codes, labels, classes)


def dense(n_in: int, n_out: int, activation: nn.Module) -> list[nn.Module]:
    """Linear units with batch normalisation, (N, n_in) -> (N, n_out)."""
    return [nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), activation]


def loud(n: int, c: Any) -> list[nn.Module]:
    """G's dense layer. Of its n inputs the last ones are c1: they say most of what G makes from the
    start. Else z would say which digit it is, and c1 only what little Q needs to read it."""
    layers: list[Any] = dense(n, c.hidden, nn.ReLU())
    factor = ones(n)
    factor[-c.categories :] = c.loudness
    with no_grad():
        init.normal_(layers[0].weight, 0.0, SPREAD).mul_(factor)
    return layers


def see_real(game, data: ImageSet, device) -> None:
    """D's batch statistics become those of real images: Q read batches of fakes alone, and the
    running ones are of real and fake batches by turns."""
    batches = Batches(data, BATCH, 0, device).epoch(0)
    recalibrate_batch_norm(game.D, itertools.islice(batches, 20))


def matched(codes: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The label that each code means, (classes,): one for each, so that most examples are right; -1
    for codes that are left over (Kuhn 1955, by SciPy).

    codes, labels : of examples, whole numbers (N,);  classes : how many codes there are
    """
    from scipy.optimize import linear_sum_assignment

    counts = np.zeros((classes, int(labels.max()) + 1), np.int64)
    np.add.at(counts, (codes, labels), 1)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    found = np.full(classes, -1)
    found[rows] = columns
    return found


def code_rows(images: np.ndarray, inputs, game) -> list[Row]:
    """How far each continuous code sets the samples' slant or width: correlations, apart from what
    comes with c1."""
    latents, labels = (x.cpu().numpy() for x in inputs)
    seen = {"slant": slant(images), "width": stroke_width(images)}
    rows, best = [], []
    for i in range(game.codes):
        code = latents[:, game.latent_dim + i]
        found = {name: abs(correlation(code, values, labels)) for name, values in seen.items()}
        rows += [Row(f"c{i + 2} and {name}", value) for name, value in found.items()]
        best.append(max(found.values()))
    if best:
        rows.append(
            Row("weakest code", min(best), target=0.5, note="its correlation with slant or width")
        )
    return rows


def correlation(x: np.ndarray, y: np.ndarray, labels: np.ndarray) -> float:
    """Of x and y within labels: each less its label's mean. 0 where one of them does not vary."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    for label in np.unique(labels):
        own = labels == label
        x[own] -= x[own].mean()
        y[own] -= y[own].mean()
    size = np.sqrt((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / size) if size > 1e-12 else 0.0
