"""Patches of photographs, digits on them, UCI digits: on made pictures; those of other packages
where they are installed."""

import builtins

import numpy as np
import pytest

from minigan.data import (
    DATASETS,
    DataError,
    DataUnavailable,
    ImageSet,
    load_dataset,
    on_pictures,
    photo_patches,
    photographs,
    textures,
    uci_digits,
)
from minigan.data.uci import as_mnist


def a_picture(number, height=12, width=30):
    """Each pixel says where it is: (its number, y, x)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([np.full_like(y, number), y, x], -1).astype(np.uint8)


PICTURES = {"a": a_picture(7), "b": a_picture(9, 16, 24)}


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_patch_is_a_piece_of_its_picture(split):
    found = photo_patches(300, split, 6, 0, PICTURES)
    assert found.images.shape == (300, 3, 6, 6) and found.classes == ("a", "b")
    edges = {"a": 20, "b": 16}  # two thirds of the width
    seen = set()
    for patch, label in zip(found.images, found.labels):
        name = found.classes[label]
        y, x = int(patch[1, 0, 0]), int(patch[2, 0, 0])
        picture = PICTURES[name]
        np.testing.assert_array_equal(patch.transpose(1, 2, 0), picture[y : y + 6, x : x + 6])
        assert x + 6 <= edges[name] if split == "train" else x >= edges[name]
        seen.add((name, y, x))
    corners = {"train": {("a", 0, 0), ("a", 6, 14)}, "test": {("a", 6, 24), ("b", 10, 18)}}
    many = photo_patches(4000, split, 6, 1, PICTURES)
    seen |= {(many.classes[n], int(p[1, 0, 0]), int(p[2, 0, 0]))
             for p, n in zip(many.images, many.labels)}  # fmt: skip
    assert corners[split] <= seen  # those at the edges, too
    assert 1800 < (many.labels == 0).sum() < 2200


def test_patches_are_chosen_by_the_seed():
    one, again, other = (photo_patches(50, "train", 6, s, PICTURES).images for s in (3, 3, 4))
    assert (one == again).all() and (one != other).any()
    made, again = textures(3, 40), textures(3, 40)
    assert list(made) == ["texture0", "texture1", "texture2"]
    for name, picture in made.items():
        assert picture.shape == (40, 40, 3) and picture.std() > 10
        assert (picture == again[name]).all()


def test_digits_on_pictures():
    """|patch - digit|, example by example; labels stay."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 1, 6, 6)).astype(np.uint8)
    digits = ImageSet(images, np.arange(20, dtype=np.uint8) % 10, "made", "here")
    found = on_pictures(digits, "train", 5, PICTURES)
    patches = photo_patches(20, "train", 6, 5, PICTURES).images
    expected = np.abs(patches.astype(int) - images.astype(int))
    np.testing.assert_array_equal(found.images, expected)
    np.testing.assert_array_equal(found.labels, digits.labels)
    assert found.name == "made-pictures"


@pytest.mark.parametrize("call, said", [
    (lambda: photo_patches(4, "train", 13, 0, PICTURES), "a: a patch of 13x13 does not fit"),
    (lambda: photo_patches(4, "both", 6, 0, PICTURES), "split='both': expected 'train' or 'test'"),
    (lambda: on_pictures(ImageSet(np.zeros((2, 1, 4, 6), "uint8"), np.zeros(2, "uint8"), "m", "h"),
        "train", 0, PICTURES), "images of 4x6: expected squares"),
])  # fmt: skip
def test_what_does_not_go(call, said):
    with pytest.raises(DataError, match=said):
        call()


@pytest.mark.parametrize("name, package, extra", [
    ("photo-patches", "skimage", "scikit-image: pip install 'minigan[photos]'"),
    ("mnist-photos", "skimage", "scikit-image: pip install 'minigan[photos]'"),
    ("uci-digits", "sklearn", "scikit-learn: pip install 'minigan[uci]'"),
])  # fmt: skip
def test_without_the_package_the_extra_is_named(name, package, extra, monkeypatch):
    honest = builtins.__import__

    def without(what, *rest, **named):
        if what.split(".")[0] == package:
            raise ImportError(what)
        return honest(what, *rest, **named)

    photographs.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setitem(DATASETS, "mnist", DATASETS["strokes"])
    with pytest.raises(DataUnavailable) as error:
        load_dataset(name, "test")
    assert extra in str(error.value)


def test_uci_digits_in_the_form_of_mnist():
    counts = np.zeros((2, 8, 8))
    counts[1] = 16
    found = as_mnist(counts)
    assert found.shape == (2, 1, 28, 28) and not found[0].any()
    assert (found[1, 0, 4:24, 4:24] == 255).all() and found[1].sum() == 255 * 400


def test_the_photographs():
    pytest.importorskip("skimage", reason="scikit-image is not installed (minigan[photos])")
    found = photographs()
    assert len(found) == 13 and all(p.shape[2] == 3 and min(p.shape[:2]) == 320
                                    for p in found.values())  # fmt: skip
    patches = load_dataset("photo-patches", "test")
    assert patches.images.shape == (4000, 3, 28, 28) and len(patches.classes) == 13
    assert 60 < patches.images.std() < 100


def test_the_uci_digits():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed (minigan[uci])")
    train, test = uci_digits(), load_dataset("uci-digits", "test")
    assert (len(train), len(test)) == (1197, 600)
    assert set(train.labels) == set(test.labels) == set(range(10))
    flat = np.concatenate([train.images, test.images]).reshape(1797, -1)
    assert len(np.unique(flat, axis=0)) == 1797  # splits share no equal picture
