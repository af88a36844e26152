"""PyTorch's vocabulary: each line of expressions.txt, with `torch` for minigan, has the value that
PyTorch gives it.

`values.json` holds these values; `python tests/compat/vocabulary/test_vocabulary.py` writes it
anew, where PyTorch is installed.
"""

import copy
import json
import math
import pathlib

import numpy as np
import pytest

import minigan
import minigan.backends.cudnn as cudnn
import minigan.cuda
from minigan import Tensor, nn
from minigan.autograd import Variable
from minigan.autograd.hooks import HOOKS

HERE = pathlib.Path(__file__).parent
EXPRESSIONS = (HERE / "expressions.txt").read_text("utf-8").splitlines()
VALUES = (
    json.loads((HERE / "values.json").read_text("utf-8")) if (HERE / "values.json").exists() else {}
)


def value(expression, torch):
    """What an expression gives, as JSON can hold it: Tensors as [dtype, shape, flat values]."""

    def plain(x):
        if isinstance(x, torch.Tensor):
            numbers = [
                str(v) if isinstance(v, float) and not math.isfinite(v) else v
                for v in x.reshape(-1).tolist()
            ]
            return [str(x.dtype).replace("torch.", ""), list(x.shape), numbers]
        return [plain(v) for v in x] if isinstance(x, (tuple, list)) else x

    return plain(eval(expression, {"torch": torch, "np": np}))


def close(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    return type(a) is type(b) and (
        a == b or (isinstance(a, float) and math.isclose(a, b, rel_tol=2e-6, abs_tol=1e-9))
    )


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression):
    found = value(expression, minigan)
    assert close(found, VALUES[expression]), f"{found} where PyTorch gives {VALUES[expression]}"


@pytest.mark.torch
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_values_are_those_of_torch(expression):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() and "cuda" in expression:
        pytest.skip("the values are those without a GPU")
    assert close(value(expression, torch), VALUES[expression])


# --- CUDA ---


def test_cuda_without_a_gpu():
    if minigan.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(minigan.DeviceError):
        minigan.cuda.FloatTensor(2, 3)
    with pytest.raises(minigan.DeviceError):
        minigan.ones(2).cuda()
    with pytest.raises(minigan.DeviceError):
        minigan.cuda.get_device_name(0)
    minigan.cuda.manual_seed_all(3)
    assert minigan.initial_seed() == 3
    minigan.cuda.synchronize()
    minigan.cuda.empty_cache()
    assert minigan.cuda.memory_allocated() == 0
    minigan.cuda.set_device(0)
    with pytest.raises(NotImplementedError, match="cuda:1"):
        minigan.cuda.set_device("cuda:1")
    cudnn.benchmark = True
    assert minigan.backends.cudnn.benchmark


# --- data, Variable ---


def test_data_of_parameters():
    layer = nn.Linear(2, 2)
    before = layer.weight
    layer.weight.data.normal_(0.0, 0.02)
    layer.bias.data = minigan.ones(2)
    layer.weight.data.clamp_(-0.01, 0.01)
    layer.weight.data -= 0.5
    layer.weight.data[0] = 7
    assert (
        layer.weight is before
        and layer.weight[0].tolist() == [7, 7]
        and -0.51 <= layer.weight.min() <= -0.49
    )
    assert (
        layer.bias.tolist() == [1, 1]
        and isinstance(layer.bias, nn.Parameter)
        and layer.bias.requires_grad
    )
    assert len(list(layer.parameters())) == 2


def test_variable_is_the_same_memory_as_a_leaf():
    x = minigan.ones(2, requires_grad=True) * 2
    v = Variable(x, requires_grad=True)
    assert v.is_leaf and v.requires_grad and v.data_ptr() == x.data_ptr()
    assert (
        Variable(np.ones(2)).tolist() == [1, 1]
        and not Variable(minigan.ones(1), volatile=True).requires_grad
    )


def test_copies():
    x = minigan.ones(2, requires_grad=True)
    y = copy.deepcopy(x)
    y.data.zero_()
    assert (
        x.tolist() == [1, 1]
        and y.requires_grad
        and copy.deepcopy(minigan.arange(3)).tolist() == [0, 1, 2]
    )


# --- hooks ---


def test_retain_grad():
    x = minigan.ones(2, requires_grad=True)
    h = x * 3
    h.retain_grad()
    h.retain_grad()
    (h * h).sum().backward(retain_graph=True)
    assert h.grad.tolist() == [6, 6] and x.grad.tolist() == [18, 18]
    (h * 2).sum().backward()
    assert h.grad.tolist() == [8, 8]


