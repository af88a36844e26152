"""From a card to an op: how it is called, what it records, and how a wrong card is blamed."""

import inspect

import numpy as np
import pytest
from wrong_rules import card

import minigan
from minigan import OpError, Tensor
from minigan.autograd import tensor_of


def leaf(*values, dtype=np.float64):
    return tensor_of(np.array(values, dtype), True)


@card(saves=("by",))
def scaled(x, by=2.0):
    """y = x * by.    dL/dx = g * by"""
    return x * by


@scaled.backward
def _(g, need, by):
    return g * by


def test_a_card_becomes_a_documented_function():
    assert scaled.__name__ == "scaled" and scaled.__doc__.startswith("y = x * by")
    assert str(inspect.signature(scaled)) == "(x, by=2.0)"
    assert scaled.__module__ == __name__


def test_arrays_in_array_out():
    y = scaled(np.ones(2), 3.0)
    assert isinstance(y, np.ndarray) and y.tolist() == [3, 3]


def test_tensors_in_tensor_out():
    x = leaf(1.0, 2.0)
    y = scaled(x)
    assert isinstance(y, Tensor) and y.requires_grad and y.grad_fn.op is scaled
    assert repr(y.grad_fn).startswith("<scaled #")
    assert not scaled(tensor_of(np.ones(2))).requires_grad
    assert not scaled(x.detach()).requires_grad


def test_arguments():
    x = leaf(1.0)
    assert (
        scaled(x, 3.0).item()
        == scaled(x, by=3.0).item()
        == scaled(by=3.0, x=x).item()
        == scaled(input=x, by=3.0).item()
        == 3
    )
    with pytest.raises(
        TypeError, match=r"scaled\(\) misses its argument 'x'; its signature is scaled\(x, by\)"
    ):
        scaled(by=2.0)
    with pytest.raises(
        TypeError, match=r"unexpected or repeated argument 'factor'; its arguments are x, by"
    ):
        scaled(x, factor=2.0)
    with pytest.raises(TypeError, match=r"takes at most 2 arguments \(x, by\), got 3"):
        scaled(x, 1.0, 2.0, by=3.0)


def test_dim_and_axis_mean_the_same():
    @card(saves=("x.shape", "dim"))
    def total(x, dim=None, keepdim=False):
        return np.sum(x, axis=dim, keepdims=keepdim)

    x = tensor_of(np.arange(6.0).reshape(2, 3))
    assert total(x, axis=1).tolist() == total(x, dim=1).tolist() == [3, 12]
    assert total(x, axis=1, keepdims=True).shape == (2, 1)


def test_what_is_saved():
    """Argument, shape of an argument, result, extra results, any number of arguments."""
    seen = []

    @card(saves=("x", "w.shape", "out", "half", "option", "third"))
    def everything(x, w, option=5):
        return x + w.sum(), x * 0.5, x / 3

    @everything.backward
    def _(g, need, x, shape, out, half, option, third):
        seen.append((x, shape, out, half, option, third))
        return g, minigan.expand(g.sum(), shape)

    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0, 5.0)
    y = everything(x, w)
    u = np.array([1.0, -0.5])
    y.backward(tensor_of(u))
    a, shape, out, half, option, third = seen[0]
    assert (a.tolist(), shape, out.tolist(), half.tolist(), option) == (
        [1, 2],
        (3,),
        [13, 14],
        [0.5, 1],
        5,
    )
    np.testing.assert_allclose(third, x.array / 3)
    # the first-order pass works on bare arrays
    assert isinstance(a, np.ndarray) and isinstance(out, np.ndarray)
    assert everything(x.array, w.array).tolist() == [13, 14]  # arrays: the result only

    @card(saves=("*xs", "*xs.shape"))
    def sum_of_all(scale, *xs):
        return scale * sum(x.sum() for x in xs)

    @sum_of_all.backward
    def _(g, need, xs, shapes):
        seen.append((xs, shapes, need))
        return None, *[n and minigan.expand(g * 2.0, s) for s, n in zip(shapes, need[1:])]

    sum_of_all(2.0, x, tensor_of(np.ones(4)), w).backward()
    xs, shapes, need = seen[1]
    assert (
        [list(a) for a in xs] == [[1, 2], [1] * 4, [3, 4, 5]]
        and shapes == ((2,), (4,), (3,))
        and list(need) == [False, True, False, True]
    )


