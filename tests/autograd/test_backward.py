"""The walk: accumulation, which gradients are computed and kept, and its errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wrong_rules import card

import minigan
from minigan.autograd import tensor_of


def leaf(*values, dtype=np.float64):
    return tensor_of(np.array(values, dtype), True)


def test_gradients_of_all_uses_add_up():
    x = leaf(1.0, 2.0, 3.0)
    y = x * x + x * 3.0 - x
    y.backward(tensor_of(np.array([1.0, -1.0, 0.5])))
    np.testing.assert_allclose(x.grad.array, [2 + 2, -(4 + 2), 0.5 * (6 + 2)])


def test_diamond_is_walked_once():
    """Each entry's rule runs once however many paths lead through it: 2^40 otherwise."""
    x = leaf(1.5)
    y = x
    for _ in range(40):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**40


def test_skip_connections_of_different_length():
    x = leaf(0.7)
    a = x * 2.0
    b = a.sin()
    c = b * a
    d = c + a * x
    (d * b).backward()
    v = 0.7

    def f(v):
        return (np.sin(2 * v) * 2 * v + 2 * v * v) * np.sin(2 * v)

    np.testing.assert_allclose(x.grad.item(), (f(v + 1e-5) - f(v - 1e-5)) / 2e-5, rtol=1e-8)


