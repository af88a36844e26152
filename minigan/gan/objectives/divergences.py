"""f-GAN: any f-divergence as a game. Nowozin, Cseke, Tomioka 2016.

D_f(P || Q) = E_Q f(p / q), for a convex f with f(1) = 0, is the supremum over all functions T of

    F = E_P T(x) - E_Q f*(T(x)),    f*(t) = sup over u of (u t - f(u)),

reached at T = f'(p / q) (eqs. 4 - 6). D gives T = g(v) through an output activation g that keeps T
where f* is finite, v being the network's output (eq. 7); D ascends F, G descends it. Each class
gives g(v) and f*(g(v)), simplified, as in Table 2. All g increase: a larger v means more real.

Exponentials of v would leave float32 for |v| > 88. Where they occur, v is replaced by `bent(v)`.
That is another choice of g, which is free: F is still exactly the bound of the divergence.
"""

from __future__ import annotations

from math import log

from ...autograd import Tensor
from ...ops import clamp, exp, log1p, relu, sign, softplus, tanh
from .base import Objective

BEND = 20.0


def bent(v: Tensor) -> Tensor:
    """v where |v| <= 20, beyond it +-(20 + log(1 + |v| - 20)), with the same slope at 20: e^bent(v)
    goes on along its tangent."""
    inside = clamp(v, -BEND, BEND)
    beyond = v - inside
    return inside + sign(beyond) * log1p(abs(beyond))


class FDivergence(Objective):
    """The game of one f-divergence, P the data, Q the generator: D ascends F, G descends E_Q of
    -f*(T), the part that it moves.

    nonsaturating : G ascends E_Q T instead (section 3.2), as in Goodfellow's heuristic: stronger
        gradients early on

    v is not a probability; D's threshold between real and fake is T = f'(1).
    """

    def __init__(self, nonsaturating: bool = False):
        self.nonsaturating = nonsaturating

    def activation(self, v: Tensor) -> Tensor:
        """T = g(v), with values where f* is finite."""
        raise NotImplementedError

    def conjugate(self, v: Tensor) -> Tensor:
        """f*(g(v))."""
        raise NotImplementedError

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.activation(real).mean() - self.conjugate(fake).mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -(self.activation(fake) if self.nonsaturating else self.conjugate(fake)).mean()


class TotalVariation(FDivergence):
    """f(u) = |u - 1| / 2,    f*(t) = t for |t| <= 1/2.    1/2 integral |p - q|"""

    name = "total-variation"

    def activation(self, v):
        return tanh(v) * 0.5

    conjugate = activation


class KL(FDivergence):
    """f(u) = u log u,
    f*(t) = e^(t - 1).
    KL(P || Q) = integral p log(p / q): q covers all of p"""

    name = "kl"

    def activation(self, v):
        return bent(v)

    def conjugate(self, v):
        return exp(bent(v) - 1)


class ReverseKL(FDivergence):
    """f(u) = -log u,
    f*(t) = -1 - log(-t) for t < 0.
    KL(Q || P) = integral q log(q / p): q avoids where p is small"""

    name = "reverse-kl"

    def activation(self, v):
        return -exp(-bent(v))

    def conjugate(self, v):
        return bent(v) - 1


class Pearson(FDivergence):
    """f(u) = (u - 1)^2 (also for u < 0),
    f*(t) = t^2 / 4 + t.
    chi^2: integral (p - q)^2 / q"""

    name = "pearson"

    def activation(self, v):
        return v

    def conjugate(self, v):
        return v * v * 0.25 + v


class Neyman(FDivergence):
    """f(u) = (1 - u)^2 / u,
    f*(t) = 2 - 2 sqrt(1 - t) for t < 1.
    chi^2 the other way: integral (p - q)^2 / p"""

    name = "neyman"

    def activation(self, v):
        return 1 - exp(-bent(v))

    def conjugate(self, v):
        return 2 - exp(bent(v) * -0.5) * 2


class SquaredHellinger(FDivergence):
    """f(u) = (sqrt u - 1)^2,    f*(t) = t / (1 - t) for t < 1.    integral (sqrt p - sqrt q)^2"""

    name = "squared-hellinger"

    def activation(self, v):
        return 1 - exp(-bent(v))

    def conjugate(self, v):
        return exp(bent(v)) - 1


class JensenShannon(FDivergence):
    """f(u) = u log u - (u + 1) log((u + 1) / 2),
    f*(t) = -log(2 - e^t) for t < log 2.
    KL(P || M) + KL(Q || M), M = (P + Q) / 2

    Twice the Jensen-Shannon divergence as others define it: V of Goodfellow's game plus log 4.
    """

    name = "jensen-shannon"

    def activation(self, v):
        return log(2) - softplus(-v)

    def conjugate(self, v):
        return softplus(v) - log(2)


class GANDivergence(FDivergence):
    """f(u) = u log u - (u + 1) log(u + 1),
    f*(t) = -log(1 - e^t) for t < 0.
    V of Goodfellow's game: 2 JSD - log 4

    T = log D(x): F is E log D(x) + E log(1 - D(G(z))), so this is `Minimax`, reached by another
    way.
    """

    name = "gan-divergence"
    logistic = True

    def activation(self, v):
        return -softplus(-v)

    def conjugate(self, v):
        return softplus(v)


class Jeffreys(FDivergence):
    """f(u) = (u - 1) log u.    KL(P || Q) + KL(Q || P)

    The paper's f* needs Lambert's W. With g(v) = f'(e^v) = v + 1 - e^-v instead, f*(g(v)) = u f'(u)
    - f(u) at u = e^v.
    """

    name = "jeffreys"

    def activation(self, v):
        v = bent(v)
        return v + 1 - exp(-v)

    def conjugate(self, v):
        v = bent(v)
        return exp(v) - 1 + v


class Alpha(FDivergence):
    """f(u) = (u^a - 1 - a (u - 1)) / (a (a - 1)),
    f*(t) = (t (a - 1) + 1)^(a / (a - 1)) / a - 1 / a.
    Other than 0 and 1

    alpha : a. Near 1 it is KL(P || Q), near 0 KL(Q || P), 2: half of Pearson's, 1/2: 2 times
        squared Hellinger, -1: half of Neyman's

    For a > 1, g(v) = v; where t (a - 1) + 1 < 0 the supremum is at u = 0, f* = -1/a. For a < 1,
    unlike the paper, g(v) = f'(u) = (1 - u^(a - 1)) / (1 - a) at u = e^(v / s), s = max(|a|, 1 -
    a): Table 2's g for -1 and 1/2, and f* = (u^a - 1) / a.
    """

    name = "alpha"

    def __init__(self, alpha: float = 0.5, nonsaturating: bool = False):
        super().__init__(nonsaturating)
        if alpha in (0, 1):
            raise ValueError(
                f"Alpha: alpha={alpha}: the divergence is KL (1) or ReverseKL (0) there: use those"
            )
        self.alpha = alpha

        self.speed = 1 / max(abs(alpha), 1 - alpha)

    def activation(self, v):
        a = self.alpha
        return v if a > 1 else (1 - exp(bent(v) * ((a - 1) * self.speed))) * (1 / (1 - a))

    def conjugate(self, v):
        a = self.alpha
        if a > 1:
            return (relu(v * (a - 1) + 1) ** (a / (a - 1)) - 1) * (1 / a)
        return (exp(bent(v) * (a * self.speed)) - 1) * (1 / a)
