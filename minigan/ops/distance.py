"""Lengths and angles of vectors along a dimension."""

import numpy as np

from .arithmetic import clamp
from .reduction import norm
from .shape import broadcast_to

__all__ = ["cosine_similarity", "normalize", "pairwise_distance"]


def normalize(input, p=2.0, dim=1, eps=1e-12):
    """x / max(|x|_p, eps), the norm taken along `dim`"""
    return input / clamp(norm(input, p, dim, True), min=eps)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """x1 . x2 / (|x1| |x2|) along `dim` of the two broadcast together, each norm at least eps"""
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    x1, x2 = broadcast_to(x1, shape), broadcast_to(x2, shape)
    return (normalize(x1, 2.0, dim, eps) * normalize(x2, 2.0, dim, eps)).sum(dim)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """|x1 - x2 + eps|_p along the last dimension of the two broadcast together"""
    return norm(x1 - x2 + eps, p, -1, keepdim)
