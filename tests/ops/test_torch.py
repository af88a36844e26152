"""The same names, argument orders and defaults as torch's: every case whose call torch understands
gives torch's numbers."""

import inspect

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ops.case import function_named
from ops.table import CASES

from minigan import Tensor
from minigan.autograd import tensor_of

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


def theirs(name):
    found = [getattr(module, name, None) for module in (torch, torch.nn.functional)]
    # torch's own losses number their reductions
    return next(filter(None, found[::-1] if name.endswith("_loss") else found), None)


def comparable(case):
    """Called positionally under the public name, which torch has too."""
    name = case.name.partition(":")[0]
    return (
        theirs(name) is not None
        and case.call is function_named(name)
        and case.name not in DIFFERENT
    )


def call(function, like, args):
    """Tensors by position, options under the names that minigan gives them."""
    names = list(inspect.signature(like).parameters.values())
    count = next(
        (i for i, a in enumerate(args) if i and not isinstance(a, torch.Tensor)), len(args)
    )
    if any(p.kind is p.VAR_POSITIONAL for p in names):
        return function(*args)
    return function(
        *args[:count],
        **{
            p.name: a
            for p, a in zip(names[count:], args[count:])
            if a is not None or function in (torch.sum, torch.mean)
        },
    )


# torch takes tensors only, or has another signature under this name.
DIFFERENT = {
    "broadcast_to", "expand_as", "flip", "isfinite", "repeat", "where:first number", "kl_div",
    "kl_div:log target", "view", "norm",
    "prelu", "floor_divide", "floor_divide:both", "index_put", "repeat_interleave:each",
    "scatter:number", "adaptive_max_pool1d",
    "embedding",
    "embedding:padding", "tensor_split", "tensor_split:indices", "hsplit", "vsplit", "dsplit",
    "windows", "vander", "solve", "solve:vector",
    "hardsigmoid", "avg_pool3d",
}  # fmt: skip


@pytest.mark.parametrize("case", [c for c in CASES if comparable(c)], ids=repr)
@settings(max_examples=8)
@given(data=st.data())
def test_as_torch(case, data):
    name = case.name.partition(":")[0]
    args = [np.asarray(a) if isinstance(a, np.generic) else a for a in data.draw(case.inputs)]
    wrt = case.differentiable(args) if case.orders else []
    ours = [tensor_of(a, i in wrt) if isinstance(a, np.ndarray) else a for i, a in enumerate(args)]
    assume(name != "logsumexp" or args[1] is not None)  # which torch cannot
    assume(name != "roll" or args[1] != ())
    their = [
        torch.tensor(a, requires_grad=i in wrt) if isinstance(a, np.ndarray) else a
        for i, a in enumerate(args)
    ]
    y, t = case.call(*ours), call(theirs(name), case.call, their)
    # torch 2.13 repeats the first row of what is one pixel wide
    assume(case.name != "interpolate:antialias" or y.shape[-1] > 1)
    ys, ts = (list(v) if isinstance(v, tuple | list) else [v] for v in (y, t))
    assert len(ys) == len(ts)
    rng = np.random.default_rng(0)
    for a, b in zip(ys, ts):
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a.array, b.detach().numpy(), rtol=1e-10, atol=1e-12)
        if a.requires_grad:
            u = rng.standard_normal(a.shape)
            a.backward(tensor_of(np.asarray(u)), retain_graph=True)
            b.backward(torch.tensor(u), retain_graph=True)
    for a, b in zip(ours, their):
        if isinstance(a, Tensor) and a.grad is not None:
            np.testing.assert_allclose(a.grad.array, b.grad.numpy(), rtol=1e-9, atol=1e-11)
