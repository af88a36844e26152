"""Grids, transforms and data sets of pictures: as torchvision's."""

import io

import numpy as np
import pytest
from PIL import Image

import minigan
from minigan.autograd import tensor_of
from minigan.data import DataError, DataUnavailable, mnist
from minigan.vision import datasets, transforms, utils

RNG = np.random.default_rng(0)


def picture(h=12, w=10, mode="RGB"):
    shape = (h, w) if mode == "L" else (h, w, 3)
    return Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8), mode)


# --- grids ---


def test_grid_places_every_image():
    images = minigan.arange(5).view(5, 1, 1, 1).float().expand(5, 1, 2, 3)
    grid = utils.make_grid(images, nrow=3, padding=1, pad_value=9.0)
    assert grid.shape == (3, 2 * 3 + 1, 3 * 4 + 1)
    for k in range(5):
        top, left = 1 + k // 3 * 3, 1 + k % 3 * 4
        assert (grid[:, top : top + 2, left : left + 3] == k).all()
    assert (grid == 9).sum() == 3 * (7 * 13 - 5 * 6)
    assert utils.make_grid(images[:1]).shape == (3, 2, 3) and utils.make_grid([images[0], images[1]], padding=0).shape == (3, 2, 6)


def test_grid_normalised():
    x = tensor_of(np.array([-1.0, 0.0, 3.0, 1.0], np.float32).reshape(2, 1, 1, 2))
    assert utils.make_grid(x, padding=0, normalize=True)[0].tolist() == [[0.0, 0.25, 1.0, 0.5]]
    assert utils.make_grid(x, padding=0, normalize=True, scale_each=True)[0].tolist() == [[0.0, 1.0, 1.0, 0.0]]
    assert utils.make_grid(x, padding=0, normalize=True, value_range=(-1, 1))[0].tolist() == [[0.0, 0.5, 1.0, 1.0]]
    assert x.min() == -1
    with pytest.raises(ValueError, match=r"got shape \(2,\)"):
        utils.make_grid(minigan.ones(2))


def test_save_image(tmp_path):
    x = minigan.tensor([[0.0, 0.5], [1.0, 2.0]], requires_grad=True)
    utils.save_image(x, tmp_path / "a" / "x.png")
    assert np.asarray(Image.open(tmp_path / "a" / "x.png"))[:, :, 0].tolist() == [[0, 128], [255, 255]]
    file = io.BytesIO()
    utils.save_image(x, file, "png")
    assert Image.open(file).size == (2, 2)
    with pytest.raises(ValueError, match="says no format"):
        utils.save_image(x, tmp_path / "x")


# --- transforms ---


def test_to_tensor_and_back():
    image = picture()
    x = transforms.ToTensor()(image)
    assert x.shape == (3, 12, 10) and x.dtype == np.float32 and 0 <= x.min() and x.max() <= 1
    assert np.array_equal(np.asarray(transforms.ToPILImage()(x)), np.asarray(image))
    assert transforms.ToTensor()(picture(mode="L")).shape == (1, 12, 10)
    assert transforms.ToTensor()(np.ones((4, 5, 3))).dtype == np.float64  # floats stay
    assert transforms.ToTensor()(np.full((4, 5), 255, np.uint8)).tolist() == [[[1.0] * 5] * 4]
    assert transforms.PILToTensor()(image).dtype == np.uint8
    assert transforms.ToTensor()(Image.fromarray(np.full((2, 2), 40000, np.uint16))).max() == 40000


def test_normalize():
    x = minigan.ones(3, 2, 2)
    y = transforms.Normalize((0.5, 0.0, 1.0), (0.5, 1.0, 2.0))(x)
    assert y[:, 0, 0].tolist() == [1.0, 1.0, 0.0] and (x == 1).all()
    assert transforms.Normalize([0.5], [0.5], inplace=True)(x) is x
    with pytest.raises(TypeError, match="ToTensor"):
        transforms.Normalize([0.5], [0.5])(x.byte())
    with pytest.raises(ValueError, match="has a 0"):
        transforms.Normalize([0.5], [0.0])(x)


def test_sizes():
    image = picture(12, 20)
    assert transforms.Resize(6)(image).size == (10, 6) and transforms.Resize((5, 7))(image).size == (7, 5)
    assert transforms.Resize(6)(transforms.ToTensor()(image)).shape == (3, 6, 10)
    assert transforms.Resize(6, Image.BICUBIC, max_size=8)(image).size == (8, 4)
    x = transforms.PILToTensor()(image)
    assert minigan.equal(transforms.CenterCrop((4, 6))(x), x[:, 4:8, 7:13])
    assert np.array_equal(np.asarray(transforms.CenterCrop(4)(image)), np.asarray(image)[4:8, 8:12])
    wide = transforms.CenterCrop((14, 20))(x)
    assert wide.shape == (3, 14, 20) and minigan.equal(wide[:, 1:13], x) and (wide[:, 0] == 0).all()


