"""Recurrent layers over a whole sequence: one op, one entry on the tape, whatever the length.

Each card takes what the input contributes at all steps, x W_ih^T + biases, which is one matrix
product made beforehand, and runs the recursion over it. Its rule is backpropagation through time,
written out: the gradients of all steps are collected, and that of the recurrent weight is again one
product. `formula` says the same recursion in plain ops, for derivatives of higher order.

T steps, N examples, H hidden units; the gates lie side by side, in torch's order.
"""

import numpy as np

from ..arrays import array_module, seam
from ..autograd import Tensor, op
from .activation import relu, sigmoid, tanh
from .joining import stack
from .product import matmul
from .reduction import sum

__all__ = ["gru_steps", "lstm_steps", "rnn_steps"]


def _before(h, hs):
    """The hidden states that the steps started from, (T, N, H): h, then all but the last of hs."""
    return array_module(h).concatenate([h[None], hs[:-1]])


def _weight_grad(d, before):
    """Sum over steps and examples of d^T before."""
    return matmul(d.reshape(-1, d.shape[-1]).T, before.reshape(-1, before.shape[-1]))


def _sigmoid_(a):
    """1 / (1 + e^-a) = (1 + tanh(a / 2)) / 2, in place."""
    a *= 0.5
    np.tanh(a, out=a)
    a *= 0.5
    a += 0.5


def _parts(a, count):
    """The gates side by side in `a` (N, count H): views, (N, H) each."""
    n = a.shape[1] // count
    return [a[:, k * n : (k + 1) * n] for k in range(count)]


@op(saves=("x", "h", "weight", "nonlinearity", "out"))
def rnn_steps(x: Tensor, h: Tensor, weight: Tensor, nonlinearity: str = "tanh") -> Tensor:
    """h_t = tanh(x_t + h_{t-1} W^T), or relu: x (T, N, H), h (N, H), weight (H, H) -> all h_t, (T,
    N, H).

    With d_t = dL/d(x_t + h_{t-1} W^T) = (g_t + d_{t+1} W) f', where f' = 1 - h_t^2 (tanh) or h_t >
    0 (relu):
    dL/dx_t = d_t,  dL/dh = d_1 W,  dL/dW = sum_t d_t^T h_{t-1}.    Elman 1990
    """
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity={nonlinearity!r}; expected 'tanh' or 'relu'")
    hs = array_module(x).empty(x.shape, x.dtype)
    for t in range(len(x)):
        a = x[t] + matmul(h, weight.T)
        hs[t] = h = np.tanh(a) if nonlinearity == "tanh" else np.maximum(a, 0)
    return hs


@rnn_steps.backward
def _(g, need, x, h, weight, nonlinearity, hs):
    d, later = array_module(g).empty(g.shape, g.dtype), 0
    for t in range(len(g) - 1, -1, -1):
        d[t] = (g[t] + later) * (1 - hs[t] * hs[t] if nonlinearity == "tanh" else hs[t] > 0)
        later = matmul(d[t], weight)
    return d, later, need[2] and _weight_grad(d, _before(h, hs))


@rnn_steps.formula
def _(x, h, weight, nonlinearity):
    hs = []
    for t in range(len(x)):
        a = x[t] + h @ weight.T
        h = tanh(a) if nonlinearity == "tanh" else relu(a)
        hs.append(h)
    return stack(hs)


@op(saves=("x", "h", "c", "weight", "out", "gates"))
def lstm_steps(x: Tensor, h: Tensor, c: Tensor, weight: Tensor) -> Tensor:
    """x (T, N, 4H), h and c (N, H), weight (4H, H) -> all h_t and all c_t, (2, T, N, H).
    Hochreiter and Schmidhuber 1997

    (i, f, u, o) = x_t + h_{t-1} W^T, of which i, f, o go through the sigmoid and u through tanh
    (Gers et al. 2000: f);
    c_t = f c_{t-1} + i u,  h_t = o tanh c_t.

    With the gradients gh = dL/dh_t, gc = dL/dc_t, into which those of step t + 1 have been added:
    gc += gh o (1 - tanh^2 c_t),
    d_i = gc u i (1 - i),  d_f = gc c_{t-1} f (1 - f),  d_u = gc i (1 - u^2),
    d_o = gh tanh(c_t) o (1 - o);  to step t - 1 go d W for h, and gc f for c.
    """
    xp = array_module(x)
    out, gates = xp.empty((2, *x.shape[:2], h.shape[1]), x.dtype), xp.empty(x.shape, x.dtype)
    for t in range(len(x)):
        a = np.add(x[t], matmul(h, weight.T), out=gates[t])
        i, f, u, o = _parts(a, 4)
        _sigmoid_(a[:, : 2 * h.shape[1]])
        np.tanh(u, out=u)
        _sigmoid_(o)
        c = np.add(f * c, i * u, out=out[1, t])
        h = np.multiply(o, np.tanh(c), out=out[0, t])
    return out, gates


