"""Deep generative replay: what was learnt before is drawn again, so that it is not forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..ops import cat
from .games import GAN, Descend, Move
from .objectives import NonSaturating


class Replay(GAN):
    """Shin et al. 2017, section 3: a scholar is a generator G and a solver C. While it learns a
    task, its batches are of the task's examples (x, y) and of (x', C'(x')), x' = G'(z), where
    (G', C') is the scholar of before, who does not learn:

        D ascends   V(D, G) on x and x' together, as data;  G descends it
        C descends  the cross entropy on (x, y) and (x', C'(x')) together

    so that neither G nor C needs the data of tasks before. A batch of n has n `share` of x.

    solver : examples -> logits (N, classes);  teacher : (G', C'), frozen; () for the first task
    share : of the task's examples in a batch, the paper's r
    """

    columns = ("images", "labels")

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, solver: nn.Module,
        latent_dim: int, teacher: tuple[nn.Module, ...] = (), share: float = 1.0,
    ):  # fmt: skip
        super().__init__(generator, discriminator, NonSaturating(), latent_dim)
        self.C = solver
        self.players["C"] = solver
        self.teacher = teacher
        self.share = share

    def moves(self, images: Tensor, labels: Tensor) -> Iterator[Move | tuple[Move, ...]]:  # type: ignore[override]
        images, labels = self.mixed(images, labels)
        yield from super().moves(images)
        yield Descend("C", F.cross_entropy(self.C(images), labels))

    def mixed(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """A batch in which the last ones are replayed."""
        n = len(images)
        new = min(n, max(1, round(n * self.share)))
        if not self.teacher or new == n:
            return images, labels
        draws, names = self.teacher
        with no_grad():
            replayed = draws(self.latents(n - new, images))
            named = names(replayed).argmax(1)
        return cat([images[:new], replayed]), cat([labels[:new], named])

    def judge(self, images: Tensor, labels: Tensor) -> None:  # type: ignore[override]
        self.D(images)

    @property
    def classifier(self) -> nn.Module:
        """What says the class of an example."""
        return self.C