def test_random_ones_draw_from_the_generator():
    x = minigan.arange(48).view(1, 6, 8)
    crop, flip = transforms.RandomCrop(4), transforms.RandomHorizontalFlip()
    minigan.manual_seed(3)
    first = [(crop(x), flip(x)) for _ in range(200)]
    minigan.manual_seed(3)
    assert all(minigan.equal(a, crop(x)) and minigan.equal(b, flip(x)) for a, b in first)
    assert {a[0, 0, 0].item() for a, _ in first} == {r * 8 + c for r in range(3) for c in range(5)}
    flipped = sum(minigan.equal(b, x.flip(2)) for _, b in first)
    assert 70 < flipped < 130
    assert minigan.equal(transforms.RandomVerticalFlip(1.0)(x), x.flip(1))
    padded = [transforms.RandomCrop(6, padding=2)(x) for _ in range(20)]
    assert all(p.shape == (1, 6, 6) for p in padded) and any((p[0, 0] == 0).all() for p in padded)
    with pytest.raises(ValueError, match=r"\(7, 7\) does not fit into an image of \(6, 8\)"):
        transforms.RandomCrop(7)(x)


def test_compose_lambda_grayscale():
    both = transforms.Compose([transforms.Grayscale(3), transforms.ToTensor(), transforms.Lambda(lambda x: x * 2)])
    y = both(picture())
    assert y.shape == (3, 12, 10) and minigan.equal(y[0], y[1])
    assert transforms.Grayscale()(minigan.rand(3, 2, 2)).shape == (1, 2, 2)
    assert "Grayscale(num_output_channels=3)" in repr(both)
    assert transforms.RandomApply([transforms.Lambda(lambda x: x + 1)], p=1.0)(1) == 2


# --- data sets ---


def idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes())


@pytest.mark.parametrize("place", [".", "MNIST/raw", "mnist"])
def test_mnist(tmp_path, place):
    images, labels = RNG.integers(0, 256, (7, 28, 28), dtype=np.uint8), np.arange(7, dtype=np.uint8)
    for kind in ("train", "t10k"):
        idx(tmp_path / place / f"{kind}-images-idx3-ubyte", images)
        idx(tmp_path / place / f"{kind}-labels-idx1-ubyte", labels)
    data = datasets.MNIST(tmp_path, train=False, download=True, transform=transforms.ToTensor(), target_transform=lambda t: t + 10)
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


def test_image_folder(tmp_path):
    for name in ("b/2.png", "b/1.PNG", "a/deep/x.jpg", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x") if name.endswith("txt") else picture(mode="L").save(tmp_path / name)
    data = datasets.ImageFolder(str(tmp_path), transform=transforms.ToTensor())
    assert data.classes == ["a", "b"] and data.class_to_idx == {"a": 0, "b": 1} and data.targets == [0, 1, 1]
    assert [p[-5:] for p, _ in data.samples] == ["x.jpg", "1.PNG", "2.png"]
    assert data[1][0].shape == (3, 12, 10) and data[1][1] == 1
    with pytest.raises(DataError, match="no subfolder with files"):
        datasets.ImageFolder(tmp_path / "a" / "deep")
    with pytest.raises(DataError, match="cannot be read"):
        datasets.ImageFolder(tmp_path / "none")


# --- against torchvision ---


@pytest.mark.torch
@pytest.mark.parametrize("n", [1, 3, 10])
@pytest.mark.parametrize("options", [{}, {"nrow": 3, "normalize": True}, {"padding": 0, "normalize": True, "scale_each": True},
                                     {"normalize": True, "value_range": (-1, 1), "pad_value": 0.3}])  # fmt: skip
def test_grid_as_torchvision(n, options, tmp_path):
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("torchvision.utils")
    for channels in (1, 3):
        x = RNG.standard_normal((n, channels, 5, 4)).astype(np.float32)
        ours, their = utils.make_grid(tensor_of(x), **options), theirs.make_grid(torch.tensor(x), **options)
        np.testing.assert_allclose(ours.numpy(), their.numpy(), atol=1e-6)
        utils.save_image(tensor_of(x), tmp_path / "a.png", **options)
        theirs.save_image(torch.tensor(x), tmp_path / "b.png", **options)
        a, b = (np.asarray(Image.open(tmp_path / f)).astype(int) for f in ("a.png", "b.png"))
        assert np.abs(a - b).max() <= 1 and (a != b).mean() < 0.01


@pytest.mark.torch
@pytest.mark.parametrize("make", [
    lambda t: t.Resize(7), lambda t: t.Resize((7, 9), t.InterpolationMode.BICUBIC), lambda t: t.CenterCrop(6),
    lambda t: t.CenterCrop((15, 9)),
    lambda t: t.CenterCrop((7, 13)), lambda t: t.Grayscale(3), lambda t: t.ToTensor(), lambda t: t.RandomHorizontalFlip(1.0),
    lambda t: t.Compose([t.Resize(8), t.ToTensor(), t.Normalize((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))]), lambda t: t.Resize(9, max_size=11),
])  # fmt: skip
def test_transforms_as_torchvision(make):
    theirs = pytest.importorskip("torchvision.transforms")
    if not hasattr(theirs.InterpolationMode.BICUBIC, "value"):
        pytest.skip("another torchvision")
    image = picture(13, 10)
    a, b = make(transforms)(image), make(theirs)(image)
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=1e-6)
