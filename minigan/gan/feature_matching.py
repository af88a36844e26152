"""Feature matching: G descends how far its samples' features are from the data's, and not what D
thinks of them."""

from __future__ import annotations

from .. import nn
from ..autograd import Tensor, no_grad
from .games import GAN, Descend, Move
from .penalties import total


class FeatureMatching(GAN):
    """Salimans et al. 2016, section 3.1: G descends |E f(x) - E f(G(z))|^2, f an intermediate layer
    of D; D's game is as before.

    layer : f is what D's modules before this one give (D a Sequential); default: the input of the
        last one
    Other arguments as for `GAN`.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Sequential,
        *arguments,
        layer: int = -1,
        **named,
    ):
        super().__init__(generator, discriminator, *arguments, **named)
        if not isinstance(discriminator, nn.Sequential) or not len(discriminator[:layer]):
            raise ValueError(
                f"FeatureMatching: D must be a Sequential with modules before layer={layer}"
            )
        self.layer = layer

    def descent(
        self, real: Tensor, fake: Tensor, d_outputs: dict[str, Tensor] | None = None
    ) -> Move:
        assert isinstance(self.D, nn.Sequential)
        features = self.D[: self.layer]
        with no_grad():
            target = features(self.show(real)).mean(0)
        far = features(self.show(fake)).mean(0) - target
        return Descend(
            "G",
            total(
                [(far * far).sum(), *[penalty(self.G, real, fake) for penalty in self.g_penalties]]
            ),
        )
