"""Networks as lists of ops, and as ONNX files: each form against onnxruntime, and what has none."""

import sys

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.nn import functional as F
from minigan.systems.export import ExportError, NeedsOnnx, Part, export_onnx, folded, trace
from minigan.systems.export.trace import Batch


class Of(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def part(module, *shapes, classes=0):
    """The part that is this module, of normal numbers of these shapes; labels first, if any."""

    def inputs(n, seed):
        random = Generator(seed)
        found = {f"x{i}": tensor_of(random.normal((n, *s))) for i, s in enumerate(shapes)}
        labels = tensor_of(np.arange(n) % classes) if classes else None
        return {"labels": labels} | found if classes else found

    module.eval()
    return Part("part", module, inputs, (module,))


def graph_of(some):
    return trace(some.call, lambda n: some.inputs(n, 0))


def shaken(module):
    """With running statistics and weights of normalisation that are not 0 and 1."""
    random = np.random.default_rng(0)
    for m in module.modules():
        for name, x in {**dict(m.named_buffers(recurse=False)), "weight": None}.items():
            if name.startswith("running") or isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
                x = m.weight if x is None else x
                if x is not None and x.is_floating_point():
                    x.data[...] = tensor_of(random.uniform(0.5, 2, x.shape).astype(np.float32))
    return module


ACTIVATIONS = [
    nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Sigmoid, nn.Tanh,
    nn.LogSigmoid, nn.Hardtanh, nn.ReLU6, nn.Mish, nn.Softsign, nn.PReLU, nn.Identity, nn.Dropout,
    lambda: nn.PReLU(4), lambda: nn.GELU("tanh"), lambda: nn.Softmax(1), lambda: nn.LogSoftmax(1),
    lambda: nn.GLU(1), lambda: nn.Softplus(2.0),
]  # fmt: skip
LAYERS = [
    lambda: nn.Conv2d(4, 6, 3, padding=1), lambda: nn.Conv2d(4, 6, (3, 2), 2, (2, 0), (2, 1)),
    lambda: nn.Conv2d(4, 6, 3, groups=2, bias=False), lambda: nn.ConvTranspose2d(4, 6, 4, 2, 1),
    lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1), lambda: nn.ConvTranspose2d(4, 2, 3, groups=2),
    lambda: nn.ConvTranspose2d(4, 2, (3, 5), (1, 3), (0, 2), dilation=2),
    lambda: nn.Upsample(scale_factor=2), lambda: nn.Upsample(size=(7, 5), mode="bilinear"),
    lambda: nn.Upsample(scale_factor=2, mode="bicubic"), lambda: nn.PixelShuffle(2),
    lambda: nn.MaxPool2d(2), lambda: nn.MaxPool2d(3, 1), lambda: nn.AvgPool2d(2),
    lambda: nn.AvgPool2d(3, 2, 1), lambda: nn.AdaptiveAvgPool2d(1),
    lambda: nn.AdaptiveAvgPool2d((3, 2)), lambda: nn.BatchNorm2d(4),
    lambda: nn.InstanceNorm2d(4, affine=True), lambda: nn.InstanceNorm2d(4),
    lambda: nn.GroupNorm(2, 4), lambda: nn.LayerNorm((4, 6, 6)), lambda: nn.LayerNorm(6),
    lambda: nn.ReflectionPad2d(1), lambda: nn.ZeroPad2d((1, 0, 2, -1)),
    lambda: nn.ReplicationPad2d(1), lambda: nn.Flatten(), lambda: nn.Linear(6, 3),
    lambda: nn.Sequential(nn.Flatten(), nn.Linear(144, 5), nn.BatchNorm1d(5), nn.LeakyReLU(0.2)),
    lambda: nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU()),
    lambda: nn.utils.spectral_norm(nn.Conv2d(4, 6, 3)),
    lambda: nn.Sequential(nn.Flatten(), nn.Linear(144, 8), nn.Unflatten(1, (2, 2, 2))),
]  # fmt: skip
FUNCTIONS = [
    lambda x: x[:, 1], lambda x: x[:, 1:3, ..., -1], lambda x: x[..., None, 2:5:2],
    lambda x: x.permute(0, 3, 1, 2), lambda x: x.transpose(1, 2), lambda x: x.mean((2, 3)),
    lambda x: x.sum(1, keepdim=True), lambda x: x.amax(1), lambda x: x.std((1, 2, 3)),
    lambda x: 2 - x / 3 + (1 + x) * 0.5, lambda x: (x * x + 1).sqrt().log(),
    lambda x: (x.abs() + 0.1).pow(1.5).rsqrt(), lambda x: x.clamp(-0.5, 0.5).exp(),
    lambda x: minigan.where(x > 0, x, 0.1 * x), lambda x: minigan.cat([x, -x, x[:, :1]], 1),
    lambda x: minigan.stack([x, x.sin()], 2), lambda x: x.flip(3), lambda x: x.reshape(len(x), -1),
    lambda x: x.maximum(x.cos()), lambda x: x.unsqueeze(1).expand(-1, 3, -1, -1, -1),
    lambda x: F.pad(x, (1, 2), value=3.0), lambda x: x @ x.transpose(2, 3), lambda x: x.norm(dim=1),
    lambda x: F.normalize(x, dim=1), lambda x: x.logsumexp(1), lambda x: x.repeat(1, 2, 1, 1),
    lambda x: minigan.einsum("nchw,nchw->nc", x, x), lambda x: F.interpolate(x, scale_factor=0.5),
    lambda x: (x * x).log1p().expm1(), lambda x: x.detach(),
]  # fmt: skip


