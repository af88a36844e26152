"""Own pictures with classes: subfolders, and lists of file names and labels."""

import json

import numpy as np
import platformdirs
import pytest
from PIL import Image

from minigan.data import DataError, image_folder, image_list, load_dataset
from minigan.data.imageset import ImageSet


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda app: str(tmp_path / "cache" / app))


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "birds"
    folder.mkdir()
    return folder


def put(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8), grey, np.uint8)).save(path)


def three(place):
    """a/x.png, b.png and c.png, of different greys."""
    for i, name in enumerate(("a/x.png", "b.png", "c.png")):
        put(place / name, 50 * (i + 1))


def greys(data):
    return data.images[:, 0, 0, 0].tolist()


LISTS = {
    "plain.csv": "c.png,wren\na/x.png,crow\nb.png,wren\n",
    "head.csv": "\ufeffLabel, Filename ,more\nwren,c.png,1\ncrow,a/x.png,2\n\nwren,b.png,3\n",
    "quoted.csv": '"c.png","wren"\r\n"a/x.png"," crow "\r\nb.png,wren\r\n',
    "object.json": '{"c.png": "wren", "a/x.png": "crow", "b.png": "wren"}',
    "pairs.json": '[["c.png", "wren"], ["a/x.png", "crow"], ["b.png", "wren"]]',
    "objects.json": '[{"file": "c.png", "label": "wren"}, {"class": "crow", "path": "a/x.png"}, '
    '{"file_name": "b.png", "category": "wren", "id": 3}]',
    "within.json": '{"labels": [["c.png", "wren"], ["a/x.png", "crow"], ["b.png", "wren"]]}',
    "upper.JSON": '{"Labels": 1, "labels": [["c.png", "wren"], ["a/x.png", "crow"], '
    '["b.png", "wren"]]}',
}


@pytest.mark.parametrize("name", LISTS)
def test_lists(place, name):
    three(place)
    (place / name).write_text(LISTS[name])
    data = load_dataset(place / name, size=4, on_notice=pytest.fail)
    assert data.classes == ("crow", "wren") and data.labels.tolist() == [1, 0, 1]
    assert greys(data) == [150, 50, 100] and data.images.shape == (3, 1, 4, 4)
    assert data.name == name and data.left_out == () and data.require_classes("cgan") == 2


def test_whole_numbers_are_sorted_by_size_and_words_after_them(place):
    three(place)
    (place / "l.json").write_text('{"a/x.png": 10, "b.png": 9, "c.png": "none"}')
    data = image_list(place / "l.json", (4, 4), on_notice=pytest.fail)
    assert data.classes == ("9", "10", "none") and data.labels.tolist() == [1, 0, 2]
    (place / "l.csv").write_text("a/x.png,10\nb.png,9\nc.png,-1\n")
    assert image_list(place / "l.csv", (4, 4)).classes == ("-1", "9", "10")


def test_what_cannot_be_used_is_left_out_and_named(place):
    three(place)
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    (place / "l.csv").write_text(
        "a/x.png,crow\nb.png,wren\ngone.png,wren\n,crow\nc.png,\nb.png,wren\nbroken.png,owl\n"
    )
    said = []
    data = image_list(place / "l.csv", (4, 4), on_notice=said.append)
    left = dict(data.left_out)
    assert left.keys() == {"gone.png", "line 4", "c.png", "b.png", "broken.png"}
    assert left["gone.png"] == "it is not there" and left["line 4"] == "it names no file"
    assert left["c.png"] == "line 5 gives it no label" and left["b.png"] == "line 6 names it again"
    assert len(said) == 2 and "4 entries are left out: gone.png (it is not there); " in said[0]
    assert "and 1 more" in said[0] and "broken.png" in said[1]
    assert len(data) == 2 and data.classes == ("crow", "owl", "wren")
    assert data.labels.tolist() == [0, 2]
    with pytest.raises(DataError, match=r"more classes than pictures \(3 and 2\)"):
        data.require_classes("cgan")
    put(place / "c.png", 1), put(place / "d.png", 1)
    with open(place / "l.csv", "a") as file:
        file.write("d.png,crow\n")
    with pytest.raises(DataError, match="l.csv: no picture of 'owl' can be read"):
        image_list(place / "l.csv", (4, 4), on_notice=said.append).require_classes("cgan")


