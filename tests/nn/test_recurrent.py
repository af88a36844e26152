"""Recurrent layers and cells: loops over steps in plain NumPy, shapes, names, second derivatives."""

import copy
import math

import fakecuda
import numpy as np
import pytest

from minigan import Tensor, func, gradcheck, gradgradcheck, manual_seed, nn
from minigan.autograd import FLOATS

LAYERS, CELLS = {"RNN": 1, "LSTM": 4, "GRU": 3}, {"RNNCell": 1, "LSTMCell": 4, "GRUCell": 3}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def step(kind, x, states, w, nonlinearity="tanh"):
    """One step for one example, from the formulas of torch's documentation."""
    w_ih, w_hh, b_ih, b_hh = w
    a, b, n = w_ih @ x + b_ih, w_hh @ states[0] + b_hh, len(states[0])
    if kind == "RNN":
        return (np.tanh(a + b) if nonlinearity == "tanh" else np.maximum(a + b, 0),)
    if kind == "LSTM":
        i, f, g, o = (a + b).reshape(4, n)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (ar, az, an), (br, bz, bn) = a.reshape(3, n), b.reshape(3, n)
    z = sigmoid(az + bz)
    return ((1 - z) * np.tanh(an + sigmoid(ar + br) * bn) + z * states[0],)


