"""ABC notation, melodies and MIDI files: what is read is what was written."""

import io
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest

from minigan.data import DataError, DataUnavailable
from minigan.data import music as music_data
from minigan.data.abc import bars_of, metre, note_of, signature, tunes_of, unit_of, word_of
from minigan.data.midi import midi_notes, midi_of
from minigan.data.music import home, made_abc, melodies, of_part, stretches, tunes
from minigan.data.texts import END
from minigan.viz import Music


@pytest.mark.parametrize("key, sharps", [
    ("C", 0), ("G", 1), ("F#m", 3), ("Bb", -2), ("Ebmin", -6), ("D mixolydian", 1), ("Ador", 1),
    ("E Phr", 0), ("Am", 0), ("HP", 2), ("none", None), ("D exp _e", None),
])  # fmt: skip
def test_keys(key, sharps):
    assert signature(key) == sharps
    if sharps is not None:  # moved by fewer than six semitones, to where there are none
        assert (7 * sharps + home(sharps)) % 12 == 0 and -6 <= home(sharps) <= 5


def test_bars():
    """Accidentals last for a bar; broken rhythm, triplets, ties, chords, ornaments, grace notes."""
    head = {"K": "D", "L": "1/8", "M": "4/4"}
    body = 'f=f f2|"Am"(3fga {b}c\'>d !trill!e//|[ce]2 A-A-|A,3/2 z %no\n^G_B=c| [1 B,, :|\nW: abc'
    bars = bars_of(head, body)
    third = 2 / 3
    assert [p for p, _ in bars[0]] == [78, 77, 77]  # f sharp by its key, then natural
    assert [round(size, 6) for _, size in bars[1]] == [
        *[round(third, 6)] * 3, 1.5, 0.5, 0.25,
    ]  # fmt: skip
    assert [p for p, _ in bars[1]] == [78, 79, 81, 85, 74, 76]
    assert bars[2] == [(76, 2), (69, 2)]  # the highest; tied
    assert bars[3] == [(57, 1.5), (None, 1), (68, 1), (70, 1), (72, 1)]
    assert bars[4] == [(47, 1)] and len(bars) == 5
    for change in ("AB|[K:G]c", "AB|\nM:3/4\nc"):
        assert bars_of(head, change) is None
    assert bars_of({"K": "?"}, "abc") is None
    assert (metre("C|"), metre("6/8"), metre("none")) == (8, 6, None)
    assert (unit_of({"L": "1/16"}), unit_of({"M": "2/4"}), unit_of({"M": "6/8"})) == (0.5, 0.5, 1)


def test_words_are_notes():
    for pitch in [None, *range(36, 97)]:
        for size in (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 8):
            assert note_of(word_of(pitch, size)) == (pitch, size)
    assert [word_of(60, 1), word_of(73, 0.5), word_of(58, 1.5), word_of(None, 4)] == [
        "C", "^c/2", "_B,3/2", "z4",
    ]  # fmt: skip
    assert note_of("|") is note_of("") is note_of("hello") is None


def test_stretches():
    """Of full bars alone, moved to C, in words."""
    head = {"K": "G", "L": "1/8", "M": "2/4"}
    body = "d|G2 B2|d2 ^cB|(3ABc A2|G4|g2 fe|d4|"
    assert stretches(head, body, 2) == [
        ["c2", "e2", "|", "g2", "^f", "e", "|"], ["c4", "|", "c'2", "b", "a", "|"],
    ]  # fmt: skip
    assert stretches(head | {"M": "none"}, body, 2) == []


def test_made_tunes():
    train, test = tunes("made-tunes"), tunes("made-tunes", "test")
    assert len(train) == 108 and len(test) == 12 and train.vocabulary == test.vocabulary
    assert train.vocabulary[0] == END and train.checksum == tunes("made-tunes").checksum
    for line in train.lines(train.tokens):
        bars = [sum(note_of(w)[1] for w in bar.split()) for bar in line.split("|")[:-1]]
        assert bars == [8, 8, 8, 8] and line.endswith("|")
    with pytest.raises(DataError, match="split='all'"):
        tunes("made-tunes", "all")


