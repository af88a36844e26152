"""image_folder: which pixels it takes, what it refuses, leaves out, and keeps."""

import io
import os
import sys

import numpy as np
import platformdirs
import pytest
from PIL import Image

from minigan.data import DataError, foldercache, image_folder
from minigan.data import folder as folder_module

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda app: str(tmp_path / "cache" / app))
    return tmp_path / "cache" / "minigan" / "folders"


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


def noise(height, width, channels=3):
    return RNG.integers(0, 256, (height, width, channels)[: 2 if channels == 1 else 3], np.uint8)


def put(path, array, **options):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return array


def load(folder, pattern="*.png", **options):
    """image_folder without a cache or a notice."""
    return image_folder(folder, pattern, **{"cache": False, "on_notice": pytest.fail, **options})


# --- pixels ---


def test_pictures_of_the_right_size_come_unchanged_and_sorted(pictures):
    arrays = {f"{i:02d}.png": noise(6, 9) for i in (3, 0, 11, 2)}
    for name, array in arrays.items():
        put(pictures / name, array)
    data = load(pictures, output_size=(6, 9), workers=3)
    assert (
        data.images.dtype == np.uint8
        and data.images.shape == (4, 3, 6, 9)
        and data.labels.tolist() == [0] * 4
    )
    np.testing.assert_array_equal(
        data.images, np.stack([arrays[n] for n in sorted(arrays)]).transpose(0, 3, 1, 2)
    )
    assert data.name == "pictures" and data.source == str(pictures)


@pytest.mark.parametrize(
    "size, window, top, left, h, w",
    [((10, 14), (4, 6), 3, 4, 4, 6), ((11, 14), (4, 4), 3, 5, 4, 4), ((7, 20), None, 0, 6, 7, 7),
        ((20, 7), None, 6, 0, 7, 7),
     ((8, 8), (99, 99), 0, 0, 8, 8), ((8, 12), (20, 20), 0, 2, 8, 8)],
)  # fmt: skip
def test_crop_is_the_centre(pictures, size, window, top, left, h, w):
    """Each window is cut out by hand and resized by Pillow."""
    array = put(pictures / "a.png", noise(*size))
    data = load(pictures, input_size=window, output_size=(8, 8))
    by_hand = Image.fromarray(array[top : top + h, left : left + w]).resize(
        (8, 8), Image.Resampling.BICUBIC
    )
    np.testing.assert_array_equal(data.images[0].transpose(1, 2, 0), np.asarray(by_hand))


def test_without_crop_the_whole_picture_is_squeezed(pictures):
    halves = np.zeros((40, 80, 3), np.uint8)
    halves[:, 40:] = 255
    put(pictures / "a.png", halves)
    whole = load(pictures, crop=False, input_size=(2, 2), output_size=(4, 4)).images[0]
    assert (whole[:, :, 0] < 9).all() and (whole[:, :, 3] > 246).all()


def test_small_outputs_are_averages_not_samples(pictures):
    checks = np.indices((64, 64)).sum(0) % 2 * np.uint8(255)
    put(pictures / "a.png", checks.astype(np.uint8))
    image = load(pictures, channels=1, output_size=(4, 4)).images
    assert np.abs(image.astype(int) - 127).max() < 8


def test_grey_and_colour(pictures):
    array = put(pictures / "a.png", noise(5, 5))
    grey = load(pictures, channels=1, output_size=(5, 5)).images[0, 0]
    assert np.abs(array @ [0.299, 0.587, 0.114] - grey).max() <= 1
    assert load(pictures, channels=None, output_size=(5, 5)).images.shape == (1, 3, 5, 5)
    put(pictures / "a.png", noise(5, 5, 1))
    assert load(pictures, channels=None, output_size=(5, 5)).images.shape == (1, 1, 5, 5)
    three = load(pictures, output_size=(5, 5)).images[0]
    assert (three == three[0]).all()


