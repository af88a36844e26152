"""Continuous relaxations of discrete distributions, whose draws have a gradient: Gumbel-softmax.
Maddison et al. 2017, Jang et al. 2017"""

from __future__ import annotations

import math

import numpy as np

from ...autograd import Tensor
from ...ops import logsumexp, rand, sigmoid, softmax, softplus
from .discrete import Bernoulli, OneHotCategorical, _clamped
from .distribution import Distribution, Number, together


class _Relaxed(Distribution):
    """What is near a draw of `_discrete`, the nearer the lower the temperature."""

    has_rsample = True
    _discrete: Bernoulli | OneHotCategorical

    @property
    def probs(self) -> Tensor:
        return self._discrete.probs

    @property
    def logits(self) -> Tensor:
        return self._discrete.logits

    def _uniform(self, sample_shape) -> Tensor:
        """U(0, 1) without the ends."""
        like = self.logits
        return _clamped(rand(*self._shape(sample_shape), dtype=like.dtype, device=like.device))


class RelaxedBernoulli(_Relaxed):
    """sigmoid((logits + logistic noise) / temperature)."""

    support = staticmethod(lambda x: (x >= 0) & (x <= 1))

    def __init__(
        self,
        temperature: Number,
        probs: Number | None = None,
        logits: Number | None = None,
        validate_args: bool | None = None,
    ):
        self._discrete = Bernoulli(probs, logits, validate_args)
        super().__init__(self._discrete.batch_shape, validate_args=validate_args)
        self.temperature = together(temperature, self.logits)[0]

    def rsample(self, sample_shape=()):
        u, p = self._uniform(sample_shape), _clamped(self.probs)
        noise = u.log() - (-u).log1p()
        return _inside(sigmoid((noise + p.log() - (-p).log1p()) / self.temperature))

    def log_prob(self, value):
        """That of x = logit(value), and log dx/dvalue."""
        self._check_value(value)
        value = _inside(value)
        x = value.log() - (-value).log1p()
        away = self.logits - x * self.temperature
        of_x = self.temperature.log() + away - 2 * softplus(away)
        return of_x + softplus(x) + softplus(-x)


def _inside(x):
    """x between 0 and 1, without these, so that its logit is finite."""
    info = np.finfo(x.dtype)
    return x.clamp(float(info.tiny), 1 - float(info.eps))


class RelaxedOneHotCategorical(_Relaxed):
    """softmax((logits + Gumbel noise) / temperature) over the last dimension."""

    def __init__(
        self,
        temperature: Number,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        one_hot = self._discrete = OneHotCategorical(probs, logits, validate_args)
        super().__init__(one_hot.batch_shape, one_hot.event_shape, validate_args)
        given = isinstance(temperature, Tensor)
        self.temperature = temperature if given else self.logits.new_tensor(temperature)

    def support(self, x):
        return (x >= 0) & ((x.sum(-1, keepdim=True) - 1).abs() < 1e-6)

    def rsample(self, sample_shape=()):
        noise = -(-self._uniform(sample_shape).log()).log()
        return softmax((self.logits + noise) / self.temperature, -1)

    def log_prob(self, value):
        self._check_value(value)
        k, x = self.event_shape[0], value.log()
        scores = self.logits - x * self.temperature
        normalised = (scores - logsumexp(scores, -1, keepdim=True)).sum(-1)
        return math.lgamma(k) + (k - 1) * self.temperature.log() + normalised - x.sum(-1)
