"""The checker checked: it must catch each of these deliberately wrong rules, and must not accuse a
right one near a kink."""

import numpy as np
import pytest
from wrong_rules import (
    SECOND,
    WRONG,
    batch_norm_times_seven,
    card,
    centred_with_no_gradient,
    linear_with_a_transposed_weight_gradient,
    normal,
    square_without_its_factor,
)

import minigan
from minigan import GradcheckError, NonSmoothError, gradcheck, gradgradcheck
from minigan.autograd import tensor_of


@pytest.mark.parametrize(
    "function, inputs", [(f, x) for f, *x in WRONG], ids=[f.__name__ for f, *_ in WRONG]
)
@pytest.mark.parametrize("seed", range(3))
def test_wrong_rules_are_caught(function, inputs, seed):
    tensors = [tensor_of(x.copy(), True) for x in inputs]
    with pytest.raises(GradcheckError, match="analytic directional derivative") as error:
        gradcheck(function, tensors, seed=seed)
    assert not isinstance(error.value, NonSmoothError)
    assert gradcheck(function, tensors, seed=seed, raise_exception=False) is False


def test_a_constant_cotangent_would_hide_them():
    """Why the checker takes random ones: what these rules do for ones is right."""
    for function, right in ((batch_norm_times_seven, 0), (centred_with_no_gradient, 0)):
        x = tensor_of(normal(5, 3), True)
        (g,) = minigan.grad(function(x), x, tensor_of(np.ones((5, 3))))
        np.testing.assert_allclose(g.array, right, atol=1e-12)


def test_inputs_from_the_same_seed_are_no_excuse():
    """Were the cotangent equal to x, then x^T x would hide the transposition."""
    for seed in range(5):
        x, w = tensor_of(normal(3, 3, seed=seed), True), tensor_of(normal(3, 3, seed=99), True)
        assert not gradcheck(
            linear_with_a_transposed_weight_gradient, [x, w], seed=seed, raise_exception=False
        )


@pytest.mark.parametrize("function", SECOND, ids=lambda f: f.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_wrong_second_derivatives_are_caught(function, seed):
    x = tensor_of(normal(4), True)
    assert gradcheck(function, x, seed=seed)
    with pytest.raises(GradcheckError):
        gradgradcheck(function, x, seed=seed)


def test_float32_accuracy_is_caught_by_a_tighter_tolerance():
    """The differences are accurate to about 1e-11, so tolerances may be as tight as that."""

    @card(saves=("out",))
    def tanh_in_single_precision(x):
        return np.tanh(x)

    @tanh_in_single_precision.backward
    def _(g, need, y):
        return (g * (1 - y * y)).astype(np.float32).astype(np.float64)

    x = tensor_of(normal(20), True)
    with pytest.raises(GradcheckError):
        gradcheck(tanh_in_single_precision, x, rtol=1e-9, atol=1e-10)
    assert gradcheck(minigan.tanh, x, rtol=1e-9, atol=1e-10)


# --- right rules ---

RIGHT = {
    "sin": (minigan.sin, 1),
    "square": (minigan.square, 1),
    "cubic": (lambda x: x * x * x - x, 1),
    "product": (lambda x, y: x * y.tanh(), 2),
    "several results": (lambda x, y: [x * y, x.sin(), y.exp() * 0.1], 2),
    "linear": (lambda x: x * 3.0, 1),
    "one argument unused": (lambda x, y: x * x, 2),
    "no slope": (lambda x: x * 0.0, 1),
}


@pytest.mark.parametrize("function, count", RIGHT.values(), ids=RIGHT)
def test_right_rules_pass(function, count):
    inputs = [tensor_of(normal(3, 2, seed=i), True) for i in range(count)]
    assert gradcheck(function, inputs) and gradgradcheck(function, inputs)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3), (2, 1, 3)], ids=str)
def test_shapes(shape):
    x = tensor_of(np.array(normal(*shape)), True)
    assert gradcheck(minigan.sin, x) and gradgradcheck(minigan.sin, x)


def test_constants_and_integers_beside_the_inputs():
    x = tensor_of(normal(3), True)
    c = tensor_of(normal(3, seed=1))
    i = tensor_of(np.array([1, 0, 1]))
    assert gradcheck(lambda x, c, i, k: minigan.where(i > 0, x * c, x * k), [x, c, i, 2.0])
    assert gradgradcheck(lambda x, c: x * x * c, [x, c])


