"""One classifier for two domains, of which only the first has labels: its features must not tell
them apart."""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..autograd import Tensor, no_grad
from ..nn import functional as F
from ..ops import cat, exp, softplus
from ..ops.reversal import gradient_reversal
from .games import Ascend, Descend, Game, Move
from .penalties import GradientPenalty, between, slopes
from .ramp import Ramp


class Adapted(Game):
    """What such games share. Batches have images of the source, their labels, and images of the
    target.

    features, classifier : F, images -> (N, numbers); C, those -> logits
    domain : D, what is said of the domains by features
    other : F for images of the target: the same layers, but batch statistics of its own
        (`apart`); None: F itself
    """

    columns = ("images", "labels", "target")

    def __init__(
        self, features: nn.Module, classifier: nn.Module, domain: nn.Module,
        other: nn.Module | None = None,
    ):  # fmt: skip
        self.both = features, features if other is None else other
        self.head, self.domain = classifier, domain
        self.learner = nn.ModuleDict({"F": features, "C": classifier})
        if other is not None:
            self.learner["T"] = other

    def features(self, domain: int) -> nn.Module:
        """F for images of the source (0) or of the target (1)."""
        return self.both[domain]

    def classifier(self, domain: int) -> nn.Sequential:
        """Images of a domain -> logits."""
        return nn.Sequential(self.both[domain], self.head)

    def seen(self, images: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The features of a batch of each."""
        return self.both[0](images), self.both[1](target)

    def judge(self, images: Tensor, labels: Tensor, target: Tensor) -> None:  # type: ignore[override]
        self.domain(self.both[1](target))


def apart(features: nn.Sequential) -> nn.Sequential:
    """The same modules, but with batch normalisation of its own where there is some, which must not
    have weights: so each domain is seen by its own mean and variance, while it is learnt from and
    afterwards."""
    found = []
    for module in features:
        if isinstance(module, nn.BatchNorm2d):
            if module.affine:
                raise ValueError("apart: weights of batch normalisation would be two: affine=False")
            module = nn.BatchNorm2d(module.num_features, affine=False)
        found.append(module)
    return nn.Sequential(*found)


class Reversal(Ramp):
    """lambda: 2 / (1 + exp(-10 p)) - 1 at the p-th part of the way (Ganin et al. 2016, section
    5.2.2); 1 where there is no way."""

    def forward(self) -> Tensor:
        part = super().forward()
        with no_grad():
            return 2 / (1 + exp(part * -10)) - 1 if self.steps else part


class DANN(Adapted):
    """Ganin et al. 2016, equation 9 with Algorithm 1, in one move of one player N = (F, C, D):

        N descends  E CE(C(F(x)), y) - E log D(R(F(x))) - E log(1 - D(R(F(x_t))))

    R(h) = h, with a gradient that is turned round and scaled by lambda: F ascends what D descends.
    lambda grows from 0 to `scale` (`Reversal`). At scale 0 F and C learn, to the bit, what they
    would learn from the source alone: source and target go through F one after the other.

    domain : D, features -> logits (N, 1) of "it is of the source";  other : see `Adapted`
    scale : what lambda grows to;  ramp : in how many steps
    """

    def __init__(
        self, features: nn.Module, classifier: nn.Module, domain: nn.Module,
        other: nn.Module | None = None, scale: float = 1.0, ramp: int = 0,
    ):  # fmt: skip
        super().__init__(features, classifier, domain, other)
        self.learner["D"] = domain
        self.players = {"N": self.learner}
        self.scale = scale
        self.ramp = Reversal(ramp)

    def moves(self, images: Tensor, labels: Tensor, target: Tensor) -> Iterator[Move]:  # type: ignore[override]
        source, other = self.seen(images, target)
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

    domain : D, features -> (N, 1), without batch statistics;  other : see `Adapted`
    """

    def __init__(
        self, features: nn.Module, classifier: nn.Module, domain: nn.Module,
        other: nn.Module | None = None, weight: float = 1.0, penalty: float = 10.0, k: int = 5,
    ):  # fmt: skip
        super().__init__(features, classifier, domain, other)
        self.players = {"D": domain, "N": self.learner}
        self.weight = weight
        self.penalty = GradientPenalty(penalty)
        self.k = k

    def distance(self, source: Tensor, target: Tensor) -> Tensor:
        """W as D sees it now."""
        return self.domain(source).mean() - self.domain(target).mean()

    def moves(self, images: Tensor, labels: Tensor, target: Tensor) -> Iterator[Move]:  # type: ignore[override]
        source, other = self.seen(images, target)
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
