"""Transforms against the values that torchvision 0.29 gives, and what is drawn by chance."""

import json
import math
import pathlib

import numpy as np
import pytest
from PIL import Image

import minigan
from minigan import Tensor, nn
from minigan.autograd import tensor_of
from minigan.vision import transforms
from minigan.vision.transforms import InterpolationMode as E
from minigan.vision.transforms import functional as F
from minigan.vision.transforms import transforms as same

RNG = np.random.default_rng(0)
GREY = (np.arange(20).reshape(4, 5) * 37 % 251).astype(np.uint8)
COLOUR = (np.arange(24).reshape(2, 4, 3) * 67 % 253).astype(np.uint8)
VALUES = json.loads((pathlib.Path(__file__).parent / "torchvision_values.json").read_text())


def tensor(array):
    return tensor_of(array[None] if array.ndim == 2 else array.transpose(2, 0, 1).copy())


def picture(h=12, w=10, mode="RGB"):
    return Image.fromarray(
        RNG.integers(0, 256, (h, w) if mode == "L" else (h, w, 3), dtype=np.uint8)
    )


@pytest.mark.parametrize("expression", VALUES)
def test_functions_as_torchvision(expression):
    """On pictures to the bit, on Tensors of bytes within one step where a value lies between
    two."""
    on_picture, on_tensor = VALUES[expression]
    array = (
        COLOUR
        if np.ndim(on_picture) == 3 or "saturation" in expression or "grayscale" in expression
        else GREY
    )
    x = Image.fromarray(array)
    got = np.asarray(eval(expression, {"F": F, "E": E, "x": x}))
    assert got.tolist() == on_picture
    if on_tensor is None:  # torchvision has it for pictures only
        return
    got = eval(expression, {"F": F, "E": E, "x": tensor(array)}).numpy()
    wanted = np.array(on_picture if on_tensor == "same" else on_tensor)
    off = np.abs(got.astype(int) - wanted)
    assert got.dtype == np.uint8 and off.max() <= 1 and (off > 0).mean() <= 0.1
    batch = eval(expression, {"F": F, "E": E, "x": minigan.stack([tensor(array)] * 2)})
    assert batch.shape == (2, *np.atleast_3d(got).shape[-3:]) if got.ndim == 3 else (2, *got.shape)
    assert np.array_equal(batch.numpy()[1].reshape(got.shape), got)


def test_functions_of_tensors_are_differentiable():
    x = minigan.rand(1, 3, 6, 5, dtype=minigan.float64, requires_grad=True)
    functions = [
        lambda x: F.rotate(x, 20, E.BILINEAR),
        lambda x: F.resize(x, (4, 3)),
        lambda x: F.pad(x, 1, padding_mode="symmetric"),
        lambda x: F.gaussian_blur(x, 3),
        lambda x: F.adjust_contrast(x, 0.7),
        lambda x: F.adjust_hue(x, 0.1) if x.dtype == np.float32 else x,
        lambda x: F.erase(x, 1, 1, 2, 2, 0.0),
        lambda x: F.normalize(x, (0.5,) * 3, (0.2,) * 3),
    ]
    for f in functions:
        assert minigan.gradcheck(f, [x])


# --- conversions ---


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
    assert transforms.Resize(6)(image).size == (10, 6) and transforms.Resize((5, 7))(
        image
    ).size == (7, 5)
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
    both = transforms.Compose(
        [transforms.Grayscale(3), transforms.ToTensor(), transforms.Lambda(lambda x: x * 2)]
    )
    y = both(picture())
    assert y.shape == (3, 12, 10) and minigan.equal(y[0], y[1])
    assert transforms.Grayscale()(minigan.rand(3, 2, 2)).shape == (1, 2, 2)
    assert "Grayscale(num_output_channels=3)" in repr(both)
    assert transforms.RandomApply([transforms.Lambda(lambda x: x + 1)], p=1.0)(1) == 2


def test_modes_of_pictures():
    assert F.pil_to_tensor(Image.fromarray(np.array([[True, False]]))).tolist() == [[[True, False]]]
    assert F.to_tensor(Image.fromarray(np.array([[True, False]]))).tolist() == [[[1.0, 0.0]]]
    palette = picture().quantize(4)
    assert (
        F.pil_to_tensor(palette).shape == (1, 12, 10) and int(F.pil_to_tensor(palette).max()) <= 3
    )
    assert F.pil_to_tensor(picture().convert("CMYK")).shape == (4, 12, 10)
    assert F.to_tensor(Image.fromarray(np.full((2, 3), 70000, np.int32))).dtype == np.int32
    assert F.to_tensor(Image.fromarray(np.full((2, 3), 0.5, np.float32))).tolist() == [
        [[0.5] * 3] * 2
    ]