KINKED = {
    "abs": lambda x: minigan.abs(x),
    "relu": lambda x: minigan.relu(x),
    "leaky_relu": lambda x: minigan.leaky_relu(x, 0.2),
    "maximum": lambda x: minigan.maximum(x, -x * 0.5),
    "clamp": lambda x: minigan.clamp(x, 0.0, 3.0),
    "abs of sin": lambda x: minigan.abs(minigan.sin(x)) + x * x,
}


@pytest.mark.parametrize("function", KINKED.values(), ids=KINKED)
@pytest.mark.parametrize(
    "distance", [0.0, 1e-12, 1e-8, 1e-6, 1e-5, 3e-5, 5e-5, 7e-5, 1e-4, 2e-4, 1e-2]
)
def test_kinks_are_no_errors(function, distance):
    """At, near and beside a kink: passed or declared non-smooth, never called wrong. Both kinds of
    derivative."""
    for sign in (-1, 1):
        x = tensor_of(np.array([sign * distance, 1.0, -0.7]), True)
        for check in (gradcheck, gradgradcheck):
            for seed in range(4):
                try:
                    check(function, x, seed=seed)
                except NonSmoothError:
                    assert distance < 1e-3, "declared non-smooth far from the kink"


@pytest.mark.parametrize("distance", [0.0, 1e-8, 3e-5, 7e-5])
def test_a_kink_is_noticed(distance):
    with pytest.raises(NonSmoothError, match="input 0: finite differences disagree.*kink"):
        gradcheck(minigan.relu, tensor_of(np.array([distance]), True))


def test_jumps_are_noticed():
    with pytest.raises(NonSmoothError):
        gradcheck(minigan.floor, tensor_of(np.array([1.00001, 0.5]), True))


def test_leaving_the_domain_is_no_error_of_the_rule():
    with np.errstate(all="ignore"), pytest.raises(NonSmoothError, match="not finite"):
        gradcheck(minigan.log, tensor_of(np.array([1e-5, 1.0]), True))
    assert gradcheck(minigan.log, tensor_of(np.array([1e-5, 1.0]), True), eps=1e-8, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e8])
def test_scales_of_the_result(scale):
    x = tensor_of(normal(5), True)
    assert gradcheck(lambda x: minigan.sin(x) * scale, x)
    assert gradgradcheck(lambda x: minigan.sin(x) * scale, x)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: square_without_its_factor(x) * scale, x, atol=1e-9 * scale)


@pytest.mark.parametrize("scale", [1e-3, 1e3, 1e5])
def test_scales_of_the_argument(scale):
    x = tensor_of(normal(5) * scale, True)
    assert gradcheck(lambda x: minigan.sin(x * (1 / scale)), x, eps=1e-4 * scale)
    assert gradcheck(lambda x: x * x, x, eps=1e-4 * scale)
    with pytest.raises(GradcheckError):
        gradcheck(square_without_its_factor, x, eps=1e-4 * scale)


# --- how it is used ---


def test_float32_is_refused():
    with pytest.raises(ValueError, match=r"inputs\[0\] is float32.*float64.*double"):
        gradcheck(minigan.sin, tensor_of(np.ones(2, np.float32), True))


def test_nothing_to_check_is_refused():
    with pytest.raises(ValueError, match="none of the inputs requires a gradient"):
        gradcheck(minigan.sin, tensor_of(np.ones(2)))


def test_a_function_that_loses_the_tape_is_caught():
    with pytest.raises(GradcheckError, match="no output requires a gradient"):
        gradcheck(lambda x: (x * x).detach(), tensor_of(np.ones(2), True))
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x + (x * x).detach(), tensor_of(np.ones(2), True))


def test_inputs_are_left_alone():
    x, w = tensor_of(normal(3), True), tensor_of(normal(3, seed=1), True)
    before = x.array.copy(), w.array.copy()
    gradcheck(minigan.mul, [x, w])
    gradgradcheck(minigan.mul, [x, w])
    assert x.grad is None and w.grad is None and x.requires_grad
    np.testing.assert_array_equal(x.array, before[0])
    np.testing.assert_array_equal(w.array, before[1])


def test_given_cotangents():
    x = tensor_of(normal(3), True)
    assert gradgradcheck(minigan.sin, x, [tensor_of(normal(3, seed=5))])
    assert gradgradcheck(minigan.sin, x, [tensor_of(normal(3, seed=5), True)])
    assert gradgradcheck(lambda x: x * 3.0, x, [tensor_of(normal(3, seed=5))])
