"""Recurrent layers and cells: loops over steps in plain NumPy, shapes, names, second
derivatives."""

import copy
import math

import fakecuda
import numpy as np
import pytest

from minigan import Tensor, func, gradcheck, gradgradcheck, manual_seed, nn
from minigan.autograd import FLOATS, tensor_of

LAYERS, CELLS = {"RNN": 1, "LSTM": 4, "GRU": 3}, {"RNNCell": 1, "LSTMCell": 4, "GRUCell": 3}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def step(kind, x, states, w, nonlinearity="tanh"):
    """One step for one example, from the formulas of torch's documentation."""
    w_ih, w_hh, b_ih, b_hh, *w_hr = w
    a = w_ih @ x + b_ih
    b = w_hh @ states[0] + b_hh
    n = len(states[-1])
    if kind == "RNN":
        return (np.tanh(a + b) if nonlinearity == "tanh" else np.maximum(a + b, 0),)
    if kind == "LSTM":
        i, f, g, o = (a + b).reshape(4, n)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return w_hr[0] @ h if w_hr else h, c
    (ar, az, an), (br, bz, bn) = a.reshape(3, n), b.reshape(3, n)
    z = sigmoid(az + bz)
    return ((1 - z) * np.tanh(an + sigmoid(ar + br) * bn) + z * states[0],)


def naive(layer, x, states, nonlinearity="tanh"):
    """Output (T, N, D H) and final states (layers D, N, H), one example and one step after the
    other."""
    kind, p = type(layer).__name__, {k: v.numpy() for k, v in layer.state_dict().items()}
    ends, rows = [[[] for _ in states] for _ in range(x.shape[1])], []
    for example in range(x.shape[1]):
        sequence, number = list(x[:, example]), 0
        for k in range(layer.num_layers):
            outputs = []
            for end in ("", "_reverse")[: 1 + layer.bidirectional]:
                zero = np.zeros(layer.hidden_size * LAYERS[kind])
                w = [
                    p.get(f"{name}_l{k}{end}", zero)
                    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                ]
                w += [p[f"weight_hr_l{k}{end}"]] if layer.proj_size else []
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


VARIANTS = [
    dict(),
    dict(num_layers=2),
    dict(bidirectional=True),
    dict(num_layers=2, bidirectional=True, bias=False),
]


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_layers(kind, options):
    manual_seed(1)
    layer = getattr(nn, kind)(3, 2, **options, dtype=np.float64)
    count = layer.num_layers * (1 + layer.bidirectional)
    x, states = (
        normal(4, 3, 3),
        [normal(count, 3, 2, seed=i + 1) for i in range(1 + (kind == "LSTM"))],
    )
    for given in (states, None):
        hx = (
            None
            if given is None
            else tensor_of(given[0])
            if len(given) == 1
            else tuple(map(tensor_of, given))
        )
        output, last = layer(tensor_of(x), hx)
        last = list(last) if isinstance(last, tuple) else [last]
        expected, ends = naive(layer, x, given or [np.zeros((count, 3, 2))] * len(states))
        np.testing.assert_allclose(output.detach().numpy(), expected, rtol=1e-10, atol=1e-12)
        for found, end in zip(last, ends, strict=True):
            np.testing.assert_allclose(found.detach().numpy(), end, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_projected_lstm(options):
    layer = nn.LSTM(3, 4, proj_size=2, **options, dtype=np.float64)
    count = layer.num_layers * (1 + layer.bidirectional)
    x = normal(4, 3, 3)
    h = normal(count, 3, 2, seed=1)
    c = normal(count, 3, 4, seed=2)
    output, last = layer(tensor_of(x), (tensor_of(h), tensor_of(c)))
    expected, ends = naive(layer, x, [h, c])
    np.testing.assert_allclose(output.detach().numpy(), expected, rtol=1e-10, atol=1e-12)
    for found, end in zip(last, ends, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), end, rtol=1e-10, atol=1e-12)
    names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0"]
    assert list(layer.state_dict())[: 3 if "bias" in options else 5] == [
        n for n in names if layer.bias or "bias" not in n
    ]
    assert layer.weight_hh_l0.shape == (16, 2) and layer.weight_hr_l0.shape == (2, 4)