def test_every_kind_of_picture(pictures):
    """Modes that Pillow's convert gets wrong or not at all."""
    wide = np.array([[0, 256, 32768, 65535]] * 4, np.uint16)
    put(pictures / "wide.png", wide)
    put(pictures / "signed.tif", wide.astype(np.int32))
    colours = np.zeros((4, 4, 4), np.uint8)
    colours[:2] = (255, 0, 0, 255)  # red above, transparent black below
    put(pictures / "alpha.png", colours)
    Image.fromarray(colours[..., :3]).quantize(4).save(pictures / "palette.png")
    transparent = Image.fromarray(colours[..., :3]).quantize(4)
    transparent.save(pictures / "hole.png", transparency=transparent.getpixel((0, 3)))
    Image.fromarray(colours[..., :3]).convert("CMYK").save(pictures / "cmyk.tif")
    Image.fromarray(colours[..., 0] > 0).save(pictures / "bits.png")
    Image.fromarray(np.full((4, 4, 2), 128, np.uint8)).save(pictures / "la.png")
    frames = [Image.fromarray(np.full((4, 4), v, np.uint8)) for v in (50, 200)]
    frames[0].save(pictures / "movie.gif", save_all=True, append_images=frames[1:])
    data = load(pictures, "*", output_size=(4, 4))
    found = dict(zip(sorted(os.listdir(pictures)), data.images.transpose(0, 2, 3, 1)))
    assert len(found) == 9
    for name in ("wide.png", "signed.tif"):
        assert found[name][0, :, 0].tolist() == [0, 1, 128, 255]
    for name in ("alpha.png", "hole.png"):
        assert (found[name][:2] == (255, 0, 0)).all() and (found[name][2:] == 255).all()
    for name in ("palette.png", "cmyk.tif"):
        assert (found[name][:2] == (255, 0, 0)).all() and (found[name][2:] == 0).all()
    assert (found["bits.png"][:2] == 255).all() and (found["bits.png"][2:] == 0).all()
    assert np.abs(found["la.png"].astype(int) - 191).max() <= 1 and (found["movie.gif"] == 50).all()


def test_no_program_is_started_to_read_a_picture(pictures, monkeypatch):
    """Pillow would let Ghostscript draw an EPS file, whatever the file is called."""
    import subprocess

    for name in ("Popen", "check_call", "run"):
        monkeypatch.setattr(subprocess, name, lambda *a, **k: pytest.fail("a program was started"))
    Image.fromarray(noise(4, 4)).save(pictures / "a.eps")
    os.rename(pictures / "a.eps", pictures / "a.jpg")
    with pytest.raises(DataError, match="cannot identify"):
        load(pictures, "*.jpg")


def test_a_camera_that_was_held_sideways(pictures):
    array = noise(4, 8)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    put(pictures / "a.png", array, exif=exif)
    np.testing.assert_array_equal(
        load(pictures, output_size=(8, 4)).images[0].transpose(1, 2, 0), np.rot90(array, -1)
    )


# --- which files ---


def test_patterns_subfolders_and_labels(pictures):
    for name in ("b/1.png", "a/2.png", "a/deep/3.png", "0.png", "b/x.jpg", ".hidden.png"):
        (pictures / name).parent.mkdir(parents=True, exist_ok=True)
        put(pictures / name, noise(4, 4))
    (pictures / "folder.png").mkdir()
    assert load(pictures, output_size=(4, 4)).labels.tolist() == [0]
    for options in ({"pattern": "**/*.png"}, {"pattern": "*.png", "recursive": True}):
        # 0, a/2, a/deep/3, b/1
        assert load(pictures, output_size=(4, 4), **options).labels.tolist() == [0, 1, 1, 2]
    assert load(pictures, "b/*", output_size=(4, 4)).images.shape[0] == 2


def test_no_match_says_what_is_there(pictures):
    for name in ("a.jpg", "b.jpg", "c.JPG", "notes"):
        (pictures / name).write_bytes(b"")
    with pytest.raises(DataError) as e:
        load(pictures, "*.webp")
    for part in (str(pictures), "'*.webp'", "2 .jpg", "1 .JPG", "1 no extension"):
        assert part in str(e.value)
    (pictures / "below").mkdir()
    (pictures / "below" / "x.webp").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 \.webp.*\*\*/"):
        load(pictures, "*.webp")
    with pytest.raises(DataError, match="no such folder"):
        load(pictures / "absent")
    (pictures / "empty").mkdir()
    with pytest.raises(DataError, match="no files in it"):
        load(pictures / "empty")


