"""torch.nn.utils.parametrizations: spectral norm, weight norm and orthogonal weights as removable
parametrizations."""

from typing import Any

import numpy as np

from ..arrays import array_module, default_generator, seam, to_device
from ..autograd import Tensor, no_grad, tensor_of
from ..ops import dot, eye, matmul, mv, stack
from .conv import _ConvTranspose
from .functional import normalize
from .module import Module
from .parametrize import register_parametrization
from .reparametrize import _as_matrix, _unit, _WeightNorm

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _Spectral(Module):
    def __init__(self, weight, n_power_iterations, dim, eps):
        super().__init__()
        self.n_power_iterations, self.eps = n_power_iterations, eps
        self.dim = dim if dim >= 0 else dim + weight.ndim
        if weight.ndim > 1:
            matrix = _as_matrix(weight.detach(), self.dim)
            for name, n in zip(("_u", "_v"), matrix.shape):
                self.register_buffer(
                    name,
                    tensor_of(
                        _unit(default_generator.normal((n,), weight.dtype, weight.device), eps)
                    ),
                )
            self._power(matrix.array, 15)

    def _power(self, w, steps):
        u, v = seam.execute(self._iterated, w, self._u.array, self._v.array, steps)
        with no_grad():
            self._u.copy_(u)
            self._v.copy_(v)

    def _iterated(self, w, u, v, steps):
        for _ in range(steps):
            u = _unit(matmul(w, v), self.eps)
            v = _unit(matmul(w.T, u), self.eps)
        return u, v

    def forward(self, weight):
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = _as_matrix(weight, self.dim)
        if self.training:
            self._power(matrix.array, self.n_power_iterations)
        return weight / dot(self._u.clone(), mv(matrix, self._v.clone()))

    def right_inverse(self, value):
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None
) -> Module:  # fmt: skip
    """Divide a weight by its largest singular value whenever it is read. Miyato et al. 2018

    As `nn.utils.spectral_norm`, but the vectors begin after 15 iterations. State:
    parametrizations.weight.original and 0._u, 0._v.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"spectral_norm: {type(module).__name__} has no parameter {name!r}")
    if n_power_iterations <= 0:
        raise ValueError(f"spectral_norm: n_power_iterations={n_power_iterations} must be positive")
    dim = (1 if isinstance(module, _ConvTranspose) else 0) if dim is None else dim
    return register_parametrization(module, name, _Spectral(weight, n_power_iterations, dim, eps))


class _Weight(Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = _WeightNorm("weight", None if dim in (None, -1) else dim)

    def forward(self, length, direction):
        return direction * (length / self.norm.length(direction))

    def right_inverse(self, weight):
        return self.norm.length(weight), weight.clone()


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """A weight's length and direction as two parameters: W = g v / |v|. Salimans and Kingma 2016

    State: parametrizations.weight.original0 (g) and original1 (v).
    """
    return register_parametrization(module, name, _Weight(dim), unsafe=True)


class _Orthogonal(Module):
    """Q = base exp(A - A^T), A the lower triangle of X; or base times a product of Householder
    reflections, whose vectors X holds."""

    def __init__(self, weight, kind, trivialize):
        super().__init__()
        self.kind = kind
        if trivialize:
            self.register_buffer("base", None)

    def forward(self, x):
        tall = x if x.shape[-2] >= x.shape[-1] else x.transpose(-2, -1)
        n, k = tall.shape[-2:]
        q = _exponential(tall, n, k) if self.kind == "matrix_exp" else _reflections(tall, n, k)
        if "base" in self._buffers and self.base is not None:
            q = self.base @ q
        return q if tall is x else q.transpose(-2, -1)

    def right_inverse(self, q):
        if tuple(q.shape) and q.shape[-2] < q.shape[-1]:
            return self.right_inverse(q.transpose(-2, -1)).transpose(-2, -1).contiguous()
        array = q.array if isinstance(q.array, np.ndarray) else q.array.get()
        rows = array.reshape(-1, *array.shape[-2:]).astype(np.float64)
        if "base" not in self._buffers:
            if self.kind == "matrix_exp":
                raise NotImplementedError(
                    "orthogonal: a weight of matrix_exp without use_trivialization=True cannot be "
                    "set"
                )
            found = np.stack([_vectors(m) for m in rows]).reshape(array.shape).astype(array.dtype)
            return tensor_of(to_device(found, q.device))
        bases = [_orthogonal_base(m) for m in rows]
        base = np.stack(bases).reshape(*array.shape[:-2], *bases[0].shape).astype(array.dtype)
        self.base = tensor_of(to_device(base, q.device))
        minus = np.zeros_like(array)
        np.einsum("...ii->...i", minus[..., : array.shape[-1], :])[...] = -1
        return tensor_of(to_device(minus, q.device))


def _orthogonal_base(matrix):
    """A square orthogonal matrix that begins with the orthogonal factor of `matrix`: with itself if
    it is orthogonal."""
    q, r = np.linalg.qr(matrix, mode="complete")
    q[:, : matrix.shape[1]] *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return q


def _vectors(matrix):
    """The Householder vectors of the orthogonal factor, below a diagonal of signs."""
    h, tau = np.linalg.qr(matrix, mode="raw")
    vectors = h.T.copy()
    diagonal = np.einsum("ii->i", vectors[: matrix.shape[1]])
    diagonal[...] = np.sign(diagonal) * np.where(tau == 0, -1, 1)
    return vectors


def _exponential(x, n, k):
    """exp(A - A^T): scaling and squaring of a Taylor polynomial; the first k columns."""
    a = x.tril()
    if n != k:
        from .functional import pad

        a = pad(a, (0, n - k))
    a = a - a.transpose(-2, -1)
    size = float(np.abs(a.detach().cpu().numpy()).sum(-1).max(initial=0.0))
    squarings = max(0, int(np.ceil(np.log2(size / 0.5)))) if size > 0.5 else 0
    a = a / 2.0**squarings
    identity = eye(n, dtype=x.dtype, device=x.device)
    total = identity + a / 14
    for i in range(13, 0, -1):
        total = identity + a @ total / i
    for _ in range(squarings):
        total = total @ total
    return total[..., :k]


def _reflections(x, n, k):
    """The first k columns of the product of I - tau v v^T, v the columns below the diagonal; signs
    as on the diagonal."""
    below = x.tril(-1)
    tau = 2 / (1 + (below * below).sum(-2))
    identity = eye(n, k, dtype=x.dtype, device=x.device)
    vectors = below + identity
    q = identity
    for i in range(k - 1, -1, -1):
        v = vectors[..., i : i + 1]
        q = q - tau[..., i : i + 1].unsqueeze(-1) * (v @ (v.transpose(-2, -1) @ q))
    signs = stack([x.detach()[..., i, i] for i in range(k)], -1)
    xp = array_module(signs.array)
    return q * tensor_of(xp.trunc(signs.array)).unsqueeze(-2)


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *,
    use_trivialization: bool = True
) -> Module:  # fmt: skip
    """Keep a weight orthogonal (its last two dimensions; a non-square one has orthonormal rows or
    columns).

    orthogonal_map : "matrix_exp" (default for square weights) or "householder" (default for others)
    use_trivialization : start from the weight, made orthogonal, and go on from there
        (Lezcano-Casado 2019); False: from matrix_exp(weight)

    State: parametrizations.weight.original and 0.base.
    """
    weight: Any = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"orthogonal: {type(module).__name__} has no parameter {name!r}")
    if weight.ndim < 2:
        raise ValueError(
            f"orthogonal: {name!r} must be a matrix or a batch of matrices, it has shape "
            f"{tuple(weight.shape)}"
        )
    kind = orthogonal_map or (
        "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    )
    if kind not in ("matrix_exp", "householder"):
        raise ValueError(
            f"orthogonal: orthogonal_map={kind!r}: minigan has 'matrix_exp' and 'householder'"
        )
    return register_parametrization(
        module, name, _Orthogonal(weight, kind, use_trivialization), unsafe=True
    )
