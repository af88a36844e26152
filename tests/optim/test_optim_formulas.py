"""Every optimiser against its formula, with all options, in every memory layout; against torch
where it is installed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigan import optim
from minigan.autograd import tensor_of

from . import formulas

rate = st.floats(1e-4, 0.5)
share = st.floats(0, 0.95)
flag = st.booleans()
decay = st.sampled_from([0.0, 0.01, 0.3])
CASES = {
    "SGD": (optim.SGD, formulas.sgd, dict(lr=rate, momentum=share, dampening=share,
            weight_decay=decay, maximize=flag)),
    "SGD nesterov": (
        optim.SGD, formulas.sgd,
        dict(lr=rate, momentum=st.floats(0.1, 0.95), weight_decay=decay, nesterov=st.just(True),
            maximize=flag),
    ),
    "Adam": (
        optim.Adam, formulas.adam,
        dict(lr=rate, betas=st.tuples(share, share), eps=st.floats(1e-8, 0.1), weight_decay=decay,
            amsgrad=flag, maximize=flag),
    ),
    "AdamW": (optim.AdamW, formulas.adamw, dict(lr=rate, betas=st.tuples(share, share),
            weight_decay=decay, amsgrad=flag, maximize=flag)),
    "RMSprop": (
        optim.RMSprop, formulas.rmsprop,
        dict(lr=rate, alpha=st.floats(0.1, 0.95), eps=st.floats(1e-3, 0.1), weight_decay=decay,
            momentum=share, centered=flag,
             maximize=flag),
    ),
    "Adagrad": (
        optim.Adagrad, formulas.adagrad,
        dict(lr=rate, lr_decay=decay, weight_decay=decay, initial_accumulator_value=decay,
            maximize=flag),
    ),
    "Adadelta": (
        optim.Adadelta, formulas.adadelta, dict(lr=rate, rho=share, eps=st.floats(1e-3, 0.1),
            weight_decay=decay, maximize=flag),
    ),
    "Adamax": (
        optim.Adamax, formulas.adamax,
        dict(lr=rate, betas=st.tuples(share, share), eps=st.floats(1e-3, 0.1), weight_decay=decay,
            maximize=flag),
    ),
    "RAdam": (
        optim.RAdam, formulas.radam,
        dict(lr=rate, betas=st.tuples(share, st.floats(0.5, 0.999)), eps=st.floats(1e-3, 0.1),
            weight_decay=decay,
             decoupled_weight_decay=flag, maximize=flag),
    ),
}  # fmt: skip
SHAPE, STEPS = (3, 4), 5


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def trained(make, options, start, gradients):
    """The values of one parameter after each of the gradients."""
    p = tensor_of(start, requires_grad=True)
    optimizer, path = make([p], **options), []
    for g in gradients:
        p.grad = tensor_of(g)
        optimizer.step()
        path.append(p.array.copy())
    assert p.array is start  # updated in place
    return np.array(path)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_formula(name, data):
    """float64 agrees with the formula to rounding, float32 nearly, and other layouts with C order
    in every bit."""
    make, formula, options = CASES[name]
    options = data.draw(st.fixed_dictionaries(options))
    seed = data.draw(st.integers(0, 2**32 - 1))
    start, gradients = normal(seed, *SHAPE), normal(seed + 1, STEPS, *SHAPE)
    expected = np.empty((STEPS, *SHAPE))
    for i in np.ndindex(SHAPE):
        expected[(slice(None), *i)] = formulas.run(
            formula, start[i], gradients[(slice(None), *i)], **options
        )
    result = trained(make, options, start.copy(), gradients)
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-11)
    single = trained(make, options, start.astype(np.float32), gradients.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-3, atol=2e-3)
    column_major = np.asfortranarray(start)
    # gradients in another layout
    np.testing.assert_array_equal(trained(make, options, column_major, gradients), result)
    column_major = np.asfortranarray(start)
    np.testing.assert_array_equal(
        trained(make, options, column_major, [np.asfortranarray(g) for g in gradients]), result
    )
    with_gaps = np.zeros((3, 8))[:, ::2]
    with_gaps[...] = start
    np.testing.assert_allclose(
        trained(make, options, with_gaps, gradients), result, rtol=1e-12, atol=1e-13
    )


TORCH = [
    ("SGD", dict(lr=0.1)), ("SGD", dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.3)),
    ("SGD", dict(lr=0.1, momentum=0.9, nesterov=True, maximize=True)), ("Adam", {}),
    ("Adam", dict(lr=2e-4, betas=(0.5, 0.999))),
    ("Adam", dict(lr=0.1, weight_decay=0.1, amsgrad=True)),
    ("Adam", dict(maximize=True, eps=1e-2, weight_decay=0.1)), ("AdamW", {}),
    ("AdamW", dict(lr=0.1, weight_decay=0.3, amsgrad=True, maximize=True)), ("RMSprop", {}),
    ("RMSprop", dict(momentum=0.9, weight_decay=0.1)),
    ("RMSprop", dict(centered=True)), ("RMSprop", dict(centered=True, momentum=0.5, maximize=True)),
    ("Adagrad", {}),
    ("Adadelta", {}), ("Adadelta", dict(lr=0.5, rho=0.8, weight_decay=0.1, maximize=True)),
    ("Adamax", {}),
    ("Adamax", dict(lr=0.1, betas=(0.5, 0.9), weight_decay=0.1, maximize=True)), ("RAdam", {}),
    ("RAdam", dict(lr=0.1, betas=(0.5, 0.9), weight_decay=0.1)),
    ("RAdam", dict(weight_decay=0.1, decoupled_weight_decay=True, maximize=True)),
    ("Adagrad", dict(lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5, maximize=True)),
]  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize("name, options", TORCH)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_as_torch(name, options, dtype):
    """20 steps, parameters of which some miss some gradients; values, state and groups as torch has
    them."""
    torch = pytest.importorskip("torch")
    shapes = [(4, 3), (5,), (), (2, 1, 3)]
    starts = [normal(i, *s).astype(dtype) for i, s in enumerate(shapes)]
    ours = [tensor_of(a.copy(), requires_grad=True) for a in starts]
    theirs = [torch.tensor(a, requires_grad=True) for a in starts]
    mine, peer = (
        getattr(optim, name)(ours, **options),
        getattr(torch.optim, name)(theirs, **options),
    )
    tolerance = dict(rtol=3e-5, atol=3e-6) if dtype == "float32" else dict(rtol=1e-10, atol=1e-12)
    for t in range(20):
        mine.zero_grad()
        peer.zero_grad()
        for i, s in enumerate(shapes):
            if (t + i) % 5:
                g = normal((t, i), *s).astype(dtype)
                ours[i].grad, theirs[i].grad = tensor_of(np.array(g)), torch.tensor(g)
        mine.step()
        peer.step()
        for a, b in zip(ours, theirs):
            np.testing.assert_allclose(a.array, b.detach().numpy(), **tolerance)
    a, b = mine.state_dict(), peer.state_dict()
    assert {k: v for k, v in b["param_groups"][0].items() if k != "decoupled_weight_decay"} == {
        k: v for k, v in a["param_groups"][0].items() if k != "decoupled_weight_decay"
    }
    assert a["state"].keys() == b["state"].keys()
    for i in a["state"]:
        assert a["state"][i].keys() == {k for k, v in b["state"][i].items() if v is not None}
        for k, v in a["state"][i].items():
            np.testing.assert_allclose(
                v if k == "step" else v.array, b["state"][i][k].numpy(), **tolerance
            )
