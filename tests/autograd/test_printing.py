"""Tensors are printed as torch prints them."""

import math

import numpy as np
import pytest

import minigan
from minigan.autograd import tensor_of
from minigan.autograd.printing import printed, text

NAN, INF = math.nan, math.inf
PRINTED = {
    "[1.0000, 2.5000]": [1.0, 2.5],
    "[1., 2.]": [1.0, 2.0],
    "3.1400": 3.14,
    "0.": 0.0,
    "[0., 0.]": [0.0, 0.0],
    "[1.0000e-08, 1.0000e+00]": [1e-8, 1.0],
    "[1.0000e+06, 1.0000e+00]": [1e6, 1.0],
    "[nan, 1.]": [NAN, 1.0],
    "[   nan, 1.5000,   -inf]": [NAN, 1.5, -INF],
    "[nan]": [NAN],
    "[[  1.1235, 100.5000],\n        [ -2.0000,   3.0000]]": [[1.123456, 100.5], [-2, 3]],
    "[[[1.]],\n\n        [[2.]]]": [[[1.0]], [[2.0]]],
    "[[ -1, 100],\n        [  3,   4]]": [[-1, 100], [3, 4]],
    "[ True, False]": [True, False],
    "7": 7,
}


@pytest.mark.parametrize("shown", PRINTED)
def test_elements(shown):
    array = np.array(PRINTED[shown])
    array = array.astype(np.float32) if array.dtype.kind == "f" else array
    assert repr(tensor_of(array)) == f"tensor({shown})"


def test_large_ones_are_shortened():
    assert repr(minigan.linspace(0, 1, 1001)) == (
        "tensor([0.0000, 0.0010, 0.0020,  ..., 0.9980, 0.9990, 1.0000])"
    )
    assert repr(minigan.arange(2000).view(2, 1000)) == (
        "tensor([[   0,    1,    2,  ...,  997,  998,  999],\n"
        "        [1000, 1001, 1002,  ..., 1997, 1998, 1999]])"
    )
    rows = repr(minigan.zeros(2000, 1)).split("\n")
    assert len(rows) == 7 and rows[3] == "        ...,"


def test_lines_have_80_characters():
    lines = repr(minigan.rand(50, requires_grad=True)).split("\n")
    assert len(lines) == 6 and all(len(line) <= 80 for line in lines)
    assert lines[0].count(",") == 9 and lines[1].startswith(" " * 8 + "0.")
    assert repr((minigan.ones(9) / 3).requires_grad_()).endswith(
        "0.3333],\n       requires_grad=True)"
    )


def test_notes():
    assert repr(minigan.zeros(2, 0)) == "tensor([], size=(2, 0))"
    assert repr(minigan.zeros(0)) == "tensor([])"
    assert repr(minigan.ones(1).half()) == "tensor([1.], dtype=float16)"
    assert repr(minigan.ones(1, requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(minigan.ones(1, requires_grad=True) * 2) == "tensor([2.], grad_fn=<mul>)"


@pytest.mark.torch
def test_as_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    assert printed["linewidth"] == 80
    for shape in [
        (),
        (3,),
        (11,),
        (50,),
        (1001,),
        (2, 5),
        (2, 3, 12),
        (40, 40),
        (1, 1, 1),
        (5, 300),
    ]:
        for scale in (1, 1e-3, 1e5, 1e9):
            x = rng.standard_normal(shape) * scale
            for array in (x.astype(np.float32), np.floor(x).astype(np.float32), x.astype(np.int64)):
                array = np.asarray(array)
                assert text(array, "tensor(", []) == repr(torch.tensor(array))
