"""Two domains, of which one has labels: their data, the networks, what is shown and measured."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import nn
from ..arrays import default_generator, resolve_device, to_device
from ..autograd import no_grad
from ..data import ImageSet, load_dataset, on_pictures, textures, uci_digits
from ..data.batches import Batches, Together
from ..gan import DANN, Trainer
from ..gan.domains import apart
from ..gan.recalibrate import evaluating
from ..metrics.rows import subset
from ..optim import Adam
from ..training.cli import number
from ..viz import Panel, Points, principal_plane
from .labelled import predicted
from .parts import layers
from .system import Row, System, adam_options, facts_of, labels_of

SHOWN = 300  # examples of each domain in the picture
TOLD = 2000  # of each, by which it is found out whether features tell the domains apart
CEILING = 2000  # steps with the target's labels
# the facts that decide what those teach
OF_NETWORKS = (
    "dataset", "data_dir", "target", "image_shape", "classes", "width", "norm", "seed",
    "batch_size", "lr", "b1",
)  # fmt: skip
BATCH = 500


@dataclass(frozen=True, eq=False, repr=False)
class Domains(ImageSet):
    """The source, with its labels, and beside it the target, whose labels only the truth knows."""

    target: ImageSet | None = None

    def __post_init__(self):
        super().__post_init__()
        both = self.checksum + self.other.checksum
        object.__setattr__(self, "checksum", hashlib.sha256(both.encode()).hexdigest())

    @property
    def other(self) -> ImageSet:
        """The target."""
        assert self.target is not None
        return self.target


def negative(data: ImageSet) -> ImageSet:
    """White becomes black."""
    return dataclasses.replace(data, images=255 - data.images)


def edges(data: ImageSet) -> ImageSet:
    """Around each stroke, a line: the largest of the 3x3 neighbours less the pixel itself."""
    return dataclasses.replace(data, images=outlined(data.images))


def outlined(images: np.ndarray) -> np.ndarray:
    """max over the 3x3 neighbours - x, of uint8 (N, C, H, W); beyond the border there is black."""
    wide = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = images.shape[2:]
    found = images.copy()
    for y in range(3):
        for x in range(3):
            np.maximum(found, wide[..., y : y + height, x : x + width], out=found)
    return found - images


# name -> (digits of the source's kind, split) -> the target
TARGETS: dict[str, Callable[[ImageSet, str], ImageSet]] = {
    "photos": on_pictures,
    "textures": lambda digits, split: on_pictures(digits, split, pictures=textures()),
    "uci": lambda digits, split: uci_digits(split),
    "negative": lambda digits, split: negative(digits),
    "edges": lambda digits, split: edges(digits),
    "same": lambda digits, split: digits,
}
OF_THE_SOURCE = [name for name in TARGETS if name != "uci"]  # those that digits of it are made into


class OfDomains(System):
    """A system that learns from pictures with labels, and from others without."""

    def data_options(self, parser):
        p = parser
        p.add_argument(
            "--dataset", default="mnist", choices=("mnist", "strokes"),
            help="the source, which has labels (default %(default)s)",
        )  # fmt: skip
        p.add_argument(
            "--data-dir",
            help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a "
            "download)",
        )

    def options(self, parser):
        adam_options(parser)
        parser.add_argument(
            "--target", choices=TARGETS, default="photos",
            help="the domain without labels: digits on photographs (needs scikit-image), on made "
            "textures, UCI's digits (needs scikit-learn), negatives or outlines of digits, or the "
            "same as the source (default %(default)s)",
        )  # fmt: skip

    def data(self, c, split="train"):
        """No digit is in both domains: half of the training digits are made into the target's."""
        digits = load_dataset(c.dataset, split, getattr(c, "data_dir", None))
        source = other = digits
        if split == "train" and c.target in OF_THE_SOURCE:
            source, other = (
                dataclasses.replace(digits, images=digits.images[i::2], labels=digits.labels[i::2])
                for i in range(2)
            )
        target = TARGETS[c.target](other, split)
        images = source.images
        if target.images.shape[1] > images.shape[1]:
            images = np.repeat(images, 3, 1)
        return Domains(images, source.labels, digits.name, f"{source.source}; target: "
                       f"{len(target)} from {target.source}", target=target)  # fmt: skip

    def facts(self, data, c):
        return super().facts(data, c) | labels_of(data, self.name)

    def batches(self, game, data, c, device):
        return streams(data, c, device)

    def test_data(self, c) -> Domains:
        """The test images of both; ValueError where the run's source is not here."""
        found = self.data(c, "test")
        if found.name != c.dataset:
            raise ValueError(
                f"the run was trained on {c.dataset!r}, which cannot be found; say where with "
                "--data-dir or MINIGAN_DATA"
            )
        return found


def streams(data: Domains, c: Any, device: Any) -> Together:
    """Batches (images, their labels, images of the target)."""
    other = data.other.images
    return Together(
        Batches(data, c.batch_size, c.seed, device, ("images", "labels")),
        Batches(other, min(c.batch_size, len(other)), c.seed + 1, device),
    )


