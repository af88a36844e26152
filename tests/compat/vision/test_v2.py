"""The newer transforms: whole samples, types of pictures."""

import pickle

import numpy as np
import pytest
from PIL import Image

import minigan
from minigan import Tensor, nn
from minigan.autograd import tensor_of
from minigan.vision import transforms, tv_tensors
from minigan.vision.transforms import v2
from minigan.vision.transforms.v2 import functional as F

RNG = np.random.default_rng(0)


def picture(h=12, w=10):
    return Image.fromarray(RNG.integers(0, 256, (h, w, 3), dtype=np.uint8))


def test_the_usual_beginning():
    image = picture()
    x = v2.Compose(
        [v2.ToImage(), v2.ToDtype(minigan.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)]
    )(image)
    assert minigan.allclose(
        x,
        transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])(
            image
        ),
    )
    assert isinstance(x, tv_tensors.Image) and x.dtype == np.float32
    assert v2.ToDtype(minigan.float32)(v2.ToImage()(image)).max() > 1
    assert F.to_dtype(
        F.to_image(np.zeros((4, 5), np.uint8)), minigan.float32, scale=True
    ).shape == (1, 4, 5)


def test_samples():
    image, other = picture(), picture()
    both = v2.Compose(
        [
            v2.RandomCrop(6),
            v2.RandomHorizontalFlip(),
            v2.RandomRotation(30),
            v2.ToImage(),
            v2.ToDtype(minigan.float32, scale=True),
        ]
    )
    for _ in range(5):  # pairs are cut, mirrored and turned alike
        a, b, label = both(image, image.copy(), 7)
        assert minigan.equal(a, b) and label == 7 and a.shape == (3, 6, 6)
    sample = {"x": image, "more": [other, tensor_of(np.zeros(3, np.float32)), "name"], "y": 3}
    out = v2.Resize((4, 5))(sample)
    assert (
        out["x"].size == (5, 4)
        and out["more"][0].size == (5, 4)
        and out["more"][1].shape == (3,)
        and out["more"][2] == "name"
    )
    first, second = v2.RandomVerticalFlip(1.0)(
        minigan.arange(6).view(1, 2, 3), minigan.arange(6).view(1, 2, 3)
    )
    # of plain Tensors only the first is a picture
    assert first[0, 0, 0] == 3 and second[0, 0, 0] == 0
    images = [v2.ToImage()(image) for _ in range(2)]
    assert all(x.shape == (3, 4, 4) for x in v2.CenterCrop(4)(*images))


def test_random_ones_differ_from_call_to_call():
    x = minigan.arange(100).view(1, 10, 10)
    minigan.manual_seed(0)
    assert len({int(v2.RandomCrop(3)(x)[0, 0, 0]) for _ in range(60)}) > 20
    applied = [
        int(v2.RandomApply([v2.RandomHorizontalFlip(1.0)], 0.5)(x)[0, 0, 0]) for _ in range(100)
    ]
    assert 30 < applied.count(9) < 70
    assert {
        v2.RandomChoice([v2.Lambda(lambda x: 1), v2.Lambda(lambda x: 2)])(0) for _ in range(40)
    } == {1, 2}
    orders = {
        v2.RandomOrder([v2.Lambda(lambda x: 2 * x), v2.Lambda(lambda x: x + 1)])(3)
        for _ in range(40)
    }
    assert orders == {7, 8}


def test_types():
    image = picture()
    x = v2.ToImage()(image)
    assert (
        type(v2.ToPureTensor()(x)) is Tensor
        and type(x) is tv_tensors.Image
        and type(x + 1) is Tensor
    )
    assert (
        np.array_equal(np.asarray(v2.ToPILImage()(x)), np.asarray(image))
        and v2.PILToTensor()(image).dtype == np.uint8
    )
    assert type(tv_tensors.wrap(minigan.zeros(1, 2, 2), like=x)) is tv_tensors.Image
    with pytest.warns(UserWarning, match="deprecated"):
        assert v2.ToTensor()(image).max() <= 1
    assert v2.RGB()(Image.fromarray(np.zeros((3, 3), np.uint8))).mode == "RGB" and v2.RGB()(
        minigan.rand(1, 3, 3)
    ).shape == (3, 3, 3)
    assert v2.Identity()(image) is image and v2.Lambda(lambda x: 0, Image.Image)(image, "a") == (
        0,
        "a",
    )


def test_noise():
    x = minigan.full((1, 50, 50), 0.5)
    noise = v2.GaussianNoise(0.1, 0.2, clip=False)(x) - x
    assert (
        abs(noise.mean() - 0.1) < 0.02
        and abs(noise.std() - 0.2) < 0.02
        and v2.GaussianNoise(sigma=9)(x).max() == 1
    )
    bytes_ = v2.GaussianNoise()(tensor_of(np.full((1, 50, 50), 128, np.uint8)))
    assert bytes_.dtype == np.uint8 and 20 < bytes_.float().std() < 31


def test_one_of_ones_own():
    class Shift(v2.Transform):
        def make_params(self, flat_inputs):
            return {"n": len(flat_inputs)}

        def transform(self, inpt, params):
            return inpt + params["n"]

    assert Shift()({"image": minigan.zeros(1, 2, 2), "y": 5})["image"].max() == 1
    assert isinstance(Shift(), nn.Module)


def test_names_and_text():
    assert (
        repr(v2.Resize(4)).startswith("Resize(size=4")
        and v2.Resize.__module__ == "minigan.compat.vision.transforms.v2"
    )
    assert pickle.loads(pickle.dumps(v2.CenterCrop(3)))(picture()).size == (3, 3)
    assert (
        F.horizontal_flip is F.hflip
        and F.get_size(picture()) == [12, 10]
        and v2.InterpolationMode is transforms.InterpolationMode
    )
    assert v2.RandomCrop.get_params(picture(), (12, 10)) == (0, 0, 12, 10)
    for bad in (lambda: v2.Compose([]), lambda: v2.RandomApply([v2.Identity()], p=2)):
        with pytest.raises(ValueError):
            bad()


@pytest.mark.torch
def test_as_torchvision(torchvision):
    import torch
    import torchvision.transforms.v2 as theirs

    image = picture(13, 10)
    make = [
        lambda t, m: t.Compose(
            [
                t.ToImage(),
                t.ToDtype(m.float32, scale=True),
                t.Resize((6, 7)),
                t.Normalize([0.1], [0.2]),
            ]
        ),
        lambda t, m: t.Compose(
            [t.CenterCrop(6), t.Pad(2, padding_mode="edge"), t.ToImage(), t.Grayscale(3)]
        ),
        lambda t, m: t.Compose([t.ToImage(), t.RandomRotation((20, 20)), t.GaussianBlur(3, 1.0)]),
    ]
    for f in make:
        ours, other = f(v2, minigan)(image, 3), f(theirs, torch)(image, 3)
        assert ours[1] == other[1] == 3
        a, b = ours[0].numpy().astype(float), other[0].numpy().astype(float)
        assert np.abs(a - b).max() <= (1 if other[0].dtype == torch.uint8 else 1e-5)
    missing = {n for n in v2.__all__ if not hasattr(theirs, n)}
    assert missing == set()
