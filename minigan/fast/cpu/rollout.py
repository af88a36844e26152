"""Sequences drawn from an LSTM by compiled loops: `ops.rollout.lstm_rollout`, a row after the
other, so that all that a row needs stays in the nearest cache."""

import numpy as np

from ...ops.rollout import lstm_rollout
from .elementary import exp_of_single
from .kernels import kernel
from .threads import parallel_ranges

BLOCK = 64  # tokens whose probabilities are added up first
LEAST = 1 << 22  # products that are worth a thread


@kernel
def _add_product(h, weight, out):
    """out += h weight: h (H,), weight (H, M), out (M,). Four rows of the weight at once."""
    size, n = len(h), len(out)
    k = 0
    while k + 4 <= size:
        a, b, c, d = h[k], h[k + 1], h[k + 2], h[k + 3]
        wa, wb, wc, wd = weight[k], weight[k + 1], weight[k + 2], weight[k + 3]
        for j in range(n):
            out[j] += a * wa[j] + b * wb[j] + c * wc[j] + d * wd[j]
        k += 4
    while k < size:
        a, wa = h[k], weight[k]
        for j in range(n):
            out[j] += a * wa[j]
        k += 1


@kernel
def _pick(u, p, sums):
    """The first w with p_0 + .. + p_w > u (p_0 + .. + p_last). p : a multiple of BLOCK, the rest is
    0;  sums : one for each block, written over"""
    total = np.float64(0)
    for b in range(len(sums)):
        part = np.float32(0)
        for j in range(b * BLOCK, (b + 1) * BLOCK):
            part += p[j]
        sums[b] = part
        total += part
    goal, before, b = u * total, np.float64(0), 0
    while b + 1 < len(sums) and before + sums[b] <= goal:
        before += sums[b]
        b += 1
    last = b * BLOCK
    for j in range(b * BLOCK, (b + 1) * BLOCK):
        if p[j] > np.float32(0):
            last = j
            before += p[j]
            if before > goal:
                break
    return last


@kernel
def _rollout(u, table, weight, out_weight, out_bias, h, c, tokens, begin):
    """weight (H, 4H) and out_weight (H, V) are transposed; tokens are written over."""
    f = np.float32
    steps, size, n = u.shape[1], h.shape[1], len(out_bias)
    p = np.zeros(-(-n // BLOCK) * BLOCK, np.float32)
    sums = np.empty(len(p) // BLOCK, np.float32)
    logits = p[:n]
    gates = np.empty(4 * size, np.float32)
    hs, cs = np.empty(size, np.float32), np.empty(size, np.float32)
    for row in range(len(u)):
        hs[:] = h[row]
        cs[:] = c[row]
        for s in range(begin[row], steps):
            logits[:] = out_bias
            _add_product(hs, out_weight, logits)
            most = logits[0]
            for j in range(n):
                most = max(most, logits[j])
            for j in range(n):
                logits[j] = exp_of_single(logits[j] - most)
            w = _pick(np.float64(u[row, s]), p, sums)
            tokens[row, s] = w
            if s + 1 == steps:
                break
            gates[:] = table[w]
            _add_product(hs, weight, gates)
            for j in range(size):
                i = f(1) / (f(1) + exp_of_single(-max(gates[j], f(-87))))
                keep = f(1) / (f(1) + exp_of_single(-max(gates[size + j], f(-87))))
                g = f(1) - f(2) / (f(1) + exp_of_single(min(f(2) * gates[2 * size + j], f(87))))
                o = f(1) / (f(1) + exp_of_single(-max(gates[3 * size + j], f(-87))))
                new = keep * cs[j] + i * g
                cs[j] = new
                hs[j] = o * (f(1) - f(2) / (f(1) + exp_of_single(min(f(2) * new, f(87)))))


@lstm_rollout.kernel("cpu")
def rollout(u, table, weight, out_weight, out_bias, h, c, tokens, begin):
    arrays = u, table, weight, out_weight, out_bias, h, c
    if any(x.dtype != np.float32 for x in arrays):
        return lstm_rollout.reference(*arrays, tokens, begin)
    fit = np.ascontiguousarray
    u, table, bias, h, c = (fit(x) for x in (u, table, out_bias, h, c))
    weight, out = fit(weight.T), fit(out_weight.T)
    found = tokens.copy(order="C")
    work = max(1, u.shape[1] * out.size)

    def run(low, high):
        part = slice(low, high)
        _rollout(u[part], table, weight, out, bias, h[part], c[part], found[part], begin[part])

    parallel_ranges(run, len(u), -(-LEAST // work))
    return found
