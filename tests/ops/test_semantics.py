"""What the table does not say: gradients at kinks, empty arrays, spellings, numerical range,
errors, methods, views."""

import math

import numpy as np
import pytest

import minigan
from minigan import OpError, Tensor
from minigan.autograd import tensor_of


def leaf(values, dtype=np.float64):
    return tensor_of(np.array(values, dtype), True)


def slope(function, *values):
    """The gradient at the given numbers, the cotangent being (3, -2, 0.5, ...) per element."""
    x = leaf(values)
    u = np.resize([3.0, -2.0, 0.5], len(values))
    return (minigan.grad(function(x), x, tensor_of(u))[0].array / u).tolist()


# --- at kinks: torch's choices ---


@pytest.mark.parametrize("function, points, expected", [
    (minigan.relu, (-1, 0, 2), [0, 0, 1]),
    (lambda x: minigan.leaky_relu(x, 0.2), (-1, 0, 2), [0.2, 0.2, 1]),
    (minigan.abs, (-1, 0, 2), [-1, 0, 1]),
    (minigan.sign, (-1, 0, 2), [0, 0, 0]),
    (lambda x: minigan.clamp(x, -1, 1), (-2, -1, 0, 1, 2), [0, 1, 1, 1, 0]),
    (minigan.hardtanh, (-2, -1, 0, 1, 2), [0, 0, 1, 0, 0]),
    (lambda x: minigan.maximum(x, 1.0), (0, 1, 2), [0, 0.5, 1]),
    (lambda x: minigan.minimum(x, 1.0), (0, 1, 2), [1, 0.5, 0]),
    (lambda x: minigan.norm(x, dim=()) * 1.0, (0.0,), [0]),
    (lambda x: x**2, (-1, 0, 2), [-2, 0, 4]),
    (lambda x: x**1, (-1, 0, 2), [1, 1, 1]),
    (lambda x: x**0, (-1, 0, 2), [0, 0, 0]),
    (lambda x: x**3, (-1, 0, 2), [3, 0, 12]),
    (lambda x: 0.0**x, (1, 2), [0, 0]),
])  # fmt: skip
def test_slopes_at_kinks(function, points, expected):
    if function(leaf(points)).shape != (len(points),):
        x = leaf(points)
        (g,) = minigan.grad(function(x), x, tensor_of(np.array(3.0)))
        assert (g.array / 3).tolist() == expected
    else:
        np.testing.assert_allclose(slope(function, *points), expected, atol=1e-15)


def test_ties_share_or_go_to_the_first():
    x = leaf([2.0, 5.0, 5.0, 1.0])
    assert minigan.grad(x.amax(), x)[0].tolist() == [0, 0.5, 0.5, 0]
    assert minigan.grad(x.max(), x)[0].tolist() == [0, 0.5, 0.5, 0]
    values, indices = x.max(0)
    assert indices.item() == 1 and minigan.grad(values, x)[0].tolist() == [0, 1, 0, 0]
    a, b = leaf([1.0]), leaf([1.0])
    assert [g.item() for g in minigan.grad(minigan.maximum(a, b), [a, b])] == [0.5, 0.5]


def test_norm_of_zero_has_a_gradient():
    """A gradient penalty meets |g| = 0: 0, not NaN, in first and second order."""
    x = leaf(np.zeros((2, 3)))
    (g,) = minigan.grad(x.norm(2, 1).sum(), x, create_graph=True)
    assert g.array.tolist() == np.zeros((2, 3)).tolist()
    (h,) = minigan.grad(g.sum(), x)
    assert np.isfinite(h.array).all()


def test_prod_with_zeros():
    x = leaf([2.0, 0.0, 3.0])
    assert minigan.grad(x.prod(), x)[0].tolist() == [0, 6, 0]
    x = leaf([2.0, 0.0, 0.0])
    assert minigan.grad(x.prod(), x)[0].tolist() == [0, 0, 0]


