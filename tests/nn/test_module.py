"""Module: registration, walking, modes, moving, state."""

import copy

import numpy as np
import pytest

from minigan import nn
from minigan.autograd import no_grad, tensor_of
from minigan.ops import placement


def parameter(*shape, seed=0):
    return nn.Parameter(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = parameter(3)
        self.register_buffer("count", tensor_of(np.array(0)))
        self.register_buffer("scratch", tensor_of(np.zeros(2, np.float32)), persistent=False)
        self.first = nn.Linear(2, 3)
        self.shift = parameter(3, seed=1)
        self.register_parameter("absent", None)

    def forward(self, x):
        return self.first(x) * self.scale + self.shift


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.later = None
        self.a = Block()
        self.later = nn.Linear(3, 1, bias=False)
        self.b = self.a

    def forward(self, x):
        return self.later(self.a(x) + self.b(x))


def test_order_of_names_is_that_of_registration():
    net = Net()
    names = [n for n, _ in net.named_parameters()]
    assert names == ["a.scale", "a.shift", "a.first.weight", "a.first.bias", "later.weight"]
    assert [n for n, _ in net.named_modules()] == ["", "a", "a.first", "later"]
    assert [n for n, _ in net.named_modules(remove_duplicate=False)] == [
        "",
        "a",
        "a.first",
        "later",
        "b",
        "b.first",
    ]
    assert [n for n, _ in net.named_children()] == ["a", "later"]
    assert [n for n, _ in net.named_buffers()] == ["a.count", "a.scratch"]
    assert list(net.state_dict()) == [
        "a.scale", "a.shift", "a.count", "a.first.weight", "a.first.bias", "later.weight",
        "b.scale", "b.shift", "b.count", "b.first.weight", "b.first.bias",
    ]  # fmt: skip
    assert len(list(net.parameters())) == 5 and len(list(net.a.parameters(recurse=False))) == 2
    assert (
        [p for p in net.get_submodule("a.first").parameters()][0]
        is net.a.first.weight
        is net.get_parameter("b.first.weight")
    )


def test_replacing_keeps_the_place():
    net = Net()
    net.a = Block()
    assert [n for n, _ in net.named_children()] == ["a", "later", "b"]
    assert net.a is not net.b


def test_parameters_are_named_for_error_messages():
    net = Net()
    y = net(tensor_of(np.ones((4, 2), np.float32))).sum()
    with no_grad():
        net.later.weight.mul_(2)
    with pytest.raises(RuntimeError, match=r"Linear\.weight of shape \(1, 3\)"):
        y.backward()


def test_an_attribute_that_is_not_there():
    with pytest.raises(
        AttributeError, match="'Linear' has no attribute 'wieght'; did you mean 'weight'"
    ):
        nn.Linear(2, 3).wieght  # noqa: B018
    assert not hasattr(nn.Linear(2, 3), "running_mean")
    with pytest.raises(AttributeError, match="no submodule 'second'.*first"):
        Net().get_submodule("a.second")


def test_modules_need_no_call_of_super_init():
    class Careless(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2)

    assert [n for n, _ in Careless().named_parameters()] == ["layer.weight", "layer.bias"]


def test_wrong_assignments():
    block = Block()
    with pytest.raises(TypeError, match=r"Block\.scale cannot become Tensor.*nn\.Parameter"):
        block.scale = tensor_of(np.zeros(3, np.float32))
    with pytest.raises(TypeError, match="first cannot become int"):
        block.first = 3
    with pytest.raises(TypeError, match="count cannot become int"):
        block.count = 3
    with pytest.raises(KeyError, match="without '.'"):
        block.add_module("a.b", nn.Identity())
    with pytest.raises(KeyError, match="'forward' already exists"):
        block.add_module("forward", nn.Identity())
    with pytest.raises(TypeError, match="must be an nn.Parameter"):
        block.register_parameter("w", tensor_of(np.zeros(3)))
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)
    block.count = tensor_of(np.array(7))
    assert block.state_dict()["a" and "count"].item() == 7
    del block.scale
    block.scale = tensor_of(np.zeros(3, np.float32))  # an ordinary attribute now
    assert "scale" not in block.state_dict()
    block.scratch = parameter(2)
    assert "scratch" in block._parameters and "scratch" not in block._buffers


