"""Sequences drawn from an LSTM, token after token, in one call: there is no tape, and a kernel may
do all of it."""

import numpy as np

from ..arrays import array_module, seam
from .product import matmul
from .recurrent import _parts, _sigmoid_

__all__: list[str] = []  # no ops

PIECE = 2048  # sequences that the reference draws at once: their logits take memory


@seam.dispatched
def lstm_rollout(u, table, weight, out_weight, out_bias, h, c, tokens, begin):
    """The sequences `tokens`, continued: token s of a row, s >= begin of that row, is drawn from

        p = softmax(out_weight h + out_bias),   the first w with p_0 + .. + p_w > u_s
        (h, c) = the LSTM's step from (h, c) with the input of w (see `lstm_steps`)

    A row draws the same whatever the others are.

    u : (N, T) in [0, 1), the random numbers;  tokens : int64 (N, T), of which those before
        begin (int64 (N,)) are given
    table : (V or more, 4H), what each token contributes to the gates, biases included
    weight : (4H, H);  out_weight : (V, H);  out_bias : (V,)
    h, c : (N, H), the states after the tokens given

    -> int64 (N, T)
    """
    xp, found = array_module(u), tokens.copy()
    for i in range(0, len(u), PIECE):
        rows = slice(i, i + PIECE)
        hs, cs, first = h[rows], c[rows], begin[rows]
        for s in range(u.shape[1]):
            going = s >= first
            logits = matmul(hs, out_weight.T) + out_bias
            p = xp.exp(logits - logits.max(1, keepdims=True))
            edges = xp.cumsum(p, 1, dtype=np.float64)
            drawn = (edges <= u[rows, s, None] * edges[:, -1:]).sum(1)
            w = xp.where(going, drawn, found[rows, s])
            found[rows, s] = w
            new = lstm_step(table[w], weight, hs, cs)
            hs, cs = (xp.where(going[:, None], now, old) for now, old in zip(new, (hs, cs)))
    return found


def lstm_step(x, weight, h, c):
    """One step of `lstm_steps`: x (N, 4H), h and c (N, H) -> (h, c)."""
    xp = array_module(x)
    a = x + matmul(h, weight.T)
    i, f, g, o = _parts(a, 4)
    for gate in (i, f, o):
        _sigmoid_(gate)
    c = f * c + i * xp.tanh(g)
    return o * xp.tanh(c), c
