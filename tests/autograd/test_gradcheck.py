"""The checker checked: it must catch each of these deliberately wrong rules, and must not accuse a right one near a kink."""

import numpy as np
import pytest

import minigan
from minigan import GradcheckError, NonSmoothError, Tensor, gradcheck, gradgradcheck, raw
from minigan.autograd import OPS, op


def card(cls):
    """The op of a card that is only for these tests."""
    function = op(cls)
    del OPS[cls.__name__]
    return function


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# --- rules that are wrong in the first derivative ---


@card
class square_without_its_factor:
    saves = ("x",)

    def forward(x):
        return x * x

    def backward(g, need, x):
        return g * x


@card
class cos_with_a_wrong_sign:
    saves = ("x",)

    def forward(x):
        return np.cos(x)

    def backward(g, need, x):
        return g * minigan.sin(x)


@card
class product_with_exchanged_gradients:
    saves = ("x", "y")

    def forward(x, y):
        return x * y

    def backward(g, need, x, y):
        return g * x, g * y


@card
class row_scale_that_forgot_the_sum:
    """y = x * w with w (1, C): the gradient of w is a sum over rows, not the first row's."""

    saves = ("x", "w")

    def forward(x, w):
        return x * w

    def backward(g, need, x, w):
        return g * w, (g * x)[:1]


@card
class row_scale_with_a_mean_for_the_sum:
    saves = ("x", "w")

    def forward(x, w):
        return x * w

    def backward(g, need, x, w):
        return g * w, sum((g * x)[i : i + 1] for i in range(len(x))) * (1 / len(x))


def normalised(x):
    d = x - x.mean(0)
    return d / np.sqrt((d * d).mean(0) + 1e-5)


@card
class batch_norm_times_seven:
    """Its gradient is 0 for any cotangent that is constant over the batch: only another one shows the factor."""

    saves = ("x",)

    def forward(x):
        return normalised(x)

    def backward(g, need, x):
        h, rstd = normalised(x), 1 / np.sqrt(((x - x.mean(0)) ** 2).mean(0) + 1e-5)
        return 7 * rstd * (g - g.mean(0) - h * (g * h).mean(0))


@card
class batch_norm_with_constant_statistics:
    saves = ("x",)

    def forward(x):
        return normalised(x)

    def backward(g, need, x):
        return g / np.sqrt(((x - x.mean(0)) ** 2).mean(0) + 1e-5)


@card
class centred_with_no_gradient:
    """y = x - mean x: for a constant cotangent the gradient is 0 indeed."""

    def forward(x):
        return x - x.mean()

    def backward(g, need):
        return g * 0


@card
class linear_with_a_transposed_weight_gradient:
    """Square, so that the shapes do not tell."""

    saves = ("x", "w")

    def forward(x, w):
        return x @ w

    def backward(g, need, x, w):
        return g @ w.T, g.T @ x


@card
class softmax_without_its_sum:
    saves = ("out",)

    def forward(x):
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def backward(g, need, y):
        return g * y


@card
class cumsum_that_is_not_reversed:
    def forward(x):
        return np.cumsum(x)

    def backward(g, need):
        return np.cumsum(g)


@card
class exp_wrong_at_one_element:
    saves = ("out",)

    def forward(x):
        return np.exp(x)

    def backward(g, need, y):
        gx = g * y
        gx[-1] *= 1.01
        return gx


@card
class leaky_relu_with_another_slope:
    """Right for positive numbers."""

    saves = ("x",)

    def forward(x):
        return np.where(x > 0, x, 0.2 * x)

    def backward(g, need, x):
        return np.where(x > 0, g, 0.1 * g)


@card
class cotangent_squared:
    """A gradient must be linear in the cotangent; g = 1 does not show it."""

    saves = ("x",)

    def forward(x):
        return x * x

    def backward(g, need, x):
        return g * g * 2 * x


@card
class maximum_that_pays_the_neighbour:
    saves = ("x",)

    def forward(x):
        return x.max(0)

    def backward(g, need, x):
        gx = np.zeros_like(x)
        gx[(x.argmax(0) + 1) % len(x)] = g
        return gx


@card
class tanh_in_half_precision:
    saves = ("out",)

    def forward(x):
        return np.tanh(x)

    def backward(g, need, y):
        return (g * (1 - y * y)).astype(np.float16).astype(np.float64)


@card
class gradient_with_a_constant_added:
    saves = ("x",)

    def forward(x):
        return np.sin(x)

    def backward(g, need, x):
        return g * np.cos(x) + 1e-3


@card
class gradient_that_is_nan:
    saves = ("x",)

    def forward(x):
        return x * x

    def backward(g, need, x):
        return g * x * np.nan


