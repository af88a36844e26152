"""The table of kernels says what their modules do."""

import importlib
import subprocess
import sys

import minigan.fast.fusion  # noqa: F401  (it has ops of its own)
from minigan.arrays.random import DRAWS
from minigan.autograd import OPS
from minigan.engine import tensor
from minigan.fast.table import Later, entries
from minigan.ops import layout, recurrent, rollout
from minigan.ops.update import AVERAGES, STEPS


def test_each_module_has_the_kernels_that_the_table_says():
    for name, place, module in entries():
        importlib.import_module(f"minigan.fast.{module}")
        assert not isinstance(OPS[name].card.kernels[place], Later), (name, place, module)
    places = [
        DRAWS,
        STEPS,
        AVERAGES,
        tensor.row_major.kernels,
        rollout.lstm_rollout.kernels,
        recurrent.lstm_steps_grad.kernels,
        layout.constant.kernels,
        layout.by_position.kernels,
    ]
    for module in (
        "cpu.random",
        "cuda.philox",
        "updates",
        "cpu.layout",
        "cpu.rollout",
        "cpu.recurrent",
        "cuda.recorder",
        "cuda.columns",
    ):
        importlib.import_module(f"minigan.fast.{module}")
    assert all(places) and not any(
        isinstance(kernel, Later) for kernels in places for kernel in kernels.values()
    )


def test_the_table_has_all_kernels():
    listed = {(name, place) for name, place, _ in entries()}
    # beside their cards
    own = {("batch_norm_activation", "cpu"), ("batch_norm_activation_grad", "cpu")}
    found = {
        (name, place)
        for name, op in OPS.items()
        if op.__module__.startswith("minigan.")
        for place in op.card.kernels
    }
    assert found == listed | own


def test_a_kernel_comes_when_it_is_called():
    """And the first call is by the kernel already, to the bit; a recording meets no stand-in."""
    code = """
import sys, minigan
from minigan.autograd import OPS
from minigan.fast.replay.program import record_step
kernels = ("minigan.fast.cpu.act", "minigan.fast.cuda.")
assert not any(name.startswith(kernels) for name in sys.modules)
x = minigan.linspace(-1, 1, 9)
with record_step([]) as new:
    y = minigan.ops.leaky_relu(x, 0.3)
kernel = OPS["leaky_relu"].card.kernels["cpu"]
assert kernel.__module__ == "minigan.fast.cpu.activation" and new.calls[-1][0] is kernel
assert y.tolist() == minigan.ops.leaky_relu(x, 0.3).tolist() == kernel(x.array, 0.3).tolist()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
