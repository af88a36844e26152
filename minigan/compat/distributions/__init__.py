"""Probability distributions with torch's names: what samplers, VAEs, InfoGAN's codes and toy
mixtures use.

`sample` has no gradient, `rsample` (where `has_rsample`) passes it on to the parameters. Parameters
broadcast to the batch shape; a draw of `sample_shape` has shape (*sample_shape, *batch_shape,
*event_shape), and `log_prob` of it drops the event dimensions.
"""

from .continuous import Exponential, Gumbel, HalfNormal, Laplace, LogNormal, Normal, Uniform
from .discrete import Bernoulli, Categorical, OneHotCategorical, OneHotCategoricalStraightThrough
from .distribution import Distribution
from .divergence import kl_divergence, register_kl
from .joint import Independent, MixtureSameFamily, MultivariateNormal
from .relaxed import RelaxedBernoulli, RelaxedOneHotCategorical

__all__ = [
    "Bernoulli", "Categorical", "Distribution", "Exponential", "Gumbel", "HalfNormal",
    "Independent", "Laplace", "LogNormal",
    "MixtureSameFamily", "MultivariateNormal", "Normal", "OneHotCategorical",
    "OneHotCategoricalStraightThrough", "RelaxedBernoulli", "RelaxedOneHotCategorical", "Uniform",
    "kl_divergence", "register_kl",
]  # fmt: skip