WRONG = [
    (square_without_its_factor, normal(4)),
    (cos_with_a_wrong_sign, normal(4)),
    (product_with_exchanged_gradients, normal(4), normal(4, seed=1)),
    (row_scale_that_forgot_the_sum, normal(3, 4), normal(1, 4)),
    (row_scale_with_a_mean_for_the_sum, normal(3, 4), normal(1, 4)),
    (batch_norm_times_seven, normal(5, 3)),
    (batch_norm_with_constant_statistics, normal(5, 3)),
    (centred_with_no_gradient, normal(6)),
    (linear_with_a_transposed_weight_gradient, normal(3, 3), normal(3, 3, seed=1)),
    (softmax_without_its_sum, normal(2, 4)),
    (cumsum_that_is_not_reversed, normal(5)),
    (exp_wrong_at_one_element, normal(50)),
    (leaky_relu_with_another_slope, np.array([1.0, 2.0, -1.0, 0.5])),
    (cotangent_squared, normal(4)),
    (maximum_that_pays_the_neighbour, np.array([0.3, 2.0, -1.0])),
    (tanh_in_half_precision, normal(20)),
    (gradient_with_a_constant_added, normal(4)),
    (gradient_that_is_nan, normal(4)),
]


@pytest.mark.parametrize("function, inputs", [(f, x) for f, *x in WRONG], ids=[f.__name__ for f, *_ in WRONG])
@pytest.mark.parametrize("seed", range(3))
def test_wrong_rules_are_caught(function, inputs, seed):
    tensors = [Tensor(x.copy(), True) for x in inputs]
    with pytest.raises(GradcheckError, match="analytic directional derivative") as error:
        gradcheck(function, tensors, seed=seed)
    assert not isinstance(error.value, NonSmoothError)
    assert gradcheck(function, tensors, seed=seed, raise_exception=False) is False


def test_a_constant_cotangent_would_hide_them():
    """Why the checker takes random ones: what these rules do for ones is right."""
    for function, right in ((batch_norm_times_seven, 0), (centred_with_no_gradient, 0)):
        x = Tensor(normal(5, 3), True)
        (g,) = minigan.grad(function(x), x, Tensor(np.ones((5, 3))))
        np.testing.assert_allclose(g.array, right, atol=1e-12)


def test_inputs_from_the_same_seed_are_no_excuse():
    """Were the cotangent equal to x, then x^T x would hide the transposition."""
    for seed in range(5):
        x, w = Tensor(normal(3, 3, seed=seed), True), Tensor(normal(3, 3, seed=99), True)
        assert not gradcheck(linear_with_a_transposed_weight_gradient, [x, w], seed=seed, raise_exception=False)


# --- rules that are right in the first derivative, wrong in the second ---


@card
class square_cut_off_its_argument:
    """raw() loses the tape: the gradient is right, its derivative 0."""

    saves = ("x",)

    def forward(x):
        return x * x

    def backward(g, need, x):
        return g * raw(x) * 2


@card
class triple_cut_off_its_cotangent:
    """The gradient is right, but not a function of the cotangent any more; nothing in it requires grad."""

    def forward(x):
        return x * 3.0

    def backward(g, need):
        return Tensor(raw(g) * 3.0) if isinstance(g, Tensor) else g * 3.0


@card
class square_partly_cut_off_its_cotangent:
    saves = ("x",)

    def forward(x):
        return x * x

    def backward(g, need, x):
        return x * raw(g) * 2


@card
class _wrong_tanh_grad:
    saves = ("g", "y")

    def forward(g, y):
        return g * (1 - y * y)

    def backward(gg, need, g, y):
        return gg * (1 - y * y), gg * g * y * -1  # should be -2


@card
class tanh_with_a_wrong_second_rule:
    saves = ("out",)

    def forward(x):
        return np.tanh(x)

    def backward(g, need, y):
        return _wrong_tanh_grad(g, y)


@card
class kernel_whose_formula_is_another:
    """The fused rule is right, the formula that higher orders go through is not."""

    saves = ("x",)

    def forward(x):
        return np.sin(x)

    def backward(g, need, x):
        return g * np.cos(x)

    def formula(x):
        return minigan.sin(x) + x * x * 0.01


SECOND = [
    square_cut_off_its_argument,
    triple_cut_off_its_cotangent,
    square_partly_cut_off_its_cotangent,
    tanh_with_a_wrong_second_rule,
    kernel_whose_formula_is_another,
]


