"""The scripts for the minutes with a GPU, tried without one: they must have no mistakes of their
own."""

import os
import pathlib
import subprocess
import sys

import fakecuda
import pytest
from load_script import load_script

from minigan.arrays import cuda_problem
from minigan.machine.precision import precision

ROOT = pathlib.Path(__file__).parents[1]
needs_compiler = pytest.mark.skipif(
    fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER)
)


def benchmark(name, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return load_script(ROOT / "benchmarks" / f"{name}.py")


@needs_compiler
def test_smoke(monkeypatch, capsys):
    """All parts on the stand-in: each has said something, and none has failed."""
    smoke = benchmark("gpu_smoke", monkeypatch)
    with fakecuda.with_kernels():
        code = smoke.main(["--tiny", "--seconds", "1000"])
    said = capsys.readouterr().out
    assert code == 0 and "failed: nothing" in said and "left out" not in said, said
    for name, _ in smoke.PARTS:
        assert said.count(f"{name} | ") >= 2


@needs_compiler
def test_smoke_goes_on_after_a_failure(monkeypatch, capsys):
    smoke = benchmark("gpu_smoke", monkeypatch)
    monkeypatch.setattr(smoke.cublas, "matmul", lambda a, b: a)
    smoke.PARTS[:] = smoke.PARTS[1:3]
    with fakecuda.with_kernels():
        assert smoke.main(["--tiny"]) == 1
    said = capsys.readouterr().out
    assert (
        "2 products | FAILED: AssertionError: float32 (65, 23), finite: True, expected float32 "
        "(65, 130) (gpu_smoke.py:" in said
    )
    assert "3 convolutions | whole f32" in said and said.endswith("failed: 2 products\n")
    assert smoke.run(smoke.Sizes(True), -1) == ([], 2)


@needs_compiler
@pytest.mark.parametrize("graph", [True, False])
def test_the_bfloat16_line_multiplies_bfloat16(monkeypatch, graph):
    """And stays so after the step was made: a context manager that nobody keeps would be over at
    once."""
    steps = benchmark("gpu_steps", monkeypatch)
    library, before = fakecuda.cublas_library(), vars(precision).copy()
    try:
        for half, kind in ((True, 14), (False, 0)):
            with fakecuda.with_kernels():
                step, wait = steps.minigan_step("critic", 2, 8, 1, 2, graph=graph, half=half)
                library.calls.clear()
                step(), wait()
            assert len(library.calls) > 5 and {k for k, _ in library.calls} == {kind}
    finally:
        vars(precision).update(before)


@needs_compiler
def test_the_tests_for_a_gpu_have_no_mistakes_of_their_own():
    """Those that are quick on the stand-in pass there."""
    names = "cannot or products or averages or names or random or too_much or identical"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "gpu", "tests/fast/test_gpu.py", "-k", names, "-p",
            "no:cacheprovider", "-rs"],
        capture_output=True, text=True, timeout=300, cwd=ROOT,
        env={**os.environ, "MINIGAN_STAND_IN": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout


def test_torch_compile_only_where_asked_for(monkeypatch):
    steps = benchmark("gpu_steps", monkeypatch)
    for workload in steps.WORKLOADS:
        names, fewer = steps.contenders(workload), steps.contenders(workload, compiled=False)
        assert not any("compile" in n for n in fewer) and set(names) - set(fewer) <= {
            "torch.compile reduce-overhead tf32"
        }
    assert "torch.compile reduce-overhead tf32" in steps.contenders("dcgan64")


def test_no_file_hides_a_package():
    """Python looks for modules first where the script lies: CuPy imports `cuda`, and others their
    own."""
    names = {p.stem for p in (ROOT / "benchmarks").glob("*.py")} | {
        p.stem for p in (ROOT / "examples").glob("*.py")
    }
    assert not names & (
        {"cuda", "cupy", "torch", "jax", "numba", "numpy", "scipy", "tqdm", "PIL"}
        | set(sys.stdlib_module_names)
    )


@pytest.mark.skipif(cuda_problem() is None, reason="there is a GPU here")
@pytest.mark.parametrize("name", "abcd")
def test_without_a_gpu_the_scripts_say_so(tmp_path, name):
    done = subprocess.run(
        ["bash", str(ROOT / "benchmarks" / f"on_gpu_{name}.sh")], capture_output=True, text=True,
        timeout=100, cwd=tmp_path,
        env={**os.environ, "OUT": str(tmp_path / "out"), "PYTHON": sys.executable},
    )  # fmt: skip
    assert done.returncode == 2 and done.stdout.startswith("no GPU to run on: ") and not done.stderr
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["log.txt"]
