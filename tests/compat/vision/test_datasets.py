"""The other data sets, in small files of the real formats, written by hand."""

import bz2
import io

import numpy as np
import pytest
from compat.vision.handmade import bytes_of, celeba, cifar, md5, picture, saved, write
from PIL import Image
from scipy.io import savemat

import minigan
from minigan.data import DataError, DataUnavailable
from minigan.vision import datasets, transforms
from minigan.vision.datasets.folder import is_image_file, make_dataset


def test_svhn(tmp_path):
    pixels, labels = bytes_of(32, 32, 3, 5), np.array([[1], [10], [5], [10], [9]], np.uint8)
    savemat(tmp_path / "extra_32x32.mat", {"X": pixels, "y": labels})
    data = datasets.SVHN(tmp_path, "extra", transform=transforms.ToTensor())
    assert (
        data.data.shape == (5, 3, 32, 32)
        and data.labels.tolist() == [1, 0, 5, 0, 9]
        and data.labels.dtype == np.int64
    )
    assert (
        np.array_equal(
            data[2][0].numpy() * 255, pixels[..., 2].transpose(2, 0, 1).astype(np.float32)
        )
        and data[1][1] == 0
    )
    with pytest.raises(DataUnavailable, match="SVHN.*train_32x32.mat.*http"):
        datasets.SVHN(tmp_path)
    with pytest.raises(ValueError, match="split='valid'"):
        datasets.SVHN(tmp_path, "valid")
    write(tmp_path / "test_32x32.mat", b"nonsense")
    with pytest.raises(DataError, match="test_32x32.mat: cannot be read"):
        datasets.SVHN(tmp_path, "test")
    savemat(tmp_path / "test_32x32.mat", {"X": pixels, "y": labels[:4]})
    with pytest.raises(DataError, match="5 labels"):
        datasets.SVHN(tmp_path, "test")


def test_svhn_is_downloaded(tmp_path, monkeypatch):
    savemat(tmp_path / "x.mat", {"X": bytes_of(32, 32, 3, 2), "y": np.array([[1], [2]])})
    where = {"test": [(tmp_path / "x.mat").as_uri(), "test_32x32.mat", md5(tmp_path / "x.mat")]}
    monkeypatch.setattr(datasets.SVHN, "split_list", where)
    assert len(datasets.SVHN(tmp_path / "root", "test", download=True)) == 2


def test_stl10(tmp_path):
    folder = tmp_path / "stl10_binary"
    train, unlabeled = bytes_of(4, 3, 96, 96), bytes_of(2, 3, 96, 96)
    write(folder / "train_X.bin", train.tobytes())
    write(folder / "train_y.bin", bytes([1, 10, 3, 2]))
    write(folder / "unlabeled_X.bin", unlabeled.tobytes())
    write(folder / "class_names.txt", "\n".join("abcdefghij"))
    write(folder / "fold_indices.txt", "\n".join(["3 1"] * 9 + ["0 7"]))
    data = datasets.STL10(tmp_path)
    assert data.labels.tolist() == [0, 9, 2, 1] and data.classes == list("abcdefghij")
    image, label = data[1]
    # columns come first
    assert label == 9 and np.array_equal(np.asarray(image), train[1].transpose(2, 1, 0))
    assert datasets.STL10(tmp_path, folds=2).labels.tolist() == [1, 9]
    both = datasets.STL10(tmp_path, "train+unlabeled")
    assert len(both) == 6 and both.labels.tolist() == [0, 9, 2, 1, -1, -1] and both[5][1] == -1
    assert len(datasets.STL10(tmp_path, "unlabeled")) == 2
    with pytest.raises(DataError, match="indices 0 to 7"):
        datasets.STL10(tmp_path, folds=9)
    with pytest.raises(ValueError, match="folds=10"):
        datasets.STL10(tmp_path, folds=10)
    with pytest.raises(DataUnavailable, match="test_X.bin, test_y.bin"):
        datasets.STL10(tmp_path, "test")
    write(folder / "train_X.bin", train.tobytes()[:-1])
    with pytest.raises(DataError, match="train_X.bin: damaged"):
        datasets.STL10(tmp_path)


def test_usps(tmp_path):
    values = np.linspace(-1, 1, 256)
    line = " ".join(f"{i + 1}:{v:.6g}" for i, v in enumerate(values))
    write(tmp_path / "usps.t.bz2", bz2.compress(f"10 {line} \n1 {line} \n".encode()))
    data = datasets.USPS(tmp_path, train=False)
    assert (
        data.data.shape == (2, 16, 16)
        and data.targets == [9, 0]
        and data.data[0, 0, 0] == 0
        and data.data[1, 15, 15] == 255
    )
    assert np.array_equal(np.asarray(data[0][0]), data.data[0])
    write(tmp_path / "usps.bz2", bz2.compress(b"10 1:x\n"))
    with pytest.raises(DataError, match="usps.bz2"):
        datasets.USPS(tmp_path)