@pytest.mark.parametrize("name, text, said", [
    ("l.csv", "", "is empty; expected a row for each picture"),
    ("l.csv", "file,label\n", "names no files"),
    ("l.csv", "b.png,wren\nc.png\n", "line 2: 1 values instead of 2"),
    ("l.csv", "b.png,wren\nb.png,owl\n", "line 2: b.png is 'owl' here and 'wren' before"),
    ("l.csv", "gone.png,wren\n", "it names no picture that is there: gone.png (it is not there)"),
    ("l.csv", 'b.png,"wren\n', "is no CSV"),
    ("l.json", "", "is no JSON"),
    ("l.json", "3", "expected {"),
    ("l.json", "[]", "expected {"),
    ("l.json", '{"b.png": "wren", "b.png": "owl"}', "entry 2: b.png is 'owl' here"),
    ("l.json", '{"b.png": 1.5}', "entry 1: the label is 1.5; expected a word or a whole number"),
    ("l.json", '{"b.png": true}', "the label is True"),
    ("l.json", '[[7, "wren"]]', "entry 1: the file's name is 7"),
    ("l.json", '[["b.png", "wren", 3]]', "entry 1: it is ['b.png', 'wren', 3]"),
])  # fmt: skip
def test_lists_that_are_none(place, name, text, said):
    three(place)
    (place / name).write_text(text)
    with pytest.raises(DataError) as caught:
        load_dataset(place / name)
    assert said in str(caught.value) and "\n" not in str(caught.value) and name in str(caught.value)


def test_a_list_that_is_not_there_or_no_text(place):
    with pytest.raises(DataError, match="l.csv: no such file"):
        load_dataset(place / "l.csv")
    (place / "l.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="no text in UTF-8"):
        load_dataset(place / "l.csv")


def test_subfolders_are_classes(place):
    for i, name in enumerate(("top.png", "b/y.png", "a/x.png", "a/deep/z.png")):
        put(place / name, 50 * (i + 1))
    (place / ".hidden").mkdir()
    data = load_dataset(place, size=4)
    assert data.classes == (".", "a", "b") and data.labels.tolist() == [1, 1, 2, 0]
    (place / "top.png").unlink()
    data = load_dataset(place, size=4)
    assert data.classes == ("a", "b") and data.labels.tolist() == [0, 0, 1]
    only = image_folder(place, "a/*.png", output_size=(4, 4))
    assert only.classes == ("a",) and only.labels.tolist() == [0]
    with pytest.raises(DataError, match="birds has one class only"):
        only.require_classes("cgan")
    (place / "empty").mkdir()
    data = load_dataset(place, size=4)  # no matter where labels are not asked for
    assert data.classes == ("a", "b", "empty") and data.labels.tolist() == [0, 0, 1]
    with pytest.raises(DataError, match="birds: no picture of 'empty' can be read: add some"):
        data.require_classes("cgan")


def test_pictures_without_subfolders_have_no_classes(place):
    put(place / "x.png", 3)
    data = load_dataset(place, size=4)
    assert data.classes == () and data.labels.tolist() == [0]
    with pytest.raises(DataError, match="has one class only"):
        data.require_classes("cgan")


def test_too_many_classes(place):
    put(place / "x.png", 3)
    names = {f"{i:03d}.png": f"c{i}" for i in range(257)}
    for name in names:
        (place / name).write_bytes((place / "x.png").read_bytes())
    (place / "l.json").write_text(json.dumps(names))
    data = load_dataset(place / "l.json", size=4)
    assert len(data.classes) == 257 and not data.labels.any()
    with pytest.raises(DataError, match="l.json has 257 classes: cgan takes at most 256"):
        data.require_classes("cgan")
    del names["256.png"]
    (place / "l.json").write_text(json.dumps(names))
    data = load_dataset(place / "l.json", size=4)
    assert data.require_classes("cgan") == 256 and data.labels.max() == 255


def test_other_labels_are_other_data_for_who_learns_them():
    images = np.zeros((2, 1, 2, 2), np.uint8)
    one, other = (
        ImageSet(images, np.array(labels, np.uint8), "x", "y", (), ("a", "b"))
        for labels in ([0, 1], [1, 0])
    )
    assert one.checksum == other.checksum == one.checksum_of(("images",))
    assert one.checksum_of(("images", "labels")) != other.checksum_of(("images", "labels"))
    digits = ImageSet(images, one.labels, "x", "y")
    assert digits.checksum_of(("images", "labels")) == digits.checksum