# A random program: each step applies an op to two earlier values; the reference carries derivatives
# forward (dual numbers).
OPERATIONS = {
    "add": (lambda a, b: a + b, lambda a, b, da, db: da + db),
    "sub": (lambda a, b: a - b, lambda a, b, da, db: da - db),
    "mul": (lambda a, b: a * b, lambda a, b, da, db: da * b + a * db),
    "sin": (lambda a, b: a.sin(), lambda a, b, da, db: np.cos(a) * da),
    "neg": (lambda a, b: -a, lambda a, b, da, db: -da),
    "tanh": (lambda a, b: b.tanh(), lambda a, b, da, db: (1 - np.tanh(b) ** 2) * db),
}
VALUES = {"sin": lambda a, b: np.sin(a), "tanh": lambda a, b: np.tanh(b)}


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 99), st.integers(0, 99)),
        min_size=1,
        max_size=25,
    ),
    st.integers(0, 2**16),
    st.booleans(),
)
def test_random_programs(steps, seed, create_graph):
    rng = np.random.default_rng(seed)
    start = [rng.uniform(-1, 1, 3) for _ in range(3)]
    directions = [rng.standard_normal(3) for _ in range(3)]
    values = [tensor_of(a.copy(), True) for a in start]
    inputs, duals = values[:], list(zip(start, directions))
    for name, i, j in steps:
        i, j = i % len(values), j % len(values)
        function, derivative = OPERATIONS[name]
        (a, da), (b, db) = duals[i], duals[j]
        values.append(function(values[i], values[j]))
        duals.append((VALUES.get(name, function)(a, b), derivative(a, b, da, db)))
    # several outputs, one of them inside, one twice
    outputs = [values[-1], values[len(values) // 2], values[-1]]
    duals = [duals[-1], duals[len(values) // 2], duals[-1]]
    cotangents = [rng.standard_normal(3) for _ in outputs]
    expected = sum((u * dy).sum() for u, (_, dy) in zip(cotangents, duals))
    seeds = [tensor_of(u.copy()) for u in cotangents]
    found = minigan.grad(outputs, inputs, seeds, create_graph=create_graph, allow_unused=True)
    total = sum((g.array * v).sum() for g, v in zip(found, directions) if g is not None)
    np.testing.assert_allclose(total, expected, rtol=1e-9, atol=1e-9 * (1 + abs(expected)))
    for u, s in zip(cotangents, seeds):
        np.testing.assert_array_equal(s.array, u, "a cotangent was written into")
    arrays = [g.array for g in found if g is not None]
    if not create_graph:
        assert not any(
            np.shares_memory(a, b)
            for i, a in enumerate(arrays)
            for b in [*arrays[:i], *[s.array for s in seeds]]
        )


def test_only_leaves_receive_grad():
    x = leaf(1.0, 2.0)
    y = x * 2.0
    z = (y * y).sum()
    z.backward()
    assert y.grad is None and z.grad is None and x.grad is not None
    assert x.is_leaf and not y.is_leaf


def test_backward_accumulates_in_grad():
    x = leaf(2.0, 3.0)
    (x * x).sum().backward()
    first = x.grad
    (x * 5.0).sum().backward()
    assert x.grad is first
    np.testing.assert_allclose(x.grad.array, [4 + 5, 6 + 5])


def test_grad_leaves_grad_alone():
    x = leaf(2.0)
    (g,) = minigan.grad(x * x, x)
    assert g.item() == 4 and x.grad is None and not g.requires_grad


def test_backward_of_a_leaf_and_grad_of_an_output():
    x = leaf(2.0)
    u = tensor_of(np.array([7.0]))
    x.backward(u)
    assert x.grad.item() == 7 and not np.shares_memory(x.grad.array, u.array)
    y = x * 2.0
    assert minigan.grad(y, y, u)[0].item() == 7
    gx, gy = minigan.grad(y * y, [x, y])  # one target lies on the way to the other
    assert (gx.item(), gy.item()) == (16.0, 8.0)


def test_gradients_of_inner_values():
    x = leaf(1.0, 2.0)
    y = x * 3.0
    z = y * y
    u = np.array([0.5, -2.0])
    (gy,) = minigan.grad(z, y, tensor_of(u))
    np.testing.assert_allclose(gy.array, u * 2 * y.array)


def test_gradients_of_inner_values_are_separate():
    """Also where nothing is computed between the cotangent and the value."""
    x = leaf(1.0, 2.0)
    y = x * 3.0
    u = tensor_of(np.array([0.5, -2.0]))
    for z in (y + 1.0, y):
        (g,) = minigan.grad(z, y, u, retain_graph=True)
        assert g.tolist() == u.tolist() and not np.shares_memory(g.array, u.array)


def test_a_rule_may_give_one_array_to_two_arguments():
    """Each leaf still owns its gradient: the next backward adds into one of them only."""

    @card
    def twice_the_sum(x, y):
        return 2 * x + 2 * y

    @twice_the_sum.backward
    def _(g, need):
        h = g * 2
        return h, h

    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    twice_the_sum(x, y).backward(tensor_of(np.array([1.0, -1.0])))
    assert not np.shares_memory(x.grad.array, y.grad.array)
    (x * 5.0).backward(tensor_of(np.array([1.0, 1.0])))
    assert x.grad.tolist() == [7, 3] and y.grad.tolist() == [2, -2]


def test_backward_inputs_limits_who_receives():
    x, w = leaf(2.0), leaf(3.0)
    (x * w).backward(inputs=[w])
    assert x.grad is None and w.grad.item() == 2


def test_several_outputs():
    x = leaf(1.0, 2.0)
    a, b = x * 2.0, x * x
    u, v = np.array([1.0, -1.0]), np.array([0.3, 0.7])
    minigan.backward([a, b], [tensor_of(u), tensor_of(v)])
    np.testing.assert_allclose(x.grad.array, 2 * u + 2 * x.array * v)


# --- only what was asked for ---


def spy(seen):
    """An op that notes each call of its rule and what was needed."""

    @card(saves=("x", "w"))
    def noted_product(x, w):
        return x * w

    @noted_product.backward
    def _(g, need, x, w):
        seen.append(tuple(need))
        return need[0] and g * w, need[1] and g * x

    return noted_product


def test_rules_are_told_what_is_needed():
    seen = []
    product = spy(seen)
    x = leaf(2.0)
    w = leaf(3.0)
    c = tensor_of(np.array([4.0]))
    product(x, c).backward()
    minigan.grad(product(x, w), w)
    minigan.grad(product(x, w), x)
    product(x, w).backward()
    assert seen == [(True, False), (False, True), (True, False), (True, True)]


def test_no_discriminator_weight_gradient_in_a_generator_update():
    seen = []
    product = spy(seen)
    g = leaf(2.0)
    d = leaf(3.0)
    z = tensor_of(np.array([0.5]))
    fake = product(z, g)
    minigan.grad(product(fake, d), g)
    # through D to its input only; in G to the weight only
    assert seen == [(True, False), (False, True)]


def test_branches_without_targets_are_not_walked():
    seen = []
    product = spy(seen)
    x = leaf(2.0)
    w = leaf(3.0)
    v = leaf(5.0)
    y = product(x, w) + product(v, v)
    assert minigan.grad(y, x)[0].item() == 3
    assert seen == [(True, False)]


def test_walk_stops_below_the_targets():
    seen = []
    product = spy(seen)
    x, w = leaf(2.0), leaf(3.0)
    y = product(x, w)
    minigan.grad(y * y, y)
    assert seen == []


def test_detach_cuts():
    x, w = leaf(2.0), leaf(3.0)
    y = (x * w).detach() * w
    y.backward()
    assert x.grad is None and w.grad.item() == 6


# --- errors ---


def test_unused_input():
    x, w = leaf(2.0), leaf(3.0)
    with pytest.raises(RuntimeError, match=r"inputs\[1\].*not used.*allow_unused=True"):
        minigan.grad(x * 2.0, [x, w])
    gx, gw = minigan.grad(x * 2.0, [x, w], allow_unused=True)
    assert gx.item() == 2 and gw is None


def test_input_without_requires_grad():
    x = leaf(1.0)
    with pytest.raises(
        RuntimeError, match=r"inputs\[0\].*does not require a gradient.*requires_grad_"
    ):
        minigan.grad(x * 2.0, tensor_of(np.ones(1)))


def test_output_without_requires_grad():
    with pytest.raises(RuntimeError, match="output 0 .*does not require a gradient"):
        (tensor_of(np.ones(1)) * 2.0).backward()


def test_non_scalar_backward():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"output 0 has shape \(2,\).*\.sum\(\)"):
        (x * x).backward()
    one = tensor_of(np.full((1, 1), 3.0), True)
    (one * one).backward()  # one element is enough
    assert one.grad.array.tolist() == [[6.0]]


@pytest.mark.parametrize(
    "bad",
    [np.ones(3), np.ones((2, 1)), np.ones(2, np.float32), np.ones(2, int)],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_gradient_of_wrong_shape_or_dtype(bad):
    with pytest.raises(ValueError, match="gradient of output 0"):
        (leaf(1.0, 2.0) * 2.0).backward(tensor_of(bad))


def test_wrong_number_of_gradients():
    x = leaf(1.0)
    with pytest.raises(ValueError, match="2 outputs but 1 gradient"):
        minigan.backward([x * 2.0, x * 3.0], [tensor_of(np.ones(1))])


def test_second_backward_names_the_op():
    x = leaf(2.0, 3.0)
    y = minigan.expand(x.exp(), (2,)).sum()
    y.backward()
    with pytest.raises(
        RuntimeError, match=r"backward through exp a second time.*retain_graph=True"
    ):
        y.backward()


def test_retain_graph():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8
    with pytest.raises(RuntimeError, match="mul a second time"):
        y.backward()


def test_shared_part_freed_by_one_of_two_losses():
    x = leaf(2.0)
    shared = x * x
    minigan.grad(shared * 2.0, x)
    with pytest.raises(RuntimeError, match="mul a second time"):
        minigan.grad(shared * 3.0, x)


def test_ops_that_save_nothing_can_be_walked_again():
    x = leaf(2.0)
    y = -minigan.identity(-x)
    y.backward()
    y.backward()
    assert x.grad.item() == 2


def test_create_graph_retains():
    x = leaf(2.0)
    y = x * x * x
    (g,) = minigan.grad(y, x, create_graph=True)
    assert g.requires_grad and g.item() == 12
    minigan.grad(y, x, retain_graph=True)  # create_graph kept what y's tape had saved
    assert minigan.grad(g, x)[0].item() == 12


def test_not_tensors():
    with pytest.raises(TypeError, match="expected Tensors"):
        minigan.grad([1.0], [leaf(1.0)])


def test_batched_grad_is_refused_with_a_reason():
    x = leaf(1.0)
    with pytest.raises(NotImplementedError, match="once per row"):
        minigan.grad(x * x, x, is_grads_batched=True)
