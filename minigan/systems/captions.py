"""What systems share that make pictures of texts: their data, what is drawn of a text, and how many
attributes of a picture are those that its text names."""

from __future__ import annotations

import dataclasses
import functools
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import nn
from ..arrays import Generator, default_generator, resolve_device, to_device
from ..autograd import no_grad, tensor_of
from ..data import DATASETS
from ..data.batches import Batches
from ..data.captions import (
    ATTRIBUTES,
    Captioned,
    caption,
    combinations,
    encoded,
    of_digits,
    own_captions,
    vocabulary_of,
)
from ..data.emoji import emoji
from ..gan import Descend, Game, Trainer
from ..metrics.frechet import frechet_distance
from ..metrics.rows import subset
from ..nn import functional as F
from ..optim import Adam
from .evidence import BATCH, NoClassifier, floats
from .system import Row, System, adam_options, counts, weights

PROMPTS = 64  # texts of the data that a run notes
EXAMINED, RATE = 3000, 2e-3  # steps of the examiner; its learning rate, which falls to 0


class OfCaptions(System):
    """A system whose pictures have texts."""

    defaults = {"lr": 1e-3, "epochs": 16, "batch_size": 32, "ema": 0.99}

    def options(self, parser):
        adam_options(parser)
        p = parser
        counts(
            p,
            ("latent-dim", 32, "numbers of z"),
            ("codes", 32, "numbers that a text becomes"),
            ("features", 16, "G's channels next to the pictures"),
            ("d-features", 32, "D's"),
        )
        p.add_argument(
            "--mismatched", choices=("near", "any", "none"), default="any",
            help="with which text of another one D sees real pictures, too: the most alike of the "
            "batch's, any, as in the paper, or none (default %(default)s)",
        )  # fmt: skip
        weights(p, ("r1", 1.0, "gamma of the penalty R1 on D's slope at real pictures"))

    def data_options(self, parser):
        super().data_options(parser)
        for action in parser._actions:
            if action.dest == "dataset":
                action.help = (
                    "mnist or strokes, whose digits are coloured and placed; emoji; a .csv or "
                    ".json of pictures and captions, or a folder whose subfolders' names are the "
                    "captions (default %(default)s)"
                )

    def captions(self, c: Any, split: str) -> Captioned:
        """The pictures with their own texts."""
        name = getattr(c, "pictures", c.dataset)
        if name in DATASETS:
            return of_digits(name, split, getattr(c, "data_dir", None), split == "test")
        sized = {} if c.size is None else {"size": c.size}
        return emoji(**sized) if name == "emoji" else own_captions(name, **sized)

    def data(self, c, split="train"):
        data = self.captions(c, split)
        if not (self.shuffles(c) and split == "train"):
            return data
        order = Generator(c.seed).permutation(len(data))
        return dataclasses.replace(data, texts=tuple(data.texts[i] for i in order))

    def shuffles(self, c: Any) -> bool:
        """Do texts say nothing of their pictures?"""
        return False

    def facts(self, data, c):
        rows = np.linspace(0, len(data) - 1, min(PROMPTS, len(data))).astype(int)
        prompts = list(dict.fromkeys(data.texts[i] for i in rows))
        words = vocabulary_of(data.texts)
        return super().facts(data, c) | {"vocabulary": words, "prompts": prompts}

    def batches(self, game, data, c, device):
        both = SimpleNamespace(images=data.images, words=encoded(data.texts, c.vocabulary))
        return Batches(both, c.batch_size, c.seed, device, game.columns)

    def begin(self, game, data, c, device):
        game.texts = encoded(data.texts, c.vocabulary)

    def ready(self, game, c, device):
        game.texts = encoded(self.test_of(c).texts, c.vocabulary)

    def exhibit(self, game, data, generator, device):
        every = game.texts
        try:
            game.texts = encoded(data.texts[:8], game.vocabulary)
            return game.exhibit(generator, device)
        finally:
            game.texts = every

    def of_text(self, game, c, text, device, n, random):
        try:
            words = encoded([text], c.vocabulary)
        except ValueError as error:
            raise ValueError(f"--text: {error}") from error
        return made_of(game, np.repeat(words, n, 0), random, device)

    def measure(self, game, c, samples, device):
        if c.pictures not in ("mnist", "strokes"):
            raise NoClassifier(
                f"the captions of {c.dataset!r} are not known to be right or wrong: what is "
                "measured here are attributes of coloured digits"
            )
        return attribute_rows(
            lambda words: made_of(game, words, Generator(0), device), c, samples, device
        )


