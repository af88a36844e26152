"""Grids, transforms and data sets of pictures: as torchvision's."""

import io

import numpy as np
import pytest
from PIL import Image

import minigan
from minigan.autograd import tensor_of
from minigan.vision import utils

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
    assert utils.make_grid(images[:1]).shape == (3, 2, 3) and utils.make_grid(
        [images[0], images[1]], padding=0
    ).shape == (3, 2, 6)


def test_grid_normalised():
    x = tensor_of(np.array([-1.0, 0.0, 3.0, 1.0], np.float32).reshape(2, 1, 1, 2))
    assert utils.make_grid(x, padding=0, normalize=True)[0].tolist() == [[0.0, 0.25, 1.0, 0.5]]
    assert utils.make_grid(x, padding=0, normalize=True, scale_each=True)[0].tolist() == [
        [0.0, 1.0, 1.0, 0.0]
    ]
    assert utils.make_grid(x, padding=0, normalize=True, value_range=(-1, 1))[0].tolist() == [
        [0.0, 0.5, 1.0, 1.0]
    ]
    assert x.min() == -1
    thirds = utils.make_grid(x.double() / 3, padding=0, normalize=True, value_range=(0, 1))
    assert thirds.dtype == np.float64 and thirds[0, 0, 3].item() == 1 / 3
    with pytest.raises(ValueError, match=r"got shape \(2,\)"):
        utils.make_grid(minigan.ones(2))


def test_save_image(tmp_path):
    x = minigan.tensor([[0.0, 0.5], [1.0, 2.0]], requires_grad=True)
    utils.save_image(x, tmp_path / "a" / "x.png")
    assert np.asarray(Image.open(tmp_path / "a" / "x.png"))[:, :, 0].tolist() == [
        [0, 128],
        [255, 255],
    ]
    file = io.BytesIO()
    utils.save_image(x, file, "png")
    assert Image.open(file).size == (2, 2)
    with pytest.raises(ValueError, match="says no format"):
        utils.save_image(x, tmp_path / "x")


# --- against torchvision ---


@pytest.mark.torch
@pytest.mark.parametrize("n", [1, 3, 10])
@pytest.mark.parametrize("options", [{}, {"nrow": 3, "normalize": True}, {"padding": 0,
    "normalize": True, "scale_each": True},
                                     {"normalize": True, "value_range": (-1, 1),
                                         "pad_value": 0.3}])  # fmt: skip
def test_grid_as_torchvision(n, options, tmp_path, torchvision):
    import torch

    theirs = torchvision.utils
    for channels in (1, 3):
        x = RNG.standard_normal((n, channels, 5, 4)).astype(np.float32)
        ours, their = (
            utils.make_grid(tensor_of(x), **options),
            theirs.make_grid(torch.tensor(x), **options),
        )
        np.testing.assert_allclose(ours.numpy(), their.numpy(), atol=1e-6)
        utils.save_image(tensor_of(x), tmp_path / "a.png", **options)
        theirs.save_image(torch.tensor(x), tmp_path / "b.png", **options)
        a, b = (np.asarray(Image.open(tmp_path / f)).astype(int) for f in ("a.png", "b.png"))
        assert np.abs(a - b).max() <= 1 and (a != b).mean() < 0.01
