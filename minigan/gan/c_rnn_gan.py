"""Series by two recurrent networks: G makes each note of noise and of its own last one, D listens
in both directions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import nn
from ..arrays import CPU, Generator, to_device
from ..autograd import Tensor, no_grad, tensor_of
from ..nn import functional as F
from ..ops import cat, logsumexp, rand, stack, tanh, where, zeros
from ..ops.recurrent import lstm_steps
from ..viz import Lines, Music, Panels, Picture
from .games import Ascend, Descend, Game
from .latents import LATENTS, equal_labels
from .recalibrate import evaluating
from .sequences import Likelihood, Policy

SHOWN, NUMBERS = 8, 4  # series that people are shown, and how many numbers of each
WIDE = math.sqrt(3)
TOO_GOOD = 0.7  # D rests while its loss is less than this of what G's would be


class Coding(nn.Module):
    """How series are numbers y for networks, evenly spread from -sqrt(3) to sqrt(3), whose variance
    is 1: y = sqrt(3) (2 u - 1), with u from 0 to 1.

    Of real numbers, u = (x - low) / (high - low). Of those that have few values, u is drawn evenly
    from the part of 0 to 1 that the value has, which is as wide as the value is frequent: so
    networks deal with real numbers, D does not tell data by their being round, and what is evenly
    spread has each value as often as the data.

    low, high : of each of F columns; or
    levels : for each column its values, rising;  edges : where their parts begin, 0 first, and 1
    """

    low: Tensor
    high: Tensor
    levels: Tensor
    edges: Tensor

    def __init__(
        self, low: Sequence[float] = (), high: Sequence[float] = (),
        levels: Sequence[Sequence[float]] | None = None,
        edges: Sequence[Sequence[float]] | None = None,
    ):  # fmt: skip
        super().__init__()
        self.rounded = levels is not None
        self.features = len(low) if levels is None else len(levels)
        tables: dict[str, Any] = {"low": low, "high": high}
        if levels is not None and edges is not None:
            most = max(map(len, levels))
            filled = [[*row, *[row[-1]] * (most - len(row))] for row in levels]
            ends = [[*row, *[1.0] * (most + 1 - len(row))] for row in edges]
            tables = {"levels": filled, "edges": ends}
        for name, table in tables.items():
            self.register_buffer(name, tensor_of(np.array(table, np.float32)))

    def coded(self, series: Tensor) -> Tensor:
        """y of a batch (N, T, F): of real numbers, or int64, places of values."""
        if not self.rounded:
            return ((series - self.low) / (self.high - self.low) * 2 - 1) * WIDE
        columns = range(self.features)
        first = stack([self.edges[f][series[..., f]] for f in columns], -1)
        after = stack([self.edges[f][series[..., f] + 1] for f in columns], -1)
        u = first + (after - first) * rand(*first.shape, dtype=first.dtype, device=first.device)
        return (u * 2 - 1) * WIDE

    def decoded(self, y: Tensor) -> Tensor:
        """The values of coded series (N, T, F)."""
        u = y / (2 * WIDE) + 0.5
        if not self.rounded:
            return u * (self.high - self.low) + self.low
        found = []
        for f in range(self.features):
            place = (u[..., f, None] >= self.edges[f, 1:-1]).to("int64").sum(-1)
            found.append(self.levels[f][place])
        return stack(found, -1)


class Composer(nn.Module):
    """G: noise (N, T, noise) and labels -> coded series (N, T, F). An LSTM cell whose input is the
    noise of this step and what was made in the step before, which is nothing at first.

    classes : of labels int64 (N,); 0: without
    """

    per_example = True

    def __init__(self, coding: Coding, noise: int, hidden: int, classes: int = 0):
        super().__init__()
        self.coding = coding
        self.classes = classes
        self.given = noise + classes
        self.cell: Any = nn.LSTMCell(self.given + coding.features, hidden)
        self.out = nn.Linear(hidden, coding.features)
        # so large that what is made varies with the noise from the beginning
        bound = math.sqrt(3 / self.cell.input_size)
        nn.init.uniform_(dict(self.cell.named_parameters())["weight_ih"], -bound, bound)

    def forward(self, noise, labels=None):
        n, length, _ = noise.shape
        cell, kind = self.cell, {"dtype": noise.dtype, "device": noise.device}
        given = noise.transpose(0, 1)
        if labels is not None:
            told = F.one_hot(labels, self.classes).to(noise.dtype)
            given = cat([given, told[None].expand(length, n, self.classes)], 2)
        # what is known of all steps before the first
        gates = given @ cell.weight_ih[:, : self.given].T + (cell.bias_ih + cell.bias_hh)
        heard = cell.weight_ih[:, self.given :].T
        last = zeros(n, self.coding.features, **kind)
        h = c = zeros(n, cell.hidden_size, **kind)
        made = []
        for t in range(length):
            both = lstm_steps(gates[t : t + 1] + last @ heard, h, c,
                              cell.weight_hh)  # fmt: skip
            h, c = both[0, 0], both[1, 0]
            last = tanh(self.out(h)) * WIDE
            made.append(last)
        return stack(made, 1)


class Listener(nn.Module):
    """D: coded series (N, T, F) and labels -> a logit for each time, (N, T): an LSTM in both
    directions and one linear unit, which all times share. `features`: what that unit sees."""

    per_example = True

    def __init__(self, coding: Coding, hidden: int, classes: int = 0):
        super().__init__()
        self.coding = coding
        self.classes = classes
        self.lstm = nn.LSTM(coding.features + classes, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, 1)

    def features(self, series: Tensor, labels: Tensor | None = None) -> Tensor:
        x = series
        if labels is not None:
            n, length, _ = x.shape
            given = F.one_hot(labels, self.classes).to(x.dtype)[:, None]
            x = cat([x, given.expand(n, length, self.classes)], 2)
        return self.lstm(x)[0]

    def forward(self, series, labels=None):
        return self.out(self.features(series, labels))[..., 0]


def log_mean_sigmoid(logits: Tensor) -> Tensor:
    """log of the mean of sigmoid(logits) over times: (N, T) -> (N,)"""
    return logsumexp(F.logsigmoid(logits), 1) - math.log(logits.shape[1])


class OfSeries(Game):
    """A game whose samples are series, of music or of other numbers.

    music : are they melodies, notes of (pitch, length, intensity, time since the one before)?
    """

    music: bool
    exhibited = SHOWN

    def pictured(self, samples: np.ndarray) -> Picture:
        if self.music:
            return Music(list(samples))
        some = {str(i + 1): x for i, x in enumerate(samples[:SHOWN])}
        if (numbers := samples.shape[2]) == 1:
            return Lines(samples[:SHOWN, :, 0], [*some], "time", "value")
        names = [f"number {i + 1} of {numbers}" for i in range(min(NUMBERS, numbers))]
        return Panels([("value", some)], names, "time")


class CRNNGAN(OfSeries):
    """Mogren 2016. D(x) is the mean over times of sigmoids; f(x) what D's last unit sees.

        D ascends   E log D(x) + E log(1 - D(G(z))), or rests
        G descends  |E f(x) - E f(G(z))|^2, summed over units, with means over times, too

    D rests in a round in which its loss, what it ascends with the other sign, is less than
    `too_good` of what G's would be, -E log D(G(z)): its weights stay as they are.

    Where G and D have classes, a batch has labels, which both are told.
    """

    G: Composer
    D: Listener

    def __init__(
        self, generator: Composer, discriminator: Listener, length: int, noise: int,
        music: bool = True, too_good: float = TOO_GOOD,
    ):  # fmt: skip
        self.G, self.D = generator, discriminator
        self.length, self.noise = length, noise
        self.music = music
        self.too_good = too_good
        self.classes = generator.classes
        self.columns = ("series", "labels") if self.classes else ("series",)
        self.players = {"D": discriminator, "G": generator}

    def moves(self, series: Tensor, *labels: Tensor):
        real = self.G.coding.coded(series)
        with no_grad():
            fake = self.made(len(real), real, *labels)
        twice = [cat([y, y]) for y in labels]
        on_real, on_fake = self.D(cat([real, fake]), *twice).chunk(2)
        value = log_mean_sigmoid(on_real).mean() + log_mean_sigmoid(-on_fake).mean()
        with no_grad():
            lost = -log_mean_sigmoid(on_fake).mean()
            plays = (-value >= self.too_good * lost).to(value.dtype)
            before = [p.clone() for p in self.D.parameters()]
        yield Ascend("D", value * plays, d_value=value, d_real=on_real.sigmoid(),
                     d_fake=on_fake.sigmoid(), plays=plays)  # fmt: skip
        with no_grad():  # what momentum alone would do is taken back
            for p, old in zip(self.D.parameters(), before):
                p.copy_(where(plays > 0, p, old))
        fake = self.made(len(real), real, *labels)
        with no_grad():
            target = self.D.features(real, *labels).mean((0, 1))
        off = self.D.features(fake, *labels).mean((0, 1)) - target
        yield Descend("G", (off * off).sum())

    def made(self, n: int, like: Tensor, *labels: Tensor) -> Tensor:
        """n coded series of G."""
        noise = rand(n, self.length, self.noise, dtype=like.dtype, device=like.device) * 2 - 1
        return self.G(noise, *labels)

    def judge(self, series: Tensor, *labels: Tensor) -> None:
        self.D(self.G.coding.coded(series), *labels)

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        shape = (n, self.length, self.noise)
        noise = tensor_of(LATENTS["uniform"](shape, generator, device))
        return (noise, equal_labels(n, self.classes, device)) if self.classes else (noise,)

    def sample(self, noise: Tensor, *labels: Tensor) -> Tensor:
        """Series (N, T, F) as the data have them."""
        with evaluating(self.G), no_grad():
            return self.G.coding.decoded(self.G(noise, *labels))


class Spoken(OfSeries, Likelihood):
    """A language whose words are notes, or values; the first word of a series is its label, where
    there are some. G learns each next word.

    table : float32 (V, F), what each word stands for;  classes : words in front, that are labels
    """

    columns = ("tokens",)

    def __init__(
        self, policy: Policy, table: np.ndarray, length: int, music: bool = True, classes: int = 0
    ):
        words = [str(i) for i in range(len(table))]
        super().__init__(policy, words, length + (classes > 0))
        self.table = table
        self.music = music
        self.labels_first = classes

    def values(self, tokens: Tensor) -> Tensor:
        """What sequences of words stand for, (N, T, F)."""
        table = tensor_of(to_device(self.table, tokens.device))
        return table[tokens[:, 1:] if self.labels_first else tokens]

    def sample(self, numbers: Tensor) -> Tensor:
        return self.values(super().sample(numbers))
