"""Unrolled GAN: G looks ahead at what D will learn from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import nn
from ..autograd import Tensor, enable_grad, grad
from ..nn.stateless import functional_call
from ..ops import cat
from ..optim import Optimizer
from ..optim.functional import follow
from .games import GAN, Ascend, Descend, Game, Move, Parts, scores
from .objectives import Minimax


class Unrolled(GAN):
    """Metz et al. 2017, sections 2.2 and 2.3. With f the value of the minimax game, and D's
    parameters after K of its own steps,

        theta^0 = theta_D,   theta^(k+1) = theta^k + eta df(theta_G, theta^k)/dtheta^k,
        f_K(theta_G, theta_D) = f(theta_G, theta^K),
        D ascends f,   G descends f_K,   both from the same point and with the same batch,

    where G's gradient goes through all K steps of D. The steps are those that D's optimiser would
    make next (`optim.functional.follow`), Adam's averages included. f_K is all of the value: its
    first term, E log D(x), depends on G as well, through theta^K. K = 0 is the simultaneous GAN
    with the minimax objective.

    optimizer : D's, the very one that the trainer steps it with: SGD, Adam or AdamW
    unroll : K
    objective : one whose `d_value` is the value of a zero-sum game
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, optimizer: Optimizer,
        latent_dim: int = 100, unroll: int = 5, objective=None
    ):  # fmt: skip
        super().__init__(generator, discriminator, objective or Minimax(), latent_dim)
        stepped = [p for group in optimizer.param_groups for p in group["params"]]
        if [id(p) for p in stepped] != [id(p) for p in discriminator.parameters()]:
            raise ValueError(
                "Unrolled: optimizer must be D's: made from discriminator.parameters(), in their "
                "order"
            )
        if unroll < 0:
            raise ValueError(f"Unrolled: unroll={unroll} must not be negative")
        self.unroll = unroll
        # not an attribute of its own: the trainer saves its state
        self._optimizer = lambda: optimizer

    @classmethod
    def of(cls, parts: Parts, **options: Any) -> Game:
        D = parts.critic()
        return cls(parts.generator(), D, parts.optimizer(D), parts.latent_dim, **options)

    @property
    def optimizer(self) -> Optimizer:
        """D's."""
        return self._optimizer()

    def value(self, weights: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """f with these weights of D: all its parameters that learn, as one vector."""
        given, start = {}, 0
        for name, p in self.D.named_parameters():
            if p.requires_grad:
                given[name] = weights[start : start + p.numel()].reshape(p.shape)
                start += p.numel()
        if not self.D.per_example:
            return self.objective.d_value(
                functional_call(self.D, given, real), functional_call(self.D, given, fake)
            )
        both = functional_call(self.D, given, cat([real, fake]))
        return self.objective.d_value(both[: len(real)], both[len(real) :])

    def unrolled(self, real: Tensor, fake: Tensor) -> Tensor:
        """f_K, differentiable with respect to `fake`."""
        step, state = follow(self.optimizer, maximize=True, joined=True)
        weights = cat(
            [p.detach().flatten() for p in self.D.parameters() if p.requires_grad]
        ).requires_grad_()
        with enable_grad():
            for _ in range(self.unroll):
                slopes = grad(self.value(weights, real, fake), [weights], create_graph=True)
                (weights,), state = step([weights], slopes, state)
            return self.value(weights, real, fake)

    def moves(self, real: Tensor) -> Iterator[tuple[Move, ...]]:
        fake = self.G(self.latents(len(real), real))
        on_real, on_fake = scores(self.D, real, fake)
        value = self.objective.d_value(on_real, on_fake)
        yield (
            Ascend("D", value, d_real=on_real, d_fake=on_fake),
            Descend("G", self.unrolled(real, fake)),
        )
