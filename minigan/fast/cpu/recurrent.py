"""Kernels of ops/recurrent.py for NumPy: a whole sequence in one call. Threads share the examples,
which know nothing of each other."""

import numpy as np

from ...ops.recurrent import lstm_steps, lstm_steps_grad
from .elementary import tanh_of_single
from .gemm import NO_TRANS, TRANS, gemm, place
from .kernels import kernel
from .layout import row_major
from .shared_kernel import InPieces, pieces_of
from .tiles import product_addresses, small_product

MIN_WORK = 1 << 20  # multiplications that are worth a thread
MANY = 256  # rows of all products that are worth a copy of the weight


@kernel
def _sigmoid(a):
    """1 / (1 + e^-a) of a float32 number."""
    return np.float32(0.5) + np.float32(0.5) * tanh_of_single(np.float32(0.5) * a)


@kernel
def _steps(piece, pieces, h, c, weight, out, gates, tiles, address):
    """gates (T, N, 4H): first what x contributes, then the gates' values; out (2, T, N, H).

    weight : (4H, H), or transposed, (H, 4H);  tiles, address : see `small_product`
    """
    steps, examples, n = gates.shape[0], gates.shape[1], h.shape[1]
    low, high = examples * piece // pieces, examples * (piece + 1) // pieces
    zero = np.float32(0)
    added = np.empty((high - low, 4 * n), np.float32)  # what h contributes
    for t in range(steps):
        before = place(h, low * n) if t == 0 else place(out, ((t - 1) * examples + low) * n)
        if len(weight) == n:
            small_product(zero, 4, tiles, address, before, place(weight, 0), place(added, 0),
                          high - low, 4 * n, n)  # fmt: skip
        else:
            gemm(address, NO_TRANS, TRANS, high - low, 4 * n, n, before, n, place(weight, 0), n,
                 zero, place(added, 0), 4 * n)  # fmt: skip
        for k in range(low, high):
            own, cell = gates[t, k], c[k] if t == 0 else out[1, t - 1, k]
            hs, cs, more = out[0, t, k], out[1, t, k], added[k - low]
            for j in range(2 * n):
                own[j] = _sigmoid(own[j] + more[j])
            for j in range(2 * n, 3 * n):
                own[j] = tanh_of_single(own[j] + more[j])
            for j in range(3 * n, 4 * n):
                own[j] = _sigmoid(own[j] + more[j])
            for j in range(n):
                v = own[n + j] * cell[j] + own[j] * own[2 * n + j]
                cs[j] = v
                hs[j] = own[3 * n + j] * tanh_of_single(v)


@kernel
def _steps_grad(piece, pieces, g, c, weight, out, gates, d, gh, gc, tiles, address):
    """d (T, N, 4H); gh and gc (N, H), zeros at first."""
    steps, examples, n = gates.shape[0], gates.shape[1], c.shape[1]
    one = np.float32(1)
    low, high = examples * piece // pieces, examples * (piece + 1) // pieces
    for t in range(steps - 1, -1, -1):
        for k in range(low, high):
            own, cell = gates[t, k], c[k] if t == 0 else out[1, t - 1, k]
            now, to, to_h, to_c = out[1, t, k], d[t, k], gh[k], gc[k]
            from_h, from_c = g[0, t, k], g[1, t, k]
            for j in range(n):
                i, f, u, o = own[j], own[n + j], own[2 * n + j], own[3 * n + j]
                squashed = tanh_of_single(now[j])
                vh = from_h[j] + to_h[j]
                vc = from_c[j] + to_c[j] + vh * o * (one - squashed * squashed)
                to[j] = vc * u * i * (one - i)
                to[n + j] = vc * cell[j] * f * (one - f)
                to[2 * n + j] = vc * i * (one - u * u)
                to[3 * n + j] = vh * squashed * o * (one - o)
                to_c[j] = vc * f
        small_product(np.float32(0), 4, tiles, address, place(d, (t * examples + low) * 4 * n),
                      place(weight, 0), place(gh, low * n), high - low, n, 4 * n)  # fmt: skip


_in_pieces, _grad_in_pieces = InPieces(_steps, products=True), InPieces(_steps_grad, products=True)


def _pieces(gates, h):
    return pieces_of(gates.shape[1], MIN_WORK // max(1, len(gates) * 4 * h.shape[1] ** 2))


@lstm_steps.kernel("cpu")
def _(x, h, c, weight):
    arrays = x, h, c, weight
    if not x.size or any(a.dtype != np.float32 for a in arrays):
        return lstm_steps.card.forward(*arrays)
    h, c, weight = row_major(h), row_major(c), row_major(weight)
    if len(x) * x.shape[1] >= MANY:  # products with the transposed one take longer each time
        weight = np.ascontiguousarray(weight.T)
    gates = x.copy("C")
    out = np.empty((2, *x.shape[:2], h.shape[1]), x.dtype)
    pieces, long = _pieces(gates, h)
    addresses = product_addresses(x.shape[2], x.dtype)
    _in_pieces(pieces, long, h, c, weight, out, gates, *addresses)
    return out, gates


@lstm_steps_grad.kernel("cpu")
def _(g, c, weight, out, gates):
    arrays = g, c, weight, out, gates
    if not gates.size or any(a.dtype != np.float32 for a in arrays):
        return lstm_steps_grad.reference(*arrays)
    g, c, weight = row_major(g), row_major(c), row_major(weight)
    d, gh, gc = np.empty_like(gates), np.zeros_like(c), np.zeros_like(c)
    pieces, long = _pieces(gates, c)
    addresses = product_addresses(c.shape[1], g.dtype)
    _grad_in_pieces(pieces, long, g, c, weight, out, gates, d, gh, gc, *addresses)
    return d, gh, gc
