"""A game is a generator of moves. The trainer performs each: the gradient of that value with respect to that player's
parameters only, then one step of the player's optimiser, up for Ascend and down for Descend.

    yield Ascend("D", value)                        one move
    yield Ascend("D", v), Descend("G", loss)        simultaneous moves: both gradients are taken at the same point
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import cat, randn, sigmoid
from .statistics import settle


class Move:
    """A player's move along the gradient of `value` (a scalar Tensor). `report`: Tensors to be logged, by name."""

    __slots__ = ("player", "value", "report")
    ascends = False

    def __init__(self, player: str, value: Tensor, **report: Tensor):
        self.player, self.value, self.report = player, value, report


class Ascend(Move):
    """`player` steps up the gradient of `value`."""

    ascends = True


class Descend(Move):
    """`player` steps down the gradient of `value`."""


class Game:
    """A set of players and the rules by which they move.

    players : name -> Module
    latent_dim : numbers in one latent vector, for `sample`
    moves(real) : the moves of one round, given a batch of real examples
    """

    players: dict[str, nn.Module]
    latent_dim: int

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        raise NotImplementedError

    def sample(self, latents: Tensor) -> Tensor:
        """What the generator makes of `latents`, for people to look at."""
        raise NotImplementedError

    def settle(self) -> None:
        """Called after the generator has got averaged weights, before `sample`: make what depends on weights fit them."""

    def measure(self, moves: list[Move]) -> dict[str, float]:
        """Numbers for the log from a round's moves; by default the value of each player's last move."""
        return {f"{m.player}_value": m.value.item() for m in moves}


def scores(critic: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """critic(real), critic(fake); in one pass where the critic treats every example by itself (no batch statistics)."""
    if not critic.per_example:
        return critic(real), critic(fake)
    both = critic(cat([real, fake]))
    return both[: len(real)], both[len(real) :]


class GAN(Game):
    """Goodfellow et al. 2014, Algorithm 1: k ascents of D on V(D, G), then one descent of G."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, objective, latent_dim: int = 100, k: int = 1):
        self.G, self.D, self.objective, self.latent_dim, self.k = generator, discriminator, objective, latent_dim, k
        self.players = {"D": discriminator, "G": generator}

    def latents(self, n: int, like: Tensor) -> Tensor:
        """n latent vectors z ~ N(0, 1), (n, latent_dim), on the device of `like`."""
        return randn(n, self.latent_dim, device=like.device)

    def moves(self, real: Tensor) -> Iterator[Move]:
        for _ in range(self.k):
            with no_grad():  # D's move needs nothing of how the fakes were made
                fake = self.G(self.latents(len(real), real))
            on_real, on_fake = scores(self.D, real, fake)
            yield Ascend("D", self.objective.d_value(on_real, on_fake), d_real=on_real, d_fake=on_fake)
        fake = self.G(self.latents(len(real), real))
        yield Descend("G", self.objective.g_loss(self.D(fake)))

    def measure(self, moves: list[Move]) -> dict[str, float]:
        """D's value, G's loss, and the means of D(x) and D(G(z)) as D saw them in its last move."""
        *_, d, g = moves
        chances = {name: sigmoid(logits.detach()).mean().item() for name, logits in d.report.items()}
        return {"d_value": d.value.item(), "g_loss": g.value.item(), **chances}

    def settle(self) -> None:
        """Batch statistics of G's present weights."""
        settle(self.G, self.latent_dim)

    def sample(self, latents: Tensor) -> Tensor:
        """G(latents) in evaluation mode (running statistics), outside the tape."""
        training = self.G.training
        self.G.eval()
        try:
            with no_grad():
                return self.G(latents)
        finally:
            self.G.train(training)
