"""Grids to the pixel, and animations to the frame."""

import os

import numpy as np
import pytest
from PIL import Image

from minigan.viz import image_grid, save_gif, save_grid, save_images

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("pad", [0, 1, 3])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_every_pixel_is_in_its_place(channels, pad):
    n = 5
    h = 4
    w = 6
    rows = 2
    cols = 3
    shape = (n, h, w) if channels is None else (n, channels, h, w)
    images = RNG.integers(1, 256, shape, np.uint8)
    grid = image_grid(images, rows, pad=pad)
    expected = np.zeros((rows * (h + pad) + pad, cols * (w + pad) + pad, channels or 1), np.uint8)
    for i, image in enumerate(images.reshape(n, channels or 1, h, w)):
        top, left = pad + i // cols * (h + pad), pad + i % cols * (w + pad)
        for c, plane in enumerate(image):
            expected[top : top + h, left : left + w, c] = plane
    assert grid.dtype == np.uint8
    np.testing.assert_array_equal(grid, expected if channels == 3 else expected[..., 0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats(dtype):
    images = np.array([-1, 0, 1, -7, 7, np.nan, np.inf, -np.inf], dtype).reshape(1, 1, 1, 8)
    before = images.copy()
    assert image_grid(images, 1, pad=0).tolist() == [[0, 128, 255, 0, 255, 0, 255, 0]]
    np.testing.assert_array_equal(images, before)


def test_default_cols():
    images = np.zeros((10, 1, 2, 2), np.uint8)
    assert image_grid(images, 5, pad=0).shape == (10, 4)
    assert image_grid(images, 3, pad=0).shape == (6, 8)
    assert image_grid(images, 2, 7, pad=0).shape == (4, 14)


@pytest.mark.parametrize(
    "images, args",
    [
        (np.zeros((3, 2, 4, 4)), (1,)),
        (np.zeros((4, 4)), (1,)),
        (np.zeros((3, 1, 4, 4), int), (1,)),
        (np.zeros((3, 1, 4, 4), bool), (1,)),
        (np.zeros((3, 1, 4, 4)), (1, 2)),
        (np.zeros((3, 1, 4, 4)), (0,)),
        (np.zeros((3, 1, 4, 4)), (1, 0)),
        (np.zeros((3, 1, 4, 4)), (1, 3, -1)),
    ],
)
def test_refused(images, args):
    with pytest.raises(ValueError):
        image_grid(images, *args)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_is_the_grid(tmp_path, channels):
    images = RNG.uniform(-1, 1, (6, channels, 5, 4)).astype(np.float32)
    path = tmp_path / "new" / "folder" / "s.png"
    save_grid(path, images, 2, scale=3)
    back = np.asarray(Image.open(path))
    np.testing.assert_array_equal(back, image_grid(images, 2).repeat(3, 0).repeat(3, 1))
    assert os.listdir(path.parent) == ["s.png"]


def test_a_failed_write_leaves_the_old_picture(tmp_path, monkeypatch):
    path, images = tmp_path / "s.png", np.zeros((1, 1, 2, 2))
    save_grid(path, images, 1)
    old = path.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError):
        save_grid(path, images + 1, 1)
    assert path.read_bytes() == old and os.listdir(tmp_path) == ["s.png"]


def frames_of(path):
    with Image.open(path) as gif:
        frames = []
        for i in range(gif.n_frames):
            gif.seek(i)
            frames.append((np.asarray(gif.convert("L")).copy(), gif.info["duration"]))
        return frames, gif.info.get("loop")


def test_gif_of_paths(tmp_path):
    grids = [RNG.uniform(-1, 1, (4, 1, 8, 8)) for _ in range(7)]
    paths = [tmp_path / f"{i}.png" for i in range(7)]
    for path, grid in zip(paths, grids, strict=True):
        save_grid(path, grid, 2)
    save_gif(tmp_path / "a.gif", iter(paths), ms_per_frame=100, hold_last=900)
    frames, loop = frames_of(tmp_path / "a.gif")
    assert [d for _, d in frames] == [100] * 6 + [900] and loop == 0
    for (frame, _), path in zip(frames, paths, strict=True):
        np.testing.assert_array_equal(frame, np.asarray(Image.open(path)))


def test_gif_keeps_first_and_last_of_many(tmp_path):
    frames = [np.full((4, 4), i, np.uint8) for i in range(100)]
    for most, expected in ((4, [0, 33, 66, 99]), (2, [0, 99]), (1, [99]), (100, list(range(100)))):
        save_gif(tmp_path / "a.gif", frames, max_frames=most)
        assert [f[0, 0] for f, _ in frames_of(tmp_path / "a.gif")[0]] == expected


def test_gif_in_colour(tmp_path):
    frames = [
        np.zeros((4, 4, 3), np.uint8) + np.uint8([255, 0, 0]),
        np.zeros((4, 4, 3), np.uint8) + np.uint8([0, 0, 255]),
    ]
    save_gif(tmp_path / "a.gif", frames)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 2 and gif.convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_gif_of_frames_of_several_sizes(tmp_path):
    sides = [(2, 4), (3, 5), (4, 3)]
    for i, side in enumerate(sides):
        Image.fromarray(np.full(side, 100 + i, np.uint8)).save(tmp_path / f"{i}.png")
    save_gif(tmp_path / "a.gif", [tmp_path / f"{i}.png" for i in range(3)], pad=True)
    for i, (frame, _) in enumerate(frames_of(tmp_path / "a.gif")[0]):
        expected = np.zeros((4, 5), np.uint8)
        expected[: sides[i][0], : sides[i][1]] = 100 + i
        np.testing.assert_array_equal(frame, expected)


def test_gif_refused(tmp_path):
    a, b = np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8)
    for frames in ([], [a, b], [a.astype(float)]):
        with pytest.raises(ValueError):
            save_gif(tmp_path / "a.gif", frames)
    with pytest.raises(OSError):
        save_gif(tmp_path / "a.gif", [tmp_path / "absent.png"])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_one_file_for_each_image(tmp_path, channels):
    images = RNG.integers(0, 256, (3, 4, 6) if channels is None else (3, channels, 4, 6), np.uint8)
    paths = save_images(tmp_path / "new", images)
    assert (
        [p.name for p in paths]
        == ["00000.png", "00001.png", "00002.png"]
        == sorted(os.listdir(tmp_path / "new"))
    )
    for path, image in zip(paths, images.reshape(3, channels or 1, 4, 6), strict=True):
        back = np.asarray(Image.open(path))
        np.testing.assert_array_equal(back, image.transpose(1, 2, 0) if channels == 3 else image[0])
    assert np.asarray(Image.open(save_images(tmp_path, np.zeros((1, 1, 2, 2)))[0])).tolist() == [
        [128, 128],
        [128, 128],
    ]
    with pytest.raises(ValueError):
        save_images(tmp_path, np.zeros((4, 4)))
