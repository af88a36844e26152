"""Games whose G makes a picture of a picture: pix2pix, PAN, CycleGAN."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from .. import nn
from ..arrays import CPU, Generator
from ..autograd import Tensor, no_grad
from ..ops import abs, arange, cat, randint, relu
from .cgan import Given
from .games import GAN, Ascend, Descend, Game, Move, scores
from .latents import sample_inputs
from .objectives import LeastSquares, NonSaturating, Objective
from .penalties import total
from .pool import Pool
from .recalibrate import BATCHES, evaluating


def jittered(reach: int, *pictures: Tensor) -> tuple[Tensor, ...]:
    """Pictures of one size, each shifted by up to `reach` pixels in both directions, those of one
    row alike; what comes in at a border is the border's."""
    if not reach:
        return pictures
    x = cat(list(pictures), 1)
    n, _, height, width = x.shape
    place = x.device
    down, right = randint(2 * reach + 1, (2, n, 1), device=place)
    rows, columns = arange(height, device=place) + down, arange(width, device=place) + right
    wide = nn.functional.pad(x, (reach, reach, reach, reach), mode="replicate")
    moved = wide.permute(0, 2, 3, 1)[
        arange(n, device=place)[:, None, None], rows[:, :, None], columns[:, None, :]
    ].permute(0, 3, 1, 2)  # fmt: skip
    found, start = [], 0
    for picture in pictures:
        found.append(moved[:, start : start + picture.shape[1]])
        start += picture.shape[1]
    return tuple(found)


def l1(a: Tensor, b: Tensor) -> Tensor:
    """The mean absolute difference."""
    return abs(a - b).mean()


class Of(nn.Module):
    """G of these pictures: z -> G(z, a); z may be None."""

    def __init__(self, network: nn.Module, pictures: Tensor):
        super().__init__()
        self.network, self.pictures = network, pictures

    @property
    def per_example(self):
        return self.network.per_example

    def forward(self, z):
        return self.network(z, self.pictures)


class Translating(Game):
    """A game of pictures of A, "images", and of B, "targets"; `sample(*inputs)` makes pictures of
    B, the last of the inputs being those of A.

    sources : pictures of A (N, C, H, W) that `inputs` takes in turn; None: there are none, and who
        wants samples gives pictures himself, to `inputs_of`
    """

    columns: tuple[str, ...] = ("images", "targets")
    sources: Tensor | None = None
    latent = "uniform"
    latent_dim = 0

    def inputs_of(self, pictures: Tensor, generator: Generator) -> tuple[Tensor, ...]:
        if not self.latent_dim:
            return (pictures,)
        n, place = len(pictures), pictures.device
        return (*sample_inputs(n, generator, self.latent_dim, 0, place, self.latent), pictures)

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        if self.sources is None:
            raise ValueError("it makes pictures of pictures: give some (draw RUN --from FILES)")
        sources = self.sources.to(device)
        return self.inputs_of(sources[arange(n, device=device) % len(sources)], generator)


