"""PyTorch's own samples give PyTorch's results: ModuleInfo all, OpInfo a few of each op (all of them: `python tests/pytorch/opinfo.py`)."""

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
    (r"nn.functional.interpolate.bi", r"np.uint8", "at ties torch's weights of 15 bits round to one more or less"),
    (r"nn.functional.batch_norm", r"expected input \(N, C, ...\), got shape \(0,\)", "an input without dimensions C is refused"),
]


def unexplained(count):
    """The failures of a Count that the list above does not explain."""
    known = [message for name, message, _ in DIFFERENT if re.match(name, count.title)]
    return [f for f in count.failures if not any(re.search(message, f[1]) for message in known)]


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
        counts, _ = opinfo.run_op(op, most=6)
    assert counts and not [(c.title, *f) for c in counts for f in unexplained(c)]


def test_random_programs():
    """Twenty seconds of the fuzzer: always from the same program on; how many it runs depends on the machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fuzz.search(0, 20)
    assert not found, "\n".join(f"# program {seed}\n{fuzz.describe(*result)}" for seed, result in found)
