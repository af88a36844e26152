"""Clips: digits that move as they are said to move, figures whose joints are where lines are drawn,
folders of GIFs."""

import numpy as np
import pytest
from PIL import Image

from minigan.data import DataError, ImageSet
from minigan.data.clips import (
    BONES,
    ClipSet,
    bounced,
    gif_folder,
    moving_digits,
    posed_clips,
    rendered,
    walkers,
)
from minigan.viz import Clips, strips


@pytest.fixture(scope="module")
def digits():
    """Squares of ink, larger ones of larger labels, in the middle of 28 x 28."""
    images = np.zeros((4, 1, 28, 28), np.uint8)
    for k in range(4):
        images[k, 0, 12 - k : 16 + k, 12 - k : 16 + k] = 200
    return ImageSet(images, np.arange(4, dtype=np.uint8), "squares", "made")


def test_what_bounces():
    start, speed = np.array([[1.0], [9.0], [5.0]]), np.array([[-2.0], [2.0], [0.0]])
    expected = [[1, 1, 3, 5], [9, 9, 7, 5], [5, 5, 5, 5]]
    np.testing.assert_allclose(bounced(start, speed, 4, 0, 10)[..., 0], expected)


def test_a_digit_is_where_its_path_says(digits):
    data = moving_digits(digits, 50, frames=7, seed=3)
    assert data.clips.shape == (50, 1, 7, 32, 32) and data.paths.shape == (50, 7, 2)
    ink = data.clips[:, 0] / 200.0
    y, x = (ink.sum(k) * (np.arange(32) + 0.5) for k in (3, 2))
    mass = (2.0 * data.labels + 4) ** 2
    np.testing.assert_allclose(ink.sum((2, 3)), np.repeat(mass[:, None], 7, 1))
    np.testing.assert_allclose(y.sum(2) / mass[:, None], data.paths[..., 0])
    np.testing.assert_allclose(x.sum(2) / mass[:, None], data.paths[..., 1])
    assert (np.abs(np.diff(data.paths, axis=1)).max((1, 2)) > 0).all()
    again, other = moving_digits(digits, 50, 7, seed=3), moving_digits(digits, 50, 7, seed=4)
    assert again.checksum == data.checksum != other.checksum


def test_the_ground_stands_still_and_the_digit_lies_on_it(digits):
    data = moving_digits(digits, 6, frames=5, ground="textures", scale=0.5)
    assert data.clips.shape == (6, 3, 5, 32, 32)
    first = data.clips[0].astype(int)
    away = np.ones((32, 32), bool)
    for row, column in data.paths[0]:
        away[int(row) - 7 : int(row) + 7, int(column) - 7 : int(column) + 7] = False
    assert away.any() and np.ptp(first[:, :, away], axis=1).max() == 0
    y, x = data.paths[0, 0].astype(int)
    assert first[:, 0, y, x].min() >= 200


@pytest.mark.parametrize("named, said", [
    ({"ground": "sea"}, "ground='sea'"), ({"frames": 1}, "do not move in 1 pictures"),
    ({"side": 20}, "raise the side"),
])  # fmt: skip
def test_digits_that_cannot_move(digits, named, said):
    with pytest.raises(DataError, match=said):
        moving_digits(digits, 4, **named)


def test_lines_between_joints():
    poses = np.array([[[[-0.5, -0.25], [0.5, -0.25]]]], np.float32)
    drawn = rendered(poses, [(0, 1)], 16)[0, 0, 0]
    # at y = -0.25 is the edge of the sixth and seventh row; x from -0.5 to 0.5 is columns 4 to 11
    assert drawn.dtype == np.uint8 and (drawn[5:7, 4:12] > 150).all()
    assert not drawn[:5].any() and not drawn[7:].any() and not drawn[:, :3].any()


