"""Python's scalar formulas as C++: the translation, compiled for the host, computes what the Python
function does."""

import math

import fakecuda
import numpy as np
import pytest

from minigan.fast.cuda import SOURCES, elementwise, summed
from minigan.fast.cuda.translate import Formula, TranslationError

LIMIT = 1.5


def scalar_formula(x, y, scale):
    """All that may stand in a formula of numbers."""
    a = max(x, 0.0) + min(y, LIMIT) * scale
    b, new = -a, math.exp(-abs(x))  # `new` is a word of C++
    inside = x > -1 and not y >= 2 or 0 < x <= 0.5
    if inside:
        b += math.sqrt(abs(y)) / 3
    else:
        b -= math.log1p(new)
    return (
        b**2
        if x != y
        else (math.tanh(x) if x > y > 0 else math.erf(b) + math.expm1(x) * math.cos(y))
    )


def loop(c, x, y, z=None, out=None):
    first, second = c[0], c[2]
    for i in range(x.size):
        d = first * x[i] + second
        if z is not None:
            d *= z[i]
        out[i] = d if d > y[i] else y[i]


def total(x, sign):
    total = 0.0
    for i in range(x.size):
        z = sign * x[i]
        total += z * z
        total -= 1
    return total


def compile_and_run():
    return pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))


@compile_and_run()
@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_scalar_formula(dtype, tolerance):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-3, 3, (2, 500)).astype(dtype)
    y[::7] = x[::7]
    expected = [scalar_formula(a.item(), b.item(), 0.7) for a, b in zip(x, y)]
    with fakecuda.with_kernels():
        kernel = elementwise(scalar_formula)
        found = kernel(fakecuda.asarray(x), fakecuda.asarray(y), 0.7)
        np.testing.assert_allclose(found.storage, expected, rtol=tolerance, atol=tolerance)
        shared = kernel(
            fakecuda.asarray(x), fakecuda.asarray(dtype(0.25)), fakecuda.asarray(dtype(0.7))
        )
    expected = [scalar_formula(a.item(), 0.25, float(dtype(0.7))) for a in x]
    np.testing.assert_allclose(shared.storage, expected, rtol=tolerance, atol=tolerance)
    for name in [n for n in SOURCES if n.startswith(__name__)]:
        del SOURCES[name]


@compile_and_run()
@pytest.mark.parametrize("n", [1, 255, 20_000, 100_000])
def test_sums(n):
    x = np.random.default_rng(0).standard_normal(n)
    with fakecuda.with_kernels():
        found = summed(total)(fakecuda.asarray(x), -1, scale=0.5)
    np.testing.assert_allclose(found.storage, 0.5 * total(x, -1), rtol=1e-12)
    for name in [n for n in SOURCES if n.startswith(__name__)]:
        del SOURCES[name]


def test_loops_with_and_without_an_option():
    without, full = Formula(loop, {"z"}), Formula(loop)
    assert "z[i]" not in without.body and "z[i]" in full.body
    assert (
        full.constants == 3
        and full.elements == {"x", "y", "z", "out"}
        and full.loops
        and not full.sums
    )


def unknown_function(x):
    return math.gamma(x)


def unknown_name(x):
    return x + np.pi


def a_while(x):
    while x > 1:
        x = x / 2
    return x


def other_loop(x, out):
    for k in range(x.size):
        out[k] = x[k]


def slices(x, out):
    for i in range(x.size):
        out[i] = x[i - 1]


def product(x):
    total = 1.0
    for i in range(x.size):
        total *= x[i]
    return total


@pytest.mark.parametrize("function, words", [
    (unknown_function, "math.gamma"), (unknown_name, "np.pi"), (a_while, "While"),
    (other_loop, "not called i"),
    (slices, "neither i nor a number"), (product, "this way to sum up"),
], ids=lambda v: getattr(v, "__name__", ""))  # fmt: skip
def test_what_has_no_translation(function, words):
    """The error names the function and the line."""
    with pytest.raises(TranslationError, match=rf"{function.__name__}, line \d+: .*{words}"):
        Formula(function)
