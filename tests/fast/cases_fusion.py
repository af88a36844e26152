"""Cases: a layer and its activation as one op, against loops and the textbook activations."""

import math

import numpy as np
from hypothesis import strategies as st
from ops import cases_convolution as convolution
from ops.case import Case, fill, seeds
from ops.cases_normalization import batch_norm, batches, leaky
from ops.cases_product import linear, linear_inputs

import minigan.fast.fusion  # noqa: F401  (it has ops of its own)
from minigan.fast.batch_norm_activation import batch_norm_activation

SCALARS = {
    "leaky_relu": lambda v, slope: v if v > 0 else slope * v,
    "tanh": lambda v, slope: math.tanh(v),
    "sigmoid": lambda v, slope: 1 / (1 + math.exp(-v)),
    "softplus": lambda v, slope: math.log1p(math.exp(v)),
}


def reference(x, w, b, activation, slope):
    y = linear(x, w, b)
    for index, v in np.ndenumerate(y):
        y[index] = SCALARS[activation](v, slope)
    return y


@st.composite
def convolutions(draw):
    x, y, w, geometry = draw(convolution.problems())
    bias = fill(draw(seeds), (len(w),)) if draw(st.booleans()) else None
    return x, w, bias, geometry, draw(st.sampled_from([0.2, 0.01, 1.5]))


@st.composite
def inputs(draw, bias=True):
    x, w, *b = draw(linear_inputs(bias))
    return (
        x,
        w,
        b[0] if b else None,
        draw(st.sampled_from(sorted(SCALARS))),
        draw(st.sampled_from([0.2, 0.01, 1.5])),
    )


# rules: test_linear_activation.py
ELSEWHERE = "activation_grad activation_grad_and_sums batch_norm_activation_grad"
CASES = [
    Case("linear_activation", inputs(), reference),
    Case("linear_activation:no bias", inputs(False), reference),
    Case(
        "conv_activation", convolutions(),
        lambda x, w, b, geometry, slope: leaky(convolution.conv(x, w, b, geometry), slope),
    ),
    *(
        Case(
            f"batch_norm_activation:{slope}", batches(), lambda x, w, b, eps,
            slope=slope: leaky(batch_norm(x, w, b, eps), slope),
            call=lambda x, w, b, eps, slope=slope: batch_norm_activation(x, w, b, None, None, 0.1,
                eps, slope),
            card_args=lambda x, w, b, eps, slope=slope: (x, w, b, None, None, 0.1, eps, slope),
            bare=False, tolerance=5e-4,
            op="batch_norm_activation",
        )
        for slope in (0.2, 0.0, -0.5)
    ),
]  # fmt: skip
