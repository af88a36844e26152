"""Distributions of vectors, and those made of others."""

from __future__ import annotations

from ...autograd import Tensor, no_grad
from ...ops import broadcast_shapes, log_softmax, logsumexp, randn
from ...ops.decompositions import cholesky
from ...ops.linear_algebra import inv, solve
from .discrete import Categorical
from .distribution import LOG_2PI, Distribution, sum_rightmost


class Independent(Distribution):
    """The last `reinterpreted_batch_ndims` batch dimensions of another distribution taken as one
    event: their log_prob is summed."""

    def __init__(
        self,
        base_distribution: Distribution,
        reinterpreted_batch_ndims: int,
        validate_args: bool | None = None,
    ):
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        batch, n = base_distribution.batch_shape, reinterpreted_batch_ndims
        if n > len(batch):
            raise ValueError(
                f"Independent: reinterpreted_batch_ndims={n} exceeds the {len(batch)} dimensions "
                f"of the batch shape {tuple(batch)}"
            )
        cut = len(batch) - n
        super().__init__(batch[:cut], (*batch[cut:], *base_distribution.event_shape), validate_args)

    @property
    def has_rsample(self):
        return self.base_dist.has_rsample

    @property
    def mean(self):
        return self.base_dist.mean

    @property
    def mode(self):
        return self.base_dist.mode

    @property
    def variance(self):
        return self.base_dist.variance

    def sample(self, sample_shape=()):
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape=()):
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value):
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self):
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)


class MultivariateNormal(Distribution):
    """p(x) = exp(-(x - loc)' S^-1 (x - loc) / 2) / sqrt(det 2 pi S), x of k numbers.

    loc : (..., k)
    covariance_matrix, precision_matrix, scale_tril : one of S, S^-1 and the lower triangular L with
        L L' = S: (..., k, k)
    """

    has_rsample = True

    def __init__(
        self, loc: Tensor, covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ):  # fmt: skip
        given = [m for m in (covariance_matrix, precision_matrix, scale_tril) if m is not None]
        if len(given) != 1 or loc.dim() < 1 or given[0].dim() < 2:
            raise ValueError(
                "MultivariateNormal: loc of at least one dimension, and exactly one of "
                "covariance_matrix, precision_matrix and scale_tril, of at least two"
            )
        k = loc.shape[-1]
        batch = broadcast_shapes(tuple(given[0].shape[:-2]), tuple(loc.shape[:-1]))
        super().__init__(batch, (k,), validate_args)
        self.loc = loc.expand(*batch, k)
        factor = (
            given[0]
            if scale_tril is not None
            else cholesky(inv(given[0]) if precision_matrix is not None else given[0])
        )
        self.scale_tril = factor.expand(*batch, k, k)

    @property
    def mean(self):
        return self.loc

    mode = mean

    @property
    def covariance_matrix(self) -> Tensor:
        return self.scale_tril @ self.scale_tril.mT

    @property
    def precision_matrix(self) -> Tensor:
        return inv(self.covariance_matrix)

    @property
    def variance(self):
        return (self.scale_tril**2).sum(-1)

    def rsample(self, sample_shape=()):
        noise = randn(*self._shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + (self.scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value):
        self._check_value(value)
        z = solve(self.scale_tril, (value - self.loc).unsqueeze(-1)).squeeze(-1)
        return -0.5 * (self.loc.shape[-1] * LOG_2PI + (z**2).sum(-1)) - self._half_log_det()

    def entropy(self):
        return 0.5 * self.loc.shape[-1] * (1 + LOG_2PI) + self._half_log_det()

    def _half_log_det(self) -> Tensor:
        return self.scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


class MixtureSameFamily(Distribution):
    """One of K components, picked by a Categorical: p(x) = sum_k w_k p_k(x).

    mixture_distribution    a Categorical of batch shape (...) over K
    component_distribution    batch shape (..., K)
    """

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ):
        self.mixture_distribution = mixture_distribution
        self.component_distribution = component_distribution
        components = component_distribution.batch_shape
        if not components or components[-1] != mixture_distribution._num_events:
            raise ValueError(
                f"MixtureSameFamily: {mixture_distribution._num_events} weights for components of "
                f"batch shape {tuple(components)}"
            )
        super().__init__(components[:-1], component_distribution.event_shape, validate_args)

    def _weights(self) -> Tensor:
        """probs beside the components' events: (..., K, 1, ...)."""
        probs = self.mixture_distribution.probs
        return probs.reshape(*probs.shape, *(1 for _ in self.event_shape))

    @property
    def mean(self):
        return (self._weights() * self.component_distribution.mean).sum(-1 - len(self.event_shape))

    @property
    def variance(self):
        """Of the components, and of their means."""
        dim = -1 - len(self.event_shape)
        within = (self._weights() * self.component_distribution.variance).sum(dim)
        between = (
            self._weights() * (self.component_distribution.mean - self.mean.unsqueeze(dim)) ** 2
        ).sum(dim)
        return within + between

    def sample(self, sample_shape=()):
        with no_grad():
            values = self.component_distribution.sample(sample_shape)
            picked = self.mixture_distribution.sample(sample_shape)
            dim, events = len(self._shape(sample_shape)) - len(self.event_shape), self.event_shape
            index = picked.reshape(*picked.shape, 1, *(1 for _ in events)).expand(
                *picked.shape, 1, *events
            )
            return values.gather(dim, index).squeeze(dim)

    def log_prob(self, value):
        self._check_value(value)
        parts = self.component_distribution.log_prob(value.unsqueeze(-1 - len(self.event_shape)))
        return logsumexp(parts + log_softmax(self.mixture_distribution.logits, -1), -1)

    def cdf(self, value):
        return (
            self.mixture_distribution.probs * self.component_distribution.cdf(value.unsqueeze(-1))
        ).sum(-1)
