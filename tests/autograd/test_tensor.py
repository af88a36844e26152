"""Tensor itself: identity, equality, conversions, looks; and the picture of the tape."""

import copy
import re

import numpy as np
import pytest

import minigan
from minigan import draw_tape
from minigan.autograd import tensor_of


def leaf(*values):
    return tensor_of(np.array(values, np.float64), True)


def test_hash_is_by_identity_and_eq_by_element():
    x, y = leaf(1.0, 2.0), leaf(1.0, 3.0)
    assert (x == y).tolist() == [True, False] and (x != y).tolist() == [False, True]
    assert len({x, y, x}) == 2 and {x: 1}[x] == 1 and hash(x) != hash(y)


def test_truth_and_numbers():
    assert bool(leaf(2.0)) and not bool(leaf(0.0))
    assert float(leaf(2.5)) == 2.5 and int(leaf(2.5)) == 2 and leaf(2.5).item() == 2.5
    with pytest.raises(ValueError, match="exactly one element"):
        bool(leaf(1.0, 2.0))
    assert [10, 20][tensor_of(np.array(1))] == 20
    with pytest.raises(TypeError, match="only integer Tensors"):
        [10, 20][leaf(1.0)]
    assert f"{leaf(2.0):.3f}" == "2.000"


def test_sizes():
    x = tensor_of(np.zeros((2, 3)))
    assert x.shape == (2, 3) and x.size() == (2, 3) and x.size(1) == 3 and x.size(-1) == 3
    assert (
        x.numel() == x.nelement() == x.shape.numel() == 6 and x.dim() == x.ndim == 2 and len(x) == 2
    )
    assert [row.shape for row in x] == [(3,), (3,)]
    with pytest.raises(TypeError, match="len"):
        len(tensor_of(np.array(1.0)))


def test_numpy_needs_detach():
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match=r"\.detach\(\)\.numpy\(\)"):
        x.numpy()
    with pytest.raises(TypeError, match="detach"):
        np.asarray(x)
    assert x.detach().numpy() is x.array and np.asarray(x.detach()).tolist() == [1.0]


def test_dtype_conversions():
    x = leaf(1.5, 0.0)
    assert (
        x.float().dtype == np.float32
        and x.half().dtype == np.float16
        and x.long().dtype == np.int64
    )
    assert x.int().dtype == np.int32 and x.bool().tolist() == [True, False] and x.double() is x
    assert x.float().requires_grad and not x.long().requires_grad
    y = x.float() * 3.0
    (g,) = minigan.grad(y, x, tensor_of(np.array([1.0, 2.0], np.float32)))
    assert g.dtype == np.float64 and g.tolist() == [3, 6]
    assert x.type_as(tensor_of(np.zeros(1, np.float32))).dtype == np.float32


def test_requires_grad_():
    x = tensor_of(np.ones(2))
    assert x.requires_grad_() is x and x.requires_grad and not x.requires_grad_(False).requires_grad
    y = leaf(1.0) * 2.0
    with pytest.raises(RuntimeError, match="result of an op"):
        y.requires_grad_(False)
    assert y.detach_().is_leaf and not y.requires_grad


def test_looks():
    assert repr(tensor_of(np.array([1.0, 2.5], np.float32))) == "tensor([1.0000, 2.5000])"
    assert "dtype=float64" in repr(leaf(1.0)) and "requires_grad=True" in repr(leaf(1.0))
    assert "grad_fn=<exp>" in repr(leaf(1.0).exp())
    assert len(repr(tensor_of(np.zeros((100, 100))))) < 1000
    assert repr(tensor_of(np.zeros((2, 3))).shape) == "Size([2, 3])"


def test_in_place_arithmetic():
    x = tensor_of(np.array([1.0, -2.0, 3.0]))
    kept = x.array
    assert x.add_(1).sub_(tensor_of(np.ones(3)), alpha=2).mul_(2).div_(4).clamp_(
        -1, 0.6
    ).tolist() == [0.0, -1.0, 0.6]
    assert (
        x.copy_([1.0, 2.0, 3.0]).tolist() == [1, 2, 3]
        and x.fill_(7).tolist() == [7] * 3
        and x.zero_().tolist() == [0] * 3
    )
    x[1:] = 5.0
    x[tensor_of(np.array([True, False, False]))] = -1.0
    assert x.tolist() == [-1, 5, 5] and x.array is kept


def test_operators_do_not_write():
    x = tensor_of(np.array([1.0, 2.0]))
    before, y = x.array.copy(), x
    y += 1.0
    # either a new Tensor, or in place as torch does
    assert x.array.tolist() == before.tolist() or y is x


def test_copies():
    x = leaf(1.0, 2.0)
    for y in (copy.deepcopy(x), x.clone()):
        assert (
            y.tolist() == x.tolist() and not np.shares_memory(x.array, y.array) and y.requires_grad
        )
    assert copy.deepcopy(x).is_leaf


# --- the picture ---


def edges_and_nodes(text):
    nodes = re.findall(r'^  (n\d+) \[label="([^"]*)"', text, re.M)
    return dict(nodes), re.findall(r"^  (n\d+) -> (n\d+);$", text, re.M)


def test_graph(tmp_path):
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    w.name = "weight"
    y = (x * w).tanh()
    z = (y * y + x).sum()
    path = tmp_path / "tape.dot"
    text = draw_tape(z, path)
    assert path.read_text() == text
    assert (
        text.startswith("digraph")
        and text.count("{") == text.count("}") == 1
        and text.count("[") == text.count("]")
        and text.count('"') % 2 == 0
    )
    nodes, edges = edges_and_nodes(text)
    labels = sorted(label.split("\\n")[0].split(" #")[0] for label in nodes.values())
    assert labels == sorted(["mul", "tanh", "mul", "add", "sum", "leaf", "weight"])
    assert {n for edge in edges for n in edge} == set(nodes)
    assert len(edges) == 2 + 1 + 2 + 2 + 1
    assert any(label == "weight\\n2" for label in nodes.values()) and any(
        label.endswith("\\nscalar") for label in nodes.values()
    )


def test_graph_of_a_leaf_and_of_a_long_chain():
    assert "leaf" in draw_tape(leaf(1.0))
    y = leaf(1.0)
    for _ in range(3000):
        y = y + 1.0
    assert draw_tape(y).count("add") == 3000


def test_graph_is_valid_dot():
    """Parsed by Graphviz's own grammar where the tool is there: `dot -Tcanon`."""
    import shutil
    import subprocess

    if not shutil.which("dot"):
        pytest.skip("Graphviz's dot is not installed")
    x = leaf(1.0, 2.0)
    x.name = "a \\ strange ] name"
    subprocess.run(
        ["dot", "-Tcanon"],
        input=draw_tape((x * x).sum()),
        text=True,
        check=True,
        capture_output=True,
    )


def test_a_number_is_formatted_as_a_number():
    x = minigan.tensor(0.5, requires_grad=True)
    assert f"{x} {minigan.tensor(3)} {minigan.tensor(2.5):.3f}" == "0.5 3 2.500"
    assert (
        f"{minigan.tensor([1.5])}" == "tensor([1.5000])"
        and f"{minigan.tensor([1.5]):.2f}" == "1.50"
    )