class Pix2Pix(Translating, GAN):
    """Isola et al. 2017, equation 4: a GAN whose players are bound to a picture a of A, and the
    distance of what G makes of it from b, its counterpart:

        D ascends   1/2 (E log D(a, b) + E log(1 - D(a, G(a, z))))
        G descends  -E log D(a, G(a, z)) + weight E |b - G(a, z)|_1

    D's half slows it down where its optimiser does not divide by the gradient's size.

    generator, discriminator : (z, a) -> b; (b, a) -> logits, one or a map of them
    latent_dim : numbers of z, from U(-1, 1); 0: G gets None in its place
    weight : of the mean absolute difference
    adversarial : weight of what D says; 0: G descends the distance alone, and D does not move
    source_shape : of a picture of A, for those who bring their own
    jitter : pairs are shifted by up to so many pixels, both pictures alike (section 6.2 there)
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, latent_dim: int = 0,
        weight: float = 100.0, adversarial: float = 1.0, objective: Objective | None = None,
        source_shape: tuple[int, ...] | None = None, jitter: int = 0,
    ):  # fmt: skip
        objective = NonSaturating() if objective is None else objective
        super().__init__(generator, discriminator, objective, latent_dim, latent="uniform")
        self.weight = weight
        self.adversarial = adversarial
        self.source_shape = source_shape
        self.jitter = jitter
        if not adversarial:  # then D is nobody
            del self.players["D"]
            discriminator.requires_grad_(False)

    def given(self, a: Tensor) -> GAN:
        """The game whose players are bound to these pictures."""
        bound = copy.copy(self)
        bound.G, bound.D = Of(self.G, a), Given(self.D, a)
        return bound

    def moves(self, a: Tensor, b: Tensor) -> Iterator[Move | tuple[Move, ...]]:  # type: ignore[override]
        a, b = jittered(self.jitter, a, b)
        game = self.given(a)
        if self.adversarial:
            return GAN.moves(game, b)
        return iter([game.descent(b, game.G(self.latents(len(b), b)))])

    def latents(self, n: int, like: Tensor):
        return super().latents(n, like) if self.latent_dim else None

    def ascent(self, real: Tensor, fake: Tensor) -> Move:
        move = super().ascent(real, fake)
        return Ascend("D", 0.5 * move.value, **move.report)

    def descent(
        self, real: Tensor, fake: Tensor, d_outputs: dict[str, Tensor] | None = None
    ) -> Move:
        far = l1(real, fake)
        loss = self.weight * far
        if self.adversarial:
            loss = self.adversarial * super().descent(real, fake, d_outputs).value + loss
        return Descend("G", loss, distance=far)

    def measure(self, moves: list[Move]) -> dict[str, float]:
        found = super().measure(moves) if self.adversarial else {"g_loss": moves[-1].value.item()}
        return found | {"distance": moves[-1].report["distance"].item()}

    def sample(self, *inputs: Tensor) -> Tensor:
        """G's pictures, in evaluation mode, outside the tape."""
        z, a = inputs if self.latent_dim else (None, *inputs)
        with evaluating(self.G), no_grad():
            return self.G(z, a)

    def recalibrate(self, batches: int = BATCHES) -> None:
        """Nothing: a translator's normalisation is of each picture by itself."""

    def judge(self, real: Tensor, b: Tensor) -> None:  # type: ignore[override]
        self.D(b, real)


