"""A state dict saved as safetensors by one library, loaded by the other: outputs and gradients are
then the same, both ways."""

import inspect

import numpy as np
import pytest

import minigan
from minigan import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

# layer -> (arguments, shape of the input, or a function that makes one)
LAYERS = {
    "Linear": ((6, 4), (3, 6)),
    "Bilinear": ((3, 4, 2), lambda rng: (rng.standard_normal((5, 3)), rng.standard_normal((5, 4)))),
    "Conv1d": ((4, 6, 3, 2, 1, 1, 2), (2, 4, 9)),
    "Conv2d": ((3, 5, 4, 2, 1), (2, 3, 8, 9)),
    "Conv3d": ((2, 3, 2), (2, 2, 3, 4, 3)),
    "ConvTranspose1d": ((4, 6, 3, 2, 1, 1, 2), (2, 4, 5)),
    "ConvTranspose2d": ((3, 5, 4, 2, 1), (2, 3, 4, 5)),
    "ConvTranspose3d": ((2, 3, 2, 2), (2, 2, 3, 2, 3)),
    "BatchNorm1d": ((4,), (5, 4)),
    "BatchNorm2d": ((4,), (3, 4, 5, 5)),
    "BatchNorm3d": ((4,), (3, 4, 2, 3, 2)),
    "InstanceNorm1d": ((4, 1e-5, 0.1, True, True), (3, 4, 6)),
    "InstanceNorm2d": ((4, 1e-5, 0.1, True, True), (3, 4, 5, 5)),
    "InstanceNorm3d": ((4, 1e-5, 0.1, True, True), (3, 4, 2, 3, 2)),
    "LayerNorm": (([4, 5],), (3, 4, 5)),
    "GroupNorm": ((2, 4), (3, 4, 5)),
    "RMSNorm": (([4, 5],), (3, 4, 5)),
    "MultiheadAttention": (
        (4, 2, 0.0, True, True, True, 3, 5),
        lambda rng: tuple(rng.standard_normal((n, 2, m)) for n, m in ((3, 4), (5, 3), (5, 5))),
    ),
    "TransformerEncoderLayer": ((4, 2, 3, 0.0), (5, 2, 4)),
    "TransformerDecoderLayer": (
        (4, 2, 3, 0.0),
        lambda rng: (rng.standard_normal((3, 2, 4)), rng.standard_normal((5, 2, 4))),
    ),
    "Transformer": (
        (4, 2, 1, 2, 3, 0.0),
        lambda rng: (rng.standard_normal((3, 2, 4)), rng.standard_normal((5, 2, 4))),
    ),
    "PReLU": ((4,), (3, 4, 5)),
    "Embedding": ((7, 3), lambda rng: (rng.integers(0, 7, (4, 2)),)),
    "RNN": ((3, 4, 2), (5, 2, 3)),
    "LSTM": ((3, 4, 2), (5, 2, 3)),
    "GRU": ((3, 4, 2), (5, 2, 3)),
    "RNNCell": ((3, 4), (2, 3)),
    "LSTMCell": ((3, 4), (2, 3)),
    "GRUCell": ((3, 4), (2, 3)),
}
OURS_ALONE = {
    "EqualizedConv2d",
    "EqualizedConvTranspose2d",
    "EqualizedLinear",
    "MaskedConv2d",
    "Maxout",
    "MinibatchDiscrimination",
}


def test_every_layer_with_parameters_is_here():
    made = set()
    for name, cls in vars(nn).items():
        if inspect.isclass(cls) and issubclass(cls, nn.Module):
            source = "".join(
                inspect.getsource(c)
                for c in cls.__mro__
                if c.__module__.startswith("minigan.nn.") and c is not nn.Module
            )
            if "Parameter(" in source or "new_parameter(" in source or name in LAYERS:
                made.add(name)
    others = {"Module", "ParameterDict", "ParameterList"}
    others |= {"SyncBatchNorm"}  # torch's computes on GPUs only
    assert made - OURS_ALONE - others == set(LAYERS), made ^ set(LAYERS)


def flat(tree):
    return [x for t in tree for x in flat(t)] if isinstance(tree, (tuple, list)) else [tree]


def run(library, module, inputs, seed):
    """Outputs, then gradients of inputs and parameters, as arrays by name."""
    tensors = [library.tensor(x) for x in inputs]
    for t in tensors:
        if t.is_floating_point():
            t.requires_grad_()
    outputs = flat(module(*tensors))
    rng = np.random.default_rng(seed)
    total = sum(
        (y * library.tensor(rng.standard_normal(tuple(y.shape)).astype(np.float32))).sum()
        for y in outputs
    )
    total.backward()
    found = {f"output {i}": y.detach().numpy() for i, y in enumerate(outputs)}
    found |= {
        f"gradient of input {i}": t.grad.numpy()
        for i, t in enumerate(tensors)
        if t.grad is not None
    }
    found |= {f"gradient of {n}": p.grad.numpy() for n, p in module.named_parameters()}
    return found | {f"{n} afterwards": b.numpy() for n, b in module.named_buffers()}


def save_and_load(source, target, ours_saves, path):
    """The state of `source` into `target`, through the file; torch's side uses the safetensors
    library."""
    from safetensors.torch import load_file, save_file

    if ours_saves:
        minigan.save(source.state_dict(), path)
        target.load_state_dict(load_file(path))
    else:
        save_file(source.state_dict(), path)
        target.load_state_dict(minigan.load(path))


@pytest.mark.parametrize("ours_saves", [True, False], ids=["minigan to torch", "torch to minigan"])
@pytest.mark.parametrize("name", LAYERS)
def test_travel(name, ours_saves, tmp_path):
    arguments, shape = LAYERS[name]
    rng = np.random.default_rng(0)
    inputs = shape(rng) if callable(shape) else (rng.standard_normal(shape),)
    inputs = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in inputs]
    minigan.manual_seed(1)
    torch.manual_seed(2)
    ours, theirs = getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments)
    pair = (ours, theirs) if ours_saves else (theirs, ours)
    save_and_load(*pair, ours_saves, tmp_path / "state.safetensors")
    assert list(ours.state_dict()) == list(theirs.state_dict())
    found, expected = run(minigan, ours, inputs, 3), run(torch, theirs, inputs, 3)
    assert list(found) == list(expected)
    for what in found:
        np.testing.assert_allclose(found[what], expected[what], rtol=2e-5, atol=2e-5, err_msg=what)


@pytest.mark.parametrize("ours_saves", [True, False], ids=["minigan to torch", "torch to minigan"])
@pytest.mark.parametrize("kind", ["spectral_norm", "weight_norm"])
def test_normalised_weights_travel(kind, ours_saves, tmp_path):
    minigan.manual_seed(1)
    torch.manual_seed(2)
    ours = getattr(nn.utils, kind)(nn.Conv2d(3, 4, 3)).eval()
    theirs = getattr(torch.nn.utils, kind)(torch.nn.Conv2d(3, 4, 3)).eval()
    save_and_load(
        *((ours, theirs) if ours_saves else (theirs, ours)),
        ours_saves,
        tmp_path / "state.safetensors",
    )
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 6)).astype(np.float32)
    found, expected = run(minigan, ours, [x], 3), run(torch, theirs, [x], 3)
    for what in found:
        np.testing.assert_allclose(found[what], expected[what], rtol=2e-5, atol=2e-5, err_msg=what)