class Adaptation(OfDomains):
    """A classifier for a domain whose labels nobody knows."""

    averaged = "N"
    draws = False
    defaults = {"lr": 1e-3, "b1": 0.9, "epochs": 4, "ema": 0.99}

    def options(self, parser):
        super().options(parser)
        parser.add_argument(
            "--width", type=number(int, 1), default=16,
            help="channels of the first convolution (default %(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--norm", choices=("batch", "none"), default="batch",
            help="of the convolutions' maps: batch, each domain by its own mean and variance, or "
            "none (default %(default)s)",
        )  # fmt: skip

    def shown(self, data, options):
        return self.data(options, "test")

    def exhibit(self, game, data, generator, device):
        """Test images of both domains in the principal plane of their pixels, and of their
        features: coloured by domain, and by digit."""
        few = [subset(d.images, SHOWN) for d in (data, data.other)]
        domain = np.repeat([0, 1], [len(x) for x in few])
        digit = np.concatenate([subset(d.labels, SHOWN) for d in (data, data.other)]).astype(int)
        pixels = principal_plane(np.concatenate([x.reshape(len(x), -1) / 255 for x in few]))
        coloured = (domain, ("source", "target")), (digit, [str(k) for k in range(digit.max() + 1)])

        def picture():
            features = np.concatenate([
                described(game.features(i), x, device) for i, x in enumerate(few)
            ])  # fmt: skip
            planes = {"pixels": pixels, "features": principal_plane(features)}
            found = [Panel(name, at, *by) for by in coloured for name, at in planes.items()]
            return Points(found, columns=2)

        return picture

    def measure(self, game, c, samples, device):
        test = self.test_data(c)
        of = lambda data, network: right(network, data, samples, device)
        facts = {k: v for k, v in vars(c).items() if k in OF_NETWORKS}
        best = trained_on_target(json.dumps(facts), str(device))
        return [
            Row("target accuracy", of(test.other, game.classifier(1)), of(test.other, best),
                note="test images; real data: the same networks with the target's labels"),
            Row("source accuracy", of(test, game.classifier(0)), note="test images"),
            Row("domains told apart", told_apart(game.both, test, device), 0.5, "down",
                note="by a linear rule of the features, on others than it was found by"),
        ]  # fmt: skip


def right(network: nn.Module, data: ImageSet, n: int, device: Any) -> float:
    """The share of (at most n of) the images that are named rightly."""
    images, labels = subset(data.images, n), subset(data.labels, n)
    return float((predicted(network, images, device) == labels).mean())


def described(features: nn.Module, images: np.ndarray, device: Any) -> np.ndarray:
    """(N, numbers): the features of uint8 images."""
    batches, found = Batches(images, 1, device=device), []
    with evaluating(features), no_grad():
        for i in range(0, len(images), BATCH):
            rows = to_device(np.arange(i, min(i + BATCH, len(images))), device)
            found.append(features(*batches[rows]).cpu().numpy())
    return np.concatenate(found).reshape(len(images), -1)


def told_apart(features: tuple[nn.Module, nn.Module], data: Domains, device: Any) -> float:
    """The share of new examples whose domain a linear rule of the features tells, which has the
    least squared error on as many others: 1/2 where they are alike. features : of each domain"""
    both = [
        described(network, subset(d.images, TOLD), device)
        for network, d in zip(features, (data, data.other), strict=True)
    ]
    n = min(map(len, both)) // 2
    x = np.concatenate([part[i * n : (i + 1) * n] for i in range(2) for part in both])
    x = (x - x[: 2 * n].mean(0)) / (x[: 2 * n].std(0) + 1e-6)
    x = np.concatenate([x, np.ones((len(x), 1))], 1).astype(np.float64)
    y = np.tile(np.repeat([1.0, -1.0], n), 2)
    inner = x[: 2 * n].T @ x[: 2 * n] + n * 0.1 * np.eye(x.shape[1])
    rule = np.linalg.solve(inner, x[: 2 * n].T @ y[: 2 * n])
    return float(((x[2 * n :] @ rule > 0) == (y[2 * n :] > 0)).mean())


@functools.cache
def trained_on_target(facts: str, place: str) -> nn.Module:
    """The classifier that `CEILING` steps on the target with its labels give: DANN at scale 0, with
    the target in the source's place."""
    c, device = facts_of(json.loads(facts)), resolve_device(place)
    target = OfDomains().data(c).other
    data = Domains(target.images, target.labels, target.name, target.source, target=target)
    before = default_generator.get_state()
    try:
        default_generator.manual_seed(c.seed)
        game: Any = DANN(*networks(c), scale=0.0).to(device)
        optimizer = Adam(game.players["N"].parameters(), c.lr, (c.b1, 0.999))
        trainer, batches = Trainer(game, {"N": optimizer}), streams(data, c, device)
        numbers = (n for epoch in itertools.count() for n in batches.numbers(epoch))
        for some in itertools.islice(numbers, CEILING):
            trainer.play(*batches[some])
    finally:
        default_generator.set_state(before)
    return game.classifier(1).eval()


def networks(c: Any) -> tuple[nn.Module, nn.Module, nn.Module, nn.Module]:
    """(F, C, D, F of the target): two convolutions of 5x5, of c.width and twice as many channels,
    with strides where Ganin et al. 2016, figure 4a, pool; as there, two hidden layers of 100 before
    the classes, one before the domain. c.norm "batch": the convolutions are normalised, each
    domain by its own statistics."""
    channels, *sides = c.image_shape
    rows, columns = (((side - 3) // 2 - 3) // 2 for side in sides)
    w = c.width
    parts: list[nn.Module] = []
    for n_in, n_out in ((channels, w), (w, 2 * w)):
        parts += [nn.Conv2d(n_in, n_out, 5, 2)]
        parts += [nn.BatchNorm2d(n_out, affine=False)] if c.norm == "batch" else []
        parts += [nn.ReLU()]
    features = nn.Sequential(*parts, nn.Flatten())
    numbers = 2 * w * rows * columns
    C = nn.Sequential(*layers(numbers, 100, 100, c.classes, activation=nn.ReLU))
    D = nn.Sequential(*layers(numbers, 100, 1, activation=nn.ReLU))
    return features, C, D, apart(features)