@pytest.mark.parametrize("comma, below", [(False, "celeba"), (False, "."), (True, ".")])
def test_celeba(tmp_path, comma, below):
    tables = celeba(tmp_path / below, comma)
    data = datasets.CelebA(tmp_path, transform=transforms.ToTensor())
    assert (
        len(data) == 3
        and data.filename == ["000001.jpg", "000002.jpg", "000005.jpg"]
        and data.attr_names == [f"Attr{i}" for i in range(40)]
    )
    image, attributes = data[2]
    assert (
        image.shape == (3, 12, 10)
        and attributes.tolist() == ((tables["list_attr_celeba"][1][4] + 1) // 2).tolist()
    )
    assert attributes.dtype == np.int64
    kinds = ["identity", "bbox", "landmarks", "attr"]
    test = datasets.CelebA(str(tmp_path), "test", kinds, target_transform=lambda t: t[:3])
    identity, box, marks = test[1][1]
    assert (
        identity == 105
        and box.tolist() == tables["list_bbox_celeba"][1][5].tolist()
        and marks.shape == (10,)
    )
    assert (
        len(datasets.CelebA(tmp_path, "all")) == 6
        and datasets.CelebA(tmp_path, "valid", [])[0][1] is None
    )
    batch = next(iter(minigan.utils.data.DataLoader(data, 3)))
    assert batch[0].shape == (3, 3, 12, 10) and batch[1].shape == (3, 40)


def test_celeba_with_some_files(tmp_path):
    celeba(tmp_path / "celeba")
    (tmp_path / "celeba" / "identity_CelebA.txt").unlink()
    data = datasets.CelebA(tmp_path)
    assert data.identity is None and data.bbox.shape == (3, 4)
    with pytest.raises(DataUnavailable, match="identity_CelebA.txt"):
        datasets.CelebA(tmp_path, target_type="identity")
    with pytest.raises(ValueError, match="target_type='name'"):
        datasets.CelebA(tmp_path, target_type="name")
    with pytest.raises(ValueError, match="split"):
        datasets.CelebA(tmp_path, "training")
    with pytest.raises(DataUnavailable, match="Google Drive.*mmlab"):
        datasets.CelebA(tmp_path / "none", download=True)
    path = tmp_path / "celeba" / "list_attr_celeba.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(
        DataError, match="list_attr_celeba.txt: expected 40 numbers for each of the 6"
    ):
        datasets.CelebA(tmp_path)


def test_lsun(tmp_path):
    for name in ("bedroom_train/a/1.webp", "bedroom_train/a/b/2.png", "tower_train/3.JPG"):
        saved(tmp_path / name, picture())
    data = datasets.LSUN(
        str(tmp_path),
        ["bedroom_train", "tower_train"],
        transform=transforms.ToTensor(),
        target_transform=str,
    )
    assert (
        len(data) == 3
        and [data[i][1] for i in range(3)] == ["0", "0", "1"]
        and data[-1][0].shape == (3, 12, 10)
    )
    with pytest.raises(DataUnavailable, match="bridge_train.*_lmdb"):
        datasets.LSUN(tmp_path, "train")
    with pytest.raises(ValueError, match="'attic_train' is none of"):
        datasets.LSUN(tmp_path, ["attic_train"])
    with pytest.raises(ValueError, match="classes='dev'"):
        datasets.LSUN(tmp_path, "dev")
    with pytest.raises(IndexError):
        data[3]


def test_lsun_as_it_is_downloaded(tmp_path):
    (tmp_path / "tower_val_lmdb").mkdir()
    try:
        import lmdb
    except ImportError:
        with pytest.raises(
            DataError, match="install the package lmdb, or export its pictures into .*tower_val"
        ):
            datasets.LSUN(tmp_path, ["tower_val"])
        return
    image, file = picture(), io.BytesIO()
    image.save(file, "png")
    with lmdb.open(str(tmp_path / "tower_val_lmdb")) as env, env.begin(write=True) as txn:
        txn.put(b"k1", file.getvalue())
    data = datasets.LSUN(tmp_path, ["tower_val"])
    assert len(data) == 1 and np.array_equal(np.asarray(data[0][0]), np.asarray(image))