def test_train_eval_apply_requires_grad_zero_grad():
    net, seen = Net(), []
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "Block", "Linear", "Net"]
    net.requires_grad_(False)
    assert not net(tensor_of(np.ones((4, 2), np.float32))).requires_grad
    net.requires_grad_()
    net(tensor_of(np.ones((4, 2), np.float32))).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(not p.grad.numpy().any() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_to_keeps_the_parameters():
    net = Net()
    before = list(net.parameters())
    net(tensor_of(np.ones((4, 2), np.float32))).sum().backward()
    assert net.double() is net
    assert all(p is q for p, q in zip(before, net.parameters()))
    assert all(p.dtype == p.grad.dtype == np.float64 for p in before)
    assert net.a.count.dtype == np.int64 and net.a.scratch.dtype == np.float64
    assert net.to("cpu", np.float32).later.weight.dtype == np.float32
    assert net.to(tensor_of(np.zeros(1))).later.weight.dtype == np.float64
    assert net.to(dtype=np.float16).later.weight.dtype == np.float16
    with pytest.raises(TypeError, match="floating-point dtype"):
        net.to(np.int64)


def test_state_dict_round_trip():
    a, b = Net(), Net()
    kept = list(b.parameters())
    state = {k: v.numpy().copy() for k, v in a.state_dict().items()}
    assert repr(b.load_state_dict(a.state_dict())) == "<All keys matched successfully>"
    for (name, p), q in zip(b.named_parameters(), kept):
        assert p is q, "an optimiser must keep its parameters"
        np.testing.assert_array_equal(p.detach().numpy(), state[name])
    with no_grad():
        a.later.weight.add_(1)
    assert not np.array_equal(b.later.weight.detach().numpy(), a.later.weight.detach().numpy()), (
        "copied, not shared"
    )
    b.load_state_dict(state)  # plain arrays
    assert all(not v.requires_grad for v in a.state_dict().values())
    assert a.state_dict(keep_vars=True)["later.weight"] is a.later.weight
    assert np.shares_memory(a.state_dict()["later.weight"].numpy(), a.later.weight.array)


def test_loading_is_noticed_by_backward():
    net = Net()
    y = net(tensor_of(np.ones((4, 2), np.float32))).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_a_number_may_come_as_a_vector():
    bn, other = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    bn(tensor_of(np.ones((3, 2), np.float32)))
    state = {k: np.atleast_1d(v.numpy()) for k, v in bn.state_dict().items()}
    other.load_state_dict(state)
    assert other.num_batches_tracked.shape == () and other.num_batches_tracked.item() == 1
    with pytest.raises(RuntimeError, match="num_batches_tracked has shape"):
        other.load_state_dict({**state, "num_batches_tracked": np.ones(2)})


def test_a_wrong_state_changes_nothing():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    state = {k: v + 1 for k, v in before.items()}
    del state["0.bias"]
    state["extra"] = np.zeros(1)
    state["1.weight"] = np.zeros((3, 1), np.float32)
    state["1.bias"] = "text"
    with pytest.raises(RuntimeError) as info:
        net.load_state_dict(state)
    text = str(info.value)
    for part in (
        "missing keys: 0.bias",
        "unexpected keys: extra",
        "1.weight has shape (3, 1), here it is (1, 3)",
        "1.bias is no Tensor",
    ):
        assert part in text
    with pytest.raises(RuntimeError, match="1.weight") as info:
        net.load_state_dict(state, strict=False)
    assert "missing" not in str(info.value)
    for k, v in net.state_dict().items():
        np.testing.assert_array_equal(v.numpy(), before[k])
    found = net.load_state_dict({"0.weight": state["0.weight"], "other": 1}, strict=False)
    assert found.missing_keys == ["0.bias", "1.weight", "1.bias"] and found.unexpected_keys == [
        "other"
    ]
    np.testing.assert_array_equal(net[0].weight.detach().numpy(), state["0.weight"])


def test_deepcopy_is_independent():
    net = Net()
    net(tensor_of(np.ones((4, 2), np.float32))).sum().backward()
    twin = copy.deepcopy(net)
    assert twin.b is twin.a and twin.a is not net.a
    assert isinstance(twin.later.weight, nn.Parameter) and twin.later.weight.name == "Linear.weight"
    for (name, p), (_, q) in zip(net.named_parameters(), twin.named_parameters()):
        assert p is not q and not np.shares_memory(p.array, q.array), name
        np.testing.assert_array_equal(p.array, q.array)
        assert p.grad is not None and q.grad is None
        assert p._version is not q._version
    assert list(twin.state_dict()) == list(net.state_dict())
    assert not np.shares_memory(twin.a.count.array, net.a.count.array)


def test_hooks():
    layer, calls = nn.Linear(2, 2), []
    x = tensor_of(np.ones((1, 2), np.float32))
    plain = layer(x).detach().numpy()
    first = layer.register_forward_hook(lambda m, inputs, y: calls.append((m, inputs, y)))
    with (
        layer.register_forward_hook(lambda m, inputs, y: y * 2),
        layer.register_forward_pre_hook(lambda m, inputs: inputs[0] * 0),
    ):
        np.testing.assert_allclose(
            layer(x).detach().numpy(), 2 * layer.bias.detach().numpy()[None], rtol=1e-6
        )
    (m, inputs, y) = calls[0]
    assert m is layer and not inputs[0].numpy().any()
    first.remove()
    np.testing.assert_array_equal(layer(x).detach().numpy(), plain)
    assert len(calls) == 1


def test_repr():
    assert repr(Net()) == (
        "Net(\n"
        "  (a): Block(\n"
        "    (first): Linear(in_features=2, out_features=3, bias=True)\n"
        "  )\n"
        "  (later): Linear(in_features=3, out_features=1, bias=False)\n"
        "  (b): Block(\n"
        "    (first): Linear(in_features=2, out_features=3, bias=True)\n"
        "  )\n"
        ")"
    )
    assert repr(nn.Parameter(np.zeros(1, np.float32))).startswith(
        "Parameter containing:\ntensor([0.]"
    )
    assert repr(nn.Sequential()) == "Sequential()"


def test_evaluating():
    """Each part has its own mode again, also after an error and after a change inside."""
    net = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5)), nn.Linear(2, 2))
    net[1].eval()
    modes = [m.training for m in net.modules()]
    assert modes == [True, True, False, False, True]
    with nn.utils.evaluating(net, other := nn.Dropout(0.5)):
        assert not any(m.training for m in net.modules()) and not other.training
        net[0].train()
    assert [m.training for m in net.modules()] == modes and other.training
    with pytest.raises(ZeroDivisionError), nn.utils.evaluating(net):
        1 / 0  # noqa: B018
    assert [m.training for m in net.modules()] == modes


def test_where_to_says_the_same_to_both():
    """x.to and module.to read their arguments alike: a CUDA index by position or by name, a dtype's
    name, another Tensor."""
    for args, named, expected in [
        ((1,), {}, ("cuda:1", None)),
        ((), {"device": 0}, ("cuda:0", None)),
        (("cuda", "float64", True), {}, ("cuda:0", "float64")),
        ((tensor_of(np.ones(1)),), {}, ("cpu", "float64")),
        ((None, np.float16), {}, (None, "float16")),
        ((False,), {"dtype": "float16"}, (None, "float16")),
    ]:
        place, dtype = placement.parse_to(args, **named)
        assert (place and str(place), dtype and dtype.name) == expected
