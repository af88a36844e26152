"""Objectives of a D that tells probabilities: D(x) = sigmoid(logit), in forms that cannot overflow.

log D = logsigmoid(logit) and log(1 - D) = logsigmoid(-logit).
"""

from __future__ import annotations

from ...autograd import Tensor
from ...ops import cat, logsumexp, rand_like
from ...ops.loss import binary_cross_entropy_with_logits, mean_logsigmoid
from .base import Objective


class Minimax(Objective):
    """Goodfellow et al. 2014, eq. 1: V(D, G) = E log D(x) + E log(1 - D(G(z))). D ascends V, G
    descends it.

    Where D rejects G's samples with confidence, G's gradient vanishes (it saturates): hence
    `NonSaturating`.

    real_label : a, what D shall say of real examples: E [a log D(x) + (1 - a) log(1 - D(x))] is
        then the first term. Below 1 it is one-sided label smoothing (Salimans et al. 2016, section
        3.4): the best D is a p / (p + q), so never sure. A pair (low, high): drawn for each example
        anew.
    """

    name = "minimax"
    logistic = True

    def __init__(self, real_label: float | tuple[float, float] = 1.0):
        low, high = real_label if isinstance(real_label, tuple) else (real_label, real_label)
        if not 0 < low <= high <= 1:
            raise ValueError(
                f"{type(self).__name__}: real_label={real_label} must be in (0, 1], or a pair "
                "(low, high) of such numbers"
            )
        self.low, self.high = float(low), float(high)

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        """V(D, G), which D ascends. real, fake: logits of any shape."""
        return self.on_real(real) + mean_logsigmoid(fake, -1)

    def on_real(self, real: Tensor) -> Tensor:
        """The first term of V."""
        if self.low == self.high:
            value, a = mean_logsigmoid(real), self.low
            return value if a == 1 else value * a + mean_logsigmoid(real, -1) * (1 - a)
        labels = rand_like(real.detach()) * (self.high - self.low) + self.low
        return -binary_cross_entropy_with_logits(real, labels)

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E log(1 - D(G(z))), which G descends."""
        return mean_logsigmoid(fake, -1)


class NonSaturating(Minimax):
    """The same V for D; G ascends E log D(G(z)) instead (Goodfellow et al. 2014, section 3): the
    same fixed point, with a gradient that is strong where G is bad."""

    name = "nonsaturating"

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E log D(G(z)), which G descends."""
        return -mean_logsigmoid(fake)


class Relativistic(Objective):
    """RSGAN, Jolicoeur-Martineau 2019, section 4: the i-th real example shall look more real than
    the i-th fake one.

    D ascends E log sigmoid(C(x) - C(G(z))), G ascends E log sigmoid(C(G(z)) - C(x)). Batches of one
    size.
    """

    name = "relativistic"
    compares = True

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        return mean_logsigmoid(real - fake)

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -mean_logsigmoid(fake - _given(real))


class RelativisticAverage(Objective):
    """RaGAN, Jolicoeur-Martineau 2019, section 4: real examples shall look more real than fake ones
    do on average, and reverse.

    With r = C(x) - mean C(G(z)) and f = C(G(z)) - mean C(x), means over the batch, D ascends the
    value of another objective at (r, f), and G ascends the same with the parts exchanged, at
    (f, r). Gradients flow through both terms and the means.

    objective : of which d_value is taken. Minimax gives RaSGAN, LeastSquares(-1, 1) RaLSGAN, Hinge
        RaHingeGAN.
    """

    name = "relativistic-average"
    compares = True

    def __init__(self, objective: Objective | None = None):
        self.objective = objective or Minimax()

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.objective.d_value(real - fake.mean(), fake - real.mean())

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        real = _given(real)
        return -self.objective.d_value(fake - real.mean(), real - fake.mean())


class SoftmaxGAN(Objective):
    """Lin 2017: a softmax over both batches tells how likely each example is the real one among
    all.

    With logits l and Z = sum of e^l over the n real and m fake examples: D descends log Z - mean of
    l over the real ones (its target: 1/n on each), G descends log Z - mean of l over all (target:
    1/(n + m) on each).
    """

    name = "softmax"
    compares = True

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        return real.mean() - logsumexp(cat([real.flatten(), fake.flatten()]), 0)

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        both = cat([_given(real).flatten(), fake.flatten()])
        return logsumexp(both, 0) - both.mean()


def _given(real: Tensor | None) -> Tensor:
    if real is None:
        raise TypeError(
            "g_loss: this objective compares fake with real examples: call g_loss(fake, real) "
            "with D's outputs on both"
        )
    return real