def test_image_folder(tmp_path):
    for name in ("b/2.png", "b/1.PNG", "a/deep/x.jpg", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x") if name.endswith("txt") else picture(mode="L").save(
            tmp_path / name
        )
    data = datasets.ImageFolder(str(tmp_path), transform=transforms.ToTensor())
    assert (
        data.classes == ["a", "b"]
        and data.class_to_idx == {"a": 0, "b": 1}
        and data.targets == [0, 1, 1]
    )
    assert [p[-5:] for p, _ in data.samples] == ["x.jpg", "1.PNG", "2.png"]
    assert data[1][0].shape == (3, 12, 10) and data[1][1] == 1
    with pytest.raises(DataError, match="no subfolder with files"):
        datasets.ImageFolder(tmp_path / "a" / "deep")
    with pytest.raises(DataError, match="cannot be read"):
        datasets.ImageFolder(tmp_path / "none")


def test_fake_data():
    data = datasets.FakeData(5, (3, 8, 6), 4, transform=transforms.ToTensor())
    assert (
        len(data) == 5 and data[2][0].shape == (3, 8, 6) and minigan.equal(data[2][0], data[2][0])
    )
    assert not minigan.equal(data[2][0], data[3][0]) and {data[i][1] for i in range(5)} <= set(
        range(4)
    )
    assert (
        minigan.equal(data[-1][0], data[4][0]) and datasets.FakeData(5, (1, 4, 4))[0][0].mode == "L"
    )
    assert minigan.equal(
        datasets.FakeData(5, (3, 8, 6), 4, transforms.ToTensor(), random_offset=1)[1][0], data[2][0]
    )
    with pytest.raises(IndexError, match="out of range for 5"):
        data[5]


def test_image_folder_reads_16_bits(tmp_path):
    values = np.array([[0, 255, 256], [32768, 65535, 1000]], np.uint16)
    saved(tmp_path / "a" / "x.png", Image.fromarray(values))
    image = np.asarray(datasets.ImageFolder(tmp_path)[0][0])
    assert image.shape == (2, 3, 3) and image[:, :, 1].tolist() == (values >> 8).tolist()


def test_folders_without_files(tmp_path):
    saved(tmp_path / "a" / "x.png", picture())
    (tmp_path / "b").mkdir()
    with pytest.raises(
        DataError, match="in the subfolder b: expected .*<class>/<file>; allow_empty"
    ):
        datasets.ImageFolder(tmp_path)
    assert datasets.ImageFolder(tmp_path, allow_empty=True).classes == ["a", "b"]
    with pytest.raises(ValueError, match="one of the two"):
        datasets.DatasetFolder(tmp_path, loader=str)
    assert make_dataset(str(tmp_path), {"a": 3}, is_valid_file=is_image_file) == [
        (str(tmp_path / "a" / "x.png"), 3)
    ]


def test_a_data_set_of_ones_own():
    class Mine(datasets.VisionDataset):
        def __getitem__(self, index):
            return self.transforms(index, -index)

        def __len__(self):
            return 3

    assert Mine("here", transforms=lambda x, y: (x + 1, y))[1] == (2, -1)
    assert Mine("here", transform=lambda x: x + 1)[1] == (2, -1)
    assert repr(Mine("here", transform=transforms.ToTensor())).endswith(
        "    StandardTransform\n    Transform: ToTensor()"
    )
    with pytest.raises(ValueError, match="transforms"):
        Mine("here", transforms=max, transform=abs)


@pytest.mark.torch
def test_as_torchvision_reads_them(tmp_path, torchvision, monkeypatch):
    """Its data sets on the same files, with its checksums passed over."""
    theirs = torchvision.datasets
    cifar(tmp_path / "cifar-10-batches-py")
    pixels = bytes_of(32, 32, 3, 5)
    savemat(
        tmp_path / "train_32x32.mat",
        {"X": pixels, "y": np.array([[1], [10], [5], [10], [9]], np.uint8)},
    )
    celeba(tmp_path / "celeba")
    for name in ("cifar", "svhn", "celeba"):
        monkeypatch.setattr(getattr(theirs, name), "check_integrity", lambda *a: True)
    for name, options in (
        ("CIFAR10", {}),
        ("SVHN", {}),
        ("CelebA", {"target_type": ["bbox", "attr"]}),
    ):
        ours, other = (
            getattr(datasets, name)(str(tmp_path), **options),
            getattr(theirs, name)(str(tmp_path), **options),
        )
        assert len(ours) == len(other) and repr(ours) == repr(other)
        for (a, x), (b, y) in ((ours[i], other[i]) for i in range(len(other))):
            assert np.array_equal(np.asarray(a), np.asarray(b))
            assert str(
                [np.asarray(t).tolist() for t in np.atleast_1d(x)]
                if name != "CelebA"
                else [t.tolist() for t in x]
            ) == str(
                [np.asarray(t).tolist() for t in np.atleast_1d(y)]
                if name != "CelebA"
                else [t.tolist() for t in y]
            )