def test_the_compiled_path_is_for_numpy_only():
    import fakecuda

    @card
    def where_am_i(x):
        return x * 0 + 1

    @where_am_i.kernel("cpu")
    def _(x):
        return x * 0 + 2

    assert where_am_i(tensor_of(np.zeros(1))).item() == 2 and where_am_i(np.zeros(1)).item() == 2
    assert where_am_i(tensor_of(fakecuda.asarray(np.zeros(1)))).item() == 1


def test_a_formula_serves_higher_orders():
    """The fused rule is called for the first order, the formula for the next ones."""
    calls = []

    @card(saves=("x",))
    def fused_cube(x):
        return x**3

    @fused_cube.backward
    def _(g, need, x):
        assert isinstance(x, np.ndarray)
        calls.append(1)
        return g * 3 * x**2

    @fused_cube.formula
    def _(x):
        return x * x * x

    x = leaf(2.0, -1.0)
    minigan.grad(fused_cube(x), x, tensor_of(np.array([1.0, 0.5])))
    assert calls == [1]
    (g,) = minigan.grad(fused_cube(x), x, tensor_of(np.array([1.0, 0.5])), create_graph=True)
    assert calls == [1] and g.tolist() == [12, 1.5]
    (h,) = minigan.grad(g, x, tensor_of(np.array([1.0, 1.0])))
    assert h.tolist() == [12, -3]
    assert minigan.gradgradcheck(fused_cube, x)


def test_the_engine_sums_over_broadcasting():
    x, w = leaf(1.0, 2.0, 3.0), tensor_of(np.array([[2.0], [5.0]]), True)
    u = np.array([[1.0, -1.0, 2.0], [0.5, 0.0, 1.0]])
    gx, gw = minigan.grad(x * w, [x, w], tensor_of(u))
    np.testing.assert_allclose(gx.array, (u * w.array).sum(0))
    np.testing.assert_allclose(gw.array, (u * x.array).sum(1, keepdims=True))


# --- blame ---


def broken(gradient, saves=()):
    @card
    def broken_op(x, y):
        return x * y

    @broken_op.backward
    def _(g, need):
        return gradient(g)

    return broken_op


@pytest.mark.parametrize("gradient, message", [
    (lambda g: (g, None),
        r"broken_op gave no gradient for argument 1 \(\('y',\)\), which needs one"),
    (lambda g: (g, False), "gave no gradient for argument 1"),
    (lambda g: g, "gave no gradient for argument 1"),
    (lambda g: (g.astype(np.float32), g),
        "broken_op gave a float32 gradient for its float64 argument 0"),
    (lambda g: (g, g @ g.reshape(7)), "the backward rule of broken_op failed: ValueError"),
    (lambda g: (g, 1 / 0),
        "the backward rule of broken_op failed: ZeroDivisionError: division by zero"),
])  # fmt: skip
def test_a_wrong_rule_is_blamed_by_name(gradient, message):
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with pytest.raises(OpError, match=message):
        broken(gradient)(x, y).backward(tensor_of(np.array([1.0, -1.0])))


def test_a_gradient_of_a_wrong_shape_is_blamed():
    with pytest.raises((OpError, ValueError), match="gradient of shape|broken_op|shape"):
        broken(lambda g: (g[:1], g))(leaf(1.0, 2.0), leaf(3.0, 4.0)).backward(
            tensor_of(np.array([1.0, -1.0]))
        )


def test_a_failing_forward_names_its_arguments():
    @card
    def picky(x, size):
        raise ValueError("size must be odd")

    with pytest.raises(
        OpError, match=r"picky\(x, size\): size must be odd; given: float64\[2\] on cpu, 4"
    ) as error:
        picky(leaf(1.0, 2.0), 4)
    assert isinstance(error.value.__cause__, ValueError)
    assert (
        isinstance(error.value, RuntimeError)
        and isinstance(error.value, ValueError)
        and isinstance(error.value, TypeError)
    )


def test_an_op_without_a_rule_records_nothing():
    @card
    def ranks(x):
        return np.argsort(x) * 1.0

    assert not ranks(leaf(2.0, 1.0)).requires_grad