@pytest.mark.parametrize(
    "shape, dtype, mode",
    [
        ((1, 4, 5), "uint8", "L"),
        ((4, 5), "uint8", "L"),
        ((1, 4, 5), "int16", "I;16"),
        ((1, 4, 5), "int32", "I"),
        ((2, 4, 5), "uint8", "LA"),
        ((3, 4, 5), "uint8", "RGB"),
        ((3, 4, 5), "float32", "RGB"),
        ((4, 4, 5), "uint8", "RGBA"),
        ((1, 4, 5), "float32", "L"),
    ],
)
def test_tensors_to_pictures(shape, dtype, mode):
    values = RNG.random(shape)
    image = F.to_pil_image(
        tensor_of((values if dtype == "float32" else values * 100).astype(dtype))
    )
    assert image.mode == mode and image.size == (5, 4)


def test_modes_that_are_asked_for():
    x = tensor(COLOUR)
    assert F.to_pil_image(x, "HSV").mode == "HSV" and np.array_equal(
        np.asarray(F.to_pil_image(x, "YCbCr")), COLOUR
    )
    assert F.to_pil_image(minigan.rand(1, 4, 5), "F").mode == "F"
    for bad, mode, error in (
        (x, "L", ValueError),
        (x.to("int32"), None, TypeError),
        (minigan.zeros(5, 2, 2), None, ValueError),
        ("x", None, TypeError),
    ):
        with pytest.raises(error, match="to_pil_image"):
            F.to_pil_image(bad, mode)


def test_convert_image_dtype():
    x = tensor_of(np.array([0, 127, 255], np.uint8))
    assert F.convert_image_dtype(x, minigan.float32).tolist() == pytest.approx([0, 127 / 255, 1])
    # as torchvision: 255 * 128
    assert F.convert_image_dtype(x, minigan.int16).tolist() == [0, 16256, 32640]
    assert F.convert_image_dtype(
        F.convert_image_dtype(x, minigan.int32), minigan.uint8
    ).tolist() == [0, 127, 255]
    assert F.convert_image_dtype(
        tensor_of(np.array([0, 0.5, 1], np.float32)), minigan.uint8
    ).tolist() == [0, 127, 255]
    with pytest.raises(RuntimeError, match="too few digits"):
        transforms.ConvertImageDtype(minigan.int32)(minigan.rand(3))


def test_normalize_wants_a_number_for_each_channel():
    grey, colour = minigan.rand(1, 4, 4), minigan.rand(3, 4, 4)
    with pytest.raises(RuntimeError, match="mean has 3 numbers, but the picture has 1 channel"):
        transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))(grey)
    with pytest.raises(RuntimeError, match="std has 3 numbers"):
        transforms.Normalize([0.5], (0.5, 0.5, 0.5))(grey)
    with pytest.raises(RuntimeError):
        transforms.Normalize((0.5, 0.5), (0.5, 0.5), inplace=True)(colour)
    assert transforms.Normalize([0.5], [0.5])(colour).shape == (3, 4, 4)
    with pytest.raises(TypeError, match="ToTensor"):
        transforms.Normalize([0.5], [0.5])(picture())