@pytest.mark.parametrize("options", [{"output_size": (0, 4)}, {"output_size": 64},
    {"input_size": (4,)}, {"output_size": (4.0, 4)},
                                     {"channels": 2}, {"workers": 0}, {"pattern": ""},
                                     {"pattern": "/abs/*.png"}])  # fmt: skip
def test_nonsense(pictures, options):
    put(pictures / "a.png", noise(4, 4))
    name = next(iter(options))
    with pytest.raises(DataError, match=name):
        load(pictures, **options)


# --- files that go wrong ---


def damaged(folder):
    """Really damaged files, by name."""
    buffer = io.BytesIO()
    Image.fromarray(noise(64, 64)).save(buffer, "JPEG")
    jpeg = buffer.getvalue()
    (folder / "bad0.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (folder / "bad1.jpg").write_bytes(b"")
    (folder / "bad2.jpg").write_bytes(b"this is a text\n" * 9)
    (folder / "bad3.jpg").write_bytes(jpeg[:20])
    buffer = io.BytesIO()
    Image.fromarray(noise(64, 64)).save(buffer, "PNG")
    png = bytearray(buffer.getvalue())
    png[len(png) // 2] ^= 0xFF
    (folder / "bad4.jpg").write_bytes(png)  # a wrong checksum inside, and a PNG by the way
    return [f"bad{i}.jpg" for i in range(5)]


def test_damaged_files_are_left_out_and_named(pictures, cache):
    good = {f"{i}.jpg": noise(8, 8) for i in range(6)}
    for name, array in good.items():
        put(pictures / name, array)
    expected = load(pictures, "*.jpg", output_size=(8, 8))
    bad = damaged(pictures)
    for _ in "again, from the cache":
        notices = []
        data = image_folder(pictures, output_size=(8, 8), on_notice=notices.append)
        assert data.checksum == expected.checksum and len(data.labels) == 6
        assert len(notices) == 1 and "5 of 11" in notices[0] and "2 more" in notices[0]
        assert (
            all(name in notices[0] for name in bad[:3])
            and bad[4] not in notices[0]
            and "truncated" in notices[0]
        )
    assert len(os.listdir(cache)) == 1


def test_none_left_is_an_error_and_is_not_cached(pictures, cache):
    damaged(pictures)
    with pytest.raises(DataError, match="none of the 5 files.*bad0.jpg"):
        image_folder(pictures, on_notice=pytest.fail)
    assert not cache.exists() or not os.listdir(cache)


def test_decompression_bombs_are_not_unpacked(pictures, monkeypatch):
    put(pictures / "bomb.png", np.zeros((40, 50), np.uint8))
    put(pictures / "good.png", noise(4, 4))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1999)
    notices = []
    with pytest.warns(Image.DecompressionBombWarning):
        assert len(load(pictures, on_notice=notices.append)) == 1
    assert "bomb.png" in notices[0] and "50x40" in notices[0]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 999)  # more than twice: Pillow itself raises
    assert len(load(pictures, on_notice=notices.append)) == 1 and "bomb.png" in notices[1]


def test_more_than_the_memory_is_known_before_anything_is_read(pictures, monkeypatch):
    for i in range(3):
        put(pictures / f"{i}.png", noise(4, 4))
    monkeypatch.setattr(folder_module, "_decode_all", lambda *a: pytest.fail("it began to decode"))
    monkeypatch.setattr(folder_module, "available_memory", lambda: 3 * 3 * 64 * 64 - 1)
    with pytest.raises(DataError, match="GiB.*output_size"):
        load(pictures)


def test_available_memory_is_plausible():
    free = folder_module.available_memory()
    assert free is None or 1 << 20 < free < 1 << 50


# --- the cache ---


def test_second_start_reads_no_picture(pictures, cache, monkeypatch):
    arrays = [put(pictures / f"{i}.png", noise(4, 4)) for i in range(3)]
    first = image_folder(pictures, "*.png", output_size=tuple(np.array([4, 4])))
    monkeypatch.setattr(folder_module, "_decode_all", lambda *a: pytest.fail("it decodes again"))
    again = image_folder(pictures, "*.png", output_size=(4, 4), on_notice=pytest.fail)
    np.testing.assert_array_equal(again.images, np.stack(arrays).transpose(0, 3, 1, 2))
    assert again.checksum == first.checksum and len(os.listdir(cache)) == 1


