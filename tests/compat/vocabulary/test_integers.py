"""Functions of integers and booleans: each line of integers.txt has the dtypes and values that
PyTorch gives it.

x and y are matrices of one dtype after the other, f is of float32; dtypes for which PyTorch has no
value are left out. `python tests/compat/vocabulary/test_integers.py` writes integers.json anew,
where PyTorch is installed.
"""

import json
import pathlib

import pytest

import minigan
import minigan.nn.functional as F

HERE = pathlib.Path(__file__).parent
EXPRESSIONS = (HERE / "integers.txt").read_text("utf-8").splitlines()
VALUES = (
    json.loads((HERE / "integers.json").read_text("utf-8"))
    if (HERE / "integers.json").exists()
    else {}
)
DTYPES = ["int64", "int32", "uint8", "bool"]


def value(expression, torch, functional, dtype):
    """[dtype, shape, flat values] of each Tensor; numbers in the order of 10 significant digits."""

    def plain(x):
        if isinstance(x, torch.Tensor):
            return [
                str(x.dtype).replace("torch.", ""),
                list(x.shape),
                [plain(v) for v in x.reshape(-1).tolist()],
            ]
        if isinstance(x, (tuple, list)):
            return [plain(v) for v in x]
        return f"{x:.9g}" if isinstance(x, float) else x

    x = torch.tensor([[0, 1, 2], [3, 1, 0], [200, 2, 5]]).to(getattr(torch, dtype))
    y = torch.tensor([[1, 2, 3], [2, 1, 1], [3, 2, 1]]).to(getattr(torch, dtype))
    f = torch.tensor([[0.5, -1.0, 2.0], [0.25, 0.1, -0.3], [1.5, 0.7, 0.2]])
    return plain(eval(expression, {"torch": torch, "F": functional, "x": x, "y": y, "f": f}))


def close(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    if (
        a != b
        and isinstance(a, str)
        and isinstance(b, str)
        and a[-1].isdigit()
        and b[-1].isdigit()
        and "int" not in a
    ):
        return float(a) == pytest.approx(float(b), rel=2e-6, abs=1e-9)
    return type(a) is type(b) and a == b


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value", "ignore:overflow")
@pytest.mark.parametrize(
    "expression, dtype", [(e, t) for e in EXPRESSIONS for t in VALUES.get(e, DTYPES)]
)
def test_expression(expression, dtype):
    expected = VALUES[expression][dtype]
    found = value(expression, minigan, F, dtype)
    assert close(found, expected), f"{found} where PyTorch gives {expected}"


@pytest.mark.torch
def test_the_values_are_those_of_torch():
    torch = pytest.importorskip("torch")
    wrong = [
        e
        for e in EXPRESSIONS
        if not all(close(v, value(e, torch, torch.nn.functional, t)) for t, v in VALUES[e].items())
    ]
    assert not wrong and all(VALUES.values())


def _write():
    import torch

    found = {}
    for e in EXPRESSIONS:
        found[e] = {}
        for dtype in DTYPES:
            try:
                found[e][dtype] = value(e, torch, torch.nn.functional, dtype)
            except (RuntimeError, NotImplementedError):
                continue
    lines = [f"{json.dumps(e)}: {json.dumps(v)}" for e, v in found.items()]
    (HERE / "integers.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    _write()