class PAN(Pix2Pix):
    """Wang et al. 2017 (perceptual adversarial networks), equations 5 and 6: D also measures how
    far G's picture is from b, in what its hidden layers see, and is paid for a distance up to m:

        P           sum_j lambda_j |D_j(b) - D_j(G(a))|_1
        D ascends   E log D(b) + E log(1 - D(G(a))) - [m - P]+
        G descends  E log(1 - D(G(a))) + P        (here -E log D(G(a)), which does not saturate)

    discriminator : b -> logits, with `taps(b)`: (list of hidden maps, logits)
    weights : lambda_j, one for each hidden map;  margin : m
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, weights: tuple[float, ...],
        margin: float, adversarial: float = 1.0, perceptual: float = 1.0, weight: float = 0.0,
        source_shape: tuple[int, ...] | None = None, jitter: int = 0,
    ):  # fmt: skip
        super().__init__(
            generator, discriminator, 0, weight, adversarial, None, source_shape, jitter
        )
        self.weights, self.margin, self.perceptual = weights, margin, perceptual

    def given(self, a: Tensor) -> GAN:
        bound = copy.copy(self)
        bound.G = Of(self.G, a)
        return bound

    def taps(self, pictures: Tensor) -> tuple[list[Tensor], Tensor]:
        critic: Any = self.D
        return critic.taps(pictures)

    def far(self, real: list[Tensor], fake: list[Tensor]) -> Tensor:
        """P, of the hidden maps of both."""
        return total([w * l1(x, y) for w, x, y in zip(self.weights, real, fake, strict=True)])

    def ascent(self, real: Tensor, fake: Tensor) -> Move:
        (seen, on_real), (made, on_fake) = self.taps(real), self.taps(fake)
        far = self.far(seen, made)
        value = self.objective.d_value(on_real, on_fake)
        if self.perceptual:
            value = value - relu(self.margin - far)
        return Ascend("D", value, d_real=on_real, d_fake=on_fake, perceptual=far)

    def descent(
        self, real: Tensor, fake: Tensor, d_outputs: dict[str, Tensor] | None = None
    ) -> Move:
        made, on_fake = self.taps(fake)
        with no_grad():
            seen, _ = self.taps(real)
        distance = l1(real, fake)
        parts = [self.adversarial * self.objective.g_loss(on_fake)]
        parts += [self.perceptual * self.far(seen, made)] if self.perceptual else []
        parts += [self.weight * distance] if self.weight else []
        return Descend("G", total(parts), distance=distance)

    def judge(self, real: Tensor, b: Tensor) -> None:  # type: ignore[override]
        self.D(b)


class CycleGAN(Translating):
    """Zhu et al. 2017, section 3, and its identity term (section 5.2): two translators, AB and BA,
    of pictures of A and B that do not belong together, and a critic of each domain:

        G descends        LSGAN(DB(AB(a))) + LSGAN(DA(BA(b)))
                          + cycle (E |BA(AB(a)) - a|_1 + E |AB(BA(b)) - b|_1)
                          + identity (E |AB(b) - b|_1 + E |BA(a) - a|_1)
        DA, DB ascend     LSGAN on data and on a pool of the last fakes

    The player "G" is both translators, as they share a loss and a step.

    translators : (AB, BA), of a Tensor;  critics : (DA, DB)
    shapes : of one picture of A, of B (the pools need them);  pool : how many fakes each holds
    cycle, identity : weights; the paper's are 10 and 5 (half of cycle)
    back : translate from B to A, in `sample`
    jitter : all pictures are shifted by up to so many pixels, each by itself
    """

    def __init__(
        self, translators: tuple[nn.Module, nn.Module], critics: tuple[nn.Module, nn.Module],
        shapes: tuple[tuple[int, ...], tuple[int, ...]], pool: int = 50, cycle: float = 10.0,
        identity: float = 5.0, objective: Objective | None = None, back: bool = False,
        jitter: int = 0,
    ):  # fmt: skip
        if identity and shapes[0] != shapes[1]:
            raise ValueError(
                f"CycleGAN: identity={identity}, but pictures of A are {shapes[0]} and those of B "
                f"{shapes[1]}: of different shapes there is no identity, so set it to 0"
            )
        self.G = nn.ModuleDict({"AB": translators[0], "BA": translators[1]})
        self.DA, self.DB = critics
        self.pool_a, self.pool_b = Pool(shapes[0], pool), Pool(shapes[1], pool)
        self.cycle, self.identity = cycle, identity
        self.objective = LeastSquares() if objective is None else objective
        self.back = back
        self.jitter = jitter
        self.shapes = shapes
        self.source_shape = shapes[back]
        self.players = {"G": self.G, "DA": self.DA, "DB": self.DB}

    def reversed(self) -> CycleGAN:
        """The same, which samples from B to A."""
        found = copy.copy(self)
        found.back, found.sources = not self.back, None
        found.source_shape = self.shapes[found.back]
        return found

    def moves(self, a: Tensor, b: Tensor) -> Iterator[Move | tuple[Move, ...]]:  # type: ignore[override]
        (a,), (b,) = jittered(self.jitter, a), jittered(self.jitter, b)
        AB, BA = self.G["AB"], self.G["BA"]
        made_b, made_a = AB(a), BA(b)
        g_loss = self.objective.g_loss
        parts = [g_loss(self.DB(made_b)) + g_loss(self.DA(made_a))]
        again = l1(BA(made_b), a) + l1(AB(made_a), b)
        parts.append(self.cycle * again)
        if self.identity:
            parts.append(self.identity * (l1(AB(b), b) + l1(BA(a), a)))
        yield Descend("G", total(parts), cycle=again)
        yield self.ascent("DA", a, self.pool_a(made_a)), self.ascent("DB", b, self.pool_b(made_b))

    def ascent(self, player: str, real: Tensor, fake: Tensor) -> Move:
        on_real, on_fake = scores(self.players[player], real, fake)
        return Ascend(player, self.objective.d_value(on_real, on_fake))

    def sample(self, pictures: Tensor) -> Tensor:
        """AB of pictures of A (or BA of those of B), in evaluation mode, outside the tape."""
        return self.translated(pictures, self.back)

    def translated(self, pictures: Tensor, back: bool) -> Tensor:
        network = self.G["BA" if back else "AB"]
        with evaluating(network), no_grad():
            return network(pictures)