@pytest.mark.parametrize("function", SECOND, ids=lambda f: f.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_wrong_second_derivatives_are_caught(function, seed):
    x = Tensor(normal(4), True)
    assert gradcheck(function, x, seed=seed)
    with pytest.raises(GradcheckError):
        gradgradcheck(function, x, seed=seed)


def test_float32_accuracy_is_caught_by_a_tighter_tolerance():
    """The differences are accurate to about 1e-11, so tolerances may be as tight as that."""

    @card
    class tanh_in_single_precision:
        saves = ("out",)

        def forward(x):
            return np.tanh(x)

        def backward(g, need, y):
            return (g * (1 - y * y)).astype(np.float32).astype(np.float64)

    x = Tensor(normal(20), True)
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
    inputs = [Tensor(normal(3, 2, seed=i), True) for i in range(count)]
    assert gradcheck(function, inputs) and gradgradcheck(function, inputs)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3), (2, 1, 3)], ids=str)
def test_shapes(shape):
    x = Tensor(np.array(normal(*shape)), True)
    assert gradcheck(minigan.sin, x) and gradgradcheck(minigan.sin, x)


def test_constants_and_integers_beside_the_inputs():
    x, c, i = Tensor(normal(3), True), Tensor(normal(3, seed=1)), Tensor(np.array([1, 0, 1]))
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
@pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-8, 1e-6, 1e-5, 3e-5, 5e-5, 7e-5, 1e-4, 2e-4, 1e-2])
def test_kinks_are_no_errors(function, distance):
    """At, near and beside a kink: passed or declared non-smooth, never called wrong. Both kinds of derivative."""
    for sign in (-1, 1):
        x = Tensor(np.array([sign * distance, 1.0, -0.7]), True)
        for check in (gradcheck, gradgradcheck):
            for seed in range(4):
                try:
                    check(function, x, seed=seed)
                except NonSmoothError:
                    assert distance < 1e-3, "declared non-smooth far from the kink"


@pytest.mark.parametrize("distance", [0.0, 1e-8, 3e-5, 7e-5])
def test_a_kink_is_noticed(distance):
    with pytest.raises(NonSmoothError, match="input 0: finite differences disagree.*kink"):
        gradcheck(minigan.relu, Tensor(np.array([distance]), True))


def test_jumps_are_noticed():
    with pytest.raises(NonSmoothError):
        gradcheck(minigan.floor, Tensor(np.array([1.00001, 0.5]), True))


def test_leaving_the_domain_is_no_error_of_the_rule():
    with np.errstate(all="ignore"), pytest.raises(NonSmoothError, match="not finite"):
        gradcheck(minigan.log, Tensor(np.array([1e-5, 1.0]), True))
    assert gradcheck(minigan.log, Tensor(np.array([1e-5, 1.0]), True), eps=1e-8, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e8])
def test_scales_of_the_result(scale):
    x = Tensor(normal(5), True)
    assert gradcheck(lambda x: minigan.sin(x) * scale, x)
    assert gradgradcheck(lambda x: minigan.sin(x) * scale, x)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: square_without_its_factor(x) * scale, x, atol=1e-9 * scale)


@pytest.mark.parametrize("scale", [1e-3, 1e3, 1e5])
def test_scales_of_the_argument(scale):
    x = Tensor(normal(5) * scale, True)
    assert gradcheck(lambda x: minigan.sin(x * (1 / scale)), x, eps=1e-4 * scale)
    assert gradcheck(lambda x: x * x, x, eps=1e-4 * scale)
    with pytest.raises(GradcheckError):
        gradcheck(square_without_its_factor, x, eps=1e-4 * scale)


# --- how it is used ---


def test_float32_is_refused():
    with pytest.raises(ValueError, match=r"inputs\[0\] is float32.*float64.*double"):
        gradcheck(minigan.sin, Tensor(np.ones(2, np.float32), True))


def test_nothing_to_check_is_refused():
    with pytest.raises(ValueError, match="none of the inputs requires a gradient"):
        gradcheck(minigan.sin, Tensor(np.ones(2)))


def test_a_function_that_loses_the_tape_is_caught():
    with pytest.raises(GradcheckError, match="no output requires a gradient"):
        gradcheck(lambda x: (x * x).detach(), Tensor(np.ones(2), True))
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x + (x * x).detach(), Tensor(np.ones(2), True))


def test_inputs_are_left_alone():
    x, w = Tensor(normal(3), True), Tensor(normal(3, seed=1), True)
    before = x.array.copy(), w.array.copy()
    gradcheck(minigan.mul, [x, w])
    gradgradcheck(minigan.mul, [x, w])
    assert x.grad is None and w.grad is None and x.requires_grad
    np.testing.assert_array_equal(x.array, before[0])
    np.testing.assert_array_equal(w.array, before[1])


def test_given_cotangents():
    x = Tensor(normal(3), True)
    assert gradgradcheck(minigan.sin, x, [Tensor(normal(3, seed=5))])
    assert gradgradcheck(minigan.sin, x, [Tensor(normal(3, seed=5), True)])
    assert gradgradcheck(lambda x: x * 3.0, x, [Tensor(normal(3, seed=5))])
