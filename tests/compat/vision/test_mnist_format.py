"""MNIST and its siblings."""

import zipfile

import numpy as np
import pytest
from compat.vision.handmade import bytes_of, idx, md5, served

from minigan.data import DataUnavailable, mnist
from minigan.vision import datasets, transforms


@pytest.mark.parametrize("place", [".", "MNIST/raw", "mnist"])
def test_mnist(tmp_path, place):
    images, labels = bytes_of(7, 28, 28), np.arange(7, dtype=np.uint8)
    for kind in ("train", "t10k"):
        idx(tmp_path / place / f"{kind}-images-idx3-ubyte", images)
        idx(tmp_path / place / f"{kind}-labels-idx1-ubyte", labels)
    data = datasets.MNIST(
        tmp_path,
        train=False,
        download=True,
        transform=transforms.ToTensor(),
        target_transform=lambda t: t + 10,
    )
    assert len(data) == 7 and data.data.shape == (7, 28, 28) and data.targets.dtype == np.int64
    image, label = data[3]
    assert label == 13 and np.array_equal(image.numpy()[0], images[3].astype(np.float32) / 255)
    assert datasets.MNIST(tmp_path)[0][0].mode == "L"


def test_mnist_that_is_not_there(tmp_path, monkeypatch):
    asked = []

    def load(name, split, folder, download):
        asked.append((name, split, folder, download))
        raise DataUnavailable("no files")

    monkeypatch.setattr(mnist, "load", load)
    with pytest.raises(DataUnavailable):
        datasets.FashionMNIST(tmp_path, train=False)
    assert asked == [("fashion-mnist", "test", None, False)]


def test_mnist_old_names(tmp_path):
    for kind in ("train", "t10k"):
        idx(tmp_path / f"{kind}-images-idx3-ubyte.gz", bytes_of(3, 28, 28))
        idx(tmp_path / f"{kind}-labels-idx1-ubyte.gz", np.arange(3, dtype=np.uint8))
    data = datasets.MNIST(tmp_path)
    for old, new in (
        ("train_data", "data"),
        ("test_data", "data"),
        ("train_labels", "targets"),
        ("test_labels", "targets"),
    ):
        with pytest.warns(UserWarning, match=f"{old} has been renamed {new}"):
            assert getattr(data, old) is getattr(data, new)
    assert data.class_to_idx["7 - seven"] == 7 and repr(data).startswith(
        "Dataset MNIST\n    Number of datapoints: 3\n"
    )


def test_mnist_says_what_it_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    platformdirs = pytest.importorskip("platformdirs")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda app: str(tmp_path / "cache"))
    with pytest.raises(
        DataUnavailable,
        match="MNIST: root='nope' .no such folder. has no files: expected train-images-idx3-ubyte",
    ) as e:
        datasets.MNIST("nope")
    for part in ("nope/MNIST/raw", "download=True", str(tmp_path / "cache")):
        assert part in str(e.value)
    assert isinstance(e.value, RuntimeError)
    with pytest.raises(DataUnavailable, match="KMNIST: root=.*t10k-labels-idx1-ubyte.*KMNIST/raw"):
        datasets.KMNIST(tmp_path, train=False)


@pytest.mark.parametrize(
    "split, labels, classes",
    [
        ("letters", [1, 26], 27),
        ("byclass", [0, 61], 62),
        ("balanced", [0, 46], 47),
        ("digits", [0, 9], 10),
    ],
)
@pytest.mark.parametrize("place, end", [("EMNIST/raw", ""), (".", ".gz"), ("gzip", ".gz")])
def test_emnist(tmp_path, split, labels, classes, place, end):
    images = bytes_of(2, 28, 28)
    idx(tmp_path / place / f"emnist-{split}-train-images-idx3-ubyte{end}", images)
    idx(
        tmp_path / place / f"emnist-{split}-train-labels-idx1-ubyte{end}",
        np.array(labels, np.uint8),
    )
    data = datasets.EMNIST(str(tmp_path), split=split, transform=transforms.PILToTensor())
    assert len(data) == 2 and len(data.classes) == classes and data.targets.tolist() == labels
    assert np.array_equal(data[1][0].numpy()[0], images[1])  # transposed, as in the file
    with pytest.raises(DataUnavailable, match=f"emnist-{split}-test-images-idx3-ubyte"):
        datasets.EMNIST(tmp_path, split, train=False)


def test_emnist_classes_are_torchvisions():
    table = datasets.EMNIST.classes_split_dict
    assert "".join(
        table["balanced"]
    ) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt" and table["letters"][:3] == [
        "N/A",
        "a",
        "b",
    ]
    with pytest.raises(ValueError, match="split='caps'"):
        datasets.EMNIST("x", "caps")


def test_emnist_is_downloaded(tmp_path, monkeypatch):
    for kind, array in (
        ("images-idx3", bytes_of(2, 28, 28)),
        ("labels-idx1", np.array([3, 4], np.uint8)),
    ):
        idx(tmp_path / f"emnist-mnist-test-{kind}-ubyte.gz", array)
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as packed:
        for path in tmp_path.glob("*.gz"):
            packed.write(path, f"gzip/{path.name}")
            path.unlink()
    served(tmp_path / "gzip.zip", monkeypatch, datasets.EMNIST, md5=md5(tmp_path / "gzip.zip"))
    root = tmp_path / "root"
    assert datasets.EMNIST(root, "mnist", train=False, download=True).targets.tolist() == [3, 4]
    assert len(datasets.EMNIST(root, "mnist", train=False)) == 2


def test_qmnist(tmp_path):
    idx(tmp_path / "QMNIST" / "raw" / "qmnist-test-images-idx3-ubyte", bytes_of(3, 28, 28))
    labels = np.arange(24, dtype=np.int32).reshape(3, 8)
    idx(tmp_path / "QMNIST" / "raw" / "qmnist-test-labels-idx2-int", labels)
    data = datasets.QMNIST(tmp_path, train=False)
    assert [data[i][1] for i in range(3)] == [0, 8, 16] and data.targets.shape == (3, 8)
    assert datasets.QMNIST(tmp_path, "test10k", compat=False)[1][1].tolist() == labels[1].tolist()
    assert len(datasets.QMNIST(tmp_path, "test50k")) == 0