@pytest.mark.parametrize(
    "change", ["content", "time", "new", "renamed", "gone", "size", "crop", "channels"]
)
def test_any_change_is_seen(pictures, cache, change):
    for i in range(3):
        put(pictures / f"{i}.png", noise(8, 8))
    options = {"output_size": (4, 4), "input_size": (6, 6), "on_notice": pytest.fail}
    before = image_folder(pictures, "*.png", **options)
    if change == "content":
        put(pictures / "1.png", noise(8, 8))
    elif change == "time":
        os.utime(pictures / "1.png", (1, 1))
    elif change == "new":
        put(pictures / "3.png", noise(8, 8))
    elif change == "renamed":
        os.rename(pictures / "0.png", pictures / "9.png")
    elif change == "gone":
        os.remove(pictures / "0.png")
    else:
        options |= {
            "size": {"output_size": (5, 4)},
            "crop": {"crop": False},
            "channels": {"channels": 1},
        }[change]
    after = image_folder(pictures, "*.png", **options)
    assert len(os.listdir(cache)) == 2
    assert (after.checksum == before.checksum) == (change == "time")


@pytest.mark.parametrize("how", ["cut", "bit", "empty", "foreign", "other shape", "objects"])
def test_a_damaged_cache_is_made_again(pictures, cache, how):
    for i in range(3):
        put(pictures / f"{i}.png", noise(8, 8))
    before = image_folder(pictures, "*.png", output_size=(8, 8))
    (path,) = cache.iterdir()
    content = bytearray(path.read_bytes())
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "bit":
        content[content.index(before.images[1].tobytes()) + 5] ^= 1
        path.write_bytes(content)
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "foreign":
        np.save(open(path, "wb"), np.zeros(3))
    elif how == "other shape":
        np.savez(open(path, "wb"), images=before.images[:2], problems=np.zeros((0, 2), str))
    else:  # a pickle, which must not be run
        np.savez(open(path, "wb"), images=np.array([{}], object), problems=np.zeros((0, 2), str))
    notices = []
    for _ in range(2):
        assert (
            image_folder(pictures, "*.png", output_size=(8, 8), on_notice=notices.append).checksum
            == before.checksum
        )
    assert len(notices) == 1 and "damaged" in notices[0] and str(path) in notices[0]


def test_the_cache_is_bounded_and_the_oldest_go(pictures, cache, monkeypatch):
    monkeypatch.setattr(foldercache, "LIMIT", 3 * 4 * 4 * 5 + 2000)
    for i in range(5):
        put(pictures / f"{i}.png", noise(4, 4))
    names = []
    for i, width in enumerate((4, 3, 2, 5)):
        image_folder(pictures, "*.png", output_size=(4, width))
        (new,) = set(cache.iterdir()) - set(names)
        os.utime(new, (i, i))
        names.append(new)
    sizes = [p.stat().st_size for p in cache.iterdir()]
    assert names[-1].exists() and not names[0].exists() and sum(sizes) < foldercache.LIMIT + 1000
    monkeypatch.setattr(foldercache, "LIMIT", 10)
    notices = []
    image_folder(pictures, "*.png", output_size=(9, 9), on_notice=notices.append)
    assert len(notices) == 1 and "not cached" in notices[0]


def test_without_platformdirs_nothing_is_kept(pictures, cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    array, said = put(pictures / "a.png", noise(4, 4)), []
    for _ in range(2):
        data = image_folder(pictures, "*.png", output_size=(4, 4), on_notice=said.append)
        np.testing.assert_array_equal(data.images[0], array.transpose(2, 0, 1))
    assert len(said) == 2 and "pip install platformdirs" in said[0] and not cache.exists()


def test_a_cache_that_cannot_be_written_costs_only_time(pictures, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    put(pictures / "a.png", noise(4, 4))
    notices = []
    assert len(image_folder(pictures, "*.png", on_notice=notices.append)) == 1
    assert notices and all(str(cache) in n for n in notices)


def test_a_write_that_fails_leaves_nothing(pictures, cache, monkeypatch):
    put(pictures / "a.png", noise(4, 4))

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    notices = []
    assert len(image_folder(pictures, "*.png", on_notice=notices.append)) == 1
    assert "disk full" in notices[0] and os.listdir(cache) == []
