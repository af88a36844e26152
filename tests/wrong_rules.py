"""Cards with deliberately wrong backward rules, which the gradient checker must catch. Nobody else may use them."""

import numpy as np

import minigan
from minigan import Tensor, raw
from minigan.autograd import OPS, op, tensor_of


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
        return tensor_of(raw(g) * 3.0) if isinstance(g, Tensor) else g * 3.0


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