# --- arguments ---


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda: transforms.Pad((1, 2, 3)), ValueError),
        (lambda: transforms.Pad("1"), TypeError),
        (lambda: transforms.Pad(1, "x"), TypeError),
        (lambda: transforms.Pad(1, padding_mode="circular"), ValueError),
        (lambda: transforms.Resize("4"), TypeError),
        (lambda: transforms.Resize((1, 2, 3)), ValueError),
        (lambda: transforms.Resize(3.5), TypeError),
        (lambda: transforms.RandomCrop((1, 2, 3)), ValueError),
        (lambda: transforms.ColorJitter(-1), ValueError),
        (lambda: transforms.ColorJitter(hue=0.6), ValueError),
        (lambda: transforms.ColorJitter(brightness=(2, 1)), ValueError),
        (lambda: transforms.ColorJitter("x"), TypeError),
        (lambda: transforms.RandomRotation(-1), ValueError),
        (lambda: transforms.RandomRotation((1, 2, 3)), ValueError),
        (lambda: transforms.RandomRotation(1, center=3), TypeError),
        (lambda: transforms.RandomAffine(1, translate=(2, 0)), ValueError),
        (lambda: transforms.RandomAffine(1, scale=(0, 1)), ValueError),
        (lambda: transforms.RandomAffine(1, shear=(1, 2, 3)), ValueError),
        (lambda: transforms.RandomErasing(p=2), ValueError),
        (lambda: transforms.RandomErasing(value="noise"), ValueError),
        (lambda: transforms.RandomErasing(scale=(0, 2)), ValueError),
        (lambda: transforms.GaussianBlur(4), ValueError),
        (lambda: transforms.GaussianBlur(3, (2, 1)), ValueError),
        (lambda: transforms.GaussianBlur(3, -1), ValueError),
        (lambda: transforms.Lambda(3), TypeError),
        (lambda: transforms.RandomChoice(3), TypeError),
        (lambda: transforms.RandomOrder(3), TypeError),
        (lambda: transforms.RandomResizedCrop(3, scale=0.5), TypeError),
        (lambda: F.resize(picture(), 9, max_size=9), ValueError),
        (lambda: F.resize(picture(), (3, 4), max_size=9), ValueError),
        (lambda: F.resize(picture(), 3, "bilinear"), TypeError),
        (lambda: F.resize(minigan.rand(1, 4, 4), 3, E.LANCZOS), ValueError),
        (lambda: F.resize(np.ones((4, 4)), 3), TypeError),
        (lambda: F.adjust_hue(picture(), 0.6), ValueError),
        (lambda: F.adjust_brightness(minigan.rand(2, 4, 4), 1), TypeError),
        (lambda: F.rotate(picture(), "x"), TypeError),
        (lambda: F.affine(picture(), 0, (1,), 1, 0), ValueError),
        (lambda: F.affine(picture(), 0, (1, 1), 0, 0), ValueError),
        (lambda: F.rotate(picture(), 1, fill=(1, 2)), ValueError),
        (lambda: F.five_crop(picture(), 13), ValueError),
        (lambda: F.posterize(picture(), 9), ValueError),
        (lambda: F.gaussian_blur(picture(), 4), ValueError),
        (lambda: F.pad(minigan.rand(1, 4, 4), 4, padding_mode="reflect"), RuntimeError),
        (lambda: F.erase(picture(), 0, 0, 1, 1, 0), TypeError),
        (lambda: F.to_tensor("x"), TypeError),
        (lambda: transforms.RandomErasing(p=1)(picture()), TypeError),
        (lambda: transforms.RandomCrop(20)(picture()), ValueError),
    ],
)
def test_what_is_refused(make, error):
    with pytest.raises(error):
        make()


def test_warnings():
    with pytest.warns(UserWarning, match="Resize"):
        old = transforms.Scale(4)
    assert old(picture(12, 9)).size == (4, 5)
    with pytest.warns(UserWarning, match="RandomResizedCrop"):
        transforms.RandomSizedCrop(4)
    with pytest.warns(UserWarning, match="min, max"):
        transforms.RandomResizedCrop(4, scale=(1, 0.5))
    with pytest.warns(UserWarning, match="antialias"):
        F.resize(picture(), 4, antialias=False)


def test_how_they_print():
    """As torchvision's do."""
    assert repr(transforms.Compose([transforms.Resize(8), transforms.ToTensor()])) == (
        "Compose(\n    Resize(size=8, interpolation=bilinear, max_size=None, antialias=True)\n    "
        "ToTensor()\n)"
    )
    assert repr(transforms.RandomApply([transforms.Pad(1)], p=0.3)) == (
        "RandomApply(\n    p=0.3\n    Pad(padding=1, fill=0, padding_mode=constant)\n)"
    )
    jitter = "ColorJitter(brightness=(0.9, 1.1), contrast=None, saturation=None, hue=(-0.2, 0.2))"
    assert repr(transforms.ColorJitter(0.1, hue=0.2)) == jitter
    assert repr(transforms.RandomAffine(5, scale=(1, 2), interpolation=2)) == (
        "RandomAffine(degrees=[-5.0, 5.0], scale=(1, 2), interpolation=bilinear)"
    )
    assert (
        repr(transforms.RandomRotation(5))
        == "RandomRotation(degrees=[-5.0, 5.0], interpolation=nearest, expand=False, fill=0)"
    )


def test_names():
    assert same.Compose is transforms.Compose and transforms.functional.resize is F.resize
    assert isinstance(
        nn.Sequential(transforms.CenterCrop(4), transforms.Normalize([0.5], [0.5]))(
            minigan.rand(1, 8, 8)
        ),
        Tensor,
    )


# --- chance ---


def draws(function, n=400):
    minigan.manual_seed(0)
    return [function() for _ in range(n)]


