"""What all optimisers share: groups, gradients, state, errors."""

import itertools

import numpy as np
import pytest

import minigan.ops  # noqa: F401  (operators on Tensor)
from minigan import optim
from minigan.autograd import tensor_of

MAKERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.05),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.5),
    "Adam": lambda p: optim.Adam(p, lr=0.05, betas=(0.5, 0.9)),
    "amsgrad": lambda p: optim.Adam(p, lr=0.05, amsgrad=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.05),
    "RMSprop": lambda p: optim.RMSprop(p, momentum=0.5, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.5, initial_accumulator_value=0.1),
}
CLASSES = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad]
each_maker = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def parameters():
    return [
        tensor_of(normal(1, 3, 4), requires_grad=True),
        tensor_of(np.asfortranarray(normal(2, 4, 2)), requires_grad=True),
    ]


def gradients(step, params):
    return [normal((step, i), *p.shape) for i, p in enumerate(params)]


def values(params):
    return [p.array.copy() for p in params]


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@each_maker
def test_descends_a_loss(make):
    p = tensor_of(normal(3, 5), requires_grad=True)
    target = tensor_of(normal(4, 5))
    optimizer = make([p])

    def loss():
        d = p - target
        return d.dot(d)

    first = loss().item()
    for _ in range(150):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < 0.05 * first


@each_class
def test_maximize_ascends(cls):
    """-(p - 1)^2 has its maximum at 1; the gradient given is that of the value itself."""
    p = tensor_of(np.zeros(3, np.float32), requires_grad=True)
    optimizer = cls([p], lr=0.1, maximize=True)
    for _ in range(200):
        optimizer.zero_grad()
        d = p - 1
        (-d.dot(d)).backward()
        optimizer.step()
    np.testing.assert_allclose(p.array, 1, atol=0.15)


@each_maker
def test_step_with_equals_step_and_leaves_grad_alone(make):
    a, b = parameters(), parameters()
    first, second = make(a), make(b)
    for t in range(3):
        for p, g in zip(a, gradients(t, a)):
            p.grad = tensor_of(g)
        first.step()
        second.step_with([tensor_of(g) if t % 2 else g for g in gradients(t, b)])
    assert_same(values(a), values(b))
    assert all(p.grad is None for p in b)


@each_maker
def test_none_skips(make):
    params = parameters()
    optimizer, before = make(params), values(params)
    optimizer.step_with([None, gradients(0, params)[1]])
    np.testing.assert_array_equal(params[0].array, before[0])
    assert not np.array_equal(params[1].array, before[1])
    # a skipped parameter has no state yet
    assert list(optimizer.state_dict()["state"]) in ([1], [])


