"""CIFAR-10 and CIFAR-100: batches, the binary form, pickles that would run code, downloads."""

import io
import os
import pickle
import pickletools
import tarfile

import numpy as np
import pytest
from compat.vision.handmade import bytes_of, cifar, md5, python2, served, write

from minigan.data import DataError, DataUnavailable
from minigan.vision import datasets, transforms
from minigan.vision.datasets.plainpickle import read_pickle


@pytest.mark.parametrize(
    "dump",
    [python2, *(lambda x, p=p: pickle.dumps(x, p) for p in (2, 4, 5))],
    ids=["python2", "2", "4", "5"],
)
@pytest.mark.parametrize(
    "place", ["cifar-10-batches-py", "cifar-10-python/cifar-10-batches-py", "."]
)
def test_cifar10(tmp_path, dump, place):
    parts = cifar(tmp_path / place, dump=dump)
    data = datasets.CIFAR10(
        str(tmp_path), transform=transforms.ToTensor(), target_transform=lambda t: -t
    )
    assert (
        len(data) == 20 and data.data.shape == (20, 32, 32, 3) and data.targets == [0, 3, 6, 9] * 5
    )
    assert data.classes == list("abcdefghij") and data.class_to_idx["c"] == 2
    image, label = data[6]
    assert label == -6 and np.array_equal(
        image.numpy() * 255, parts["data_batch_2"][2].reshape(3, 32, 32).astype(np.float32)
    )
    test = datasets.CIFAR10(tmp_path, train=False)
    assert len(test) == 4 and test[1][0].size == (32, 32)
    assert np.array_equal(
        np.asarray(test[1][0]).transpose(2, 0, 1).reshape(-1), parts["test_batch"][1]
    )
    assert (
        repr(test)
        == f"Dataset CIFAR10\n    Number of datapoints: 4\n    Root location: {tmp_path}\n    "
        "Split: Test"
    )
    with pytest.raises(IndexError):
        test[4]


def test_cifar100(tmp_path):
    cifar(tmp_path / "cifar-100-python", hundred=True)
    data = datasets.CIFAR100(tmp_path)
    assert len(data) == 4 and data.classes[99] == "class99" and data[3][1] == 9


def test_cifar_in_the_binary_form(tmp_path):
    rows = bytes_of(3, 3073)
    rows[:, 0] = [2, 0, 9]
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        write(tmp_path / "cifar-10-batches-bin" / f"{name}.bin", rows.tobytes())
    write(tmp_path / "cifar-10-batches-bin" / "batches.meta.txt", "\n".join("abcdefghij") + "\n\n")
    data = datasets.CIFAR10(tmp_path)
    assert len(data) == 15 and data.targets[:3] == [2, 0, 9] and data.classes == list("abcdefghij")
    assert np.array_equal(data.data[1].transpose(2, 0, 1).reshape(-1), rows[1, 1:])
    hundred = bytes_of(2, 3074) % 20
    for name in ("train", "test"):
        write(tmp_path / "cifar-100-binary" / f"{name}.bin", hundred.tobytes())
    write(
        tmp_path / "cifar-100-binary" / "fine_label_names.txt",
        "\n".join(f"c{i}" for i in range(100)),
    )
    assert datasets.CIFAR100(tmp_path).targets == hundred[:, 1].tolist()
    write(tmp_path / "cifar-100-binary" / "train.bin", hundred.tobytes()[:-1])
    with pytest.raises(DataError, match="train.bin: damaged"):
        datasets.CIFAR100(tmp_path)


class Malicious:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "call",
    [
        (os.system, "touch gotcha"),
        (eval, "open('gotcha', 'w')"),
        (np.load, "gotcha"),
        (getattr, str, "upper"),
        (np.fromfile, "x"),
        (io.open, "gotcha", "w"),
    ],
    ids=lambda call: call[0].__name__,
)
def test_pickles_that_run_code_are_refused(tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cifar-10-batches-py"
    cifar(folder)
    write(folder / "data_batch_3", pickle.dumps({"data": Malicious(*call), "labels": [0]}))
    with pytest.raises(DataError, match="data_batch_3: not read: it names "):
        datasets.CIFAR10(tmp_path)
    assert not (tmp_path / "gotcha").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80",
        b"not a pickle",
        b"\x80\x02cposix\nsystem\n.",
        b"\x80\x02cnumpy\nload\n.",
        b"\x80\x02]q\x00.",
        b"\x80\x02}q\x00",
        b"\x80\x02c_codecs\nencode\nU\x01aU\x04zlib\x86R.",
        b"\x80\x02(cnumpy\ndtype\nU\x01OK\x00K\x01\x87Rt.",
        pickle.dumps({"data": np.array([object, 1], object)}),
        pickle.dumps({"data": np.zeros(2, "V3")}),
        pickle.dumps({"data": np.array([1 + 2j])}),
        pickle.dumps({"data": np.zeros(3, "datetime64[s]")}),
        b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87Rs.",
    ],
)
def test_other_pickles_are_errors(tmp_path, content):
    with pytest.raises(DataError, match="x: "):
        read_pickle(write(tmp_path / "x", content))