def test_parameters_are_spread_evenly():
    x = minigan.rand(1, 10, 14)
    angles = draws(lambda: transforms.RandomRotation.get_params([-10, 30]))
    assert -10 <= min(angles) < -8 and 28 < max(angles) <= 30 and abs(np.mean(angles) - 10) < 2
    places = draws(lambda: transforms.RandomCrop.get_params(x, (9, 13)))
    assert {p[:2] for p in places} == {(i, j) for i in range(2) for j in range(2)}
    affine = draws(
        lambda: transforms.RandomAffine.get_params(
            [0, 1], (0.5, 0.1), (1, 2), [0, 1, 5, 6], (14, 10)
        )
    )
    assert {t[1][0] for t in affine} == set(range(-7, 8)) and {t[1][1] for t in affine} == {
        -1,
        0,
        1,
    }
    assert all(1 <= s <= 2 and 0 <= a <= 1 and 5 <= b <= 6 for _, _, s, (a, b) in affine)
    order = {
        tuple(transforms.ColorJitter.get_params((0, 2), None, None, (-0.1, 0.1))[0].tolist())
        for _ in range(400)
    }
    assert len(order) == 24
    factors = draws(lambda: transforms.ColorJitter.get_params((0.5, 2), None, (1, 1), None)[1:])
    assert all(0.5 <= b <= 2 and c is None and s == 1 and h is None for b, c, s, h in factors)


def test_random_resized_crop():
    x = minigan.rand(3, 40, 60)
    parts = draws(lambda: transforms.RandomResizedCrop.get_params(x, (0.2, 0.5), (0.5, 2.0)))
    shares = [h * w / 2400 for _, _, h, w in parts]
    logs = [math.log(w / h) for _, _, h, w in parts]
    assert (
        0.18 < min(shares) < 0.22
        and 0.45 < max(shares) < 0.53
        and abs(np.mean(logs)) < 0.1
        and max(map(abs, logs)) < 0.8
    )
    assert all(0 <= i <= 40 - h and 0 <= j <= 60 - w for i, j, h, w in parts)
    # none fits: the middle
    assert transforms.RandomResizedCrop.get_params(x, (9, 9), (1, 1)) == (0, 10, 40, 40)
    assert transforms.RandomResizedCrop((7, 8))(picture()).size == (8, 7)
    assert transforms.RandomResizedCrop(7)(x).shape == (3, 7, 7)


def test_random_crop_with_a_border():
    x = minigan.arange(16).view(1, 4, 4).float()
    crops = draws(lambda: transforms.RandomCrop(4, padding=2, fill=-1)(x), 60)
    assert any((c == -1).any() for c in crops) and all(c.shape == (1, 4, 4) for c in crops)
    mirrored = draws(lambda: transforms.RandomCrop(4, padding=2, padding_mode="reflect")(x), 60)
    assert all(set(c.reshape(-1).tolist()) <= set(range(16)) for c in mirrored)
    assert transforms.RandomCrop(6, pad_if_needed=True, padding_mode="edge")(x).shape == (1, 6, 6)
    assert transforms.RandomCrop((3, 9), pad_if_needed=True)(picture()).size == (9, 3)


def test_random_erasing():
    x = minigan.ones(3, 20, 20)
    holes = draws(lambda: (transforms.RandomErasing(p=1)(x) == 0).float().mean().item(), 200)
    assert 0.01 < min(holes) < 0.1 and 0.25 < max(holes) < 0.36 and (x == 1).all()
    done = draws(lambda: bool((transforms.RandomErasing(p=0.25)(x) == 0).any()), 400)
    assert 0.17 < np.mean(done) < 0.33
    coloured = transforms.RandomErasing(p=1, value=(2, 3, 4))(x)
    assert [set(c.reshape(-1).tolist()) for c in coloured] == [{1, 2}, {1, 3}, {1, 4}]
    noise = transforms.RandomErasing(p=1, value="random", scale=(0.3, 0.3))(x)
    assert 0.5 < noise[noise != 1].std() < 1.5
    assert transforms.RandomErasing(p=1, inplace=True)(x) is x and (x == 0).any()
    with pytest.raises(ValueError, match="value has 2 numbers"):
        transforms.RandomErasing(p=1, value=(1, 2))(x)


def test_choices():
    add = [transforms.Lambda(lambda x, k=k: x * 10 + k) for k in range(3)]
    assert {transforms.RandomOrder(add)(0) for _ in range(100)} == {12, 21, 102, 120, 201, 210}
    chosen = draws(lambda: transforms.RandomChoice(add, p=[1, 0, 3])(0))
    assert set(chosen) == {0, 2} and 0.65 < np.mean([c == 2 for c in chosen]) < 0.85
    assert set(draws(lambda: transforms.RandomChoice(add)(0))) == {0, 1, 2}
    applied = draws(lambda: transforms.RandomApply(add[1:2], p=0.3)(0))
    assert 0.2 < np.mean(applied) < 0.4
    with pytest.raises(ValueError, match="2 numbers for 3"):
        transforms.RandomChoice(add, p=[1, 2])


