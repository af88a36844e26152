"""KL(p || q) = E_p log p - log q, by its formula for a pair of kinds."""

from __future__ import annotations

from collections.abc import Callable

from ...autograd import Tensor
from ...ops import softplus
from ...ops.linear_algebra import solve
from .continuous import Exponential, Laplace, LogNormal, Normal, Uniform
from .discrete import Bernoulli, Categorical, OneHotCategorical
from .distribution import Distribution, sum_rightmost
from .joint import Independent, MultivariateNormal

_FORMULAS: dict[tuple[type, type], Callable] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Callable], Callable]:
    """A decorator: f(p, q) is the divergence of these kinds and of those derived from them."""

    def register(f: Callable) -> Callable:
        _FORMULAS[type_p, type_q] = f
        return f

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q), of the batch's shape.

    NotImplementedError for a pair without a formula; `register_kl` adds one.
    """
    pairs = [(a, b) for a, b in _FORMULAS if isinstance(p, a) and isinstance(q, b)]
    if not pairs:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
            f"{type(q).__name__}"
        )
    closest = min(
        pairs, key=lambda pair: (type(p).__mro__.index(pair[0]), type(q).__mro__.index(pair[1]))
    )
    return _FORMULAS[closest](p, q)


@register_kl(Normal, Normal)
def _(p, q):
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())


@register_kl(LogNormal, LogNormal)
def _(p, q):
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _(p, q):
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Exponential, Exponential)
def _(p, q):
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Uniform, Uniform)
def _(p, q):
    """Infinite where p reaches outside of q."""
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return result.masked_fill((q.low > p.low) | (q.high < p.high), float("inf"))


@register_kl(Bernoulli, Bernoulli)
def _(p, q):
    """From logits, without a logarithm of 0: softplus(-x) = -log sigmoid(x)."""
    here = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    return here + (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))


@register_kl(Categorical, Categorical)
def _(p, q):
    t = p.probs * (p.logits - q.logits)
    t = t.masked_fill((q.probs == 0).expand_as(t), float("inf"))
    return t.masked_fill((p.probs == 0).expand_as(t), 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _(p, q):
    return kl_divergence(p._categorical, q._categorical)


@register_kl(MultivariateNormal, MultivariateNormal)
def _(p, q):
    half = q._half_log_det() - p._half_log_det()
    trace = (solve(q.scale_tril, p.scale_tril) ** 2).sum((-2, -1))
    z = solve(q.scale_tril, (q.loc - p.loc).unsqueeze(-1)).squeeze(-1)
    return half + 0.5 * (trace + (z**2).sum(-1) - p.loc.shape[-1])


@register_kl(Independent, Independent)
def _(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "KL(p || q) of Independent distributions with different reinterpreted_batch_ndims"
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