def test_where_does_not_leak_nan():
    """The side that was not chosen gets 0, whatever its gradient would be."""
    x = leaf([0.0, 4.0])
    safe = minigan.where(x > 0, x, 1.0).sqrt()
    assert minigan.grad(minigan.where(x > 0, safe, 0.0).sum(), x)[0].tolist() == [0, 0.25]


# --- numerical range ---


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stable_forms(dtype):
    x = leaf([-1e4, -100.0, 0.0, 100.0, 1e4], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        np.testing.assert_allclose(x.sigmoid().array, [0, 0, 0.5, 1, 1], atol=1e-7)
        np.testing.assert_allclose(
            minigan.softplus(x).array, [0, 0, math.log(2), 100, 1e4], rtol=1e-6, atol=1e-30
        )
        np.testing.assert_allclose(
            minigan.logsigmoid(x).array, [-1e4, -100, -math.log(2), 0, 0], rtol=1e-6, atol=1e-30
        )
        np.testing.assert_allclose(x.softmax(0).array, [0, 0, 0, 0, 1], atol=1e-7)
        np.testing.assert_allclose(
            x.log_softmax(0).array, [-2e4, -10100, -1e4, -9900, 0], rtol=1e-6
        )
        np.testing.assert_allclose(x.logsumexp(0).array, 1e4)
        for function in (
            minigan.sigmoid,
            minigan.softplus,
            minigan.logsigmoid,
            minigan.gelu,
            minigan.silu,
            minigan.elu,
            minigan.tanh,
        ):
            (g,) = minigan.grad(function(x).sum(), x)
            assert np.isfinite(g.array).all(), function.__name__


def test_logsigmoid_keeps_small_values():
    """log sigmoid(20) is -2e-9, which 1 - sigmoid could not hold in float32."""
    np.testing.assert_allclose(
        minigan.logsigmoid(leaf([20.0], np.float32)).array, -2.0611537e-9, rtol=1e-5
    )


def test_logsumexp_of_minus_infinity():
    x = leaf([-math.inf, -math.inf])
    with np.errstate(divide="ignore"):
        y = x.logsumexp(0)
    assert y.item() == -math.inf
    x = leaf([-math.inf, 1.0])
    assert x.logsumexp(0).item() == 1.0 and minigan.grad(x.logsumexp(0), x)[0].tolist() == [0, 1]


def test_float32_sums_are_accurate():
    x = tensor_of(np.full(1_000_000, 0.1, np.float32))
    np.testing.assert_allclose(x.sum().item(), 1e5, rtol=1e-5)
    np.testing.assert_allclose(x.mean().item(), 0.1, rtol=1e-5)


def test_batch_norm_statistics_do_not_cancel():
    """Mean 1000, deviation 0.01 in float32."""
    rng = np.random.default_rng(0)
    x = (1000 + 0.01 * rng.standard_normal((4096, 1))).astype(np.float32)
    y = minigan.batch_norm(tensor_of(x), None, None, None, None, True, eps=0.0).array
    exact = x.astype(np.float64)
    np.testing.assert_allclose(y, (exact - exact.mean()) / exact.std(), rtol=2e-2, atol=2e-2)


# --- empty arrays ---


def test_empty_arrays():
    x = leaf(np.zeros((0, 3)))
    assert (
        (x * 2.0).shape == (0, 3)
        and x.sum().item() == 0
        and x.sum(0).tolist() == [0, 0, 0]
        and x.prod().item() == 1
    )
    assert math.isnan(x.mean().item())
    y = (
        x.exp() + x.leaky_relu(0.2)
        if hasattr(x, "leaky_relu")
        else x.exp() + minigan.leaky_relu(x, 0.2)
    ).sum()
    assert minigan.grad(y, x)[0].shape == (0, 3)
    assert minigan.linear(x, leaf(np.ones((2, 3)))).shape == (0, 2)
    assert minigan.cat([x, leaf(np.ones((2, 3)))]).shape == (2, 3)


# --- spellings ---


def test_axis_and_keepdims():
    x = leaf(np.arange(6.0).reshape(2, 3))
    for name in ("sum", "mean", "amax", "amin", "std", "var", "prod", "logsumexp"):
        f = getattr(minigan, name)
        a, b = f(x, dim=1, keepdim=True), f(x, axis=1, keepdims=True)
        assert a.shape == (2, 1) and a.tolist() == b.tolist(), name
    for name in ("sum", "mean", "amax", "argmax", "softmax", "cumsum"):
        f = getattr(minigan, name)
        assert f(x, dim=-1).tolist() == f(x, 1).tolist() == f(x, axis=-1).tolist(), name
    assert minigan.cat([x, x], axis=1).shape == (2, 6) and minigan.stack([x, x], axis=2).shape == (
        2,
        3,
        2,
    )


def test_keywords_of_cards():
    x = leaf([1.0, -2.0])
    assert minigan.add(x, other=x, alpha=3).tolist() == [4, -8]
    assert minigan.leaky_relu(x, negative_slope=0.5).tolist() == [1, -1]
    assert minigan.leaky_relu(input=x).tolist() == [1, -0.02]
    assert minigan.clamp(x, max=0.5).tolist() == [0.5, -2]
    with pytest.raises(
        TypeError, match=r"leaky_relu\(\) got an unexpected or repeated argument 'slop'"
    ):
        minigan.leaky_relu(x, slop=1)
    with pytest.raises(TypeError, match=r"add\(\) misses its argument 'other'"):
        minigan.add(x)


def test_methods_are_the_functions():
    x = leaf(np.random.default_rng(0).uniform(0.1, 0.9, (2, 3)))
    for (
        name
    ) in "exp log tanh sigmoid relu sqrt square abs sin cos erf sum mean amax flatten".split():
        assert getattr(x, name)().tolist() == getattr(minigan, name)(x).tolist(), name
    assert (
        x.reshape(3, 2).tolist() == x.view(-1, 2).tolist()
        and x.T.shape == (3, 2)
        and x.mT.tolist() == x.t().tolist()
    )
    assert (
        (x @ x.T).tolist() == x.matmul(x.T).tolist()
        and (-x).tolist() == x.neg().tolist()
        and abs(x).tolist() == x.abs().tolist()
    )
    assert x.view_as(minigan.zeros(6)).shape == (6,)


def test_operators_with_the_tensor_on_the_right():
    x = leaf([2.0, 4.0])
    assert (
        (1 - x).tolist() == [-1, -3]
        and (1 / x).tolist() == [0.5, 0.25]
        and (2**x).tolist() == [4, 16]
    )
    assert (np.array([[1.0, 1.0]]) @ x).tolist() == [6.0] and (np.ones(2) - x).tolist() == [-1, -3]
    assert isinstance(np.ones(2) * x, Tensor) and isinstance(np.float64(2) * x, Tensor)


def test_equal_and_allclose():
    x = leaf([1.0, 2.0])
    assert (
        minigan.equal(x, leaf([1.0, 2.0])) is True and minigan.equal(x, leaf([1.0, 2.5])) is False
    )
    assert minigan.equal(x, leaf([[1.0, 2.0]])) is False
    assert (
        minigan.allclose(x, leaf([1.0, 2.0 + 1e-6])) is True
        and minigan.allclose(x, leaf([1.0, 2.1])) is False
    )


# --- views ---


def test_views_share_memory():
    x = tensor_of(np.arange(12.0).reshape(3, 4))
    views = [
        x.reshape(12),
        x.T,
        x.transpose(0, 1),
        x[1:],
        x[:, 0],
        x.unsqueeze(0),
        x.expand(2, 3, 4),
        x.view(2, 6),
        x.flatten(),
        x.narrow(1, 1, 2),
    ]
    views += [*x.split(2), *x.chunk(2, 1), *x.unbind(), x.squeeze(), x.permute(1, 0), x.detach()]
    assert all(np.shares_memory(v.array, x.array) for v in views)
    copies = [
        x.clone(),
        x[[0, 1]],
        x + 0,
        x.T.contiguous(),
        x.repeat(2, 1),
        x.flip(0),
        minigan.cat([x]),
    ]
    assert not any(np.shares_memory(c.array, x.array) for c in copies)


def test_writing_through_a_view_while_recording():
    x = leaf(np.arange(4.0))
    with pytest.raises(
        RuntimeError, match="item assignment would change a leaf that requires grad through a view"
    ):
        x.reshape(2, 2)[0] = 1.0


# --- errors ---


@pytest.mark.parametrize("call, message", [
    (lambda: leaf(np.ones((2, 3))) + leaf(np.ones((4,))),
        r"add\(input, other, alpha\).*float64\[2, 3\] on cpu, float64\[4\] on cpu"),
    (lambda: leaf(np.ones((2, 3))) @ leaf(np.ones((2, 3))),
        r"matmul\(input, other\).*float64\[2, 3\] on cpu, float64\[2, 3\] on cpu"),
    (lambda: leaf(np.ones((2, 3))).reshape(4),
        r"reshape\(x, shape\).*given: float64\[2, 3\] on cpu, \(4,\)"),
    (lambda: minigan.cat([leaf(np.ones((2, 3))), leaf(np.ones((2, 2)))]),
        r"cat\(dim\).*float64\[2, 3\] on cpu, float64\[2, 2\]"),
    (lambda: minigan.linear(leaf(np.ones((2, 3))), leaf(np.ones((4, 2)))),
        r"linear\(input, weight, bias\)"),
    (lambda: leaf(np.ones((2, 3))).expand(3, 3), r"expand\(x, shape\)"),
    (lambda: minigan.gelu(leaf([1.0]), "tan"), "approximate='tan'; expected 'none' or 'tanh'"),
    (lambda: minigan.clamp(leaf([1.0])), "clamp needs min, max or both"),
])  # fmt: skip
def test_errors_name_the_op_and_its_arguments(call, message):
    with pytest.raises(OpError, match=message):
        call()


@pytest.mark.parametrize("call, error, message", [
    (lambda x: x.sum(2), IndexError, "dimension 2 is out of range for 2 dimensions"),
    (lambda x: x.sum((0, 0)), ValueError, "names a dimension twice"),
    (lambda x: x.permute(0, 0), ValueError, "is no order of the 2 dimensions"),
    (lambda x: x.expand(3), ValueError, "fewer dimensions"),
    (lambda x: x.split([1, 2]), ValueError, "do not add up"),
    (lambda x: x.narrow(0, 1, 5), IndexError, "out of range"),
    (lambda x: x.gather(1, tensor_of(np.array([[5], [0]]))), IndexError,
        r"index ranges over \[0, 5\], dimension 1 has size 3"),
    (lambda x: x.gather(0, tensor_of(np.array([[0.5]]))), TypeError,
        "index is float64, expected integers"),
    (lambda x: minigan.mm(x, x[0]), ValueError, "mm: expected two 2-dimensional"),
    (lambda x: minigan.dot(x, x), ValueError, "dot: expected two vectors"),
    (lambda x: minigan.einsum("ii->i", x), ValueError, "repeated subscript 'i' differ: 2 and 3"),
    (lambda x: minigan.einsum("ij,jk", x), ValueError, "2 terms for 1 operands"),
    (lambda x: (x > 0).mean(), TypeError, "mean of bool elements"),
    (lambda x: minigan.cat([]), ValueError, "at least one tensor"),
    (lambda x: minigan.stack([x, x[0]]), ValueError, "equal shapes"),
    (lambda x: minigan.topk(x, 7), ValueError, "k=7"),
    (lambda x: x.item(), ValueError, r"exactly one element, this Tensor has shape \(2, 3\)"),
])  # fmt: skip
def test_other_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(leaf(np.ones((2, 3))))


# --- batch norm's running statistics ---


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2, 2)])
def test_running_statistics(shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    mean, var = tensor_of(np.full(3, 0.5)), tensor_of(np.full(3, 2.0))
    kept = mean.array
    minigan.batch_norm(tensor_of(x), mean, var, training=True, momentum=0.2)
    values = np.moveaxis(x, 1, 0).reshape(3, -1)
    np.testing.assert_allclose(mean.array, 0.8 * 0.5 + 0.2 * values.mean(1))
    np.testing.assert_allclose(var.array, 0.8 * 2.0 + 0.2 * values.var(1, ddof=1))
    assert mean.array is kept  # in place
    before = mean.array.copy(), var.array.copy()
    minigan.batch_norm(tensor_of(x), mean, var, training=False)
    assert (mean.array == before[0]).all() and (var.array == before[1]).all()


def test_batch_norm_errors():
    x = tensor_of(np.ones((1, 3)))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        minigan.batch_norm(x, training=True)
    with pytest.raises(ValueError, match=r"weight has shape \(2,\), the input has 3 channels"):
        minigan.batch_norm(x, weight=tensor_of(np.ones(2)), training=True)
    with pytest.raises(ValueError, match="needed when not training"):
        minigan.batch_norm(x)
    with pytest.raises(ValueError, match="expected input"):
        minigan.batch_norm(tensor_of(np.ones(3)), training=True)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 20)])