def made_of(game: Any, words: np.ndarray, random: Generator, device: Any) -> np.ndarray:
    """A picture of each text: float32 (N, C, H, W)."""
    parts = [
        game.sample(*game.inputs_of_words(words[i : i + BATCH], random, device)).cpu().numpy()
        for i in range(0, len(words), BATCH)
    ]
    return np.concatenate(parts)


# --- do pictures have the attributes that their texts name? ---


class Examiner(nn.Module):
    """Coloured digits -> logits of their four attributes, beside each other, by two convolutions
    and `features`, 64 linear units with ReLU."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 5, 2, 2, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(64, sum(ATTRIBUTES.values()))

    def forward(self, images):
        return self.head(self.features(images))


def parted(logits: Any) -> list[Any]:
    """Those of each attribute."""
    ends = np.cumsum(list(ATTRIBUTES.values()))
    return [logits[:, a:b] for a, b in zip([0, *ends], ends)]


class _Examining(Game):
    """The examiner descends the cross entropy of all four."""

    def __init__(self, network: Examiner):
        self.players = {"E": network}

    def moves(self, images, attributes):
        told = parted(self.players["E"](images))
        losses = [F.cross_entropy(x, attributes[:, i]) for i, x in enumerate(told)]
        yield Descend("E", sum(losses[1:], losses[0]))


@functools.cache
def examiner(name: str, data_dir: str | None, place: str) -> Examiner:
    """An examiner that has learnt from pictures of all combinations, made of the training
    digits."""
    data, device = of_digits(name, "train", data_dir, True), resolve_device(place)
    before = default_generator.get_state()
    try:
        default_generator.manual_seed(0)
        network = Examiner()
        game = _Examining(network).to(device)
        optimizer = Adam(network.parameters(), RATE)
        trainer = Trainer(game, {"E": optimizer})
        both = SimpleNamespace(images=data.images, attributes=data.attributes)
        batches, step = Batches(both, 64, 0, device, ("images", "attributes")), 0
        while step < EXAMINED:
            for batch in batches.epoch(step // len(batches)):
                # at a rate that does not fall, its last step decides how many are right
                optimizer.param_groups[0]["lr"] = RATE * (1 - step / EXAMINED)
                trainer.play(*batch)
                step += 1
                if step == EXAMINED:
                    break
    finally:
        default_generator.set_state(before)
    return network.eval()


def examined(images: np.ndarray, network: Examiner, device: Any) -> tuple[np.ndarray, np.ndarray]:
    """(features (N, 64), attributes int64 (N, 4)) of pictures, uint8 or in [-1, 1]."""
    features, said = [], []
    with no_grad():
        for i in range(0, len(images), BATCH):
            some = images[i : i + BATCH]
            some = floats(some) if some.dtype == np.uint8 else some
            found = network.features(tensor_of(to_device(some, device)))
            features.append(found.cpu().numpy())
            logits = network.head(found).cpu().numpy()
            said.append(np.stack([x.argmax(1) for x in parted(logits)], 1))
    return np.concatenate(features), np.concatenate(said)


def attribute_rows(draws: Any, c: Any, samples: int, device: Any, prefix: str = "") -> list[Row]:
    """How many pictures have the digit, the colour, the place and the size that their texts name,
    of combinations that were learnt from and of those held out; and the Frechet distance between
    the examiner's features of test pictures and of samples with their texts.

    draws : int64 (N, most words of a text) -> pictures
    """
    place = c.pictures, getattr(c, "data_dir", None)
    network = examiner(*place, str(device))
    test, training = (
        of_digits(place[0], "test", place[1], True),
        of_digits(place[0], "train", place[1], True),
    )
    features, told = examined(test.images, network, device)
    held = {tuple(row) for row in combinations(True)}
    unseen = np.array([tuple(row) in held for row in test.attributes])
    rows = []
    for kind, some, goal in (("", ~unseen, 0.95), ("unseen ", unseen, 0.85)):
        asked = combinations(bool(kind))
        asked = asked[np.arange(samples) * len(asked) // samples]
        said = encoded([caption(a) for a in asked], c.vocabulary)
        right = (examined(draws(said), network, device)[1] == asked).mean(0)
        best = (told[some] == test.attributes[some]).mean(0)
        note = "of texts of combinations held out" if kind else "the picture has what the text says"
        rows += [
            Row(f"{prefix}{kind}{name}", float(value), float(most), target=goal, note=note)
            for name, value, most in zip(ATTRIBUTES, right, best)
        ]
    n = min(samples, len(test))
    words = encoded(test.texts[:n], c.vocabulary)
    found = examined(draws(words), network, device)[0]
    real = examined(subset(training.images, n), network, device)[0]
    return [
        *rows,
        Row(f"{prefix}frechet", frechet_distance(features, found),
            frechet_distance(features, real), "down",
            note="of the features of the network that tells the attributes"),
    ]  # fmt: skip