@lstm_steps.backward
def _(g, need, x, h, c, weight, out, gates):
    d, gh, gc = lstm_steps_grad(g, c, weight, out, gates)
    return d, gh, gc, need[3] and _weight_grad(d, _before(h, out[0]))


@seam.dispatched
def lstm_steps_grad(g, c, weight, out, gates):
    """What goes to x, (T, N, 4H), to h and to c, (N, H), of `lstm_steps`: g (2, T, N, H), and its
    argument c, weight, and both results."""
    d = array_module(g).empty(gates.shape, g.dtype)
    gh = gc = 0
    for t in range(len(gates) - 1, -1, -1):
        i, f, u, o = _parts(gates[t], 4)
        squashed = np.tanh(out[1, t])
        gh = g[0, t] + gh
        gc = g[1, t] + gc + gh * o * (1 - squashed * squashed)
        before = out[1, t - 1] if t else c
        rules = (
            gc * u * i * (1 - i),
            gc * before * f * (1 - f),
            gc * i * (1 - u * u),
            gh * squashed * o * (1 - o),
        )
        for part, rule in zip(_parts(d[t], 4), rules):
            part[...] = rule
        gh, gc = matmul(d[t], weight), gc * f
    return d, gh, gc


@lstm_steps.formula
def _(x, h, c, weight):
    hs, cs = lstm_formula(x, h, c, weight)
    return stack([hs, cs])


def lstm_formula(x, h, c, weight, projection=None):
    """`lstm_steps` in plain ops: all h_t and all c_t.

    projection : (P, H) or None. With it h_t = projection (o tanh c_t), of P units: h is (N, P),
        weight (4H, P). Sak et al. 2014
    """
    hs, cs = [], []
    for t in range(len(x)):
        i, f, u, o = _parts(x[t] + h @ weight.T, 4)
        c = sigmoid(f) * c + sigmoid(i) * tanh(u)
        h = sigmoid(o) * tanh(c)
        h = h if projection is None else h @ projection.T
        hs.append(h)
        cs.append(c)
    return stack(hs), stack(cs)


@op(saves=("x", "h", "weight", "bias", "out", "gates", "inner"))
def gru_steps(x: Tensor, h: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x (T, N, 3H), h (N, H), weight (3H, H), bias (3H,) or None -> all h_t, (T, N, H).
    Cho et al. 2014

    With (a_r, a_z, a_u) = h_{t-1} W^T + bias, and of x_t likewise:
    r = sigmoid(x_r + a_r),  z = sigmoid(x_z + a_z),  u = tanh(x_u + r a_u),
    h_t = (1 - z) u + z h_{t-1}.
    The reset gate acts behind the product, as in torch; bias is that of the product, that of x is
    in x.

    With gh = dL/dh_t, into which that of step t + 1 has been added:
    d_u = gh (1 - z) (1 - u^2),  d_z = gh (h_{t-1} - u) z (1 - z),  d_r = d_u a_u r (1 - r).
    To x go (d_r, d_z, d_u), to the product e = (d_r, d_z, r d_u); to step t - 1 go gh z + e W.
    """
    xp, n = array_module(x), h.shape[1]
    hs, gates, inner = (xp.empty((*x.shape[:2], k), x.dtype) for k in (n, 3 * n, n))
    for t in range(len(x)):
        a = matmul(h, weight.T)
        if bias is not None:
            a += bias
        r, z, u = _parts(gates[t], 3)
        first, inner[t] = gates[t][:, : 2 * n], a[:, 2 * n :]
        np.add(x[t][:, : 2 * n], a[:, : 2 * n], out=first)
        _sigmoid_(first)
        np.tanh(x[t][:, 2 * n :] + r * inner[t], out=u)
        h = np.add(u, z * (h - u), out=hs[t])
    return hs, gates, inner


@gru_steps.backward
def _(g, need, x, h, weight, bias, hs, gates, inner):
    xp, later = array_module(g), 0
    d, e = xp.empty(gates.shape, g.dtype), xp.empty(gates.shape, g.dtype)
    for t in range(len(gates) - 1, -1, -1):
        r, z, u = _parts(gates[t], 3)
        dr, dz, du = _parts(d[t], 3)
        gh = g[t] + later
        du[...] = gh * (1 - z) * (1 - u * u)
        dz[...] = gh * ((hs[t - 1] if t else h) - u) * z * (1 - z)
        dr[...] = du * inner[t] * r * (1 - r)
        e[t] = d[t]
        _parts(e[t], 3)[2][...] = r * du
        later = gh * z + matmul(e[t], weight)
    return d, later, need[2] and _weight_grad(e, _before(h, hs)), need[3] and sum(e, (0, 1))


@gru_steps.formula
def _(x, h, weight, bias):
    hs = []
    for t in range(len(x)):
        a = h @ weight.T
        xr, xz, xu = _parts(x[t], 3)
        ar, az, au = _parts(a if bias is None else a + bias, 3)
        u = tanh(xu + sigmoid(xr + ar) * au)
        h = u + sigmoid(xz + az) * (h - u)
        hs.append(h)
    return stack(hs)