def test_extremes_of_groups_with_nan_and_ties(shape):
    values = np.random.default_rng(0).integers(0, 3, shape).astype(np.float32)
    values[1, 2] = np.nan
    for array in (values, np.asfortranarray(values)):
        x = minigan.tensor(array).requires_grad_()
        x.array = array  # in this layout
        y = x.amax(1)
        np.testing.assert_array_equal(y.detach().numpy(), np.max(array, 1))
        (g,) = minigan.grad(y, x, minigan.ones(*y.shape))
        top = array == np.max(array, 1, keepdims=True)
        np.testing.assert_allclose(
            g.numpy(), top / np.maximum(top.sum(1, keepdims=True), 1), rtol=1e-6
        )


def test_numbers_beside_index_arrays_are_taken_first():
    """PyTorch's shapes; NumPy puts the arrays' dimensions in front."""
    x = minigan.arange(120).view(2, 3, 4, 5)
    i, mask = minigan.tensor([0, 1]), minigan.tensor([True, False, True])
    for found, expected in (
        (x[0, :, i], x[0][:, i]),
        (x[:, 0, :, i], x[:, 0][:, :, i]),
        (x[i, :, 0, i], x[:, :, 0][i, :, i]),
        (x[0, None, i], x[0][None, i]),
        (x[0, ..., i], x[0][..., i]),
        (x[-1, :, i, 1], x[-1][:, :, 1][:, i]),
        (x[1, mask, :, 2], x[1][:, :, 2][mask]),
        (x[0, :, [0, 2]], x[0][:, [0, 2]]),
        (x[0, i], x[0][i]),
    ):
        assert found.shape == expected.shape and minigan.equal(found, expected)
    y = minigan.zeros(3, 4, 5)
    y[1, :, i] = minigan.arange(8.0).view(4, 2)
    assert y[1, 3].tolist() == [6, 7, 0, 0, 0] and not y[0].any()
    y[0, None, i] += 2
    assert y[0].sum(1).tolist() == [10, 10, 0, 0]


def test_writes_beside_index_arrays_are_recorded():
    x, w = minigan.ones(2, 3, 4, requires_grad=True), minigan.ones(3, 2, requires_grad=True)
    y = x * 1
    y[1, :, minigan.tensor([0, 2])] = w * 5
    (y * minigan.arange(24.0).view(2, 3, 4)).sum().backward()
    assert w.grad.tolist() == [[60, 70], [80, 90], [100, 110]]
    assert x.grad[1].tolist() == [[0, 13, 0, 15], [0, 17, 0, 19], [0, 21, 0, 23]]