def test_hooks_see_and_change_gradients():
    x = minigan.ones(2, requires_grad=True)
    h = x * 3
    seen = []
    handle = h.register_hook(lambda g: seen.append(g.tolist()))
    h.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g.clamp(max=50))
    (h * h + h).sum().backward(retain_graph=True)
    assert seen == [[7, 7]] and x.grad.tolist() == [50, 50]
    handle.remove()
    (dx,) = minigan.grad(h.sum(), x, retain_graph=True)
    assert dx.tolist() == [30, 30] and len(seen) == 1
    (dx,) = minigan.grad((h * h).sum(), x, create_graph=True)
    assert dx.tolist() == [50, 50] and dx.requires_grad
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        minigan.ones(1).register_hook(print)
    h.register_hook(lambda g: g.sum())
    with pytest.raises(RuntimeError, match="a hook made a"):
        h.sum().backward()


def test_hooks_go_with_what_they_are_on():
    x = minigan.ones(2, requires_grad=True)
    h = x * 3
    h.register_hook(print)
    x.register_hook(print)
    assert len(HOOKS) == 2
    del h
    assert len(HOOKS) == 1
    del x
    assert not HOOKS


# --- modes ---


def test_modes():
    x = minigan.ones(2, requires_grad=True)

    @minigan.no_grad
    def a():
        return x * 2

    @minigan.inference_mode()
    def b():
        return x * 2

    @minigan.inference_mode
    def c():
        return x * 2

    assert (
        not a().requires_grad
        and not b().requires_grad
        and not c().requires_grad
        and (x * 2).requires_grad
    )
    with minigan.inference_mode(False):
        assert (x * 2).requires_grad
    with minigan.no_grad(), minigan.inference_mode(False):
        assert not (x * 2).requires_grad
    minigan.autograd.set_detect_anomaly(True)
    try:
        with pytest.raises(minigan.AnomalyError), np.errstate(invalid="ignore"):
            minigan.log(x * -1)
    finally:
        minigan.autograd.set_detect_anomaly(False)
    with (
        minigan.autograd.set_detect_anomaly(True),
        pytest.raises(minigan.AnomalyError),
        np.errstate(invalid="ignore"),
    ):
        minigan.log(x * -1)
    with np.errstate(invalid="ignore"):
        assert minigan.log(x * -1).isnan().all()


def test_random_state():
    minigan.manual_seed(5)
    state = minigan.get_rng_state()
    a = minigan.rand(3)
    minigan.set_rng_state(state)
    assert minigan.equal(a, minigan.rand(3))
    assert minigan.seed() == minigan.initial_seed()
    g = minigan.Generator(device="cpu").manual_seed(4)
    assert g.initial_seed() == 4 and minigan.equal(
        minigan.rand(2, generator=g), minigan.rand(2, generator=minigan.Generator(4))
    )


def test_random_methods():
    minigan.manual_seed(0)
    x = minigan.empty(20000)
    assert abs(x.exponential_(2.0).mean().item() - 0.5) < 0.02 and x.min() >= 0
    assert set(minigan.empty(500).random_(2, 5).tolist()) == {2, 3, 4} and set(
        minigan.zeros(300).random_(3).tolist()
    ) == {0, 1, 2}
    assert (
        minigan.zeros(300, dtype=minigan.uint8).random_().max() > 200
        and minigan.zeros(50, dtype=bool).random_().any()
    )
    assert (
        abs(x.normal_(3, 2).std().item() - 2) < 0.05
        and abs(x.uniform_(-1, 3).mean().item() - 1) < 0.05
    )
    like = minigan.randint_like(minigan.zeros(100), 2, 4)
    assert set(like.tolist()) == {2, 3} and like.dtype == np.float32
    assert minigan.bernoulli(minigan.zeros(100), 1.0).sum() == 100


def test_errors_of_constructors():
    with pytest.raises(TypeError, match="expected sizes"):
        Tensor([1.0], 2)
    with pytest.raises((TypeError, ValueError)):
        minigan.FloatTensor(["a"])


if __name__ == "__main__":
    import torch

    found = {e: value(e, torch) for e in EXPRESSIONS}
    (HERE / "values.json").write_text(
        "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items()) + "\n}\n",
        "utf-8",
    )
