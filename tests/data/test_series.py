"""Series: aeon's files, made ones, and own ones in a .csv."""

import importlib.util

import numpy as np
import pytest

from minigan.data import DataError, DataUnavailable, SeriesSet, series
from minigan.data.batches import Batches
from minigan.data.series import OF_AEON, aeon_file, gathered, read_ts

TS = """# who made it
@problemName Two
@timeStamps false
@univariate false
@equalLength false
@classLabel true b a
@data
1,2,3:-1,-2,-3:b
4,5:-4,-5:a
6,?:-6,-7:a
"""


def written(path, text):
    path.write_text(text)
    return path


def test_a_ts_file(tmp_path):
    found, said = read_ts(written(tmp_path / "x.ts", TS)), []
    data = gathered(found, "two", "x.ts", said.append)
    assert said == ["x.ts: 1 of 3 series are left out (line 10: 1 missing value)"]
    assert data.left_out == (("line 10", "1 missing value"),)
    expected = [[[1, -1], [2, -2], [3, -3]], [[4, -4], [5, -5], [0, 0]]]
    np.testing.assert_array_equal(data.series, np.array(expected, np.float32))
    assert data.lengths.tolist() == [3, 2] and data.labels.tolist() == [1, 0]
    assert data.classes == ("a", "b") and len(data) == 2
    frames, labels = data.frames()
    assert frames.tolist() == [[1, -1], [2, -2], [3, -3], [4, -4], [5, -5]]
    assert labels.tolist() == [1, 1, 1, 0, 0]
    assert [x.shape for x in data.each()] == [(3, 2), (2, 2)]
    assert data.some(np.array([1])).labels.tolist() == [0]
    assert not data.series.flags.writeable


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("@data", "", "expected series after a line @data"),
        ("@timeStamps false", "@timeStamps true", "without timestamps"),
        ("@classLabel true b a", "@classLabel false", "expected labels"),
        ("4,5:-4,-5:a", "4,5:-4:a", "line 9: expected as many values"),
        ("4,5:-4,-5:a", "4,5:a", "line 9: expected as many values"),
    ],
)
def test_ts_files_of_another_form(tmp_path, old, new, said):
    with pytest.raises(DataError, match=said):
        read_ts(written(tmp_path / "x.ts", TS.replace(old, new)))
    with pytest.raises(DataError, match="cannot be read"):
        read_ts(tmp_path / "none.ts")


def test_aeon_is_asked_for(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataUnavailable, match=r"pip install 'minigan\[series\]'"):
        series("italy-power-demand")


def test_aeons_series():
    if importlib.util.find_spec("aeon") is None:
        pytest.skip("aeon is not installed")
    shapes = {
        "japanese-vowels": ((270, 26, 12), (370, 29, 12), 9),
        "italy-power-demand": ((67, 24, 1), (1029, 24, 1), 2),
        "gun-point": ((50, 150, 1), (150, 150, 1), 2),
        "osu-leaf": ((200, 427, 1), (242, 427, 1), 6),
    }
    assert shapes.keys() == OF_AEON.keys()
    for name, (train, test, classes) in shapes.items():
        data, other = series(name), series(name, "test")
        assert (data.series.shape, other.series.shape) == (train, test)
        assert data.require_classes("x") == len(other.classes) == classes
    voices = series()
    assert voices.lengths.min() == 7 and np.bincount(voices.labels).tolist() == [30] * 9
    first = aeon_file("japanese-vowels", "train").read_text().split("@data\n")[1].split(",")[0]
    assert voices.series[0, 0, 0] == np.float32(first)


def test_made_ones_have_the_form_of_real_ones():
    voices, days = series("made-voices"), series("made-days", "test")
    assert voices.series.shape == (120, 29, 12) and voices.lengths.min() >= 7
    assert np.bincount(voices.labels).tolist() == [30] * 4 == [30] * len(voices.classes)
    assert days.series.shape == (400, 24, 1) and days.classes == ("winter", "summer")
    np.testing.assert_allclose(days.series.std(1), 1, atol=1e-4)
    assert series("made-voices").checksum == voices.checksum
    assert series("made-voices", "test").checksum != voices.checksum


def test_series_are_columns_of_batches():
    data = series("made-voices")
    batches = Batches(data, 8, seed=1, columns=("series", "lengths", "labels"))
    x, lengths, labels = batches[np.array([3, 0])]
    np.testing.assert_array_equal(x.numpy(), data.series[[3, 0]])
    assert lengths.numpy().tolist() == data.lengths[[3, 0]].tolist()
    assert labels.numpy().tolist() == [3, 0] and labels.numpy().dtype == np.int64


WIDE = "label,h0,h1,h2\n" + "".join(f"{'ab'[i % 2]},{i},{i + 0.5},{-i}\n" for i in range(20))


def test_a_series_in_each_row(tmp_path):
    path = written(tmp_path / "own.csv", WIDE)
    train, test = series(path), series(path, "test")
    assert train.classes == ("a", "b") and len(train) == 16 and len(test) == 4
    assert test.series[:, 0, 0].tolist() == [8, 9, 18, 19]  # every fifth of each class
    assert train.series[1, :, 0].tolist() == [1, 1.5, -1] and train.labels[1] == 1
    assert train.name == "own.csv" and train.checksum != test.checksum
    swapped = written(tmp_path / "b.csv", WIDE.replace("a,", "x,").replace("b,", "a,"))
    again = series(swapped)
    assert again.checksum == train.checksum
    assert again.checksum_of(("labels",)) != train.checksum_of(("labels",))


