"""A classifier that also learns from pictures that were made, by labels that say less."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn.functional import cross_entropy
from ..ops import cat, rand_like
from .games import Descend, Game, Move
from .recalibrate import evaluating
from .translate import Translating


class Augmented(Game):
    """Three classifiers of the same kind, on the same few labelled pictures x with labels y:

        C descends  E CE(C(x), y) + weight E CE_eps(C(m), y)     m: pictures that were made
        R descends  E CE(R(x), y) + weight E CE_eps(R(r), y)     r: real ones in their place
        B descends  E CE(B(x), y)

    CE_eps is the cross entropy with (1 - eps) of a label's weight on y and eps spread evenly over
    all classes; at eps = 1 labels say nothing but that a picture belongs to no class more than to
    another. R is what C could be if G made perfect pictures, B what the labels teach by themselves.

    classifiers : C, R and B
    make : x -> m
    """

    columns: tuple[str, ...] = ("images", "labels", "real")

    def __init__(
        self, classifiers: tuple[nn.Module, nn.Module, nn.Module],
        make: Callable[[Tensor], Tensor], smoothing: float, weight: float = 1.0,
    ):  # fmt: skip
        self.players = dict(zip("CRB", classifiers, strict=True))
        self.make = make
        self.smoothing = smoothing
        self.weight = weight

    def moves(self, images: Tensor, labels: Tensor, real: Tensor) -> Iterator[tuple[Move, ...]]:  # type: ignore[override]
        with no_grad():
            made = self.make(images)
        yield (
            Descend("C", self.loss("C", images, labels, made)),
            Descend("R", self.loss("R", images, labels, real)),
            Descend("B", cross_entropy(self.players["B"](images), labels)),
        )

    def loss(self, player: str, images: Tensor, labels: Tensor, more: Tensor) -> Tensor:
        """Of a batch of both, as batch normalisation sees them."""
        logits, n = self.players[player](cat([images, more])), len(images)
        smooth = cross_entropy(logits[n:], labels, label_smoothing=self.smoothing)
        return cross_entropy(logits[:n], labels) + self.weight * smooth


class LSRO(Augmented):
    """Zheng et al. 2017, equations 5 to 8: what a finished generator makes has the same label for
    all classes.

    generator : latents -> pictures; it is frozen here
    latent : the distribution of its z
    noise : True: uniform noise in place of G's pictures (the control)
    """

    def __init__(
        self, classifiers: tuple[nn.Module, nn.Module, nn.Module], generator: nn.Module,
        latent_dim: int, latent: str = "normal", weight: float = 1.0, noise: bool = False,
    ):  # fmt: skip
        super().__init__(classifiers, self.drawn, 1.0, weight)
        self.G = generator.eval().requires_grad_(False)
        self.latent_dim = latent_dim
        self.latent = latent
        self.noise = noise

    def drawn(self, like: Tensor) -> Tensor:
        """As many of G's pictures."""
        if self.noise:
            return rand_like(like) * 2 - 1
        return self.G(self.latents(len(like), like))

    def sample(self, latents: Tensor) -> Tensor:
        with evaluating(self.G), no_grad():
            return self.G(latents)


class CamStyle(Translating, Augmented):
    """Zhong et al. 2018, equations 3 to 6: labelled pictures of one camera in the style of another
    one, whose labels are smoothed a little, as not every picture is translated well.

    translator : pictures of the first camera -> the same in the second one's style; it is frozen
        here
    """

    columns = Augmented.columns

    def __init__(
        self, classifiers: tuple[nn.Module, nn.Module, nn.Module], translator: nn.Module,
        source_shape: tuple[int, ...], smoothing: float = 0.1, weight: float = 1.0,
    ):  # fmt: skip
        Augmented.__init__(self, classifiers, translator, smoothing, weight)
        self.translator = translator.eval().requires_grad_(False)
        self.source_shape = source_shape

    def sample(self, pictures: Tensor) -> Tensor:
        with no_grad():
            return self.translator(pictures)
