"""Sequences of tokens: a policy that says which token comes next, and a discriminator that teaches
it by rewards, as no gradient goes through a choice."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import nn
from ..arrays import CPU, Generator, seam
from ..autograd import Tensor, no_grad, raw, tensor_of
from ..data.texts import spelt
from ..nn import functional as F
from ..ops import amax, arange, cat, full, rand, randperm, relu, sigmoid, zeros
from ..ops.recurrent import lstm_steps
from ..ops.rollout import lstm_rollout
from ..viz import Picture, Text
from .games import Ascend, Descend, Game, Move, scores
from .objectives import NonSaturating
from .recalibrate import evaluating

JUDGED = 2048  # sequences that a discriminator looks at in one go
SHOWN = 20  # sequences that people are shown


class Policy(nn.Module):
    """pi(y_t | y_1 .. y_(t-1)), by an LSTM that has read the tokens before.

    vocabulary : how many tokens there are, V;  width : numbers that a token becomes
    hidden : units of the LSTM

    forward : tokens int64 (N, T) -> logits of each token, given those before it, (N, T, V)
    """

    per_example = True

    def __init__(self, vocabulary: int, width: int = 32, hidden: int = 32):
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = nn.Embedding(vocabulary + 1, width)  # the last: nothing was said yet
        self.cell: Any = nn.LSTMCell(width, hidden)
        self.out = nn.Linear(hidden, vocabulary)

    def states(self, tokens: Tensor) -> Tensor:
        """h and c before each token, (2, T, N, hidden)."""
        n, cell = len(tokens), self.cell
        start = full((n, 1), self.vocabulary, dtype=tokens.dtype, device=tokens.device)
        read = self.embedding(cat([start, tokens[:, :-1]], 1).T)
        gates = read @ cell.weight_ih.T + (cell.bias_ih + cell.bias_hh)
        nothing = zeros(n, cell.hidden_size, dtype=gates.dtype, device=gates.device)
        return lstm_steps(gates, nothing, nothing, cell.weight_hh)

    def forward(self, tokens):
        return self.out(self.states(tokens)[0]).transpose(0, 1)

    def nats(self, tokens: Tensor) -> Tensor:
        """-log pi(y_t | y_1 .. y_(t-1)) of each token: (N, T)."""
        logits = self.out(self.states(tokens)[0])
        found = F.cross_entropy(
            logits.reshape(-1, self.vocabulary), tokens.T.reshape(-1), reduction="none"
        )
        return found.reshape(tokens.shape[1], -1).T

    def draw(self, numbers: Tensor) -> Tensor:
        """Sequences of the random numbers in [0, 1) given, (N, T) -> int64 (N, T)."""
        n, device = len(numbers), numbers.device
        nothing = zeros(n, 1, dtype="int64", device=device)
        h, c = self.states(nothing)[:, 0]
        tokens = zeros(*numbers.shape, dtype="int64", device=device)
        return self.continued(numbers, tokens, nothing[:, 0], h, c)

    def continued(
        self, numbers: Tensor, tokens: Tensor, begin: Tensor, h: Tensor, c: Tensor
    ) -> Tensor:
        """The tokens of each row from `begin` on drawn anew; h, c : its states before that token.
        No gradient goes through it. See `ops.rollout.lstm_rollout`."""
        with no_grad():
            cell = self.cell
            table = self.embedding.weight @ cell.weight_ih.T + (cell.bias_ih + cell.bias_hh)
            given = (
                numbers, table, cell.weight_hh, self.out.weight, self.out.bias, h, c, tokens, begin
            )  # fmt: skip
            return tensor_of(seam.execute(lstm_rollout, *map(raw, given)))


def oracle(vocabulary: int, width: int = 32, seed: int = 0) -> Policy:
    """A policy whose weights are drawn from N(0, 1): a language that is known exactly (section 4 of
    Yu et al. 2017). Frozen."""
    found, random = Policy(vocabulary, width, width), Generator(seed)
    for p in found.parameters():
        raw(p)[...] = random.normal(p.shape)
    return found.requires_grad_(False)


class Highway(nn.Module):
    """t relu(W x) + (1 - t) x, with t = sigmoid(W' x): Srivastava et al. 2015"""

    per_example = True

    def __init__(self, width: int):
        super().__init__()
        self.new, self.gate = nn.Linear(width, width), nn.Linear(width, width)
        self.gate.bias = nn.Parameter(full((width,), -2.0))  # at first x goes through

    def forward(self, x):
        t = sigmoid(self.gate(x))
        return t * relu(self.new(x)) + (1 - t) * x


class TextCritic(nn.Module):
    """Tokens int64 (N, T) -> logits (N, 1): convolutions over windows of several lengths, the
    largest value of each filter, a highway layer, dropout (section 3.3 of Yu et al. 2017).

    windows : their lengths, of which those longer than T are left out;  filters : of each
    """

    per_example = True

    def __init__(
        self, vocabulary: int, length: int, width: int = 32, filters: int = 32,
        windows: Sequence[int] = (1, 2, 3, 4, 5), dropout: float = 0.25,
    ):  # fmt: skip
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        fitting = [w for w in windows if w <= length]
        self.convolutions = nn.ModuleList([nn.Conv1d(width, filters, w) for w in fitting])
        features = filters * len(fitting)
        self.rest = nn.Sequential(
            Highway(features), nn.Dropout(dropout), nn.Linear(features, 1)
        )  # fmt: skip

    def forward(self, tokens):
        x = self.embedding(tokens).transpose(1, 2)
        return self.rest(cat([amax(relu(layer(x)), 2) for layer in self.convolutions], 1))


class Sequences(Game):
    """What games of sequences share.

    vocabulary : what the tokens stand for;  between : what stands between two of them
    length : tokens of a sequence
    verse : tokens after which a space is shown, as between the verses of a poem; 0: there is none
    """

    columns = ("tokens",)
    exhibited = SHOWN
    G: Policy

    def __init__(
        self, vocabulary: Sequence[str], length: int, between: str = "", verse: int = 0
    ):  # fmt: skip
        self.vocabulary = vocabulary
        self.length = length
        self.between = between
        self.verse = verse

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        """For each token a number u ~ U(0, 1)."""
        return (tensor_of(generator.uniform((n, self.length), device=device)),)

    def sample(self, numbers: Tensor) -> Tensor:
        with evaluating(self.G), no_grad():
            return self.G.draw(numbers)

    def lines(self, tokens: np.ndarray) -> list[str]:
        """What sequences of tokens say."""
        return spelt(tokens, self.vocabulary, self.between)

    def pictured(self, samples: np.ndarray) -> Picture:
        if not self.verse:
            return Text(self.lines(samples))
        starts = range(0, self.length, self.verse)
        verses = [self.lines(samples[:, i : i + self.verse]) for i in starts]
        return Text([" ".join(filter(None, poem)) for poem in zip(*verses)])


class Likelihood(Sequences):
    """Teacher forcing: G descends -E sum_t log pi(y_t | y_1 .. y_(t-1)) of the data (as a mean of
    tokens)."""

    def __init__(
        self, policy: Policy, vocabulary: Sequence[str], length: int, between: str = "",
        verse: int = 0,
    ):  # fmt: skip
        super().__init__(vocabulary, length, between, verse)
        self.G = policy
        self.players = {"G": policy}

    def moves(self, tokens: Tensor) -> Iterator[Move]:
        yield Descend("G", self.G.nats(tokens).mean())


class SeqGAN(Sequences):
    """Yu et al. 2017, Algorithm 1. A round is, of sequences y that G draws,

        G ascends   E sum_t log pi(y_t | y_1 .. y_(t-1)) Q_t
        D ascends   E log D(x) + E log(1 - D(y)),   d_steps times, each with new x and y

    Q_t, the worth of y_t where y_1 .. y_(t-1) were said, is the mean of D over `rollouts`
    sequences which begin with y_1 .. y_t and go on as a copy of G draws; Q_T = D(y). The copy lags
    behind G: after each step of G it becomes rate copy + (1 - rate) G.

    A round's batch has d_steps parts, one for each step of D, and G draws as many as one part has.

    baseline : from Q_t is subtracted what the other sequences of the batch have at t on the
        average: the mean gradient is the same, and it varies less
    shuffled : each sequence gets the rewards of another one: a control
    alone : D alone moves, before the game begins
    """

    def __init__(
        self, policy: Policy, discriminator: nn.Module, vocabulary: Sequence[str], length: int,
        between: str = "", verse: int = 0, rollouts: int = 16, rate: float = 0.8, d_steps: int = 5,
        baseline: bool = False, shuffled: bool = False, alone: bool = False,
    ):  # fmt: skip
        super().__init__(vocabulary, length, between, verse)
        self.G = policy
        self.D = discriminator
        self.behind = copy.deepcopy(policy)
        self.rollouts = rollouts
        self.rate = rate
        self.d_steps = d_steps
        self.baseline = baseline
        self.shuffled = shuffled
        self.alone = alone
        self.objective = NonSaturating()
        self.players = {"D": discriminator, "G": policy}

    def moves(self, tokens: Tensor) -> Iterator[Move]:
        n = len(tokens) // self.d_steps
        if not self.alone:
            made = self.drawn(n, tokens)
            worth = self.values(made)
            gain = -(self.G.nats(made) * self.advantage(worth)).sum(1).mean()
            yield Ascend("G", gain, reward=worth)
            self.follow()
        for i in range(self.d_steps):
            real, fake = tokens[i * n : (i + 1) * n], self.drawn(n, tokens)
            on_real, on_fake = scores(self.D, real, fake)
            yield Ascend("D", self.objective.d_value(on_real, on_fake),
                         d_real=sigmoid(on_real), d_fake=sigmoid(on_fake))  # fmt: skip

    def drawn(self, n: int, like: Tensor) -> Tensor:
        """n sequences of G."""
        with no_grad():
            return self.G.draw(rand(n, self.length, device=like.device))

    def values(self, made: Tensor) -> Tensor:
        """Q_t of each token of sequences (n, T): (n, T). The rollouts of all positions are drawn as
        one batch."""
        n, length = made.shape
        ahead, times = length - 1, self.rollouts
        shape = (ahead, times, n)

        def spread(x):  # of each position and sequence -> of each rollout
            return x[:, None].expand(*shape, *x.shape[2:]).reshape(-1, *x.shape[2:])

        with evaluating(self.D), no_grad():
            h, c = self.behind.states(made)
            whole = made[None].expand(ahead, n, length)
            begin = (arange(ahead, device=made.device) + 1)[:, None].expand(ahead, n)
            numbers = rand(ahead * times * n, length, device=made.device)
            said = self.behind.continued(
                numbers, spread(whole), spread(begin), spread(h[1:]), spread(c[1:])
            )
            d = self.worth_of(cat([said, made]), n)
            means = d[: len(said)].reshape(*shape).mean(1)
            return cat([means, d[None, len(said) :]]).T

    def worth_of(self, tokens: Tensor, n: int) -> Tensor:
        """What whole sequences are worth, (m,); n of them after each other were drawn together."""
        return self.judged(tokens)

    def judged(self, tokens: Tensor) -> Tensor:
        """D's probabilities that sequences are of the data: (n,)."""
        parts = [tokens[i : i + JUDGED] for i in range(0, len(tokens), JUDGED)]
        return cat([sigmoid(self.D(part))[:, 0] for part in parts])

    def advantage(self, worth: Tensor) -> Tensor:
        """What the logarithms are weighted with."""
        n = len(worth)
        if self.shuffled:
            worth = worth[randperm(n, device=worth.device)]
        if not self.baseline:
            return worth
        return (worth - worth.mean(0)) * (n / max(1, n - 1))

    def follow(self) -> None:
        """The copy goes after G."""
        with no_grad():
            for old, p in zip(self.behind.parameters(), self.G.parameters()):
                old.copy_(old * self.rate + p * (1 - self.rate))

    def judge(self, tokens: Tensor) -> None:
        self.D(tokens)
