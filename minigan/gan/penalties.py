"""Penalties: what is subtracted from the value that a player ascends (or added to the loss that it
descends), in the same move.

    penalty(critic, real, fake) -> scalar Tensor, weighted

`real` and `fake` are what the critic sees. Penalties of gradients are of each example's own
gradient: its norm goes over all of its numbers, whatever their shape, and critics that mix examples
through batch normalisation are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import nn
from ..autograd import Tensor, enable_grad, grad, no_grad, raw, tensor_of
from ..nn.conv import _Conv, _ConvTranspose
from ..nn.syncbatchnorm import BATCH_NORMS
from ..ops import eye, movedim, rand, randn_like, relu
from ..ops import sum as sum_

EPS = 1e-12


class Penalty:
    """Base class. weight : factor of the whole. Those that learn (averages) do it in `after_step`,
    after the player's step."""

    name: str
    of_gradients = False  # of D with respect to what it sees?

    def __init__(self, weight: float):
        self.weight = weight

    def __call__(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        raise NotImplementedError

    def after_step(self) -> None:
        """Called after the player's step."""

    def state_dict(self) -> dict[str, Any]:
        """What a run must save of it in order to go on."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` gave."""


# --- gradients of D with respect to what it sees ---


def refuse_batch_statistics(critic: nn.Module) -> None:
    """ValueError for a critic with batch normalisation in training mode, where D(x_i) depends on
    all examples."""
    for name, module in critic.named_modules():
        if isinstance(module, BATCH_NORMS) and not module.per_example:
            raise ValueError(
                "a penalty of each example's gradient needs a critic that treats examples one by "
                f"one, and its {name or 'module'} is "
                f"{type(module).__name__}: use LayerNorm, GroupNorm or InstanceNorm there, or no "
                "normalisation (--d-norm layer)"
            )


def squared_slopes(critic: nn.Module, x: Tensor) -> Tensor:
    """|dD(x_i)/dx_i|^2 for each example i, over all of its numbers: (N,). Differentiable. Errors:
    `refuse_batch_statistics`."""
    refuse_batch_statistics(critic)
    x = x.detach().requires_grad_()
    with enable_grad():
        (slope,) = grad(critic(x).sum(), x, create_graph=True)
        return sum_(slope * slope, tuple(range(1, x.ndim)))


def slopes(critic: nn.Module, x: Tensor) -> Tensor:
    """sqrt(squared_slopes + 1e-12): a norm whose derivatives are finite also at 0."""
    return (squared_slopes(critic, x) + EPS).sqrt()


def between(real: Tensor, fake: Tensor) -> Tensor:
    """e x + (1 - e) G(z), with an e ~ U(0, 1) for each example. ValueError for batches of different
    shapes."""
    if real.shape != fake.shape:
        raise ValueError(
            f"penalty: points between real {tuple(real.shape)} and fake {tuple(fake.shape)} need "
            "batches of one shape"
        )
    e = rand(len(real), *[1] * (real.ndim - 1), dtype=real.dtype, device=real.device)
    return real.detach() * e + fake.detach() * (1 - e)


class GradientPenalty(Penalty):
    """WGAN-GP, Gulrajani et al. 2017, eq. 3: weight E (|grad D(x^)| - 1)^2 at points x^ between
    real and fake examples.

    target : the slope aimed at;
    one_sided : only steeper ones cost (WGAN-LP, Petzka et al. 2018). On a line, where a slope
        cannot turn but only pass through 0, take that: two-sided, a critic that starts the wrong
        way round stays near slope -1.
    """

    name = "gradient"
    of_gradients = True

    def __init__(self, weight: float = 10.0, target: float = 1.0, one_sided: bool = False):
        super().__init__(weight)
        self.target, self.one_sided = target, one_sided

    def __call__(self, critic, real, fake):
        return self.cost(slopes(critic, between(real, fake)))

    def cost(self, slope: Tensor) -> Tensor:
        """weight times the mean squared distance of slopes from the target."""
        excess = slope - self.target
        excess = relu(excess) if self.one_sided else excess
        return (excess * excess).mean() * self.weight


class DRAGAN(GradientPenalty):
    """Kodali et al. 2017, section 2.3: weight E (|grad D(x + d)| - 1)^2 around real examples, d
    normal noise: D smooth where the data are.

    scale : standard deviation of d, as a part of that of the whole batch (the authors' program:
        0.5, uniform noise)
    """

    name = "dragan"

    def __init__(self, weight: float = 10.0, target: float = 1.0, scale: float = 0.5):
        super().__init__(weight, target)
        self.scale = scale

    def __call__(self, critic, real, fake):
        real = real.detach()
        return self.cost(slopes(critic, real + randn_like(real) * (real.std() * self.scale)))


class R1(Penalty):
    """Mescheder et al. 2018, eq. 9: weight / 2 E |grad D(x)|^2 at real examples. weight: their
    gamma"""

    name = "r1"
    of_gradients = True

    def __init__(self, weight: float = 10.0):
        super().__init__(weight)

    def __call__(self, critic, real, fake):
        return squared_slopes(critic, real).mean() * (self.weight / 2)


class R2(R1):
    """Mescheder et al. 2018, section 4.1: weight / 2 E |grad D(G(z))|^2, as R1 at fake examples."""

    name = "r2"

    def __call__(self, critic, real, fake):
        return super().__call__(critic, fake, real)


class WassersteinDivergence(Penalty):
    """WGAN-div, Wu et al. 2018: weight E |grad f(x^)|^power, with `Wasserstein`, at points x^
    between real and fake examples.

    weight, power : their k and p
    """

    name = "div"
    of_gradients = True

    def __init__(self, weight: float = 2.0, power: float = 6.0):
        super().__init__(weight)
        self.power = power

    def __call__(self, critic, real, fake):
        squares = squared_slopes(critic, between(real, fake))
        if self.power % 2:  # an odd power of the norm has a root in it
            squares = squares + EPS
        return (squares ** (self.power / 2)).mean() * self.weight


# --- the player's weights ---


def total(values: Sequence[Tensor]) -> Tensor:
    """Their sum."""
    first, *rest = values
    for value in rest:
        first = first + value
    return first


class Orthogonal(Penalty):
    """Brock et al. 2017, eq. 4: weight sum over the layers of |W W^T - I|_F^2, one row of W for
    each output of the layer.

    off_diagonal : leave the rows' lengths alone, |W W^T * (1 - I)|_F^2 (Brock et al. 2019, eq. 3)

    Layers: linear ones and convolutions. Where there are more outputs than inputs the rows cannot
    all be orthogonal; then the columns.
    """

    name = "orthogonal"

    def __init__(self, weight: float = 1e-4, off_diagonal: bool = False):
        super().__init__(weight)
        self.off_diagonal = off_diagonal

    def __call__(self, critic, real, fake):
        off = []
        for layer in critic.modules():
            if isinstance(layer, (nn.Linear, _Conv)):
                w = (
                    movedim(layer.weight, 1, 0)
                    if isinstance(layer, _ConvTranspose)
                    else layer.weight
                )
                w = w.reshape(len(w), -1)
                products = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
                one = eye(len(products), dtype=w.dtype, device=w.device)
                off.append(products * (1 - one) if self.off_diagonal else products - one)
        if not off:
            raise ValueError("Orthogonal: the network has no linear or convolutional layer")
        return total([(x * x).sum() for x in off]) * self.weight


class HistoricalAveraging(Penalty):
    """Salimans et al. 2016, section 3.3: weight |p - mean of p over all steps until now|^2, for all
    of the player's parameters p."""

    name = "historical"

    def __init__(self, weight: float = 1.0):
        super().__init__(weight)
        self.steps = 0
        self.averages: list[Tensor] = []
        self._parameters: list[Tensor] = []

    def __call__(self, critic, real, fake):
        self._parameters = list(critic.parameters())
        if not self.averages:
            self.averages, self.steps = [p.detach().clone() for p in self._parameters], 1
        # they may come from a file
        self.averages = [a.to(p.device) for a, p in zip(self.averages, self._parameters)]
        distances = [p - average for p, average in zip(self._parameters, self.averages)]
        return total([(x * x).sum() for x in distances]) * self.weight

    def after_step(self):
        self.steps += 1
        with no_grad():
            for average, p in zip(self.averages, self._parameters):
                average += (p - average) * (1 / self.steps)

    def state_dict(self):
        return {"steps": self.steps, "averages": list(self.averages)}

    def load_state_dict(self, state):
        self.steps = int(state["steps"])
        self.averages = [tensor_of(raw(a).copy()) for a in state["averages"]]


PENALTIES: dict[str, Callable[..., Penalty]] = {
    p.name: p
    for p in (
        GradientPenalty,
        DRAGAN,
        R1,
        R2,
        WassersteinDivergence,
        Orthogonal,
        HistoricalAveraging,
    )
}
