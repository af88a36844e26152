"""minigan.save and minigan.load: what comes back, what other programs read, and what is refused."""

import collections
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import minigan
from minigan import Tensor, nn, optim
from minigan.autograd import tensor_of
from minigan.data import SavedFileError


def there_and_back(tree, tmp_path, **options):
    minigan.save(tree, tmp_path / "x.safetensors")
    return minigan.load(tmp_path / "x.safetensors", **options)


def test_a_model_and_its_optimiser(tmp_path):
    net, other = (
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)) for _ in range(2)
    )
    adam, again = (optim.Adam(n.parameters(), 1e-2, betas=(0.5, 0.99)) for n in (net, other))
    for _ in range(3):
        net(minigan.randn(5, 3)).square().mean().backward()
        adam.step()
    state = {
        "epoch": 3,
        "net": net.state_dict(),
        "adam": adam.state_dict(),
        "name": "wgan",
        "best": None,
        "losses": [0.5, float("inf")],
    }
    loaded = there_and_back(state, tmp_path, map_location="cpu")
    assert (
        loaded["epoch"] == 3
        and loaded["name"] == "wgan"
        and loaded["best"] is None
        and loaded["losses"] == [0.5, float("inf")]
    )
    assert loaded["adam"]["param_groups"][0]["betas"] == (0.5, 0.99)
    assert (
        isinstance(loaded["net"]["0.weight"], Tensor)
        and not loaded["net"]["0.weight"].requires_grad
    )
    other.load_state_dict(loaded["net"])
    again.load_state_dict(loaded["adam"])
    x = minigan.randn(5, 3)
    for n, a in ((net, adam), (other, again)):
        n.zero_grad()
        n(x).square().mean().backward()
        a.step()
    assert all(minigan.equal(p, q) for p, q in zip(net.parameters(), other.parameters()))


def test_a_state_dict_is_a_file_for_others(tmp_path):
    net = nn.Linear(3, 2)
    minigan.save(collections.OrderedDict(net.state_dict()), tmp_path / "net.safetensors")
    read = load_file(tmp_path / "net.safetensors")
    assert set(read) == {"weight", "bias"} and (read["weight"] == net.weight.detach().numpy()).all()
    save_file(
        {"weight": np.ones((2, 3), np.float32), "bias": np.zeros(2, np.float32)},
        tmp_path / "theirs.safetensors",
    )
    net.load_state_dict(minigan.load(tmp_path / "theirs.safetensors"))
    assert net.weight.sum().item() == 6


numbers = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**15), 10**15), st.floats(allow_nan=False), st.text()
)
kinds = ["float32", "float64", "int64", "uint8", "bool", "float16"]
arrays = st.tuples(st.sampled_from(kinds), st.lists(st.integers(0, 3), max_size=3)).map(
    lambda a: tensor_of(
        np.arange(int(np.prod(a[1])), dtype=a[0] if a[0] != "bool" else "int8")
        .reshape(a[1])
        .astype(a[0])
    )
)
keys = st.one_of(
    st.text(),
    st.integers(-99, 99),
    st.sampled_from(["__array__", "__tuple__", "__metadata__", "#1", "##", "a/b", "a"]),
)
trees = st.recursive(
    st.one_of(numbers, arrays),
    lambda t: st.one_of(
        st.lists(t, max_size=3),
        st.lists(t, max_size=3).map(tuple),
        st.dictionaries(keys, t, max_size=3),
    ),
    max_leaves=12,
)


def same(a, b):
    if isinstance(a, Tensor):
        return (
            isinstance(b, Tensor)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and a.tolist() == b.tolist()
        )
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(trees)
def test_any_nesting_comes_back(tree):
    file = io.BytesIO()
    minigan.save(tree, file)
    file.seek(0)
    assert same(tree, minigan.load(file))


def test_values_that_become_others(tmp_path):
    tree = {
        "p": nn.Parameter(minigan.ones(2)),
        "a": np.arange(3)[::2],
        "n": np.float32(0.5),
        "t": minigan.ones(2, 3).t(),
    }
    loaded = there_and_back(tree, tmp_path)
    assert (
        type(loaded["p"]) is Tensor
        and loaded["a"].tolist() == [0, 2]
        and loaded["n"] == 0.5
        and loaded["t"].shape == (3, 2)
    )
    assert there_and_back(
        minigan.ones(2), tmp_path, map_location=lambda storage, place: storage
    ).tolist() == [1, 1]


@pytest.mark.parametrize(
    "tree, message",
    [
        ({"net": nn.Linear(1, 1)}, "net is Linear.*state_dict"),
        (
            {"opt": type("Namespace", (), {"__init__": lambda self: setattr(self, "a", 1)})()},
            r"opt is Namespace.*vars\(",
        ),
        ([{"f": abs}], "0/f is builtin"),
        ({1.5: 2}, "key 1.5"),
        ({True: 2}, "key True"),
    ],
)
def test_what_cannot_be_saved(tree, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        minigan.save(tree, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_an_old_file_stays_when_saving_fails(tmp_path):
    minigan.save({"a": 1}, tmp_path / "x")
    with pytest.raises(TypeError):
        minigan.save({"a": object()}, tmp_path / "x")
    assert minigan.load(tmp_path / "x") == {"a": 1}


def test_files_that_cannot_be_loaded(tmp_path):
    with pytest.raises(FileNotFoundError):
        minigan.load(tmp_path / "none")
    path = tmp_path / "x"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    with pytest.raises(SavedFileError, match="pickle.*safetensors.torch.save_file"):
        minigan.load(path)
    path.write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")
    with pytest.raises(SavedFileError, match="pickle"):
        minigan.load(path)
    minigan.save({"a": minigan.ones(100)}, path)
    whole = path.read_bytes()
    for broken in (
        b"",
        b"hello",
        whole[:50],
        whole[:-1],
        whole + b"x",
        whole.replace(b"__array__", b"__arrow__"),
    ):
        path.write_bytes(broken)
        with pytest.raises(SavedFileError, match="damaged, or no safetensors file"):
            minigan.load(path)


def test_names_of_arrays_are_those_of_the_tree(tmp_path):
    minigan.save(
        {"G": {"0.weight": minigan.ones(1)}, "G/0.weight": minigan.zeros(1)}, tmp_path / "x"
    )
    assert set(load_file(tmp_path / "x")) == {"G/0.weight", "G/0.weight'"}
    content = (tmp_path / "x").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert set(header) == {"__metadata__", "G/0.weight", "G/0.weight'"}


@pytest.mark.torch
def test_weights_travel_both_ways(tmp_path):
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("safetensors.torch")
    net, other = (
        nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)),
        torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)),
    )
    minigan.save(net.state_dict(), tmp_path / "x.safetensors")
    other.load_state_dict(theirs.load_file(tmp_path / "x.safetensors"))
    assert (other[0].weight.detach().numpy() == net[0].weight.detach().numpy()).all()
    theirs.save_file({k: v + 1 for k, v in other.state_dict().items()}, tmp_path / "y.safetensors")
    net.load_state_dict(minigan.load(tmp_path / "y.safetensors"))
    assert net[1].num_batches_tracked.item() == 1
    torch.save(other.state_dict(), tmp_path / "z.pth")
    with pytest.raises(SavedFileError, match="PyTorch's own format"):
        minigan.load(tmp_path / "z.pth")
