"""Distributions over finitely many values: a parameter is `probs` or `logits`, and the other is
computed from it."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from ...autograd import Tensor, enable_grad, no_grad
from ...ops import (
    bernoulli,
    broadcast_shapes,
    categorical,
    full,
    log,
    logsumexp,
    multinomial,
    sigmoid,
    softmax,
    zeros,
)
from ...ops.loss import binary_cross_entropy_with_logits
from .distribution import Distribution, Number, together


def _one_of(name: str, probs: Number | None, logits: Number | None) -> None:
    if (probs is None) == (logits is None):
        raise ValueError(f"{name}: either probs or logits must be given, and not both")


def _clamped(probs: Tensor) -> Tensor:
    """probs away from 0 and 1 by the dtype's eps, so that their logarithms are finite."""
    eps = float(np.finfo(probs.dtype).eps)
    return probs.clamp(eps, 1 - eps)


class Bernoulli(Distribution):
    """1 with probability probs = sigmoid(logits), else 0."""

    support = staticmethod(lambda x: (x == 0) | (x == 1))

    def __init__(
        self,
        probs: Number | None = None,
        logits: Number | None = None,
        validate_args: bool | None = None,
    ):
        _one_of("Bernoulli", probs, logits)
        if probs is not None:
            (self.probs,) = together(probs)
        elif logits is not None:
            (self.logits,) = together(logits)
        super().__init__(
            (self.logits if probs is None else self.probs).shape, validate_args=validate_args
        )
        if probs is not None:
            self._check(
                "probs", self.probs, (self.probs >= 0) & (self.probs <= 1), "between 0 and 1"
            )

    @cached_property
    def probs(self) -> Tensor:
        with enable_grad():  # also where a draw asks first
            return sigmoid(self.logits)

    @cached_property
    def logits(self) -> Tensor:
        with enable_grad():
            p = _clamped(self.probs)
            return p.log() - (-p).log1p()

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        return (self.probs >= 0.5).type(self.probs.dtype).masked_fill(self.probs == 0.5, math.nan)

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        with no_grad():
            return bernoulli(self.probs.expand(*self._shape(sample_shape)))

    def log_prob(self, value):
        self._check_value(value)
        logits, value = together(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")


class Categorical(Distribution):
    """k with probability probs[..., k], or softmax(logits)[..., k]; values int64. probs are
    normalised over the last dimension."""

    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        _one_of("Categorical", probs, logits)
        given = probs if probs is not None else logits
        assert given is not None
        if given.dim() < 1:
            raise ValueError("Categorical: probs and logits must be at least one-dimensional")
        self._num_events = given.shape[-1]
        super().__init__(given.shape[:-1], validate_args=validate_args)
        if probs is not None:
            self._check("probs", probs, probs >= 0, "non-negative")
            self.probs = probs / probs.sum(-1, keepdim=True)
        else:
            self.logits = given - logsumexp(given, -1, keepdim=True)

    @cached_property
    def probs(self) -> Tensor:
        with enable_grad():
            return softmax(self.logits, -1)

    @cached_property
    def logits(self) -> Tensor:
        with enable_grad():
            return _clamped(self.probs).log()

    def support(self, x):
        return (x >= 0) & (x < self._num_events) & (x % 1 == 0)

    @property
    def param_shape(self):
        return self.probs.shape

    @property
    def mean(self):
        return full(self.batch_shape, math.nan, dtype=self.probs.dtype, device=self.probs.device)

    variance = mean

    @property
    def mode(self):
        return self.probs.argmax(-1)

    def sample(self, sample_shape=()):
        with no_grad():
            n = 1
            for size in sample_shape:
                n *= size
            if self.probs.is_cuda:  # without a way over the host
                return categorical(log(self.probs).expand(*sample_shape, *self.probs.shape))
            rows = self.probs.reshape(-1, self._num_events)
            return multinomial(rows, n, True).T.reshape(self._shape(sample_shape))

    def log_prob(self, value):
        self._check_value(value)
        value = value.long().unsqueeze(-1)
        shape = broadcast_shapes(tuple(value.shape[:-1]), tuple(self.batch_shape))
        logits = self.logits.expand(*shape, self._num_events)
        return logits.gather(-1, value.expand(*shape, 1)).squeeze(-1)

    def entropy(self):
        logits = self.logits.clamp(min=float(np.finfo(self.logits.dtype).min))
        return -(logits * self.probs).sum(-1)


class OneHotCategorical(Distribution):
    """A Categorical whose values are rows with a single 1."""

    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        self._categorical = Categorical(probs, logits, validate_args)
        super().__init__(
            self._categorical.batch_shape, (self._categorical._num_events,), validate_args
        )

    @property
    def probs(self) -> Tensor:
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        return self._categorical.logits

    def support(self, x):
        return ((x == 0) | (x == 1)) & (x.sum(-1, keepdim=True) == 1)

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        return self._rows(self.probs.argmax(-1))

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def _rows(self, index: Tensor) -> Tensor:
        rows = zeros(
            *index.shape, self.event_shape[0], dtype=self.probs.dtype, device=self.probs.device
        )
        return rows.scatter_(-1, index.unsqueeze(-1), 1.0)

    def sample(self, sample_shape=()):
        with no_grad():
            return self._rows(self._categorical.sample(sample_shape))

    def log_prob(self, value):
        self._check_value(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self):
        return self._categorical.entropy()


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """A OneHotCategorical whose draws have the gradient of `probs`. Bengio et al. 2013"""

    has_rsample = True

    def rsample(self, sample_shape=()):
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