def test_derivatives_of_a_projected_lstm():
    layer = nn.LSTM(2, 3, proj_size=2, dtype=np.float64)
    names, parameters = zip(*layer.named_parameters())

    def function(x, *values):
        output, (h, c) = func.functional_call(layer, dict(zip(names, values)), x)
        return output, h, c

    arguments = [tensor_of(normal(3, 2, 2), requires_grad=True), *parameters]
    gradcheck(function, arguments)
    gradgradcheck(function, arguments, directions=1)


def test_relu():
    layer = nn.RNN(3, 2, nonlinearity="relu", dtype=np.float64)
    x = normal(4, 3, 3)
    expected, _ = naive(layer, x, [np.zeros((1, 3, 2))], "relu")
    np.testing.assert_allclose(
        layer(tensor_of(x))[0].detach().numpy(), expected, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("kind", LAYERS)
def test_shapes(kind):
    layer = getattr(nn, kind)(3, 2, 2, bidirectional=True)
    first = getattr(nn, kind)(3, 2, 2, bidirectional=True, batch_first=True)
    first.load_state_dict(layer.state_dict())
    x = normal(5, 4, 3).astype(np.float32)
    output, last = layer(tensor_of(x))
    output2, last2 = first(tensor_of(x.swapaxes(0, 1)))
    assert output.shape == (5, 4, 4) and output2.shape == (4, 5, 4)
    np.testing.assert_array_equal(output2.detach().numpy(), output.detach().numpy().swapaxes(0, 1))
    last, last2 = (s if isinstance(s, tuple) else (s,) for s in (last, last2))
    for a, b in zip(last, last2):
        assert a.shape == (4, 4, 2)
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    for which in (layer, first):
        single, end = which(tensor_of(x[:, 1]))  # no batch: then batch_first means nothing
        assert single.shape == (5, 4)
        np.testing.assert_allclose(
            single.detach().numpy(), output.detach().numpy()[:, 1], rtol=1e-5, atol=1e-6
        )
        end = end if isinstance(end, tuple) else (end,)
        assert all(e.shape == (4, 2) for e in end)
        again, _ = which(tensor_of(x[:, 1]), end if len(end) > 1 else end[0])
        assert again.shape == (5, 4) and not np.allclose(
            again.detach().numpy(), single.detach().numpy()
        )


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
        start = (
            tuple(tensor_of(s[index]) for s in states)
            if len(states) > 1
            else tensor_of(states[0][index])
        )
        new = cell(tensor_of(x[index]), start)
        for i, s in enumerate(new if isinstance(new, tuple) else (new,)):
            np.testing.assert_allclose(
                s.detach().numpy(),
                np.stack([e[i] for e in expected])[index],
                rtol=1e-10,
                atol=1e-12,
            )
    zeros = tuple(tensor_of(np.zeros_like(s)) for s in states)
    without, given = cell(tensor_of(x)), cell(tensor_of(x), zeros if len(zeros) > 1 else zeros[0])
    for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (without, given)), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_relu_cell():
    cell, x = nn.RNNCell(3, 2, nonlinearity="relu", dtype=np.float64), normal(4, 3)
    w = [v.numpy() for v in cell.state_dict().values()]
    expected = [step("RNN", row, (np.zeros(2),), w, "relu")[0] for row in x]
    np.testing.assert_allclose(
        cell(tensor_of(x)).detach().numpy(), expected, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
def test_derivatives(kind):
    """To second order, with respect to input, states and all parameters."""
    module = getattr(nn, kind)(2, 2, dtype=np.float64)
    count = 1 + kind.startswith("LSTM")
    names, lead = list(module.state_dict()), ((3, 2), (1, 2)) if kind in LAYERS else ((2,), (2,))
    inputs = [
        tensor_of(normal(*lead[0], 2), True),
        *[tensor_of(normal(*lead[1], 2, seed=i + 1), True) for i in range(count)],
    ]
    parameters = [tensor_of(p.detach().numpy().copy(), True) for p in module.parameters()]

    def function(x, *rest):
        states, values = rest[:count], rest[count:]
        out = func.functional_call(
            module, dict(zip(names, values)), (x, states if count > 1 else states[0])
        )
        flat = (
            [out]
            if isinstance(out, Tensor)
            else [t for o in out for t in (o if isinstance(o, tuple) else (o,))]
        )
        return [t for t in flat if t.dtype in FLOATS]

    gradcheck(function, [*inputs, *parameters])
    gradgradcheck(function, [*inputs, *parameters], directions=1)


def test_parameters():
    layer = nn.LSTM(5, 4, 2, bidirectional=True)
    shapes = {k: tuple(v.shape) for k, v in layer.state_dict().items()}
    assert list(shapes)[:8] == [
        f"{n}_l0{e}"
        for e in ("", "_reverse")
        for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    assert shapes["weight_ih_l0"] == shapes["weight_ih_l0_reverse"] == (16, 5) and shapes[
        "weight_ih_l1"
    ] == (16, 8)
    assert (
        shapes["weight_hh_l1_reverse"] == (16, 4)
        and shapes["bias_hh_l1"] == (16,)
        and len(shapes) == 16
    )
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
        seen, stack = set(), [layer(tensor_of(np.ones((steps, 1, 2), np.float32)))[0].grad_fn]
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
    module, x = (
        getattr(nn, kind)(3, 2),
        normal(*((4, 5, 3) if kind in LAYERS else (5, 3))).astype(np.float32),
    )
    first = lambda out: out[0] if isinstance(out, tuple) else out
    expected = first(module(tensor_of(x)))
    expected.sum().backward()
    gradients = [p.grad.numpy() for p in module.parameters()]
    module.zero_grad()
    for p in module.parameters():
        p.data = fakecuda.asarray(p.array)
    fakecuda.syncs = 0
    with fakecuda.installed():
        y = first(module(tensor_of(fakecuda.asarray(x))))
        y.sum().backward()
    assert fakecuda.syncs == 0
    np.testing.assert_allclose(y.array.storage, expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    for p, g in zip(module.parameters(), gradients):
        np.testing.assert_allclose(p.grad.array.storage, g, rtol=1e-4, atol=1e-5)


def test_dropout_between_layers():
    layer = nn.GRU(3, 50, 2, dropout=0.5)
    x = tensor_of(normal(4, 2, 3).astype(np.float32))
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


def test_errors():
    with pytest.raises(
        ValueError, match=r"proj_size=3 must be at least 0 and smaller than hidden_size=3"
    ):
        nn.LSTM(2, 3, proj_size=3)
    with pytest.raises(ValueError, match="nonlinearity='sigmoid'"):
        nn.RNN(2, 3, 1, "sigmoid")
    with pytest.raises(ValueError, match="hidden_size=0"):
        nn.GRU(2, 0)
    with pytest.raises(ValueError, match="num_layers=0"):
        nn.GRU(2, 2, 0)
    layer = nn.LSTM(2, 3)
    for x, message in [
        (
            np.zeros((4, 2, 3), np.float32),
            r"LSTM\(2, 3\): the last size of the input must be input_size=2, got shape \(4, 2, 3\)",
        ),
        (
            np.zeros((4, 2, 3, 2), np.float32),
            r"expected input \(L, N, input_size\) or \(L, input_size\), got shape",
        ),
        (np.zeros((0, 2, 2), np.float32), "the sequence is empty"),
    ]:
        with pytest.raises(ValueError, match=message):
            layer(tensor_of(x))
    x, h = tensor_of(np.zeros((4, 5, 2), np.float32)), tensor_of(np.zeros((1, 5, 3), np.float32))
    with pytest.raises(ValueError, match=r"expected 2 initial states \(h_0, c_0\), got 1"):
        layer(x, h)
    with pytest.raises(ValueError, match=r"c_0 has shape \(1, 4, 3\), expected \(1, 5, 3\)"):
        layer(x, (h, h[:, :4]))
    with pytest.raises(ValueError, match=r"h_0 has shape \(1, 3\), expected \(4, 3\)"):
        nn.GRUCell(2, 3)(tensor_of(np.zeros((4, 2), np.float32)), h[:, 0])
    assert repr(nn.GRU(2, 3, 2, batch_first=True)) == "GRU(2, 3, num_layers=2, batch_first=True)"
    assert repr(nn.RNNCell(2, 3, bias=False)) == "RNNCell(2, 3, bias=False)"