@each_maker
def test_each_parameter_as_if_it_were_alone(make):
    """Different numbers of steps, dtypes and layouts in one group do not touch each other."""
    starts = [
        normal(0, 3, 2),
        normal(1, 4).astype(np.float64),
        np.asfortranarray(normal(2, 2, 3)),
        normal(3, 4, 6)[:, ::2],
        normal(4, 5),
    ]
    together = [
        tensor_of(a.copy(order="K") if i != 3 else a.copy()[:, :3], requires_grad=True)
        for i, a in enumerate(starts)
    ]
    alone = [tensor_of(p.array.copy(), requires_grad=True) for p in together]
    optimizer, single = make(together), [make([p]) for p in alone]
    for t in range(6):
        grads = [
            normal((t, i), *p.shape).astype(p.dtype) if (t + i // 2) % 3 else None
            for i, p in enumerate(together)
        ]
        optimizer.step_with(grads)
        for o, g in zip(single, grads):
            o.step_with([g])
    for a, b in zip(together, alone):
        assert a.dtype == b.dtype
        rtol, atol = (1e-12, 1e-14) if a.dtype == np.float64 else (1e-5, 1e-6)
        np.testing.assert_allclose(a.array, b.array, rtol=rtol, atol=atol)


@each_maker
def test_state_dict_continues_bit_identically(make):
    params = parameters()
    optimizer = make(params)
    for t in range(4):
        optimizer.step_with(gradients(t, params))
    copies = [tensor_of(p.array.copy(order="K"), requires_grad=True) for p in params]
    other = make(copies)
    other.param_groups[0]["lr"] = 123.0
    saved = optimizer.state_dict()
    other.load_state_dict(
        {
            "state": {str(k): v for k, v in saved["state"].items()},
            "param_groups": saved["param_groups"],
        }
    )
    for t in range(4, 8):
        optimizer.step_with(gradients(t, params))  # must not touch what the other loaded
    for t in range(4, 8):
        other.step_with(gradients(t, copies))
    assert_same(values(params), values(copies))


def test_state_dict_structure():
    params = parameters()
    optimizer = optim.Adam([{"params": [params[0]], "lr": 0.5}, {"params": [params[1]]}])
    optimizer.step_with(gradients(0, params))
    saved = optimizer.state_dict()
    assert [g["params"] for g in saved["param_groups"]] == [[0], [1]]
    assert [g["lr"] for g in saved["param_groups"]] == [0.5, 1e-3]
    assert (
        set(saved["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
        and saved["state"][0]["step"] == 1
    )
    assert saved["state"][1]["exp_avg"].shape == params[1].shape
    assert optimizer.state[params[1]]["exp_avg"] is saved["state"][1]["exp_avg"]
    # the layout of its parameter
    assert optimizer.state[params[1]]["exp_avg"].array.flags.f_contiguous


def test_load_state_dict_errors():
    params = parameters()
    optimizer = optim.Adam(params)
    optimizer.step_with(gradients(0, params))
    saved = optimizer.state_dict()
    with pytest.raises(ValueError, match="parameters per group"):
        optim.Adam(params[:1]).load_state_dict(saved)
    with pytest.raises(ValueError, match="'exp_avg' has shape"):
        optim.Adam(params[::-1]).load_state_dict(saved)


def test_groups_have_their_own_options():
    params = parameters()
    before, (g0, g1) = values(params), gradients(0, params)
    optimizer = optim.SGD([{"params": params[0], "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": [params[1]], "maximize": True})
    optimizer.step_with([g0, g1])
    np.testing.assert_allclose(params[0].array, before[0] - 0.5 * g0, rtol=1e-6)
    np.testing.assert_allclose(params[1].array, before[1] + 0.1 * g1, rtol=1e-6)
    optimizer.param_groups[1]["lr"] = 0.0
    now = values(params)
    optimizer.step_with([g0, g1])
    np.testing.assert_array_equal(params[1].array, now[1])


def test_params_may_be_chained_or_named():
    params = parameters()
    assert optim.Adam(itertools.chain(params[:1], params[1:])).param_groups[0]["params"] == params
    named = optim.Adam([("w", params[0]), ("v", params[1])])
    assert (
        named.param_groups[0]["param_names"] == ["w", "v"]
        and named.param_groups[0]["params"] == params
    )


@each_maker
def test_rebound_and_emptied_state(make):
    """`.data =` gives a parameter new memory, which the next step must update; an emptied state
    starts anew."""
    a, b = parameters(), parameters()
    first, second = make(a), make(b)
    for t in range(3):
        if t == 1:
            a[0].data = tensor_of(np.asfortranarray(a[0].array))
        first.step_with(gradients(t, a))
        second.step_with(gradients(t, b))
    assert_same(values(a), values(b))
    first.state.clear()
    fresh = make(b)
    first.step_with(gradients(3, a))
    fresh.step_with(gradients(3, b))
    assert_same(values(a), values(b))


def test_options_that_add_state_can_be_switched_on_later():
    p = tensor_of(normal(0, 3), requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)
    optimizer.step_with([normal(1, 3)])
    optimizer.param_groups[0]["momentum"] = 0.5
    before = p.array.copy()
    g1 = normal(2, 3)
    g2 = normal(3, 3)
    optimizer.step_with([g1])
    optimizer.step_with([g2])
    np.testing.assert_allclose(
        p.array, before - 0.1 * g1 - 0.1 * (0.5 * g1 + g2), rtol=1e-5, atol=1e-6
    )


def test_a_step_is_noticed_by_backward():
    p = tensor_of(normal(0, 3), requires_grad=True)
    y = (p * p).dot(p)
    optim.SGD([p], lr=0.1).step_with([normal(1, 3)])
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_closure_and_zero_grad():
    p = tensor_of(normal(0, 3), requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = p.dot(p)
        loss.backward()
        return loss

    before = p.array.copy()
    assert optimizer.step(closure).item() == pytest.approx(float((before * before).sum()), rel=1e-5)
    np.testing.assert_allclose(p.array, before - 0.2 * before, rtol=1e-5)
    optimizer.zero_grad(set_to_none=False)
    np.testing.assert_array_equal(p.grad.array, 0)
    optimizer.zero_grad()
    assert p.grad is None


def test_large_parameters_equal_small_ones():
    """Above the threshold threads share the work: every element as if it were alone."""
    shape = (700, 800)
    start, grads = normal(0, *shape), [normal((1, t), *shape) for t in range(3)]
    whole = tensor_of(start.copy(), requires_grad=True)
    transposed = tensor_of(np.asfortranarray(start), requires_grad=True)
    rows = [tensor_of(row.copy(), requires_grad=True) for row in start]
    optimizers = [optim.Adam([whole]), optim.Adam([transposed]), optim.Adam(rows)]
    for g in grads:
        optimizers[0].step_with([g])
        optimizers[1].step_with([np.asfortranarray(g)])
        optimizers[2].step_with(list(g))
    np.testing.assert_array_equal(whole.array, transposed.array)
    np.testing.assert_array_equal(whole.array, np.array([r.array for r in rows]))
    assert transposed.array.flags.f_contiguous


BAD = [
    ("lr", -1),
    ("lr", float("nan")),
    ("eps", -1e-8),
    ("weight_decay", -0.1),
    ("momentum", -0.5),
    ("alpha", -1),
]
BAD += [
    ("betas", (0.9, 1.0)),
    ("betas", (-0.1, 0.9)),
    ("lr_decay", -1),
    ("initial_accumulator_value", -1),
]
BAD = [
    (cls, name, bad) for cls in CLASSES for name, bad in BAD if name in cls(parameters()).defaults
]


@pytest.mark.parametrize("cls, name, bad", BAD)
def test_bad_options_are_named(cls, name, bad):
    with pytest.raises(ValueError, match=f"{cls.__name__}: {name} must"):
        cls(parameters(), **{name: bad})
    with pytest.raises(ValueError, match=f"{cls.__name__}: {name} must"):
        cls([{"params": parameters(), name: bad}])


def test_bad_parameters():
    p, q = parameters()
    with pytest.raises(ValueError, match="empty parameter list"):
        optim.Adam([])
    with pytest.raises(ValueError, match="appears twice"):
        optim.Adam([{"params": [p]}, {"params": [q, p]}])
    with pytest.raises(ValueError, match="non-leaf.*mul"):
        optim.Adam([p * 2])
    with pytest.raises(TypeError, match="iterable"):
        optim.Adam(p)
    with pytest.raises(TypeError, match="not a set"):
        optim.Adam({p})
    with pytest.raises(TypeError, match="params\\[1\\] is ndarray"):
        optim.Adam([p, np.zeros(3)])
    with pytest.raises(ValueError, match="all parameters of a group or to none"):
        optim.Adam([("w", p), q])
    with pytest.raises(ValueError, match="nesterov"):
        optim.SGD([p], nesterov=True)
    frozen = np.zeros(3, np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        optim.SGD([tensor_of(frozen, requires_grad=True)]).step_with([np.ones(3, np.float32)])


@each_maker
def test_bad_gradients(make):
    params = parameters()
    optimizer, good = make(params), gradients(0, params)
    with pytest.raises(
        ValueError,
        match="gradient of parameter 1 is float32 \\(3, 4\\).*parameter float32 \\(4, 2\\)",
    ):
        optimizer.step_with([good[0], good[0]])
    with pytest.raises(ValueError, match="gradient of parameter 0 is float64"):
        optimizer.step_with([good[0].astype(np.float64), None])
    with pytest.raises(ValueError, match="1 gradients for 2 parameters"):
        optimizer.step_with(good[:1])


def test_float64_numbers_do_not_leak_into_float32():
    p = tensor_of(normal(0, 4), requires_grad=True)
    optimizer = optim.Adam([p], lr=np.float64(0.1))
    optimizer.step_with([normal(1, 4)])
    assert p.array.dtype == np.float32 and optimizer.state[p]["exp_avg"].dtype == np.float32
