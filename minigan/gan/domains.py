"""One classifier for two domains, of which only the first has labels: its features must not tell
them apart."""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..ops import cat, exp, softplus, zeros
from ..ops.reversal import gradient_reversal
from .games import Ascend, Descend, Game, Move
from .penalties import GradientPenalty, between, slopes


class Adapted(Game):
    """What such games share. Batches have images of the source, their labels, and images of the
    target.

    features, classifier : F, images -> (N, numbers); C, those -> logits. They are the player "C",
        one after the other; what is said of the domains goes through `domain`
    """

    columns = ("images", "labels", "target")

    def __init__(self, features: nn.Module, classifier: nn.Module, domain: nn.Module):
        self.features, self.head, self.domain = features, classifier, domain

    @property
    def classifier(self) -> nn.Sequential:
        """Images -> logits."""
        return nn.Sequential(self.features, self.head)

    def judge(self, images: Tensor, labels: Tensor, target: Tensor) -> None:  # type: ignore[override]
        self.domain(self.features(target))


class Ramp(nn.Module):
    """From 0 to 1 in so many calls, then 1: the p-th part of the way is 2 / (1 + exp(-10 p)) - 1
    (Ganin et al. 2016, section 5.2.2). A Tensor with a state: it resumes, and rounds are replayed.

    steps : 0: it is 1 from the beginning
    """

    done: Tensor

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps
        self.register_buffer("done", zeros(()))

    def forward(self) -> Tensor:
        with no_grad():
            part = (self.done / max(self.steps, 1)).clamp(max=1.0)
            self.done.copy_(self.done + 1)
            return 2 / (1 + exp(part * -10)) - 1 if self.steps else part * 0 + 1


class DANN(Adapted):
    """Ganin et al. 2016, equation 9 with Algorithm 1, in one move of one player N = (F, C, D):

        N descends  E CE(C(F(x)), y) - E log D(R(F(x))) - E log(1 - D(R(F(x_t))))

    R(h) = h, with a gradient that is turned round and scaled by lambda: F ascends what D descends.
    lambda grows from 0 to `scale` (`Ramp`). At scale 0 F and C learn, to the bit, what they would
    learn from the source alone: source and target go through F one after the other.

    domain : D, features -> logits (N, 1) of "it is of the source"
    scale : what lambda grows to;  ramp : in how many steps
    """

    def __init__(
        self, features: nn.Module, classifier: nn.Module, domain: nn.Module, scale: float = 1.0,
        ramp: int = 0,
    ):  # fmt: skip
        super().__init__(features, classifier, domain)
        self.players = {"N": nn.ModuleDict({"F": features, "C": classifier, "D": domain})}
        self.scale = scale
        self.ramp = Ramp(ramp)

    def moves(self, images: Tensor, labels: Tensor, target: Tensor) -> Iterator[Move]:  # type: ignore[override]
        source, other = self.features(images), self.features(target)
        scale = self.ramp().to(source.dtype) * self.scale
        on_source, on_target = (self.domain(gradient_reversal(h, scale)) for h in (source, other))
        loss = F.cross_entropy(self.head(source), labels)
        apart = softplus(-on_source).mean() + softplus(on_target).mean()
        yield Descend("N", loss + apart, class_loss=loss, domain_loss=apart, reversal=scale)


class WDGRL(Adapted):
    """Shen et al. 2017, Algorithm 1, called ARDA before it was printed: the domains' features are
    brought together by their Wasserstein distance.

        D ascends `k` times  W - `penalty` E (|grad D(h^)| - 1)^2,  W = E D(F(x)) - E D(F(x_t))
        (F, C) descend       E CE(C(F(x)), y) + weight W

    h^ : both features, and points between them. The k ascents are on the same batch, as F stays.
    At weight 0 F and C learn, to the bit, what they would learn from the source alone.

    domain : D, features -> (N, 1), without batch statistics
    """

    def __init__(
        self, features: nn.Module, classifier: nn.Module, domain: nn.Module, weight: float = 1.0,
        penalty: float = 10.0, k: int = 5,
    ):  # fmt: skip
        super().__init__(features, classifier, domain)
        self.players = {"D": domain, "N": nn.ModuleDict({"F": features, "C": classifier})}
        self.weight = weight
        self.penalty = GradientPenalty(penalty)
        self.k = k

    def distance(self, source: Tensor, target: Tensor) -> Tensor:
        """W as D sees it now."""
        return self.domain(source).mean() - self.domain(target).mean()

    def moves(self, images: Tensor, labels: Tensor, target: Tensor) -> Iterator[Move]:  # type: ignore[override]
        source, other = self.features(images), self.features(target)
        a, b = source.detach(), other.detach()
        for _ in range(self.k):
            n = min(len(a), len(b))
            points = cat([a, b, between(a[:n], b[:n])])
            cost = self.penalty.cost(slopes(self.domain, points))
            found = self.distance(a, b)
            yield Ascend("D", found - cost, distance=found, penalty=cost)
        loss = F.cross_entropy(self.head(source), labels)
        far = self.distance(source, other)
        yield Descend("N", loss + far * self.weight, class_loss=loss)
