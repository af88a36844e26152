"""Pictures of two domains: split, shuffled, turned; folders of own ones."""

import numpy as np
import pytest
from PIL import Image

from minigan.data import DataError, Pairs, image_pairs, load_pairs
from minigan.data.batches import Batches

RNG = np.random.default_rng(0)


def pairs(n=12, groups=()):
    """Targets are the images turned over."""
    images = RNG.integers(0, 255, (n, 1, 2, 2), np.uint8)
    return Pairs(
        images, np.arange(n, dtype=np.uint8), "some", "here", targets=255 - images,
        names=tuple(map(str, range(n))), groups=groups,
    )  # fmt: skip


def test_columns_of_batches():
    data = pairs()
    a, b = Batches(data, 4, columns=("images", "targets"))[np.array([3, 1])]
    np.testing.assert_allclose(a.numpy(), data.images[[3, 1]] / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(b.numpy(), -a.numpy(), atol=1e-6)


def test_the_checksum_is_of_both():
    data = pairs()
    assert data.reversed().checksum != data.checksum == data.reversed().reversed().checksum
    assert data.shuffled().checksum != data.checksum
    with pytest.raises(ValueError):
        data.targets[0] = 0


def test_split_by_groups():
    data = pairs(groups=np.arange(12) // 3)
    rest, taken = data.split(0.2, 1)
    assert (len(rest), len(taken)) == (9, 3) and len(set(taken.groups)) == 1
    assert sorted(rest.names + taken.names) == sorted(data.names)
    for part in (rest, taken):
        np.testing.assert_array_equal(part.targets, 255 - part.images)
    with pytest.raises(DataError, match="too few to split"):
        pairs(groups=np.zeros(12, int)).split(0.5)


def test_apart_nothing_has_its_counterpart():
    data = pairs(groups=np.arange(12) // 2)
    apart = data.apart(3)
    assert not apart.paired and len(apart) + len(apart.targets) == 12
    known = {x.tobytes() for x in 255 - apart.images}
    assert not known & {x.tobytes() for x in apart.targets}
    assert apart.apart() is apart
    with pytest.raises(DataError, match="not paired"):
        apart.split(0.5)


def test_shuffled_no_pair_is_left():
    data = pairs()
    mixed = data.shuffled(2)
    assert not (mixed.targets == data.targets).all((1, 2, 3)).any()
    assert sorted(x.tobytes() for x in mixed.targets) == sorted(x.tobytes() for x in data.targets)


def test_no_pairs():
    x = np.zeros((3, 1, 2, 2), np.uint8)
    labels = np.zeros(3, np.uint8)
    with pytest.raises(DataError, match="3 images and 2 targets"):
        Pairs(x, labels, "a", "b", targets=x[:2])
    assert len(Pairs(x, labels, "a", "b", targets=x[:2], paired=False).b) == 2
    with pytest.raises(DataError, match="targets must be uint8"):
        Pairs(x, labels, "a", "b", targets=x.astype(float))


# --- own pictures ---


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def flat(value, shape=(8, 8)):
    return np.full(shape, value, np.uint8)


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "own"


def test_side_by_side(own):
    for i in range(3):
        pair = np.concatenate([flat(10 * i), flat(200 + i)], 1)
        write(own / "train" / f"{i}.png", pair)
        write(own / "test" / f"t{i}.png", np.stack([pair, pair, 0 * pair], -1))
    data = image_pairs(own, size=8)
    assert data.paired and data.names == ("0", "1", "2") and data.name == "own"
    assert data.images.shape == data.targets.shape == (3, 1, 8, 8)  # grey, as all are
    assert data.images[:, 0, 0, 0].tolist() == [0, 10, 20]
    assert data.targets[:, 0, 7, 7].tolist() == [200, 201, 202]
    test = load_pairs(own, "test", 4, "BtoA")
    assert test.images.shape == (3, 3, 4, 4) and test.names == ("t0", "t1", "t2")
    assert test.images[1, :, 0, 0].tolist() == [201, 201, 0]
    flat_own = image_pairs(own / "train", size=8)  # in the folder itself, and no test pictures
    assert flat_own.checksum == data.checksum == image_pairs(own / "train", "test", 8).checksum


def test_pictures_that_show_no_pair(own):
    write(own / "a.png", flat(1))
    with pytest.raises(DataError, match="a.png .it is not wider than high.*trainA and trainB"):
        image_pairs(own)


def test_two_folders(own):
    for i in range(3):
        write(own / "trainA" / f"{i}.png", flat(i))
        write(own / "trainB" / f"x{i}.png", flat(100 + i, (8, 8, 3)))
    write(own / "trainB" / "x9.png", np.stack([flat(9), flat(0), flat(0)], -1))
    data = image_pairs(own, size=8, on_notice=str)
    assert not data.paired and len(data) == 3 and data.targets.shape == (4, 3, 8, 8)
    turned = load_pairs(own, "train", 8, "BtoA")
    assert turned.images.shape == (4, 3, 8, 8) and turned.targets.shape == (3, 1, 8, 8)


def test_two_folders_of_the_same_names_are_pairs(own):
    for i, name in enumerate(["b", "a", "c.1"]):
        write(own / "trainA" / f"{name}.png", flat(i))
        write(own / "trainB" / f"{name}.bmp", flat(100 + i))
    data = image_pairs(own, size=8)
    assert data.paired and data.names == ("a", "b", "c.1")
    assert data.images[:, 0, 0, 0].tolist() == [1, 0, 2]
    assert data.targets[:, 0, 0, 0].tolist() == [101, 100, 102]


def test_faults_of_folders(own, tmp_path):
    write(own / "trainA" / "a.png", flat(1))
    with pytest.raises(DataError, match="no folder trainB beside"):
        image_pairs(own)
    (own / "trainB").mkdir()
    (own / "trainB" / "b.png").write_text("no picture")
    with pytest.raises(DataError, match="trainB: none of its files can be read"):
        image_pairs(own, on_notice=str)
    with pytest.raises(DataError, match="no data of two domains 'nowhere'"):
        load_pairs("nowhere")
    with pytest.raises(DataError, match="direction='up'"):
        load_pairs("glyphs", direction="up")
