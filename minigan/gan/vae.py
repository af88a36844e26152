"""The variational auto-encoder, and the same with a D that says what near means."""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import cat, exp, randn_like, tanh
from ..ops.loss import binary_cross_entropy_with_logits
from .games import Ascend, Descend, Game, Move
from .mrgan import squared_distance
from .objectives import Minimax, NonSaturating
from .recalibrate import evaluating


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, diag exp(log_var)) || N(0, I)) of each example, in nats: (N, d) twice -> (N,).
    Kingma and Welling 2014, appendix B."""
    return 0.5 * (exp(log_var) + mean * mean - 1 - log_var).sum(1)


def reparametrize(mean: Tensor, log_var: Tensor) -> Tensor:
    """z ~ N(mean, diag exp(log_var)) as mean + exp(log_var / 2) eps, eps ~ N(0, I): gradients pass
    through the draw."""
    return mean + exp(0.5 * log_var) * randn_like(mean)


class VAE(Game):
    """Kingma and Welling 2014, Algorithm 1: E and G descend, from the same point, the negative
    evidence lower bound

        -log p(x) <= -E_q log p(x|z) + KL(q(z|x) || N(0, I)),       q(z|x) = N(m(x), diag v(x))

    z is m + sqrt(v) eps, so that the gradient reaches E through it. p(x|z): each pixel is
    Bernoulli, a grey one in [0, 1] the probability of white.

    encoder : examples (N, ...) -> (N, 2 latent_dim): m and log v
    generator : z (N, latent_dim) -> logits of the pixels (N, ...)
    coded : False: G gets z ~ N(0, I) in place of the code (the control)
    """

    def __init__(
        self, encoder: nn.Module, generator: nn.Module, latent_dim: int, coded: bool = True
    ):
        self.E = encoder
        self.G = generator
        self.latent_dim = latent_dim
        self.coded = coded
        self.players = {"E": encoder, "G": generator}

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """m and log v of q(z|x), (N, latent_dim) each."""
        told = self.E(x)
        return told[:, : self.latent_dim], told[:, self.latent_dim :]

    def draw(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """z, of which G makes x again."""
        return reparametrize(mean, log_var) if self.coded else randn_like(mean)

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        mean, log_var = self.encode(real)
        kl, error = (
            gaussian_kl(mean, log_var),
            cross_entropy(self.G(self.draw(mean, log_var)), real),
        )
        loss = (error + kl).mean()
        yield Descend("E", loss, kl=kl, reconstruction=error), Descend("G", loss)

    def sample(self, latents: Tensor) -> Tensor:
        with evaluating(self.G), no_grad():
            return pixels(self.G(latents))

    def reconstruct(self, x: Tensor) -> Tensor:
        """What G makes of x's mean code, for people to look at; of noise where codes are not
        used."""
        with evaluating(self.E, self.G), no_grad():
            mean = self.encode(x)[0]
            return pixels(self.G(mean if self.coded else randn_like(mean)))


def cross_entropy(logits: Tensor, x: Tensor) -> Tensor:
    """-log p(x) of each example, in nats, x in [-1, 1] for black to white: (N,)."""
    each = binary_cross_entropy_with_logits(logits, 0.5 * (x + 1), reduction="none")
    return each.flatten(1).sum(1)


def pixels(logits: Tensor) -> Tensor:
    """The mean of each pixel, from -1 to 1."""
    return tanh(0.5 * logits)


class VAEGAN(VAE):
    """Larsen et al. 2016, Algorithm 1: near is what a layer D_l of D finds near. From the same
    point, with x~ = G(z), z ~ q(z|x), and x_p = G(z_p), z_p ~ N(0, I):

        E descends  KL(q(z|x) || N(0, I)) + L            L = E |D_l(x) - D_l(x~)|^2 / 2
        G descends  gamma L - L_GAN
        D ascends   L_GAN = E log D(x) + E log(1 - D(x~)) + E log(1 - D(x_p))

    D learns nothing from L, and E nothing from L_GAN: a move's gradient is its player's only. What
    G wants of D is said by the objective: with `Minimax` it is -L_GAN as above, with
    `NonSaturating` -E log D(x~) - E log D(x_p), which does not vanish where D is sure.

    discriminator : examples -> logits (N, 1), a Sequential
    gamma : weight of L for G
    layer : D_l is what D's modules before this one give
    """

    def __init__(
        self, encoder: nn.Module, generator: nn.Module, discriminator: nn.Sequential,
        latent_dim: int, gamma: float = 1.0, layer: int = -1, objective: Minimax | None = None
    ):  # fmt: skip
        super().__init__(encoder, generator, latent_dim)
        self.D = discriminator
        self.gamma = gamma
        self.layer = layer
        self.objective = objective or NonSaturating()
        self.players["D"] = discriminator

    def moves(self, real: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        n, (mean, log_var) = len(real), self.encode(real)
        fake = pixels(self.G(cat([reparametrize(mean, log_var), randn_like(mean)])))  # x~, x_p
        described = self.D[: self.layer](cat([real, fake]))
        logits = self.D[self.layer :](described)
        near = 0.5 * squared_distance(described[:n], described[n : 2 * n]).mean()
        kl, on_real, on_fake = gaussian_kl(mean, log_var), logits[:n], logits[n:]
        # a mean over x~ and x_p together is half the sum of their means
        value = 2 * self.objective.d_value(on_real, on_fake) - self.objective.on_real(on_real)
        yield (
            Descend("E", kl.mean() + near, kl=kl, near=near),
            Descend("G", self.gamma * near + 2 * self.objective.g_loss(on_fake)),
            Ascend("D", value, d_real=on_real.sigmoid(), d_fake=on_fake.sigmoid()),
        )

    def judge(self, real: Tensor) -> None:
        self.D(real)
