"""Gradients limited in size, parameters as one vector, evaluation mode for a moment, and (from
`reparametrize`) normalised weights. The names are torch.nn.utils', but for `evaluating`."""

import contextlib
import math
from collections.abc import Iterator

import numpy as np

from ..arrays import array_module, seam
from ..arrays.defaults import default
from ..autograd import Tensor, no_grad, tensor_of
from ..ops import cat
from ..ops.layout import join
from .module import Module
from .reparametrize import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "evaluating", "parameters_to_vector",
    "remove_spectral_norm", "remove_weight_norm",
    "spectral_norm", "vector_to_parameters", "weight_norm",
]  # fmt: skip


@contextlib.contextmanager
def evaluating(*modules: Module) -> Iterator[None]:
    """Inside, the modules are in evaluation mode; afterwards each of their parts is in the mode it
    was in, also on an error."""
    modes = [(part, part.training) for module in modules for part in module.modules()]
    try:
        for module in modules:
            module.eval()
        yield
    finally:
        for part, training in modes:
            part.training = training


def _gradients(parameters):
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in parameters if p.grad is not None]


def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scale the gradients so that their common norm is at most `max_norm`. Pascanu et al. 2013.

    parameters : a Tensor or an iterable of them; those without a gradient do not count
    norm_type : the p of the norm; math.inf for the largest absolute value
    error_if_nonfinite : raise RuntimeError if the norm is NaN or infinite
    foreach : without effect

    Returns the norm before the scaling, a Tensor without dimensions.
    """
    gradients = _gradients(parameters)
    if not gradients:
        return tensor_of(np.zeros((), default.dtype))
    p = float(norm_type)
    arrays = [g.array for g in gradients]
    total, scale = seam.execute(_norm_and_scale, arrays, max_norm, p)
    total = tensor_of(total)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"clip_grad_norm_: the norm (order {p:g}) of the gradients is {total.item()}: they "
            "cannot be clipped"
        )
    seam.execute(_scale_all, arrays, scale)
    for g in gradients:
        g._version[0] += 1
    return total


clip_grad_norm = clip_grad_norm_  # its name before torch 0.4, which it still has


def _norm_and_scale(gradients, max_norm, p):
    """Their common norm, and the factor that brings it to `max_norm` where it is above."""
    xp = array_module(gradients[0])
    norms = join([xp.linalg.norm(g.reshape(-1), p).reshape(1) for g in gradients], 0)
    total = xp.asarray(xp.linalg.norm(norms, p))
    return total, xp.asarray(xp.minimum(max_norm / (total + 1e-6), 1))


def _scale_all(gradients, scale):
    if isinstance(scale, np.ndarray) and scale >= 1:
        return  # (on a GPU, reading the number would mean to wait)
    for g in gradients:
        g *= scale.astype(g.dtype)


def clip_grad_value_(parameters, clip_value, foreach=None):
    """Limit every element of the gradients to [-clip_value, clip_value]."""
    with no_grad():
        for g in _gradients(parameters):
            g.clamp_(-clip_value, clip_value)


def parameters_to_vector(parameters):
    """All elements of the parameters, in order, as one vector (differentiable)."""
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec, parameters):
    """Copy the elements of a vector into the parameters, in order."""
    parameters = list(parameters)
    count = sum(p.numel() for p in parameters)
    if tuple(vec.shape) != (count,):
        raise ValueError(
            f"vector_to_parameters: the parameters have {count} elements, vec has shape "
            f"{tuple(vec.shape)}"
        )
    start = 0
    with no_grad():
        for p in parameters:
            p.copy_(vec.array[start : start + p.numel()].reshape(p.shape))
            start += p.numel()
