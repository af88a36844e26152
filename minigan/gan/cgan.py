"""Conditional games: a label tells what is to be made, and both players know it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..ops import cat
from .games import GAN, Game, Move, Parts
from .objectives import NonSaturating
from .recalibrate import evaluating
from .views import Pack


class Given(nn.Module):
    """A network of two inputs with the second one bound: Given(D, y)(x) = D(x, y), so that whoever
    asks D about x need not know of y.

    Where x are several batches one after the other (real and fake ones, in one pass), y belongs to
    each; where they are fewer than y, they are the first ones.
    """

    def __init__(self, network: nn.Module, condition: Tensor):
        super().__init__()
        self.network, self.condition = network, condition

    @property
    def per_example(self):
        return self.network.per_example

    def forward(self, x):
        condition = self.condition[: len(x)]
        times, rest = divmod(len(x), len(condition))
        if rest:
            raise ValueError(f"Given: {len(x)} examples for {len(condition)} conditions")
        return self.network(x, condition if times == 1 else cat([condition] * times))


class Joined(nn.Module):
    """(x, labels) -> network([x, y]): y, the labels as one-hot vectors, are `classes` more inputs,
    or constant maps of an image.

    labels : int64 (N,), from 0 to classes - 1
    flat : x is flattened first
    """

    def __init__(self, network: nn.Module, classes: int, flat: bool = False):
        super().__init__()
        self.network = network
        self.classes = classes
        self.flat = flat

    @property
    def per_example(self):
        return self.network.per_example

    def forward(self, x, labels):
        x = x.flatten(1) if self.flat else x
        y = F.one_hot(labels, self.classes).to(x.dtype)
        y = y.reshape(*y.shape, *[1] * (x.ndim - 2)).expand(*y.shape, *x.shape[2:])
        return self.network(cat([x, y], 1))


class CGAN(GAN):
    """Mirza and Osindero 2014: min max V(D, G) = E log D(x|y) + E log(1 - D(G(z|y)|y)), y the
    labels of the real batch.

    It is the game of `GAN` with G and D bound to the labels: every objective, penalty and k is as
    there.

    generator, discriminator : (latents, labels) -> examples; (examples, labels) -> logits or a
        critic's values (see `Joined`)
    classes : labels are 0 .. classes - 1
    Other arguments as for `GAN`.
    """

    columns: tuple[str, ...] = ("images", "labels")

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, *arguments, classes: int, **named
    ):
        super().__init__(generator, discriminator, *arguments, **named)
        if any(isinstance(view, Pack) for view in self.views):
            raise ValueError(
                "CGAN: packed examples have several labels; take another view than Pack"
            )
        self.classes, self.grid = classes, (classes, 8)

    @classmethod
    def of(cls, parts: Parts, **options: Any) -> Game:
        k = options["classes"]
        named: dict[str, Any] = {
            "objective": NonSaturating(),
            "latent_dim": parts.latent_dim,
        } | options
        return cls(
            Joined(parts.generator(k), k), Joined(parts.critic(more=k), k, flat=True), **named
        )

    def given(self, labels: Tensor) -> GAN:
        """The game whose players are bound to these labels."""
        bound = copy.copy(self)
        bound.G, bound.D = Given(self.G, labels), Given(self.D, labels)
        return bound

    def moves(self, real: Tensor, labels: Tensor) -> Iterator[Move | tuple[Move, ...]]:  # type: ignore[override]
        return GAN.moves(self.given(labels), real)

    def sample(self, latents: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        """G(latents, labels) in evaluation mode, outside the tape."""
        with evaluating(self.G), no_grad():
            return self.G(latents, labels)

    def judge(self, real: Tensor, labels: Tensor) -> None:  # type: ignore[override]
        self.D(real, labels)