def test_plain_pickles(tmp_path):
    value = {
        "a": [1, 2.5, None, True, "é"],
        b"b": np.arange(6.0).reshape(2, 3),
        "f": np.asfortranarray(np.arange(6).reshape(2, 3)),
    }
    for protocol in range(6):
        found = read_pickle(write(tmp_path / "x", pickle.dumps(value, protocol)))
        assert (
            found["a"] == value["a"]
            and np.array_equal(found["b"], value[b"b"])
            and np.array_equal(found["f"], value["f"])
        )
    assert any(
        op.name == "BINSTRING"
        for op, *_ in pickletools.genops(python2({"a": np.zeros(2, np.uint8)}))
    )


def test_cifar_that_is_not_there(tmp_path):
    with pytest.raises(
        DataUnavailable,
        match=r"CIFAR10: root='.*' does not hold the data; looked for data_batch_1.*batches.meta "
        r"in",
    ) as e:
        datasets.CIFAR10(tmp_path)
    assert (
        "cifar-10-batches-py" in str(e.value)
        and "download=True" in str(e.value)
        and isinstance(e.value, RuntimeError)
    )
    with pytest.raises(DataUnavailable, match="no such folder"):
        datasets.CIFAR100(tmp_path / "none")
    write(tmp_path / "cifar-10-python.tar.gz", b"x")
    with pytest.raises(
        DataUnavailable, match="cifar-10-python.tar.gz is there: pass download=True"
    ):
        datasets.CIFAR10(tmp_path)


@pytest.mark.parametrize(
    "entry",
    [
        {"data": bytes_of(4, 3071), "labels": [0] * 4},
        {"data": bytes_of(4, 3072), "labels": [0] * 3},
        {"labels": []},
        {"data": bytes_of(4, 3072), "labels": [10] * 4},
        {"data": bytes_of(4, 3072).astype(np.int16), "labels": [0] * 4},
    ],
)
def test_cifar_of_another_kind(tmp_path, entry):
    cifar(tmp_path)
    write(tmp_path / "data_batch_2", pickle.dumps(entry))
    with pytest.raises(DataError):
        datasets.CIFAR10(tmp_path)


def test_cifar_is_downloaded_checked_and_unpacked(tmp_path, monkeypatch):
    cifar(tmp_path / "there" / "cifar-10-batches-py")
    write(tmp_path / "there" / "cifar-10-batches-py" / "readme.html", "x")
    archive = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "there" / "cifar-10-batches-py", "cifar-10-batches-py")
        evil = tarfile.TarInfo("../outside")
        tar.addfile(evil, io.BytesIO(b""))
    served(archive, monkeypatch, datasets.CIFAR10, tgz_md5=md5(archive))
    root = tmp_path / "root"
    assert len(datasets.CIFAR10(root, download=True)) == 20
    assert (
        not (tmp_path / "outside").exists()
        and not (root / "cifar-10-batches-py" / "readme.html").exists()
    )
    archive.unlink()
    assert len(datasets.CIFAR10(root, train=False, download=True)) == 4  # nothing is asked for
    (root / "cifar-10-batches-py" / "data_batch_1").unlink()
    assert len(datasets.CIFAR10(root, download=True)) == 20  # from the archive that is there


def test_a_wrong_checksum_leaves_nothing(tmp_path, monkeypatch):
    served(write(tmp_path / "x.tar.gz", b"something else"), monkeypatch, datasets.CIFAR10)
    with pytest.raises(DataError, match="wrong checksum"):
        datasets.CIFAR10(tmp_path / "root", download=True)
    assert not list((tmp_path / "root").rglob("*"))


def test_no_mirror(tmp_path, monkeypatch):
    served(tmp_path / "none.tar.gz", monkeypatch, datasets.STL10)
    with pytest.raises(DataUnavailable, match=r"STL10: no mirror.*put it at .*stl10_binary.tar.gz"):
        datasets.STL10(tmp_path, download=True)


def test_an_archive_that_lacks_files(tmp_path, monkeypatch):
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("cifar-10-batches-py/data_batch_1"), io.BytesIO(b""))
    served(archive, monkeypatch, datasets.CIFAR10, tgz_md5=md5(archive))
    with pytest.raises(DataError, match="cannot be unpacked.*test_batch"):
        datasets.CIFAR10(tmp_path / "root", download=True)
