"""Kernels that call kernels."""

import ast
from pathlib import Path

import numpy as np
import pytest

import minigan
from minigan.fast.cpu import kernels, patches, softmax
from minigan.fast.cpu.kernels import ALLOCATORS, _options, compiled, kernel, piece


@kernel
def _put(x, i, value):
    x[i] = value * i


@kernel
def _put_twice(x, i):
    _put(x, i, x.dtype.type(2))
    _put(x, i + 1, x.dtype.type(2))


@kernel
def _fill(x):
    _put(x, 0, x.dtype.type(3))
    _put(x, 1, x.dtype.type(3))
    _put_twice(x, 2)
    _put_twice(x, len(x) - 2)


@kernel
def _halves(x, parts):
    total = x.dtype.type(0)
    for i in range(parts):
        total += x[i] / x.dtype.type(2)
    return total


@kernel
def _sums(x, y):
    y[0], y[1] = _halves(x, 1), _halves(x, x.size)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_kernel_that_calls_kernels_does_what_its_text_says(dtype):
    x, expected = np.zeros(6, dtype), np.zeros(6, dtype)
    _fill(x)
    _fill.reference(expected)
    assert x.tolist() == expected.tolist() == [0, 3, 4, 6, 8, 10]


def test_what_kernels_call_is_compiled_once_whatever_numbers_stand_in_the_call():
    _sums(np.arange(4, dtype=np.float32), y := np.zeros(2, np.float32))
    assert y.tolist() == [0, 3]
    assert len(piece(_halves.reference).signatures) == 1
    assert compiled(_halves.reference).signatures == []  # nobody has called it from Python


def test_what_kernels_call_has_no_machine_code_of_its_own():
    _sums(np.arange(4, dtype=np.float32), np.zeros(2, np.float32))
    (result,) = piece(_halves.reference).overloads.values()
    assert result.library.get_pointer_to_function(result.fndesc.llvm_func_name) == 0


@kernel
def _twice(x):
    for i in range(x.size):
        x[i] += x[i]


@kernel
def _four_times(x):
    _twice(x)
    _twice(x)


def test_a_kernel_may_be_called_from_python_and_by_kernels():
    x = np.ones(3, np.float32)
    _four_times(x)
    _twice(x)
    assert x.tolist() == [8, 8, 8]


def test_code_on_disk_that_another_process_holds_is_left_alone(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    index, done = str(tmp_path / "k.nbi"), []
    monkeypatch.setattr(kernels, "PAUSE", 0)
    with open(f"{index}.lock", "wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert kernels._alone(index, done.append, 1) is None and done == []
    kernels._alone(index, done.append, 2)
    kernels._alone(str(tmp_path / "missing" / "k.nbi"), done.append, 3)
    assert done == [2, 3]


def all_kernels():
    """(file, definition) of all kernels."""
    for file in sorted(Path(minigan.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                words = [ast.unparse(d).partition("kernel,")[0] for d in node.decorator_list]
                if "kernel" in words or "functools.partial(" in words:
                    yield file, node


def arrays_of(kernel):
    """Names of arrays, as far as its text tells: what is made, or of which an element is taken."""
    found = set()
    for node in ast.walk(kernel):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            found.add(node.value.id)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            called = ast.unparse(node.value.func).rpartition(".")[2]
            if called in ALLOCATORS | {"carray"}:
                found.update(ast.unparse(target) for target in node.targets)
    return found


def test_kernels_give_back_no_arrays():
    """See `kernels._options`: memory would never be freed, or twice."""
    seen = 0
    for file, node in all_kernels():
        seen += 1
        arrays = arrays_of(node)
        for given in ast.walk(node):
            if not isinstance(given, ast.Return) or given.value is None:
                continue
            values = given.value.elts if isinstance(given.value, ast.Tuple) else [given.value]
            for value in values:
                text = ast.unparse(value)
                part = any(isinstance(x, ast.Slice) for x in ast.walk(value))
                if node.name != "packed":  # its arrays are `carray`'s
                    assert text not in arrays and not part, f"{file}: {node.name} gives {text}"
    assert seen > 100


def test_which_kernels_count_who_holds_an_array():
    assert _options(patches.conv_kernel.reference)["_nrt"]
    assert not _options(softmax.softmax_rows.reference)["_nrt"]
