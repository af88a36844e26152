"""An encoder for a generator that is finished."""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from .games import Descend, Game, Move
from .mrgan import squared_distance
from .recalibrate import evaluating


class Inference(Game):
    """Goodfellow et al. 2014, section 6: approximate inference of z given x by a network trained
    after G, on G's samples alone:

        E descends  E |z - E(G(z))|^2 / latent_dim

    E(x) becomes the mean of p(z | x), so that the loss at its best is the part of z's variance
    that samples do not show.

    encoder : examples -> (N, latent_dim), the player "E"
    generator : z -> examples; it is frozen here: in evaluation mode, without gradients, no state
    latent : the distribution of z, one of `latents.LATENTS`
    paired : False: E is shown the sample of another z (the control)
    """

    def __init__(
        self, encoder: nn.Module, generator: nn.Module, latent_dim: int,
        latent: str = "normal", paired: bool = True
    ):  # fmt: skip
        self.E = encoder
        self.G = generator.eval().requires_grad_(False)
        self.latent_dim = latent_dim
        self.latent = latent
        self.paired = paired
        self.players = {"E": encoder}

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        """Of the real batch it takes the size only."""
        z = self.latents(len(real), real)
        with no_grad():
            x = self.G(z if self.paired else self.latents(len(real), real))
        yield Descend("E", squared_distance(z, self.E(x)).mean() / self.latent_dim)

    def encode(self, x: Tensor) -> Tensor:
        """The z of x, (N, latent_dim)."""
        with evaluating(self.E), no_grad():
            return self.E(x)

    def sample(self, latents: Tensor) -> Tensor:
        with no_grad():
            return self.G(latents)

    def reconstruct(self, x: Tensor) -> Tensor:
        """What G makes of x's code."""
        return self.sample(self.encode(x))
