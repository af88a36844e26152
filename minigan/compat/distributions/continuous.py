"""Distributions of one real number, by their textbook formulas."""

from __future__ import annotations

import math

from ...autograd import Tensor
from ...ops import erf, erfinv, exp, log1p, rand, randn, zeros_like
from .distribution import LOG_2PI, Distribution, Number, together

EULER = 0.57721566490153286060


class _LocScale(Distribution):
    """y = loc + scale * noise; scale > 0."""

    has_rsample = True

    def __init__(self, loc: Number, scale: Number, validate_args: bool | None = None):
        self.loc, self.scale = together(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)
        self._check("scale", self.scale, self.scale > 0, "positive")

    def expand(self, batch_shape):
        return type(self)(
            self.loc.expand(*batch_shape), self.scale.expand(*batch_shape), self._validate_args
        )

    def rsample(self, sample_shape=()):
        return self.loc + self.scale * self._noise(self._shape(sample_shape))

    def _noise(self, shape):
        raise NotImplementedError

    @property
    def mean(self):
        return self.loc

    mode = mean


class Normal(_LocScale):
    """p(x) = exp(-z^2 / 2) / (scale sqrt(2 pi)), z = (x - loc) / scale: mean loc, standard
    deviation scale."""

    def _noise(self, shape):
        return randn(*shape, dtype=self.loc.dtype, device=self.loc.device)

    @property
    def stddev(self):
        return self.scale

    @property
    def variance(self):
        return self.scale**2

    def log_prob(self, value):
        self._check_value(value)
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - self.scale.log() - LOG_2PI / 2

    def entropy(self):
        return 0.5 + LOG_2PI / 2 + self.scale.log()

    def cdf(self, value):
        return 0.5 * (1 + erf((value - self.loc) / (self.scale * math.sqrt(2))))

    def icdf(self, value):
        return self.loc + self.scale * erfinv(2 * value - 1) * math.sqrt(2)


class Laplace(_LocScale):
    """p(x) = exp(-|x - loc| / scale) / (2 scale)."""

    def _noise(self, shape):
        u = 2 * rand(*shape, dtype=self.loc.dtype, device=self.loc.device) - 1
        u = u.clamp(min=-1 + 2**-23)  # -1, which has probability 2^-24, would give -inf
        return -u.sign() * log1p(-u.abs())

    @property
    def variance(self):
        return 2 * self.scale**2

    @property
    def stddev(self):
        return math.sqrt(2) * self.scale

    def log_prob(self, value):
        self._check_value(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def entropy(self):
        return 1 + (2 * self.scale).log()

    def cdf(self, value):
        z = (value - self.loc) / self.scale
        return 0.5 - 0.5 * z.sign() * (exp(-z.abs()) - 1)

    def icdf(self, value):
        return self.loc - self.scale * (value - 0.5).sign() * log1p(-2 * (value - 0.5).abs())


class Gumbel(_LocScale):
    """p(x) = exp(-z - exp(-z)) / scale, z = (x - loc) / scale: the largest of many draws."""

    def _noise(self, shape):
        u = rand(*shape, dtype=self.loc.dtype, device=self.loc.device).clamp(2**-24, 1 - 2**-24)
        return -(-u.log()).log()

    @property
    def mean(self):
        return self.loc + self.scale * EULER

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return self.stddev**2

    @property
    def stddev(self):
        return math.pi / math.sqrt(6) * self.scale

    def log_prob(self, value):
        self._check_value(value)
        z = (self.loc - value) / self.scale
        return z - z.exp() - self.scale.log()

    def entropy(self):
        return self.scale.log() + (1 + EULER)

    def cdf(self, value):
        return exp(-exp((self.loc - value) / self.scale))

    def icdf(self, value):
        return self.loc - self.scale * (-value.log()).log()


class LogNormal(Distribution):
    """exp of a Normal(loc, scale)."""

    has_rsample = True
    support = staticmethod(lambda x: x > 0)

    def __init__(self, loc: Number, scale: Number, validate_args: bool | None = None):
        self.base_dist = Normal(loc, scale, validate_args)
        self.loc, self.scale = self.base_dist.loc, self.base_dist.scale
        super().__init__(self.loc.shape, validate_args=validate_args)

    def rsample(self, sample_shape=()):
        return self.base_dist.rsample(sample_shape).exp()

    @property
    def mean(self):
        return (self.loc + self.scale**2 / 2).exp()

    @property
    def mode(self):
        return (self.loc - self.scale**2).exp()

    @property
    def variance(self):
        return ((self.scale**2).exp() - 1) * (2 * self.loc + self.scale**2).exp()

    def log_prob(self, value):
        self._check_value(value)
        return self.base_dist.log_prob(value.log()) - value.log()

    def entropy(self):
        return self.base_dist.entropy() + self.loc

    def cdf(self, value):
        return self.base_dist.cdf(value.log())

    def icdf(self, value):
        return self.base_dist.icdf(value).exp()


class HalfNormal(Distribution):
    """|x| of x from Normal(0, scale)."""

    has_rsample = True
    support = staticmethod(lambda x: x >= 0)

    def __init__(self, scale: Number, validate_args: bool | None = None):
        self.base_dist = Normal(0.0, scale, validate_args)
        self.scale = self.base_dist.scale
        super().__init__(self.scale.shape, validate_args=validate_args)

    def rsample(self, sample_shape=()):
        return self.base_dist.rsample(sample_shape).abs()

    @property
    def mean(self):
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self):
        return zeros_like(self.scale)

    @property
    def variance(self):
        return self.scale**2 * (1 - 2 / math.pi)

    def log_prob(self, value):
        self._check_value(value)
        return self.base_dist.log_prob(value) + math.log(2)

    def entropy(self):
        return self.base_dist.entropy() - math.log(2)

    def cdf(self, value):
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value):
        return self.base_dist.icdf((value + 1) / 2)


