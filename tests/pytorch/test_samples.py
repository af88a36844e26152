"""PyTorch's own samples give PyTorch's results: ModuleInfo all, OpInfo a few of each op (all of
them: `python tests/pytorch/opinfo.py`)."""

import re
import warnings

import pytest

torch = pytest.importorskip("torch")
for needed in ("expecttest", "pytz"):
    pytest.importorskip(needed, reason=f"PyTorch's samples need {needed}")
pytestmark = pytest.mark.torch

from pytorch import fuzz, moduleinfo, opinfo  # noqa: E402

from minigan import nn  # noqa: E402

MODULES = [m for m in moduleinfo.chosen([]) if hasattr(nn, m.module_cls.__name__)]
OPS = [op for op in opinfo.chosen([]) if opinfo.function_of(op)]

# What differs on purpose (docs/porting.md): the op, what the failure says, and why.
DIFFERENT = [
    (
        r"nn.functional.interpolate.bi",
        r"np.uint8",
        "at ties torch's weights of 15 bits round to one more or less",
    ),
    (
        r"nn.functional.conv|addbmm|nn.functional.scaled_dot",
        r"np.float16",
        "products in float16 are summed up in another order",
    ),
    (
        r"nn.functional.soft_margin_loss",
        r"torch np.float16\(inf\)",
        "a logarithm that does not overflow in float16",
    ),
    (
        r"bernoulli",
        r"requires_grad False, torch True",
        "torch lets what it draws require a gradient, which is zero",
    ),
    (
        r"copysign",
        r"requires_grad False, torch True",
        "the gradient of the sign is zero: it is not recorded",
    ),
    (
        r"nn.functional.batch_norm",
        r"expected input \(N, C, ...\), got shape \(0,\)",
        "an input without dimensions C is refused",
    ),
    (
        r"sort|topk|kthvalue|mode",
        r"^\[1\] .*np.int64",
        "of equal elements, which one's position is given is torch's choice",
    ),
    (r"argsort", r"np.int64", "of equal elements, which one's position is given is torch's choice"),
    (r"cat", r"arguments of different dtypes", "two kinds of floats in one operation are an error"),
    (
        r"nn.functional.margin_ranking_loss",
        r"np.float32\(0.0\), torch",
        "differences of uint8 wrap around in torch",
    ),
    (
        r"linalg.norm",
        r"gradient 2 .*np.float64\(0.0\), torch np.float64\(nan\)",
        "the second derivative of a norm at 0 counts as 0",
    ),
    (
        r"nn.functional.grid_sample",
        r"the gradient does not require a gradient, torch's does .*mode='nearest'",
        "the nearest element is constant in pieces: the gradient of the places is zero and not "
        "recorded",
    ),
    (
        r"cov",
        r"gradient 2 ",
        "float32 weights beside float64 numbers are multiplied in another order",
    ),
    (r"normal.number_mean", r"unexpected keyword argument 'layout'", "layout= is no argument"),
    (
        r"zero_|resize_as_",
        r"no attribute '(zero_|resize_as_)'",
        "what writes into a Tensor is a method",
    ),
]


def unexplained(count):
    """The failures of a Count that the list above does not explain."""
    known = [message for name, message, _ in DIFFERENT if re.match(name, count.title)]
    return [
        f
        for f in count.failures  # (the order, what differs, the sample)
        if not any(re.search(message, f"{f[1]} {f[2]}") for message in known)
    ]


@pytest.mark.parametrize("info", MODULES, ids=lambda m: m.module_cls.__name__)
def test_modules(info):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        count = moduleinfo.run_module(info, thorough=False)
    assert count.passed.get("forward") and not unexplained(count)


@pytest.mark.parametrize("op", OPS, ids=lambda op: opinfo.title(op, "function"))
def test_ops(op):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counts, _ = opinfo.run_op(op, most=4)
    failures = [(c.title, *f) for c in counts for f in unexplained(c)]
    assert counts and not failures, "\n".join(map(str, failures))


def test_random_programs():
    """Twenty seconds of the fuzzer: always from the same program on; how many it runs depends on
    the machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fuzz.search(0, 20)
    assert not found, "\n".join(
        f"# program {seed}\n{fuzz.describe(*result)}" for seed, result in found
    )
