"""The networks of the classic MLP GAN: parameter counts, the summary, and PyTorch's numbers."""

import re

import numpy as np
import pytest

from minigan import nn
from minigan.arrays import default_generator
from minigan.autograd import tensor_of
from minigan.nn import summary


def networks(nn):
    """G 100-128-256-512-1024-784 and D 784-512-256-1, with this nn or with torch's."""

    def block(n_in, n_out, normalize=True):
        return [
            nn.Linear(n_in, n_out),
            *([nn.BatchNorm1d(n_out, 0.8)] if normalize else []),
            nn.LeakyReLU(0.2, inplace=True),
        ]

    g = nn.Sequential(
        *block(100, 128, normalize=False),
        *block(128, 256),
        *block(256, 512),
        *block(512, 1024),
        nn.Linear(1024, 784),
        nn.Tanh(),
    )
    d = nn.Sequential(
        nn.Linear(784, 512),
        nn.LeakyReLU(0.2),
        nn.Linear(512, 256),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 1),
        nn.Sigmoid(),
    )
    return g, d


def test_parameter_counts():
    g, d = networks(nn)
    assert summary(g, 100).total_params == summary(g, (100,)).total_params == 1_510_032
    assert summary(d, (784,)).total_params == 533_505


def test_summary_table():
    g, _ = networks(nn)
    g[0].requires_grad_(False)
    found = summary(g, (100,))
    assert found.rows[1] == ("1", "LeakyReLU", (2, 128), 0) and found.rows[3] == (
        "3",
        "BatchNorm1d",
        (2, 256),
        512,
    )
    assert found.trainable_params == found.total_params - 12_928
    lines = str(found).splitlines()
    assert re.fullmatch(r"Layer +Output shape +Parameters", lines[0])
    assert re.fullmatch(r"0: Linear +\(N, 128\) +12,928", lines[2])
    assert lines[-1] == "Sequential: 1,510,032 parameters, 1,497,104 of them trainable"
    assert len(lines) == len(g) + 4 and len({len(line) for line in lines[:-1]}) == 1


def test_summary_leaves_everything_as_it_was():
    g, _ = networks(nn)
    g[3].eval()
    before, random = (
        {k: v.numpy().copy() for k, v in g.state_dict().items()},
        default_generator.get_state(),
    )
    modes = [m.training for m in g.modules()]
    summary(g, (100,))
    assert [m.training for m in g.modules()] == modes and True in modes and False in modes
    assert default_generator.get_state() == random and not any(m._hooks for m in g.modules())
    for k, v in g.state_dict().items():
        np.testing.assert_array_equal(v.numpy(), before[k])
    with pytest.raises(Exception) as info:
        summary(g, (99,))
    assert "(2, 99)" in "".join(info.value.__notes__)
    assert [m.training for m in g.modules()] == modes and not any(m._hooks for m in g.modules())


def test_summary_of_a_module_with_several_inputs():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
            self.head = nn.Linear(4, 2, dtype=np.float32)
            self.unused = nn.Linear(2, 2)
            self.scale = nn.Parameter(np.ones(2, np.float32))

        def forward(self, x, label):
            assert label.dtype == np.int64 and not self.training
            return self.head(self.body(x)) * self.scale, label

    found = summary(Conditional(), [(3,), ()], dtypes=[np.float32, np.int64])
    assert found.rows == [
        ("body", "Sequential", (2, 4), 0),
        ("body.0", "Linear", (2, 4), 16),
        ("body.1", "ReLU", (2, 4), 0),
        ("head", "Linear", (2, 2), 10),
        ("unused", "Linear", None, 6),
    ]
    assert found.total_params == 34 and "(not used)" in str(found) and "  0: Linear" in str(found)
    assert summary(nn.Linear(3, 2), (3,)).rows == [("", "Linear", (2, 2), 8)]
    with pytest.raises(TypeError, match="expected a Module"):
        summary(lambda x: x, (3,))


@pytest.mark.torch
def test_like_torch():
    torch = pytest.importorskip("torch")
    for ours, theirs in zip(networks(nn), networks(torch.nn)):
        state = theirs.state_dict()
        assert [(k, tuple(v.shape)) for k, v in ours.state_dict().items()] == [
            (k, tuple(v.shape)) for k, v in state.items()
        ]
        # new in torch 2.13
        assert re.sub("bias=True, track", "track", repr(ours)) == re.sub(
            "bias=True, track", "track", repr(theirs)
        )
        ours.load_state_dict({k: v.numpy() for k, v in state.items()})
        x = (
            np.random.default_rng(0)
            .standard_normal((8, 100 if "3.running_mean" in state else 784))
            .astype(np.float32)
        )
        for mode in (True, False):
            ours.train(mode), theirs.train(mode)
            y = theirs(torch.from_numpy(x))
            np.testing.assert_allclose(
                ours(tensor_of(x)).detach().numpy(), y.detach().numpy(), rtol=1e-4, atol=1e-5
            )
        for k, v in ours.state_dict().items():
            np.testing.assert_allclose(
                v.numpy(), theirs.state_dict()[k].numpy(), rtol=1e-5, atol=1e-6, err_msg=k
            )


@pytest.mark.torch
def test_reprs_like_torch():
    torch = pytest.importorskip("torch")
    calls = [
        "LeakyReLU(0.2)", "LeakyReLU(0.2, True)", "ReLU(True)", "ELU()", "ELU(inplace=True)",
        "SELU()", "SELU(True)", "GELU()", "SiLU()",
        "Hardtanh()", "Hardtanh(inplace=True)", "ReLU6()", "ReLU6(True)", "PReLU()", "PReLU(3)",
        "Softplus()", "Softmax(1)",
        "LogSoftmax(1)", "Softsign()", "Dropout()", "Flatten()", "Unflatten(1, (2, 3))",
        "Identity()", "LogSigmoid()", "Tanh()",
        "BCELoss()", "CrossEntropyLoss()", "ModuleList()", "Sequential()",
        "Linear(2, 3, bias=False)",
    ]  # fmt: skip
    for call in calls:
        assert repr(eval("nn." + call)) == repr(eval("torch.nn." + call, {"torch": torch}))


@pytest.mark.torch
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_like_torch(reduction):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 4, 3))
    t = rng.integers(0, 4, (5, 3))
    w = rng.uniform(0.5, 2, 4)
    t[0, 0] = 2
    for options in (
        {},
        {"ignore_index": 2},
        {"label_smoothing": 0.2},
        {"ignore_index": 2, "label_smoothing": 0.2},
    ):
        for weight in (None, w):
            ours = nn.CrossEntropyLoss(
                None if weight is None else tensor_of(weight), reduction=reduction, **options
            )
            theirs = torch.nn.CrossEntropyLoss(
                None if weight is None else torch.from_numpy(weight), reduction=reduction, **options
            )
            a, b = tensor_of(x, requires_grad=True), torch.from_numpy(x).requires_grad_()
            y, z = ours(a, tensor_of(t)), theirs(b, torch.from_numpy(t))
            np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-9)
            u = rng.standard_normal(y.shape)
            y.backward(tensor_of(np.asarray(u)))
            z.backward(torch.from_numpy(np.asarray(u)))
            np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-7, atol=1e-12)