class Uniform(Distribution):
    """p(x) = 1 / (high - low) on [low, high)."""

    has_rsample = True

    def __init__(self, low: Number, high: Number, validate_args: bool | None = None):
        self.low, self.high = together(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)
        self._check("high", self.high, self.low < self.high, f"above low = {self.low.detach()}")

    def support(self, x):
        return (x >= self.low) & (x <= self.high)

    def expand(self, batch_shape):
        return type(self)(
            self.low.expand(*batch_shape), self.high.expand(*batch_shape), self._validate_args
        )

    def rsample(self, sample_shape=()):
        u = rand(*self._shape(sample_shape), dtype=self.low.dtype, device=self.low.device)
        return self.low + u * (self.high - self.low)

    @property
    def mean(self):
        return (self.low + self.high) / 2

    @property
    def mode(self):
        return math.nan * self.high

    @property
    def variance(self):
        return (self.high - self.low) ** 2 / 12

    @property
    def stddev(self):
        return (self.high - self.low) / math.sqrt(12)

    def log_prob(self, value):
        self._check_value(value)
        inside = (value >= self.low) & (value < self.high)
        return inside.type(self.low.dtype).log() - (self.high - self.low).log()

    def entropy(self):
        return (self.high - self.low).log()

    def cdf(self, value):
        return ((value - self.low) / (self.high - self.low)).clamp(0, 1)

    def icdf(self, value):
        return value * (self.high - self.low) + self.low


class Exponential(Distribution):
    """p(x) = rate exp(-rate x), x >= 0."""

    has_rsample = True
    support = staticmethod(lambda x: x >= 0)

    def __init__(self, rate: Number, validate_args: bool | None = None):
        (self.rate,) = together(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)
        self._check("rate", self.rate, self.rate > 0, "positive")

    def rsample(self, sample_shape=()):
        u = rand(*self._shape(sample_shape), dtype=self.rate.dtype, device=self.rate.device)
        return -log1p(-u) / self.rate

    @property
    def mean(self):
        return self.rate.reciprocal()

    stddev = mean

    @property
    def mode(self):
        return zeros_like(self.rate)

    @property
    def variance(self):
        return self.rate**-2

    def log_prob(self, value: Tensor):
        self._check_value(value)
        return self.rate.log() - self.rate * value

    def entropy(self):
        return 1 - self.rate.log()

    def cdf(self, value):
        return 1 - exp(-self.rate * value)

    def icdf(self, value):
        return -log1p(-value) / self.rate
