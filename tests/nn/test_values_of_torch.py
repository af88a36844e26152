"""Parametrizations, averaged models and hooks: a program whose values are compared with PyTorch's,
in the file beside this one.

`python tests/nn/test_values_of_torch.py` writes them anew, where PyTorch is installed.
"""

import importlib
import json
import pathlib

import numpy as np
import pytest

FILE = pathlib.Path(__file__).parent / "values_of_torch.json"


def program(name):
    """All that it prints, as JSON can hold it."""
    torch = importlib.import_module(name)
    nn = importlib.import_module(f"{name}.nn")
    places = ("nn.utils.parametrizations", "nn.utils.parametrize", "optim.swa_utils")
    if name == "minigan":  # where they are without minigan/compat
        places = ("nn.parametrizations", "nn.parametrize", "optim.averaging")
    P, pz, swa_utils = (importlib.import_module(f"{name}.{place}") for place in places)
    rows = []

    def out(*x):
        rows.append(json.loads(json.dumps(x)))

    def show(x):
        out(x.detach().numpy().astype(float).tolist())

    W = np.array([[0.5, -1, 2], [1, 0.3, -0.4], [0.2, 0.7, 1.5]], np.float32)

    def lin(w=W):
        layer = nn.Linear(w.shape[1], w.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(w))
            layer.bias.zero_()
        return layer

    layer = P.weight_norm(lin())
    out(list(layer.state_dict()), type(layer).__name__, pz.is_parametrized(layer))
    show(layer.weight)
    layer.weight.pow(3).sum().backward()
    show(layer.parametrizations.weight.original0.grad)
    show(layer.parametrizations.weight.original1.grad)
    pz.remove_parametrizations(layer, "weight")
    out(list(layer.state_dict()), type(layer).__name__, pz.is_parametrized(layer))
    show(layer.weight)
    torch.manual_seed(0)
    layer = P.spectral_norm(lin())
    out(list(layer.state_dict()))
    for _ in range(30):
        layer(torch.ones(1, 3))
    show(layer.weight)
    layer.weight.pow(3).sum().backward()
    show(layer.parametrizations.weight.original.grad)
    layer.eval()
    layer.weight = torch.ones(3, 3)
    show(layer.parametrizations.weight.original)
    pz.remove_parametrizations(layer, "weight", leave_parametrized=False)
    show(layer.weight)
    for w, k in (
        (W, None),
        (W, "householder"),
        (W[:2], None),
        (W[:, :2].copy(), None),
        (W[:, :2].copy(), "matrix_exp"),
    ):
        for tr in (True, False):
            layer = P.orthogonal(lin(w), orthogonal_map=k, use_trivialization=tr)
            out(list(layer.state_dict()))
            if tr and not (w.shape[0] == w.shape[1]):
                show(layer.weight)
            else:
                show(layer.weight)
                (layer.weight * torch.arange(float(w.size)).view(w.shape)).pow(2).sum().backward()
                show(layer.parametrizations.weight.original.grad)
            with torch.no_grad():
                layer.parametrizations.weight.original.add_(
                    torch.full(tuple(w.shape), 0.3).tril(-1)
                    if w.shape[0] >= w.shape[1]
                    else torch.full(tuple(w.shape), 0.3).triu(1)
                )
            if w.shape[0] == w.shape[1]:
                show(layer.weight)

    class Sym(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).t()

    layer = lin()
    r = pz.register_parametrization(layer, "weight", Sym())
    show(layer.weight)
    out(r is layer)
    try:
        layer.weight = torch.ones(3, 3)
    except Exception as e:
        out(type(e).__name__)
    # swa
    m = lin()
    a = swa_utils.AveragedModel(m)
    for i in range(3):
        with torch.no_grad():
            m.weight.add_(i + 1)
        a.update_parameters(m)
    out(list(a.state_dict()))
    show(a.module.weight)
    out(int(a.n_averaged))
    a = swa_utils.AveragedModel(m, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.9))
    for i in range(3):
        with torch.no_grad():
            m.weight.add_(i + 1)
        a.update_parameters(m)
    show(a.module.weight)
    p = torch.ones(2, requires_grad=True)
    o = torch.optim.SGD([p], 0.5)
    torch.optim.lr_scheduler.ExponentialLR(o, 0.9)
    s = swa_utils.SWALR(o, 0.05, anneal_epochs=4, anneal_strategy="cos")
    rates = []
    for _ in range(8):
        o.step()
        s.step()
        rates.append(round(o.param_groups[0]["lr"], 7))
    out(rates)
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    net[0] = lin(W[:2])
    data = [torch.arange(6.0).view(2, 3) * k for k in (1, 2, 3)]
    swa_utils.update_bn(data, net)
    show(net[1].running_mean)
    show(net[1].running_var)
    out(net[1].momentum, int(net[1].num_batches_tracked))
    # hooks
    layer = lin()
    log = []
    h = layer.register_full_backward_hook(
        lambda m, gi, go: (
            log.append(
                ("b", [None if g is None else g.tolist() for g in gi], [g.tolist() for g in go])
            )
            or tuple(None if g is None else g * 2 for g in gi)
        )
    )
    h2 = layer.register_full_backward_pre_hook(lambda m, go: (go[0] * 3,))
    x = torch.ones(1, 3, requires_grad=True)
    layer(x).sum().backward()
    out(np.round(np.array(log[0][1]), 4).tolist(), log[0][2])
    show(x.grad)
    show(layer.bias.grad)
    log.clear()
    layer.zero_grad()
    layer(torch.ones(1, 3)).sum().backward()
    out(log)
    h.remove()
    h2.remove()
    log.clear()
    x.grad = None
    layer(x).sum().backward()
    out(log)
    show(x.grad)

    class Two(nn.Module):
        def forward(self, a, b, k=1):
            return a * b * k, a + b

    t = Two()
    t.register_full_backward_hook(
        lambda m, gi, go: log.append(
            [
                [None if g is None else g.tolist() for g in gi],
                [None if g is None else g.tolist() for g in go],
            ]
        )
    )
    a = torch.tensor([1.0, 2.0], requires_grad=True)
    b = torch.tensor([3.0, 4.0], requires_grad=True)
    u, v = t(a, b, k=2)
    (u.sum() + 2 * v.sum()).backward()
    out(log)
    show(a.grad)
    show(b.grad)
    t = Two()
    t.register_forward_pre_hook(lambda m, args, kw: (args, {"k": 5}), with_kwargs=True)
    t.register_forward_hook(lambda m, args, kw, y: (y[0] + kw["k"], y[1]), with_kwargs=True)
    t.register_forward_hook(lambda m, args, y: (y[0] * 100, y[1]), prepend=True)
    out(t(a, b)[0].tolist())
    seen = []
    p = torch.ones(2, requires_grad=True)
    hh = p.register_post_accumulate_grad_hook(lambda q: seen.append(q.grad.tolist()))
    (p * 2).sum().backward()
    (p * 2).sum().backward()
    out(seen)
    hh.remove()
    (p * 2).sum().backward()
    out(len(seen))

    return rows


def close(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    return a == b or (isinstance(a, float) and abs(a - b) <= 2e-5 * max(1.0, abs(b)))


def test_values():
    found, expected = program("minigan"), json.loads(FILE.read_text())
    assert len(found) == len(expected)
    for i, (a, b) in enumerate(zip(found, expected)):
        assert close(a, b), f"row {i}: {a} where PyTorch gives {b}"


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
def test_the_values_are_those_of_torch():
    pytest.importorskip("torch")
    assert all(map(close, program("torch"), json.loads(FILE.read_text())))


if __name__ == "__main__":
    FILE.write_text("[\n" + ",\n".join(map(json.dumps, program("torch"))) + "\n]\n")
