"""Recurrent layers give torch's numbers, with its weights."""

import numpy as np
import pytest

from minigan import nn
from minigan.autograd import tensor_of

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


def flat(out):
    return [out] if not isinstance(out, tuple) else [t for o in out for t in flat(o)]


def compare(kind, options, x, states):
    theirs = getattr(torch.nn, kind)(3, 2, **options).double()
    ours = getattr(nn, kind)(3, 2, **options).double()
    assert list(ours.state_dict()) == list(theirs.state_dict()) and repr(ours) == repr(theirs)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    a = [tensor_of(v.copy(), True) for v in (x, *states)]
    b = [torch.tensor(v, requires_grad=True) for v in (x, *states)]
    calls = [
        (v[0],) if not states else (v[0], v[1] if len(states) == 1 else tuple(v[1:]))
        for v in (a, b)
    ]
    found, expected = flat(ours(*calls[0])), flat(theirs(*calls[1]))
    assert len(found) == len(expected)
    rng = np.random.default_rng(5)
    total = 0.0
    wanted = 0.0
    for f, e in zip(found, expected):
        assert tuple(f.shape) == tuple(e.shape)
        np.testing.assert_allclose(f.detach().numpy(), e.detach().numpy(), rtol=1e-10, atol=1e-12)
        u = rng.standard_normal(f.shape)
        total, wanted = total + (f * tensor_of(u)).sum(), wanted + (e * torch.tensor(u)).sum()
    total.backward()
    wanted.backward()
    for f, e in zip([*a, *ours.parameters()], [*b, *theirs.parameters()]):
        np.testing.assert_allclose(f.grad.numpy(), e.grad.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    "options", [{}, dict(num_layers=2, bias=False), dict(num_layers=3, bidirectional=True)], ids=str
)
@pytest.mark.parametrize("batched, given", [(True, True), (False, True), (True, False)])
def test_layers(kind, batch_first, options, batched, given):
    rng = np.random.default_rng(0)
    count = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    rows = (5,) if batched else ()
    states = [rng.standard_normal((count, *rows, 2)) for _ in range(given * (1 + (kind == "LSTM")))]
    lead = (5, 4) if batched and batch_first else (4, *rows)
    compare(kind, {**options, "batch_first": batch_first}, rng.standard_normal((*lead, 3)), states)


def test_relu():
    compare(
        "RNN", dict(nonlinearity="relu"), np.random.default_rng(0).standard_normal((4, 5, 3)), []
    )


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("given", [True, False])
def test_cells(kind, bias, batched, given):
    rng, rows = np.random.default_rng(0), (5,) if batched else ()
    states = [rng.standard_normal((*rows, 2)) for _ in range(given * (1 + (kind == "LSTMCell")))]
    compare(kind, dict(bias=bias), rng.standard_normal((*rows, 3)), states)
