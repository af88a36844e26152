"""Frames of speech, or of other series, that become those of another speaker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import cat, zeros_like
from .cgan import Given
from .games import Ascend, Descend, Move, scores
from .objectives import Wasserstein
from .penalties import Penalty, total
from .recalibrate import evaluating
from .vae import VAE, gaussian_kl, reparametrize


class SpeakerVAE(VAE):
    """Hsu et al. 2016 and 2017, the first stage: G is told who speaks, so that the code need not
    say it. E and G descend, from the same point, with z ~ q(z|x),

        |x - G(z, y)|^2 / (2 sd^2) + KL(q(z|x) || N(0, I))  >=  -log p(x|y) + constant

    A batch: frames and their speakers, x (N, C) and y int64 (N,), once or several times.

    encoder : x -> (N, 2 latent_dim): m and log v of q(z|x)
    generator : (z, y) -> x
    classes : how many speakers there are
    sd : of p(x|z, y), which is normal
    told : False: G is told of all that they are the first speaker (a control)
    """

    columns: tuple[str, ...] = ("frames", "labels")

    def __init__(
        self, encoder: nn.Module, generator: nn.Module, latent_dim: int, classes: int,
        sd: float = 1.0, told: bool = True,
    ):  # fmt: skip
        super().__init__(encoder, generator, latent_dim)
        self.classes = classes
        self.sd = sd
        self.told = told

    def made(self, z: Tensor, speakers: Tensor) -> Tensor:
        """G(z, y)"""
        return self.G(z, speakers if self.told else zeros_like(speakers))

    def bound(self, frames: Tensor, speakers: Tensor) -> dict[str, Tensor]:
        """The two parts of what E and G descend, of each frame."""
        mean, log_var = self.encode(frames)
        off = frames - self.made(reparametrize(mean, log_var), speakers)
        error = (off * off).sum(1) * (0.5 / self.sd**2)
        return {"kl": gaussian_kl(mean, log_var), "reconstruction": error}

    def moves(self, *batch: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        parts = self.bound(cat(list(batch[::2])), cat(list(batch[1::2])))
        loss = (parts["kl"] + parts["reconstruction"]).mean()
        yield Descend("E", loss, **parts), Descend("G", loss)

    def sample(self, latents: Tensor, speakers: Tensor) -> Tensor:  # type: ignore[override]
        """Frames of these speakers: (N, latent_dim), int64 (N,) -> (N, C)"""
        with evaluating(self.G), no_grad():
            return self.made(latents, speakers)

    def convert(self, frames: Tensor, speakers: Tensor) -> Tensor:
        """What these speakers would say: (N, C), int64 (N,) -> (N, C)"""
        with evaluating(self.E, self.G), no_grad():
            return self.made(self.encode(frames)[0], speakers)


class VAWGAN(SpeakerVAE):
    """Hsu et al. 2017, Algorithm 1, the second stage: a critic compares frames that were made
    another speaker's, G(E(x_s), y_t), with real ones of that speaker, x_t. E(x) is the mean code:

        D ascends  k times  W - penalty,   W = E D(x_t, y_t) - E D(G(E(x_s), y_t), y_t)
        E descends          J = - (the bound on log p(x_s|y_s) and log p(x_t|y_t))
        G descends          J + alpha W

    from the same point. There is one critic for all speakers, which is told which one it judges:
    with one target it is the paper's. A batch: x_s, y_s, x_t, y_t.

    discriminator : (x, y) -> (N, 1), without batch statistics
    penalties : of D, which bound its slope; () where a constraint on its weights does it
    """

    def __init__(
        self, encoder: nn.Module, generator: nn.Module, discriminator: nn.Module, latent_dim: int,
        classes: int, sd: float = 1.0, told: bool = True, alpha: float = 1.0, k: int = 5,
        penalties: tuple[Penalty, ...] = (),
    ):  # fmt: skip
        super().__init__(encoder, generator, latent_dim, classes, sd, told)
        self.D = discriminator
        self.alpha = alpha
        self.k = k
        self.penalties = penalties
        self.objective = Wasserstein()
        self.players["D"] = discriminator

    def moves(self, *batch: Tensor) -> Iterator[Move | tuple[Move, ...]]:
        frames, _, real, wanted = batch
        critic = Given(self.D, wanted)
        with no_grad():
            code = self.encode(frames)[0]
            fake = self.made(code, wanted)
        for _ in range(self.k):
            on_real, on_fake = scores(critic, real, fake)
            value = self.objective.d_value(on_real, on_fake)
            report: dict[str, Any] = {"critic_real": on_real, "critic_fake": on_fake}
            if self.penalties:
                report["penalty"] = total([p(critic, real, fake) for p in self.penalties])
                value = value - report["penalty"]
            yield Ascend("D", value, **report)
        parts = self.bound(cat([frames, real]), cat(list(batch[1::2])))
        loss = (parts["kl"] + parts["reconstruction"]).mean()
        with no_grad():  # D's values have no zero: W has
            on_real = critic(real).mean()
        distance = on_real + self.objective.g_loss(critic(self.made(code, wanted)))
        yield (
            Descend("E", loss, **parts),
            Descend("G", loss + self.alpha * distance, distance=distance),
        )

    def judge(self, *batch: Tensor) -> None:
        self.D(*batch[2:])