def naive(layer, x, states, nonlinearity="tanh"):
    """Output (T, N, D H) and final states (layers D, N, H), one example and one step after the other."""
    kind, p = type(layer).__name__, {k: v.numpy() for k, v in layer.state_dict().items()}
    ends, rows = [[[] for _ in states] for _ in range(x.shape[1])], []
    for example in range(x.shape[1]):
        sequence, number = list(x[:, example]), 0
        for k in range(layer.num_layers):
            outputs = []
            for end in ("", "_reverse")[: 1 + layer.bidirectional]:
                zero = np.zeros(layer.hidden_size * LAYERS[kind])
                w = [p.get(f"{name}_l{k}{end}", zero) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
                now, hs = [s[number, example] for s in states], []
                for v in sequence[::-1] if end else sequence:
                    now = step(kind, v, now, w, nonlinearity)
                    hs.append(now[0])
                outputs.append(hs[::-1] if end else hs)
                for kept, s in zip(ends[example], now):
                    kept.append(s)
                number += 1
            sequence = [np.concatenate(parts) for parts in zip(*outputs)]
        rows.append(sequence)
    finals = [np.stack([np.stack(e[i]) for e in ends], 1) for i in range(len(states))]
    return np.stack([np.stack(r) for r in rows], 1), finals


VARIANTS = [dict(), dict(num_layers=2), dict(bidirectional=True), dict(num_layers=2, bidirectional=True, bias=False)]


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_layers(kind, options):
    manual_seed(1)
    layer = getattr(nn, kind)(3, 2, **options, dtype=np.float64)
    count = layer.num_layers * (1 + layer.bidirectional)
    x, states = normal(4, 3, 3), [normal(count, 3, 2, seed=i + 1) for i in range(1 + (kind == "LSTM"))]
    for given in (states, None):
        hx = None if given is None else Tensor(given[0]) if len(given) == 1 else tuple(map(Tensor, given))
        output, last = layer(Tensor(x), hx)
        last = list(last) if isinstance(last, tuple) else [last]
        expected, ends = naive(layer, x, given or [np.zeros((count, 3, 2))] * len(states))
        np.testing.assert_allclose(output.detach().numpy(), expected, rtol=1e-10, atol=1e-12)
        for found, end in zip(last, ends, strict=True):
            np.testing.assert_allclose(found.detach().numpy(), end, rtol=1e-10, atol=1e-12)


def test_relu():
    layer = nn.RNN(3, 2, nonlinearity="relu", dtype=np.float64)
    x = normal(4, 3, 3)
    expected, _ = naive(layer, x, [np.zeros((1, 3, 2))], "relu")
    np.testing.assert_allclose(layer(Tensor(x))[0].detach().numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", LAYERS)
def test_shapes(kind):
    layer = getattr(nn, kind)(3, 2, 2, bidirectional=True)
    first = getattr(nn, kind)(3, 2, 2, bidirectional=True, batch_first=True)
    first.load_state_dict(layer.state_dict())
    x = normal(5, 4, 3).astype(np.float32)
    output, last = layer(Tensor(x))
    output2, last2 = first(Tensor(x.swapaxes(0, 1)))
    assert output.shape == (5, 4, 4) and output2.shape == (4, 5, 4)
    np.testing.assert_array_equal(output2.detach().numpy(), output.detach().numpy().swapaxes(0, 1))
    last, last2 = (s if isinstance(s, tuple) else (s,) for s in (last, last2))
    for a, b in zip(last, last2):
        assert a.shape == (4, 4, 2)
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    for which in (layer, first):
        single, end = which(Tensor(x[:, 1]))  # no batch: then batch_first means nothing
        assert single.shape == (5, 4)
        np.testing.assert_allclose(single.detach().numpy(), output.detach().numpy()[:, 1], rtol=1e-5, atol=1e-6)
        end = end if isinstance(end, tuple) else (end,)
        assert all(e.shape == (4, 2) for e in end)
        again, _ = which(Tensor(x[:, 1]), end if len(end) > 1 else end[0])
        assert again.shape == (5, 4) and not np.allclose(again.detach().numpy(), single.detach().numpy())


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("bias", [True, False])
def test_cells_are_layers_of_one_step(kind, bias):
    cell = getattr(nn, kind)(3, 2, bias, dtype=np.float64)
    x, states = normal(4, 3), [normal(4, 2, seed=i) for i in range(1 + (kind == "LSTMCell"))]
    p, zero = {k: v.numpy() for k, v in cell.state_dict().items()}, np.zeros(2 * CELLS[kind])
    assert list(p) == ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * bias
    w = [p.get(n, zero) for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    expected = [step(kind[:-4], row, [s[i] for s in states], w) for i, row in enumerate(x)]
    for index in (slice(None), 2):
        start = tuple(Tensor(s[index]) for s in states) if len(states) > 1 else Tensor(states[0][index])
        new = cell(Tensor(x[index]), start)
        for i, s in enumerate(new if isinstance(new, tuple) else (new,)):
            np.testing.assert_allclose(s.detach().numpy(), np.stack([e[i] for e in expected])[index], rtol=1e-10, atol=1e-12)
    zeros = tuple(Tensor(np.zeros_like(s)) for s in states)
    without, given = cell(Tensor(x)), cell(Tensor(x), zeros if len(zeros) > 1 else zeros[0])
    for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (without, given)), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_relu_cell():
    cell, x = nn.RNNCell(3, 2, nonlinearity="relu", dtype=np.float64), normal(4, 3)
    w = [v.numpy() for v in cell.state_dict().values()]
    expected = [step("RNN", row, (np.zeros(2),), w, "relu")[0] for row in x]
    np.testing.assert_allclose(cell(Tensor(x)).detach().numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
def test_derivatives(kind):
    """To second order, with respect to input, states and all parameters."""
    module = getattr(nn, kind)(2, 2, dtype=np.float64)
    count = 1 + kind.startswith("LSTM")
    names, lead = list(module.state_dict()), ((3, 2), (1, 2)) if kind in LAYERS else ((2,), (2,))
    inputs = [Tensor(normal(*lead[0], 2), True), *[Tensor(normal(*lead[1], 2, seed=i + 1), True) for i in range(count)]]
    parameters = [Tensor(p.detach().numpy().copy(), True) for p in module.parameters()]

    def function(x, *rest):
        states, values = rest[:count], rest[count:]
        out = func.functional_call(module, dict(zip(names, values)), (x, states if count > 1 else states[0]))
        flat = [out] if isinstance(out, Tensor) else [t for o in out for t in (o if isinstance(o, tuple) else (o,))]
        return [t for t in flat if t.dtype in FLOATS]

    gradcheck(function, [*inputs, *parameters])
    gradgradcheck(function, [*inputs, *parameters], directions=1)


def test_parameters():
    layer = nn.LSTM(5, 4, 2, bidirectional=True)
    shapes = {k: tuple(v.shape) for k, v in layer.state_dict().items()}
    assert list(shapes)[:8] == [f"{n}_l0{e}" for e in ("", "_reverse") for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    assert shapes["weight_ih_l0"] == shapes["weight_ih_l0_reverse"] == (16, 5) and shapes["weight_ih_l1"] == (16, 8)
    assert shapes["weight_hh_l1_reverse"] == (16, 4) and shapes["bias_hh_l1"] == (16,) and len(shapes) == 16
    assert list(nn.GRU(2, 3, bias=False).state_dict()) == ["weight_ih_l0", "weight_hh_l0"]
    layer = nn.GRU(50, 100)
    for p in layer.parameters():
        values = p.detach().numpy()
        assert np.abs(values).max() <= 0.1 and abs(values.std() / (0.1 / math.sqrt(3)) - 1) < 0.1
    assert nn.RNNCell(2, 3, dtype=np.float64).weight_hh.dtype == np.float64
    twin = copy.deepcopy(layer)
    twin.load_state_dict({k: v.numpy() + 1 for k, v in layer.state_dict().items()})
    assert not np.allclose(twin.bias_ih_l0.detach().numpy(), layer.bias_ih_l0.detach().numpy())
    layer.flatten_parameters()


def test_the_tape_does_not_grow_with_the_sequence():
    layer = nn.LSTM(2, 3)

    def entries(steps):
        seen, stack = set(), [layer(Tensor(np.ones((steps, 1, 2), np.float32)))[0].grad_fn]
        while stack:
            node = stack.pop()
            if node is not None and not isinstance(node, Tensor) and node not in seen:
                seen.add(node)
                stack.extend(node.edges)
        return len(seen)

    assert entries(2) == entries(50) < 12


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
def test_other_library(kind):
    """On arrays that refuse to meet NumPy's: the same numbers, none fetched."""
    manual_seed(1)
    module, x = getattr(nn, kind)(3, 2), normal(*((4, 5, 3) if kind in LAYERS else (5, 3))).astype(np.float32)
    first = lambda out: out[0] if isinstance(out, tuple) else out
    expected = first(module(Tensor(x)))
    expected.sum().backward()
    gradients = [p.grad.numpy() for p in module.parameters()]
    module.zero_grad()
    for p in module.parameters():
        p.data = fakecuda.asarray(p.array)
    fakecuda.syncs = 0
    with fakecuda.installed():
        y = first(module(Tensor(fakecuda.asarray(x))))
        y.sum().backward()
    assert fakecuda.syncs == 0
    np.testing.assert_allclose(y.array.storage, expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    for p, g in zip(module.parameters(), gradients):
        np.testing.assert_allclose(p.grad.array.storage, g, rtol=1e-4, atol=1e-5)


def test_dropout_between_layers():
    layer = nn.GRU(3, 50, 2, dropout=0.5)
    x = Tensor(normal(4, 2, 3).astype(np.float32))
    manual_seed(0)
    a = layer(x)[0].detach().numpy()
    assert not np.array_equal(a, layer(x)[0].detach().numpy())
    manual_seed(0)
    np.testing.assert_array_equal(a, layer(x)[0].detach().numpy())
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy())
    assert (a != 0).all(), "what the last layer gives is not dropped"
    with pytest.warns(UserWarning, match="num_layers is 1"):
        nn.LSTM(2, 3, dropout=0.5)


def test_a_projected_lstm():
    """h_t = W_hr (o tanh c_t), against the formula in NumPy; two layers, both directions have their shapes."""
    layer = nn.LSTM(3, 4, proj_size=2).double()
    x = np.random.default_rng(0).standard_normal((5, 6, 3))
    w_ih, w_hh, b_ih, b_hh, w_hr = (p.detach().numpy() for p in layer.parameters())
    h, c, hs = np.zeros((6, 2)), np.zeros((6, 4)), []
    for row in x:
        i, f, u, o = np.split(row @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, axis=1)
        c = c / (1 + np.exp(-f)) + np.tanh(u) / (1 + np.exp(-i))
        h = (np.tanh(c) / (1 + np.exp(-o))) @ w_hr.T
        hs.append(h)
    output, (h_n, c_n) = layer(Tensor(x))
    np.testing.assert_allclose(output.detach().numpy(), hs, rtol=1e-10)
    np.testing.assert_allclose(h_n[0].detach().numpy(), h, rtol=1e-10)
    np.testing.assert_allclose(c_n[0].detach().numpy(), c, rtol=1e-10)
    assert gradcheck(lambda v: layer(v)[0], Tensor(x, True))
    deep = nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2)
    output, (h_n, c_n) = deep(Tensor(np.zeros((5, 6, 3), np.float32)))
    assert (output.shape, h_n.shape, c_n.shape) == ((5, 6, 4), (4, 6, 2), (4, 6, 4)) and deep.weight_ih_l1.shape == (16, 4)
    assert repr(deep) == "LSTM(3, 4, proj_size=2, num_layers=2, bidirectional=True)"


def test_errors():
    for size in (3, -1):
        with pytest.raises(ValueError, match=f"proj_size={size} must be smaller than hidden_size=3"):
            nn.LSTM(2, 3, proj_size=size)
    with pytest.raises(ValueError, match="nonlinearity='sigmoid'"):
        nn.RNN(2, 3, 1, "sigmoid")
    with pytest.raises(ValueError, match="hidden_size=0"):
        nn.GRU(2, 0)
    with pytest.raises(ValueError, match="num_layers=0"):
        nn.GRU(2, 2, 0)
    layer = nn.LSTM(2, 3)
    for x, message in [
        (np.zeros((4, 2, 3), np.float32), r"LSTM\(2, 3\): the last size of the input must be input_size=2, got shape \(4, 2, 3\)"),
        (np.zeros((4, 2, 3, 2), np.float32), r"expected input \(L, N, input_size\) or \(L, input_size\), got shape"),
        (np.zeros((0, 2, 2), np.float32), "the sequence is empty"),
    ]:
        with pytest.raises(ValueError, match=message):
            layer(Tensor(x))
    x, h = Tensor(np.zeros((4, 5, 2), np.float32)), Tensor(np.zeros((1, 5, 3), np.float32))
    with pytest.raises(ValueError, match=r"expected 2 initial states \(h_0, c_0\), got 1"):
        layer(x, h)
    with pytest.raises(ValueError, match=r"c_0 has shape \(1, 4, 3\), expected \(1, 5, 3\)"):
        layer(x, (h, h[:, :4]))
    with pytest.raises(ValueError, match=r"h_0 has shape \(1, 3\), expected \(4, 3\)"):
        nn.GRUCell(2, 3)(Tensor(np.zeros((4, 2), np.float32)), h[:, 0])
    assert repr(nn.GRU(2, 3, 2, batch_first=True)) == "GRU(2, 3, num_layers=2, batch_first=True)"
    assert repr(nn.RNNCell(2, 3, bias=False)) == "RNNCell(2, 3, bias=False)"