def test_melodies_of_tunes(tmp_path):
    data, test = melodies("made-tunes", length=12, step=6), melodies("made-tunes", "test", 12)
    assert data.series.shape[1:] == (12, 4) and data.series.shape[0] > 3 * len(test)
    head, body = next(tunes_of(made_abc()))
    notes = [note for bar in bars_of(head, body) for note in bar][:12]
    first = data.series[0]
    assert first[:, 0].tolist() == [p + home(1) for p, _ in notes]
    assert first[:, 1].tolist() == [size / 2 for _, size in notes]
    assert first[:, 3].tolist() == [1, *[size / 2 for _, size in notes[:-1]]]
    own = tmp_path / "own.abc"
    own.write_text(made_abc(25))
    whole = melodies(own, length=12, step=6).series
    assert (whole == data.series[: len(whole)]).all() and len(tunes(str(own))) > 30
    few = tmp_path / "few.abc"
    few.write_text(made_abc(6))
    for split in ("train", "test"):  # before it trains, not only when it is measured
        with pytest.raises(DataError, match="6 melodies of 12 notes or more: expected 10"):
            melodies(few, split, 12)
    with pytest.raises(DataError, match="0 melodies of 999 notes"):
        melodies("made-tunes", length=999)
    with pytest.raises(DataError, match="no music 'nowhere'"):
        melodies("nowhere")
    with pytest.raises(DataError, match="no tunes 'nowhere'"):
        tunes("nowhere")


PART = """<part id="P1"><measure><attributes><divisions>2</divisions><key><fifths>1</fifths></key>
</attributes><note><pitch><step>G</step><octave>4</octave></pitch><duration>4</duration>
<tie type="start"/></note></measure><measure>
<note><pitch><step>G</step><octave>4</octave></pitch><duration>2</duration><tie type="stop"/></note>
<note><rest/><duration>1</duration></note>
<note><pitch><step>F</step><alter>1</alter><octave>5</octave></pitch><duration>1</duration></note>
<note><chord/><pitch><step>D</step><octave>5</octave></pitch><duration>1</duration></note>
<note><grace/><pitch><step>A</step><octave>5</octave></pitch></note>
<note><pitch><step>D</step><octave>5</octave></pitch><duration>3</duration></note></measure></part>"""
SUNG = [[72, 3, 64, 1], [83, 0.5, 64, 3.5], [79, 1.5, 64, 0.5]]