def test_missing_values_and_short_rows(tmp_path):
    rows = ["b,1,2,", "b,1,,3", "a,?,2,3", ",1,2,3", "a,1,NaN,"]
    path, said = written(tmp_path / "own.csv", WIDE + "\n".join(rows)), []
    data = series(path, on_notice=said.append)
    assert said == [
        f"{path}: 4 of 25 series are left out (line 23: 1 missing value; line 24: 1 missing value; "
        "line 25: no label; and 1 more)"
    ]
    assert len(data.left_out) == 4 and data.lengths.tolist() == [3] * 16 + [2]
    nothing = written(tmp_path / "c.csv", "label,x,y\na,1,nan\nb,nan,2\n")
    with pytest.raises(DataError, match="no series is whole .*fill in what is missing"):
        series(nothing)


def test_a_time_in_each_row(tmp_path):
    lines = ["Utterance,time,speaker,c0,c1"]
    for i in range(10):
        lines += [f"u{i},{t},{'ann' if i < 5 else 'bob'},{i + t},{-t}" for t in range(3 + i % 2)]
    path = written(tmp_path / "own.csv", "\n".join(lines))
    data, test = series(path), series(path, "test")
    assert data.classes == ("ann", "bob") and data.series.shape == (8, 4, 2) and len(test) == 2
    assert data.lengths.tolist() == [3, 4, 3, 4, 4, 3, 4, 3]
    assert data.each()[1].tolist() == [[1, 0], [2, -1], [3, -2], [4, -3]]
    lines += [f"u10,{t},ann,{'' if t == 1 else t},?" for t in range(2)]
    left = series(written(path, "\n".join(lines)), on_notice=lambda _: 0).left_out
    assert left == (("series u10", "3 missing values"),)


@pytest.mark.parametrize("by", ";\t")
def test_semicolons_or_tabs_part_columns(by, tmp_path):
    """As spreadsheets of many countries write them, with decimal commas."""
    plain = series(written(tmp_path / "own.csv", WIDE))
    other = WIDE.replace(",", by).replace(".", ",")
    assert series(written(tmp_path / "b.csv", other)).checksum == plain.checksum
    labels = series(written(tmp_path / "c.csv", other.replace(f"a{by}", f"a, b{by}")))
    assert labels.classes == ("a, b", "b")


def test_what_is_no_value_of_a_series(tmp_path):
    """The index that pandas writes, and the day of a row."""
    plain = series(written(tmp_path / "own.csv", WIDE))
    head, *rows = WIDE.splitlines()
    more = [f",Date,{head}", *[f"{i},2026-01-{i + 1:02},{row}" for i, row in enumerate(rows)]]
    assert series(written(tmp_path / "b.csv", "\n".join(more))).checksum == plain.checksum
    lines = ["id,c0", *[f"u{i // 3},{i}" for i in range(30)]]
    plain = series(written(tmp_path / "c.csv", "\n".join(lines)))
    more = ["," + lines[0], *[f"{i},{line}" for i, line in enumerate(lines[1:])]]
    assert series(written(tmp_path / "d.csv", "\n".join(more))).checksum == plain.checksum


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("1,2,3\n4,5,6\n", "the first line has no names"),
        ("label,x\n", "has no rows but the first"),
        ("label,x\na,1,2\n", "line 2: 3 values instead of 2"),
        ("label,x\na,one\n", "'one' in column 'x' is no number"),
        ("label\na\n", "there is none of values"),
        ('label,x\n"a,1\n', "is no CSV"),
        ("id,label,x\n1,a,1\n1,b,2\n", "series '1' has the label 'b' here and 'a' before"),
        ("id,label,x\n,a,1\n", "does not say of which series"),
        ("label,x,y\n" + "a,1,2\n" * 9 + "b,1,2\n", "fewer than 5 series of 'b'"),
        ("time,x\n" + "1,2\n" * 9, "one value in each row .'x'.*a column 'series'"),
    ],
)
def test_csv_files_of_another_form(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        series(written(tmp_path / "own.csv", text))


def test_what_there_is_not(tmp_path):
    with pytest.raises(DataError, match="expected one of japanese-vowels, .*or a .csv"):
        series("vowels")
    with pytest.raises(DataError, match="cannot be read"):
        series(tmp_path / "none.csv")
    with pytest.raises(DataError, match="split="):
        series("made-days", "both")
    (tmp_path / "latin.csv").write_bytes(b"label,x\n\xe9,1\n")
    with pytest.raises(DataError, match="no text in UTF-8"):
        series(tmp_path / "latin.csv")
    one = series(written(tmp_path / "one.csv", "x,y\n" + "1,2\n" * 10))
    with pytest.raises(DataError, match="a column 'label'"):
        one.require_classes("vaw-gan")
    with pytest.raises(DataError, match="lengths must be"):
        SeriesSet(np.zeros((1, 2, 1)), np.array([3]), np.zeros(1), "x", "x")
