"""`glyphs`: the same characters in two fonts; splits share no base letter and no equal picture."""

import unicodedata

import numpy as np
import pytest

from minigan.data import DataError, Pairs, glyphs, load_dataset
from minigan.data.glyphs import fonts, text_pictures


def base(character):
    return unicodedata.normalize("NFKD", character)[0].casefold()


def test_what_it_is():
    whole = glyphs("all")
    assert isinstance(whole, Pairs) and whole.paired and whole.name == "glyphs"
    assert whole.images.shape == whole.targets.shape == (1424, 1, 32, 32)
    assert len(set(whole.names)) == 1424 and {"a", "A", "7", "é"} <= set(whole.names)
    off = np.abs(whole.images / 255.0 - whole.targets / 255.0).mean()
    assert off == pytest.approx(0.0789, abs=2e-4)  # of systems.md 3a, by another program
    i = whole.names.index("g")
    drawn = text_pictures("DejaVuSerif-BoldItalic", ["g", "B"])
    np.testing.assert_array_equal(whole.targets[i], drawn[0])
    assert (drawn[1] != drawn[0]).any()


def test_splits_share_no_base_letter_and_no_picture():
    whole, train, test = (glyphs(split) for split in ("all", "train", "test"))
    assert len(train) + len(test) == len(whole) and 0.18 < len(test) / len(whole) < 0.25
    assert not set(map(base, train.names)) & set(map(base, test.names))
    assert not set(train.groups) & set(test.groups)
    for one, two in ((train.images, test.images), (train.targets, test.targets)):
        assert not {x.tobytes() for x in one} & {x.tobytes() for x in two}
    for images in (whole.images, whole.targets):
        assert len({x.tobytes() for x in images}) == len(whole) and images.any((1, 2, 3)).all()


def test_letters_that_look_alike_are_one_group():
    """Greek Alpha looks as Latin A: only one is kept, and accents of both are in one group."""
    whole = glyphs("all")
    assert "A" in whole.names and "\u0391" not in whole.names
    group = dict(zip(whole.names, whole.groups))
    assert group["A"] == group["ä"] == group["\u1f08"]  # Greek Alpha with psili
    assert group["a"] != group["e"]


def test_other_fonts_and_sizes():
    assert {"DejaVuSans", "STIXGeneral"} <= set(fonts())
    own = glyphs("test", 16, str(fonts()["DejaVuSans"]), "STIXGeneral")
    assert own.images.shape[1:] == (1, 16, 16)
    assert glyphs("test", 16, "DejaVuSans", "STIXGeneral").checksum == own.checksum
    with pytest.raises(DataError, match="there is no font 'Papyrus'"):
        glyphs("train", font_a="Papyrus")
    with pytest.raises(DataError, match="share 0 letters that look different"):
        glyphs("train", 8, font_a="cmex10", font_b="STIXSizFiveSymReg")
    with pytest.raises(DataError, match="split='dev'"):
        glyphs("dev")


def test_a_file_that_is_no_font(tmp_path):
    path = tmp_path / "a.ttf"
    path.write_text("no font")
    with pytest.raises(DataError, match="a.ttf cannot be read as a font"):
        glyphs("train", font_b=str(path))


def test_it_is_a_data_set_of_pictures():
    assert load_dataset("glyphs", "test").checksum == glyphs("test").checksum
    assert load_dataset("glyphs", "test", size=16).checksum == glyphs("test", 16).checksum


@pytest.mark.parametrize("size", [None, 16])
def test_it_has_the_splits_of_other_data_sets(size):
    with pytest.raises(DataError, match="no data set 'glyphs' / 'all'"):
        load_dataset("glyphs", "all", size=size)


def test_other_data_sets_have_one_size():
    assert load_dataset("strokes", "test", size=28) is load_dataset("strokes", "test")
    with pytest.raises(DataError, match="size=64: pictures of strokes are 28x28; leave it out"):
        load_dataset("strokes", "test", size=64)