def test_walkers():
    data = walkers(20, frames=8, seed=1)
    assert data.clips.shape == (20, 1, 8, 32, 32) and data.poses.shape == (20, 8, 9, 2)
    np.testing.assert_array_equal(data.clips, rendered(data.poses, BONES))
    length = np.linalg.norm(data.poses[:, :, 0] - data.poses[:, :, 5], axis=-1)
    np.testing.assert_allclose(length, length[:, :1].repeat(8, 1), rtol=1e-5)
    assert np.abs(data.poses).max() < 1.2
    assert walkers(20, frames=8, seed=1).checksum == data.checksum
    assert walkers(20, frames=8, seed=2).checksum != data.checksum


def test_a_folder_of_gifs(tmp_path):
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 2, (20, 24), np.uint8) * 255) for _ in range(9)]
    (tmp_path / "more").mkdir()
    frames[0].save(tmp_path / "more" / "a.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "short.gif", save_all=True, append_images=frames[1:3])
    (tmp_path / "z.gif").write_text("no picture")
    whole = (tmp_path / "more" / "a.gif").read_bytes()
    huge = whole[:6] + b"\xff\xff\xff\xff" + whole[10:]  # says that it has 65535 x 65535 pixels
    (tmp_path / "x.gif").write_bytes(huge)
    at = whole.index(b"!\xf9")  # how long a frame is seen: of a single byte here
    (tmp_path / "y.gif").write_bytes(whole[:at] + b"!\xf9\1\0\0" + whole[at:])
    said = []
    data = gif_folder(tmp_path, frames=4, side=16, on_notice=said.append)
    assert data.clips.shape == (2, 1, 4, 16, 16)  # the ninth frame is left
    assert [name for name, _ in data.left_out] == ["short.gif", "x.gif", "y.gif", "z.gif"]
    assert "it has 3 frames, fewer than 4" in said[0] and "cannot be read" in said[0]
    with pytest.raises(DataError, match="no GIF of at least 12 frames"):
        gif_folder(tmp_path, frames=12, on_notice=said.append)
    with pytest.raises(DataError, match="no such folder"):
        gif_folder(tmp_path / "none")


def test_own_poses(tmp_path):
    made = walkers(3, frames=4)
    path = tmp_path / "own.npz"
    np.savez(path, clips=made.clips[:, 0], poses=made.poses, bones=np.array(made.bones))
    data = posed_clips(path)
    assert data.checksum == made.checksum and data.bones == made.bones
    np.savez(path, clips=made.clips[:, 0])
    with pytest.raises(DataError, match="has no poses"):
        posed_clips(path)
    np.savez(path, clips=made.clips[:, 0], poses=made.poses[:, :3])
    with pytest.raises(DataError, match="poses must be"):
        posed_clips(path)
    good, poses = {"clips": made.clips[:, 0]}, made.poses
    for given, said in (
        ({"poses": np.where(poses > 0.5, np.nan, poses)}, "poses have NaN"),
        ({"poses": (poses + 1) * 16}, "expected places in the picture, which is from -1 to 1"),
        ({"poses": poses.astype(str)}, "expected numbers"),
        ({"poses": poses, "bones": np.arange(3)}, "bones must be .B, 2., pairs of joints"),
    ):
        np.savez(path, **good | given)
        with pytest.raises(DataError, match=said):
            posed_clips(path)
    for content in (b"nothing", path.read_bytes()[:-30]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read as .npz"):
            posed_clips(path)


def test_what_is_no_set_of_clips():
    with pytest.raises(DataError, match="clips must be uint8"):
        ClipSet(np.zeros((2, 1, 4, 8), np.uint8), np.zeros(2, np.uint8), "x", "y")


def test_clips_as_a_gif(tmp_path):
    clips = np.zeros((3, 1, 4, 8, 8), np.uint8)
    for t in range(4):
        clips[1, 0, t, t] = 255
    Clips(clips, 1, 3, scale=1).save(tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.n_frames == 4 and picture.size == (28, 10)
        for t in range(4):
            picture.seek(t)
            seen = np.asarray(picture.convert("L"))[1:9]
            np.testing.assert_array_equal(seen[:, 10:18], clips[1, 0, t])
            assert not seen[:, :10].any() and not seen[:, 18:].any()
    assert strips(clips).images.shape == (12, 1, 8, 8)
    np.testing.assert_array_equal(strips(clips).images[5], clips[1, :, 1])