@pytest.mark.parametrize(
    "transform",
    [
        transforms.ColorJitter(0.5, 0.5, 0.5, 0.2),
        transforms.RandomRotation(30, fill=5),
        transforms.RandomAffine(20, (0.1, 0.1), (0.5, 2), 10),
        transforms.GaussianBlur(3),
        transforms.RandomGrayscale(0.5),
        transforms.RandomPerspective(p=1.0),
        transforms.ElasticTransform(sigma=1.0),
        transforms.RandomInvert(),
        transforms.RandomPosterize(3),
        transforms.RandomSolarize(100),
        transforms.RandomAdjustSharpness(2),
        transforms.RandomAutocontrast(),
        transforms.RandomEqualize(),
        transforms.Grayscale(3),
    ],
    ids=lambda t: type(t).__name__,
)
def test_each_keeps_the_kind_and_repeats_with_the_seed(transform):
    for x in (picture(), tensor(RNG.integers(0, 256, (12, 10, 3), dtype=np.uint8))):
        first, again = (draws(lambda: transform(x), 6) for _ in range(2))
        assert all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(first, again))
        assert all(type(a) is type(x) and F.get_dimensions(a) == [3, 12, 10] for a in first)
        if isinstance(x, Tensor):
            assert first[0].dtype == np.uint8


def test_five_and_ten_crops():
    x = tensor(GREY)
    assert [c.shape for c in transforms.FiveCrop(2)(x)] == [(1, 2, 2)] * 5 and len(
        transforms.TenCrop(2)(x)
    ) == 10


def test_linear_transformation():
    x = minigan.rand(2, 1, 2, 2)
    y = transforms.LinearTransformation(2 * minigan.eye(4), minigan.ones(4))(x)
    assert minigan.allclose(y, 2 * (x - 1))
    with pytest.raises(ValueError, match="4 values"):
        transforms.LinearTransformation(minigan.eye(4), minigan.ones(4))(minigan.rand(1, 3, 3))


# --- torchvision itself ---


@pytest.mark.torch
@pytest.mark.parametrize(
    "make",
    [
        lambda t: t.Resize(7),
        lambda t: t.Resize((7, 9), t.InterpolationMode.BICUBIC),
        lambda t: t.CenterCrop(6),
        lambda t: t.CenterCrop((15, 9)),
        lambda t: t.CenterCrop((7, 13)),
        lambda t: t.Grayscale(3),
        lambda t: t.ToTensor(),
        lambda t: t.RandomHorizontalFlip(1.0),
        lambda t: t.Resize(9, max_size=11),
        lambda t: t.Pad((1, 2), 3, "constant"),
        lambda t: t.Pad(3, padding_mode="symmetric"),
        lambda t: t.RandomRotation((20, 20), expand=True),
        lambda t: t.GaussianBlur(5, 1.5),
        lambda t: t.RandomAffine((10, 10), scale=(2, 2), shear=(5, 5)),
        lambda t: t.ColorJitter((2, 2), 0, 0, 0),
        lambda t: t.Compose(
            [t.Resize(8), t.ToTensor(), t.Normalize((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))]
        ),
    ],
)
def test_transforms_as_torchvision(make, torchvision):
    image = picture(13, 10)
    ours, theirs = make(transforms), make(torchvision.transforms)
    np.testing.assert_allclose(np.asarray(ours(image)), np.asarray(theirs(image)), atol=1e-6)
    assert repr(ours) == repr(theirs)


@pytest.mark.torch
def test_every_name_of_torchvision_that_programs_use(torchvision):
    missing = set(torchvision.transforms.transforms.__all__) - set(transforms.__all__)
    assert missing == set()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tensors_of_pictures_have_the_default_dtype(dtype):
    minigan.set_default_dtype(dtype)
    try:
        made = [F.to_tensor(picture()), F.to_tensor(COLOUR), F.to_tensor(picture().convert("1"))]
        assert {x.dtype.name for x in made} == {dtype}
        assert F.to_tensor(COLOUR)[0, 0, 1].item() == np.dtype(dtype).type(COLOUR[0, 1, 0]) / 255
        assert F.to_tensor(COLOUR.astype(np.float32)).dtype == np.float32
    finally:
        minigan.set_default_dtype("float32")
