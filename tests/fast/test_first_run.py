"""A process that compiles a kernel computes the bits of those that find it on disk."""

import os
import pathlib
import subprocess
import sys

import numpy as np
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).parents[2]
CODE = """
import hashlib
import numpy as np
import minigan
from minigan import nn

x, g = (np.asfortranarray(np.random.default_rng(i).standard_normal((64, 1024), np.float32))
        for i in range(2))
x = minigan.as_tensor(x).requires_grad_()
layer = nn.Sequential(nn.BatchNorm1d(1024, 0.8), nn.LeakyReLU(0.2))
gradients = minigan.grad(layer(x), [x, *layer.parameters()], minigan.as_tensor(g))
digest = hashlib.sha256()
for a in gradients:
    digest.update(np.ascontiguousarray(a.numpy()).tobytes())
print(digest.hexdigest())
"""


def test_the_first_run_gives_the_bits_of_the_second(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", CODE], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        for _ in range(2)
    ]
    assert "compiling" in runs[0].stderr and "compiling" not in runs[1].stderr
    assert runs[0].stdout and runs[0].stdout == runs[1].stdout


STEP = """
import collections
import sys
from numba.core import event

compiled = collections.Counter()

class Count(event.Listener):
    def on_start(self, event):
        function = event.data["dispatcher"]
        if function.py_func.__module__.startswith("minigan"):
            compiled[function] += 1

    def on_end(self, event):
        pass

event.register("numba:compile", Count())
sys.path.insert(0, "examples")
from mnist_gan import main

arguments = "--dataset strokes --model mlp --device cpu --max-steps 1 --no-graph --out".split()
main([*arguments, sys.argv[1]])
for function, times in compiled.items():
    print("COMPILED", function.py_func.__name__, times)
"""


def test_a_step_compiles_each_function_for_one_set_of_types(tmp_path):
    environment = {
        **os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "MINIGAN_NUM_THREADS": "1",
    }  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-c", STEP, str(tmp_path / "run")],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    lines = [line.split()[1:] for line in run.stdout.splitlines() if line.startswith("COMPILED")]
    assert {name for name, times in lines if times != "1"} == set()
    names = {name for name, _ in lines}
    assert {"_strip", "_channels_backward", "adam_step", "philox_fill"} <= names
    assert len(lines) <= 36  # a kernel more is seconds more: raise this if it is needed
    # what kernels call goes into their code: it has none of its own on disk
    on_disk = {path.name.split("-")[0] for path in tmp_path.glob("cache/*/*.nbc")}
    assert on_disk and not on_disk & {"tiles._strip", "tiles.multiply", "adam._by_rows"}


AHEAD = """
import os
import sys
from numba.core import event
from minigan.fast.cpu import ahead, kernels

def compile_and_end(run):
    kernels.missing.clear()
    for compile_it in reversed(ahead.needed(run)):
        compile_it()
    os._exit(0)

class Tell(event.Listener):
    def on_start(self, event):
        function = event.data["dispatcher"].py_func
        if function.__module__.startswith("minigan"):
            print("COMPILED", function.__name__)

    def on_end(self, event):
        pass

how, *arguments = sys.argv[1:]
if how == "needed":
    ahead._copy = compile_and_end
elif how == "told":
    event.register("numba:compile", Tell())
sys.path.insert(0, "examples")
from mnist_gan import main

main([*"--dataset strokes --model conv --device cpu --max-steps 1 --no-doctor --out".split(),
      *arguments])
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("ALONE")
"""


def run_ahead(tmp_path, how, folder):
    environment = {
        **os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "MINIGAN_NUM_THREADS": "2",
    }  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-c", AHEAD, how, str(tmp_path / folder)],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_what_a_step_needs_is_known_before_it_is_computed(tmp_path):
    run_ahead(tmp_path, "needed", "first")
    told = run_ahead(tmp_path, "told", "second")
    # who looks ahead has one thread; an average of G and the samples are not part of the step
    assert {line.split()[1] for line in told if line.startswith("COMPILED")} <= {
        "worker_loop", "await_workers", "_spin", "_blas_piece", "_blas_piece_in_pieces", "ema_step",
        "_leaky_relu",
    }  # fmt: skip


def test_two_processes_compile_what_one_would(tmp_path):
    """And the second is gone."""
    for folder in ("first", "second"):
        assert "ALONE" in run_ahead(tmp_path, "", folder)
    first, second = (
        load_file(tmp_path / folder / "checkpoints" / "00000001.safetensors")
        for folder in ("first", "second")
    )
    assert first.keys() == second.keys()
    for key, value in first.items():
        if value.dtype == np.float32:
            np.testing.assert_array_equal(value, second[key], err_msg=key)