@pytest.mark.parametrize("make", [*ACTIVATIONS, *LAYERS, *map(lambda f: lambda: Of(f), FUNCTIONS)],
    ids=lambda make: None)  # fmt: skip
def test_forms(make, tmp_path):
    """Of 1, 7 and 64 examples, for each of which onnxruntime gives what minigan does."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    minigan.manual_seed(3)
    worst = export_onnx(part(shaken(make()), (4, 6, 6)), tmp_path / "x.onnx")
    assert worst < 1e-5 and (tmp_path / "x.onnx").exists()


def test_several_inputs_and_labels(tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    minigan.manual_seed(3)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.last = nn.Embedding(5, 3), nn.Linear(12, 2)

        def forward(self, labels, x, y):
            one_hot = (labels[:, None] == minigan.arange(5)).to(x.dtype)
            return self.last(minigan.cat([self.table(labels), one_hot, x * y], 1))

    export_onnx(part(Net(), (4,), (4,), classes=5), tmp_path / "x.onnx", {"system": "mine"})
    session = runtime.InferenceSession(str(tmp_path / "x.onnx"))
    assert [(i.name, i.type, i.shape) for i in session.get_inputs()] == [
        ("labels", "tensor(int64)", ["N"]), ("x0", "tensor(float)", ["N", 4]),
        ("x1", "tensor(float)", ["N", 4])]  # fmt: skip
    assert session.get_modelmeta().custom_metadata_map == {"system": "mine"}


@pytest.mark.parametrize("function, said", [
    (lambda x: minigan.cumsum(x, 1), "cumsum has no ONNX form"),
    (lambda x: x + tensor_of(x.numpy() * 2), "add: one of its arguments"),
    (lambda x: x * len(x), "mul: it computes with the number of examples"),
    (lambda x: x[np.argsort(np.arange(len(x)))[::-1].copy()], "getitem"),
    (lambda x: tensor_of(x.numpy() + 1), "the result is not made by an op"),
    (lambda x: x.sum(), "the result is not made by an op"),
    (lambda x: x.relu() if len(x) == 3 else x.tanh(), "relu: it is not called alike"),
    (lambda x: nn.MaxPool2d(2, padding=1)(x), "window_argmax: windows of different size"),
])  # fmt: skip
def test_what_has_no_form_is_named(function, said, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    with pytest.raises(ExportError, match=said):
        export_onnx(part(Of(function), (4, 6, 6)), tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_wrong_results_are_not_written(tmp_path, monkeypatch):
    """A form that is wrong is found before a file is."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from minigan.systems.export.forms import FORMS

    monkeypatch.setitem(FORMS, "tanh", lambda b, x: b.node("Sigmoid", x))
    with pytest.raises(ExportError, match="differ from minigan's by"):
        export_onnx(part(nn.Tanh(), (4,)), tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_without_the_packages(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(NeedsOnnx, match="pip install 'minigan\\[onnx\\]'"):
        export_onnx(part(nn.Tanh(), (4,)), tmp_path / "x.onnx")


def test_a_graph_knows_multiples_of_the_batch():
    graph = graph_of(part(nn.Sequential(nn.LayerNorm(6), nn.Flatten()), (4, 6)))
    assert graph.inputs["x0"].shape == (Batch(), 4, 6) and graph.out.shape == (Batch(), 24)
    assert graph.steps[0].args[1] == (Batch(4), 6)


@pytest.mark.parametrize("make, shape", [
    (lambda: nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh()), (4,)),
    (lambda: nn.Sequential(nn.Linear(4, 6, bias=False), nn.BatchNorm1d(6, affine=False)), (4,)),
    (lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)), (2, 5, 5)),
    (lambda: nn.Sequential(nn.ConvTranspose2d(2, 3, 4, 2, 1, bias=False), nn.BatchNorm2d(3)),
        (2, 5, 5)),
])  # fmt: skip
def test_batch_normalisation_is_folded(make, shape):
    """Into one product; the numbers stay."""
    minigan.manual_seed(3)
    some = part(shaken(make()), shape)
    graph = folded(graph_of(some))
    assert [s.op for s in graph.steps if s.op in ("add", "sub", "mul", "rsqrt")] == []
    product, x = graph.steps[0], some.inputs(7, 1)["x0"]
    _, w, b, *rest = product.args
    if product.op == "linear":
        found = x.numpy() @ w.T + b
    elif product.op == "conv":
        found = F.conv2d(x, tensor_of(w), tensor_of(b)).numpy()
    else:
        found = F.conv_transpose2d(x, tensor_of(w), tensor_of(b), 2, 1).numpy()
    found = np.tanh(found) if graph.steps[-1].op == "tanh" else found
    np.testing.assert_allclose(found, some.exact(7, 1), atol=2e-5)