def test_musicxml(monkeypatch, tmp_path):
    np.testing.assert_array_equal(of_part(ElementTree.fromstring(PART)), SUNG)
    score = (
        '<score-partwise><part-list><score-part id="P1"><part-name>Soprano</part-name>'
        f"</score-part></part-list>{PART}</score-partwise>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("META-INF/container.xml", "<container/>")
        file.writestr("a.xml", score)
    (tmp_path / "bach").mkdir()
    for i in range(20):
        (tmp_path / "bach" / f"{i}.mxl").write_bytes(packed.getvalue())
    monkeypatch.setattr(music_data, "corpus", lambda what: tmp_path)
    music_data._sopranos.cache_clear()
    found = melodies("chorales", "test", length=2, step=1)
    music_data._sopranos.cache_clear()
    np.testing.assert_array_equal(found.series, [SUNG[:2], SUNG[1:]] * 2)


def test_without_music21(monkeypatch):
    music_data._sopranos.cache_clear()
    monkeypatch.setattr(music_data.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataUnavailable, match=r"pip install 'minigan\[music\]'"):
        melodies("chorales")


def test_real_chorales_and_tunes():
    """As music21 itself reads them."""
    music21 = pytest.importorskip("music21", reason="its music is tested where it is installed")
    data = melodies("chorales", length=24, step=8)
    assert len(data) == 1471 and len(melodies("chorales", "test")) == 153
    part = music21.corpus.parse("bach/bwv1.6").parts[0].stripTies().flatten().notes
    assert "oprano" in music21.corpus.parse("bach/bwv10.7").parts[0].partName
    song = music21.corpus.parse("bach/bwv10.7").parts[0].stripTies().flatten().notes
    sopranos = music_data._sopranos()
    files = sorted((music_data.corpus("") / "bach").glob("*.mxl"))
    where = [f.name for f in files].index("bwv10.7.mxl")
    assert len(part) and where < 6
    ours = next(m for m in sopranos[: where + 1] if len(m) == len(song))
    steps = np.diff([n.pitch.midi for n in song])
    np.testing.assert_array_equal(np.diff(ours[:, 0]), steps)
    np.testing.assert_allclose(ours[:, 1], [float(n.quarterLength) for n in song])
    dances = tunes("tunes")
    assert len(dances) > 4000 and 100 < len(dances.vocabulary) < 200


# --- MIDI ---

MELODY = np.array([[60, 1, 64, 1], [67, 0.5, 100, 1], [64, 2, 30, 1.5]], np.float32)


def test_midi_is_read_back(tmp_path):
    mido = pytest.importorskip("mido", reason="reads and writes MIDI files")
    path = tmp_path / "a.mid"
    path.write_bytes(midi_of([MELODY, MELODY[:2]]))
    file = mido.MidiFile(path)
    on = [m for m in file.tracks[0] if m.type == "note_on"]
    assert [m.note for m in on] == [60, 67, 64, 60, 67] and [m.velocity for m in on][:3] == [
        64, 100, 30,
    ]  # fmt: skip
    assert file.ticks_per_beat == 480
    found = midi_notes(path)
    np.testing.assert_array_equal(found[:3], MELODY)
    # the second begins two quarters after the first has ended, at 4.5
    np.testing.assert_array_equal(found[3], [60, 1, 64, 4.0])
    with pytest.raises(DataError, match="is no MIDI file"):
        (tmp_path / "b.mid").write_bytes(b"no")
        midi_notes(tmp_path / "b.mid")


def test_midi_files_of_other_kinds_and_damaged_ones(tmp_path):
    pytest.importorskip("mido", reason="reads and writes MIDI files")
    path, good = tmp_path / "a.mid", midi_of([MELODY])
    at = good.index(b"\xff\x51\x03")  # the tempo
    key = b"\xff\x59\x02\x01\x54"  # one sharp, of a mode that there is not
    length = int.from_bytes(good[18:22], "big") + len(key) + 1
    odd_key = good[:18] + length.to_bytes(4, "big") + good[22 : at - 1] + b"\0" + key
    for content, said in (
        (good[:12] + b"\xe7\x28" + good[14:], "times in seconds"),  # 25 frames of 40 ticks
        (good[:12] + b"\0\0" + good[14:], "times in seconds"),
        (good[:-9], "ends too early"),
        (odd_key + good[at - 1 :], "Could not decode key"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=said):
            midi_notes(path)


def test_a_folder_of_midi_files(tmp_path):
    pytest.importorskip("mido", reason="reads and writes MIDI files")
    notices = []
    for i in range(20):
        moved = np.tile(MELODY, (3, 1)) + np.float32([i, 0.01, 0, 0.01])
        (tmp_path / f"{i:02}.mid").write_bytes(midi_of([moved]))
    (tmp_path / "99.mid").write_bytes(b"no")
    data = melodies(tmp_path, length=4, step=4, on_notice=notices.append)
    assert data.series.shape == (36, 4, 4) and len(notices) == 1 and "99.mid" in notices[0]
    np.testing.assert_array_equal(data.series[0, 1:3], [[67, 0.5, 96, 1], [64, 2, 32, 1.5]])


def test_music_is_seen_and_heard(tmp_path):
    from PIL import Image

    Music([MELODY, MELODY[:0]], ["a $^^F$"]).save(tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as picture:
        blue = np.asarray(picture.convert("RGB")).astype(int)
    # three bars of notes; the last is as long as four of the second
    inside = (abs(blue - [31, 119, 180]) < 12).all(2)
    heights = [len(set(np.flatnonzero(inside.any(1)))), inside.sum()]
    assert heights[0] > 10 and heights[1] > 100
    if (tmp_path / "x.mid").exists():
        np.testing.assert_array_equal(midi_notes(tmp_path / "x.mid"), MELODY)
    else:
        with pytest.raises(DataUnavailable, match="mido"):
            midi_of([MELODY])
