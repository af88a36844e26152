"""Cards with deliberately wrong backward rules, which the gradient checker must catch. Nobody else
may use them."""

import numpy as np

import minigan
from minigan import Tensor, raw
from minigan.autograd import OPS, op, tensor_of


def card(forward=None, **options):
    """As `op`, for cards that are only for these tests."""
    if forward is None:
        return lambda forward: card(forward, **options)
    function = op(**options)(forward)
    del OPS[forward.__name__]
    return function


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# --- rules that are wrong in the first derivative ---


@card(saves=("x",))
def square_without_its_factor(x):
    return x * x


@square_without_its_factor.backward
def _(g, need, x):
    return g * x


@card(saves=("x",))
def cos_with_a_wrong_sign(x):
    return np.cos(x)


@cos_with_a_wrong_sign.backward
def _(g, need, x):
    return g * minigan.sin(x)


@card(saves=("x", "y"))
def product_with_exchanged_gradients(x, y):
    return x * y


@product_with_exchanged_gradients.backward
def _(g, need, x, y):
    return g * x, g * y


@card(saves=("x", "w"))
def row_scale_that_forgot_the_sum(x, w):
    """y = x * w with w (1, C): the gradient of w is a sum over rows, not the first row's."""
    return x * w


@row_scale_that_forgot_the_sum.backward
def _(g, need, x, w):
    return g * w, (g * x)[:1]


@card(saves=("x", "w"))
def row_scale_with_a_mean_for_the_sum(x, w):
    return x * w


@row_scale_with_a_mean_for_the_sum.backward
def _(g, need, x, w):
    return g * w, sum((g * x)[i : i + 1] for i in range(len(x))) * (1 / len(x))


def normalised(x):
    d = x - x.mean(0)
    return d / np.sqrt((d * d).mean(0) + 1e-5)


@card(saves=("x",))
def batch_norm_times_seven(x):
    """Its gradient is 0 for any cotangent that is constant over the batch: only another one shows
    the factor."""
    return normalised(x)


@batch_norm_times_seven.backward
def _(g, need, x):
    h, rstd = normalised(x), 1 / np.sqrt(((x - x.mean(0)) ** 2).mean(0) + 1e-5)
    return 7 * rstd * (g - g.mean(0) - h * (g * h).mean(0))


@card(saves=("x",))
def batch_norm_with_constant_statistics(x):
    return normalised(x)


@batch_norm_with_constant_statistics.backward
def _(g, need, x):
    return g / np.sqrt(((x - x.mean(0)) ** 2).mean(0) + 1e-5)


@card
def centred_with_no_gradient(x):
    """y = x - mean x: for a constant cotangent the gradient is 0 indeed."""
    return x - x.mean()


@centred_with_no_gradient.backward
def _(g, need):
    return g * 0


@card(saves=("x", "w"))
def linear_with_a_transposed_weight_gradient(x, w):
    """Square, so that the shapes do not tell."""
    return x @ w


@linear_with_a_transposed_weight_gradient.backward
def _(g, need, x, w):
    return g @ w.T, g.T @ x


@card(saves=("out",))
def softmax_without_its_sum(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@softmax_without_its_sum.backward
def _(g, need, y):
    return g * y


@card
def cumsum_that_is_not_reversed(x):
    return np.cumsum(x)


@cumsum_that_is_not_reversed.backward
def _(g, need):
    return np.cumsum(g)


@card(saves=("out",))
def exp_wrong_at_one_element(x):
    return np.exp(x)


@exp_wrong_at_one_element.backward
def _(g, need, y):
    gx = g * y
    gx[-1] *= 1.01
    return gx


@card(saves=("x",))
def leaky_relu_with_another_slope(x):
    """Right for positive numbers."""
    return np.where(x > 0, x, 0.2 * x)


@leaky_relu_with_another_slope.backward
def _(g, need, x):
    return np.where(x > 0, g, 0.1 * g)


@card(saves=("x",))
def cotangent_squared(x):
    """A gradient must be linear in the cotangent; g = 1 does not show it."""
    return x * x


@cotangent_squared.backward
def _(g, need, x):
    return g * g * 2 * x


@card(saves=("x",))
def maximum_that_pays_the_neighbour(x):
    return x.max(0)


@maximum_that_pays_the_neighbour.backward
def _(g, need, x):
    gx = np.zeros_like(x)
    gx[(x.argmax(0) + 1) % len(x)] = g
    return gx


@card(saves=("out",))
def tanh_in_half_precision(x):
    return np.tanh(x)


@tanh_in_half_precision.backward
def _(g, need, y):
    return (g * (1 - y * y)).astype(np.float16).astype(np.float64)


@card(saves=("x",))
def gradient_with_a_constant_added(x):
    return np.sin(x)


@gradient_with_a_constant_added.backward
def _(g, need, x):
    return g * np.cos(x) + 1e-3


@card(saves=("x",))
def gradient_that_is_nan(x):
    return x * x


@gradient_that_is_nan.backward
def _(g, need, x):
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


# --- rules that are right in the first derivative, wrong in the second ---


@card(saves=("x",))
def square_cut_off_its_argument(x):
    """raw() loses the tape: the gradient is right, its derivative 0."""
    return x * x


@square_cut_off_its_argument.backward
def _(g, need, x):
    return g * raw(x) * 2


@card
def triple_cut_off_its_cotangent(x):
    """The gradient is right, but not a function of the cotangent any more; nothing in it requires
    grad."""
    return x * 3.0


@triple_cut_off_its_cotangent.backward
def _(g, need):
    return tensor_of(raw(g) * 3.0) if isinstance(g, Tensor) else g * 3.0


@card(saves=("x",))
def square_partly_cut_off_its_cotangent(x):
    return x * x


@square_partly_cut_off_its_cotangent.backward
def _(g, need, x):
    return x * raw(g) * 2


@card(saves=("g", "y"))
def _wrong_tanh_grad(g, y):
    return g * (1 - y * y)


@_wrong_tanh_grad.backward
def _(gg, need, g, y):
    return gg * (1 - y * y), gg * g * y * -1  # should be -2


@card(saves=("out",))
def tanh_with_a_wrong_second_rule(x):
    return np.tanh(x)


@tanh_with_a_wrong_second_rule.backward
def _(g, need, y):
    return _wrong_tanh_grad(g, y)


@card(saves=("x",))
def kernel_whose_formula_is_another(x):
    """The fused rule is right, the formula that higher orders go through is not."""
    return np.sin(x)


@kernel_whose_formula_is_another.backward
def _(g, need, x):
    return g * np.cos(x)


@kernel_whose_formula_is_another.formula
def _(x):
    return minigan.sin(x) + x * x * 0.01


SECOND = [
    square_cut_off_its_argument,
    triple_cut_off_its_cotangent,
    square_partly_cut_off_its_cotangent,
    tanh_with_a_wrong_second_rule,
    kernel_whose_formula_is_another,
]
