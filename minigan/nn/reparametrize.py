"""Weights that are computed from other parameters before each forward pass: spectral and weight
normalisation.

`spectral_norm(layer)` takes the Parameter `weight` out of the layer, registers what it is computed
from, and lets a hook put the computed Tensor under the old name. An optimiser that had the
Parameter before still has it, as `weight_orig`.
"""

from typing import TypeVar

import numpy as np

from ..arrays import default_generator, seam
from ..autograd import no_grad, tensor_of
from ..ops import dot, matmul, movedim, norm
from .conv import _ConvTranspose
from .module import Module
from .parameter import Parameter

M = TypeVar("M", bound=Module)

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None
) -> M:  # fmt: skip
    """Divide a weight by its largest singular value before each forward pass: W = W_orig /
    sigma(W_orig). Miyato et al. 2018

    name : of the Parameter
    n_power_iterations : steps of the power iteration v = W^T u / |W^T u|, u = W v / |W v| in each
        forward pass in training mode (none in evaluation mode); sigma = u^T W v (Algorithm 1 and
        equation 8 there)
    eps : the least norm that a division is made by
    dim : the dimension of the weight that counts the outputs, the others become columns; default 0,
        for a ConvTranspose 1

    u and v count as constants in the gradient. State: parameter weight_orig, buffers weight_u,
    weight_v. Returns the module.
    """
    if n_power_iterations <= 0:
        raise ValueError(f"spectral_norm: n_power_iterations={n_power_iterations} must be positive")
    weight = _parameter("spectral_norm", module, name)
    dim = (1 if isinstance(module, _ConvTranspose) else 0) if dim is None else dim
    hook = _SpectralNorm(name, n_power_iterations, eps, dim)
    rows, columns = _as_matrix(weight, hook.dim).shape
    vectors = [
        _unit(default_generator.normal((n,), weight.dtype, weight.device), eps)
        for n in (rows, columns)
    ]
    _replace(module, hook, weight, {"_orig": weight})
    for end, vector in zip(("_u", "_v"), vectors):
        module.register_buffer(name + end, tensor_of(vector))
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """End `spectral_norm`: the normalised weight of the present u and v becomes a plain
    Parameter."""
    return _restore(module, name, _SpectralNorm, "spectral_norm")


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """A weight's length and direction as two parameters: W = g v / |v|. Salimans and Kingma 2016

    name : of the Parameter, which is replaced by weight_g and weight_v
    dim : each slice along this dimension has a length of its own; None (or -1, as in torch): one
        length for all of the weight

    It starts with the weight as it is. Returns the module.
    """
    weight = _parameter("weight_norm", module, name)
    hook = _WeightNorm(name, None if dim == -1 else dim)
    with no_grad():
        length = Parameter(hook.length(weight).array)
    _replace(module, hook, weight, {"_g": length, "_v": weight})
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """End `weight_norm`: the weight becomes a plain Parameter."""
    return _restore(module, name, _WeightNorm, "weight_norm")


def _unit(vector, eps):
    """vector / max(|vector|, eps), arrays of either library."""
    return vector / np.maximum(np.sqrt(np.sum(vector * vector)), eps)


def _as_matrix(weight, dim):
    """The weight as a matrix, `dim` first."""
    return movedim(weight, dim, 0).reshape(weight.shape[dim], -1)


class _Computed:
    """A forward pre-hook that computes the weight called `name` anew. `ends`: of the names of what
    it is computed from."""

    ends: tuple[str, ...]

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute(module, module.training))


def _copies(*arrays):
    return tuple(a.copy() for a in arrays)


class _SpectralNorm(_Computed):
    ends = ("_orig", "_u", "_v")

    def __init__(self, name, n_power_iterations, eps, dim):
        self.name = name
        self.n_power_iterations = n_power_iterations
        self.eps = eps
        self.dim = dim

    def compute(self, module, iterate):
        weight, u, v = (getattr(module, self.name + end) for end in self.ends)
        matrix = _as_matrix(weight, self.dim)
        w = matrix.array
        a = u.array
        b = v.array
        if iterate:
            a, b = seam.execute(self._power_iteration, w, a, b)
            with no_grad():
                u.copy_(a)
                v.copy_(b)
        # The tape gets copies: the buffers will change at the next forward pass, which may come
        # before backward.
        a, b = seam.execute(_copies, a, b)
        return weight / dot(tensor_of(a), matrix @ tensor_of(b))

    def _power_iteration(self, w, a, b):
        for _ in range(self.n_power_iterations):
            b = _unit(matmul(w.T, a), self.eps)
            a = _unit(matmul(w, b), self.eps)
        return a, b


class _WeightNorm(_Computed):
    ends = ("_g", "_v")

    def __init__(self, name, dim):
        self.name, self.dim = name, dim

    def length(self, v):
        """The norm of each slice along `dim`, with all dimensions kept; of all without any."""
        if self.dim is None:
            return norm(v)
        return norm(v, 2, tuple(i for i in range(v.ndim) if i != self.dim % v.ndim), True)

    def compute(self, module, iterate):
        g, v = (getattr(module, self.name + end) for end in self.ends)
        return v * (g / self.length(v))


SpectralNorm, WeightNorm = _SpectralNorm, _WeightNorm  # torch's names of the hooks


def _parameter(what, module, name):
    """The Parameter to be computed from now on."""
    weight = module._parameters.get(name)
    if weight is None:
        if any(isinstance(h, _Computed) and h.name == name for h in module._pre_hooks.values()):
            raise RuntimeError(
                f"{what}: {name!r} of {type(module).__name__} is already computed by "
                "spectral_norm or weight_norm"
            )
        have = ", ".join(module._parameters) or "none"
        raise ValueError(
            f"{what}: {type(module).__name__} has no parameter {name!r}; it has {have}"
        )
    return weight


def _replace(module, hook, weight, parameters):
    delattr(module, hook.name)
    for end, p in parameters.items():
        module.register_parameter(hook.name + end, p)
    setattr(module, hook.name, weight.detach())
    module.register_forward_pre_hook(hook)


def _restore(module, name, kind, what):
    hooks = module._pre_hooks
    key = next((k for k, h in hooks.items() if isinstance(h, kind) and h.name == name), None)
    if key is None:
        raise ValueError(f"remove_{what}: {what} of {name!r} not found in {type(module).__name__}")
    with no_grad():
        weight = Parameter(hooks.pop(key).compute(module, False).array)
    for attribute in (name, *[name + end for end in kind.ends]):
        delattr(module, attribute)
    module.register_parameter(name, weight)
    return module
