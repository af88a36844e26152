"""Melodies: those of Bach's chorales and tunes in ABC notation, which come with the package
music21, and MIDI files.

They are read from the package that the user has installed (`pip install 'minigan[music]'`), and
nothing of it is shipped here. music21 is under the BSD licence; the music in it is under licences
of its own, which its folder corpus/ says. Of what is read here: the encodings of the chorales are
(c) 2004 Margaret Greentree, used there by permission; O'Neill's and Ryan's tunes, of 1850 pieces
printed 1903 and 1883, were typed in by those whom each tune names (Z:); the folk songs from Essen
may be used for what is not commercial.

A melody is a series of notes of four numbers: pitch (MIDI's, 60 is the middle c), length,
intensity (0 to 127), and the time since the note before began; times in quarter notes.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ..arrays import Generator
from .abc import BAR, Note, bars_of, metre, signature, tunes_of, word_of
from .imageset import DataError, DataUnavailable
from .midi import midi_notes, since_before
from .series import SeriesSet
from .texts import HELD_OUT, TextSet, numbers_of

EXTRA = "need the package music21: pip install 'minigan[music]'"
COLLECTIONS = {"tunes": ("oneills1850", "ryansMammoth"), "folksongs": ("essenFolksong",)}
MADE = "made-tunes"
MUSIC = ("chorales", *COLLECTIONS, MADE)
INTENSITY = 64  # of notes whose score says none
LENGTHS = (0.5, 1, 1.5, 2, 3, 4, 6, 8)  # of the notes of tunes, in eighths
RAREST = 10  # how often a word must be there in all


def corpus(what: str) -> Path:
    """The folder of the music in music21; DataUnavailable where that is not installed."""
    try:
        found = importlib.util.find_spec("music21")
    except ValueError:
        found = None
    if found is None or found.origin is None:
        raise DataUnavailable(f"{what} {EXTRA}")
    return Path(found.origin).parent / "corpus"


def home(sharps: int) -> int:
    """By how many semitones music with so many sharps is moved to have none: -6 to 5."""
    return (-7 * sharps + 6) % 12 - 6


def melodies(
    name: str | os.PathLike = "chorales", split: str = "train", length: int = 24, step: int = 8,
    on_notice: Callable[[str], object] = print,
) -> SeriesSet:  # fmt: skip
    """Stretches of melodies: series (N, length, 4).

    name    "chorales": what the sopranos sing in 405 chorales by Bach; "tunes", "folksongs",
            "made-tunes", or a file or folder of .abc files (see `tunes`); all those are moved to
            keys without sharps and flats; or a folder of MIDI files
    split   "train", or "test": of every tenth melody
    length  notes of a stretch;  step : stretches begin at every so many notes

    DataUnavailable without the package that has or reads them; DataError where there is none.
    """
    if name == "chorales":
        found, source = _sopranos(), "music21's corpus/bach"
    elif name in MUSIC or _has(name, ".abc"):
        found, source = _tunes_whole(str(name))
    else:
        found, source = midi_folder(name, on_notice), str(name)
    here, long = held_out(len(found), split), np.array([len(x) >= length for x in found], bool)
    if not (long & here).any() or not (long & ~here).any():
        raise DataError(
            f"{source} has {long.sum()} melodies of {length} notes or more: expected "
            f"{HELD_OUT} or more, of which every tenth is held out (--notes allows shorter ones)"
        )
    parts = [
        found[k][i : i + length]
        for k in np.flatnonzero(here)
        for i in range(0, len(found[k]) - length + 1, step)
    ]
    n = len(parts)
    whole = np.full(n, length), np.zeros(n)
    return SeriesSet(np.stack(parts), *whole, Path(name).name, source, (), ("all",))


def held_out(n: int, split: str) -> np.ndarray:
    """Which of n are in a split, bool (n,): every tenth is in "test", the others in "train"."""
    if split not in ("train", "test"):
        raise DataError(f"split={split!r}: expected 'train' or 'test'")
    test = np.arange(n) % HELD_OUT == HELD_OUT - 1
    return test if split == "test" else ~test


# --- chorales ---


@functools.lru_cache(1)  # reading takes seconds
def _sopranos() -> list[np.ndarray]:
    files = sorted((corpus("chorales") / "bach").glob("*.mxl"))
    return [melody for file in files if (melody := _soprano(file.read_bytes())) is not None]


def _soprano(packed: bytes) -> np.ndarray | None:
    """The notes (n, 4) of the one soprano of a packed MusicXML file; None where there is none."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = [n for n in archive.namelist() if n.endswith("xml") and "META-INF" not in n]
        text = archive.read(names[0]).decode("utf-8")
    parts = re.findall(r'<score-part id="(\w+)">\s*<part-name[^>]*>([^<]*)<', text)
    sopranos = [number for number, name in parts if "oprano" in name]
    if len(sopranos) != 1:
        return None
    # of this part alone: the whole takes four times as long
    start = text.index(f'<part id="{sopranos[0]}">')
    part = ElementTree.fromstring(text[start : text.index("</part>", start) + len("</part>")])
    return of_part(part)


def of_part(part: ElementTree.Element) -> np.ndarray:
    """The notes (n, 4) of a part in MusicXML, moved by its first key: ties joined, of chords the
    first note."""
    division, now = 1.0, 0.0
    notes: list[list[float]] = []
    move = home(int(part.findtext(".//key/fifths") or 0))
    for element in part.iter():
        if element.tag == "divisions":
            division = float(element.text or 1)
        if element.tag != "note" or element.find("grace") is not None:
            continue
        if element.find("chord") is not None:
            continue
        lasts = float(element.findtext("duration") or 0) / division
        if (pitch := element.find("pitch")) is not None:
            if any(tie.get("type") == "stop" for tie in element.findall("tie")) and notes:
                notes[-1][1] += lasts
            else:
                octave = int(pitch.findtext("octave") or 4)
                step = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
                tone = step[pitch.findtext("step") or "C"] + int(pitch.findtext("alter") or 0)
                notes.append([12 * (octave + 1) + tone + move, lasts, INTENSITY, now])
        now += lasts
    return since_before(np.array(notes, np.float32).reshape(-1, 4))


# --- tunes ---


def tunes(name: str = "tunes", split: str = "train", bars: int = 4, longest: int = 36) -> TextSet:
    """Stretches of tunes in ABC notation, as words: notes in eighths and bar lines.

    name     "tunes": Irish and American dances (O'Neill, Ryan); "folksongs": from Essen, German
             ones for the most part; "made-tunes": drawn by a formula, which needs nothing; a file
             or a folder of .abc files
    split    "test": of every tenth tune
    bars     full ones, that a stretch has
    longest  words of it, at most

    Each tune is moved to a key without sharps and flats, so that a word says its pitch; stretches
    with triplets and other rare lengths, and with rare notes, are left out.
    """
    rows, vocabulary, tokens, source = _stretches(name, bars, longest)
    kept = held_out(rows.max() + 1, split)[rows]
    if not kept.any():
        raise DataError(f"{source} has no tune for {split}")
    mine = tokens[kept]
    _, first = np.unique(mine, axis=0, return_index=True)  # each once
    return TextSet(mine[np.sort(first)], vocabulary, " ", Path(name).name, source)


@functools.lru_cache(2)  # reading takes seconds
def _stretches(
    name: str, bars: int, longest: int
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray, str]:
    """(the number of the tune that each stretch is of, vocabulary, tokens, source)"""
    found, source = _abc(name)
    rows = [
        (i, words) for i, tune in enumerate(found)
        for words in stretches(*tune, bars) if len(words) <= longest
    ]  # fmt: skip
    seen = Counter(word for _, words in rows for word in words)
    least = RAREST if len(rows) >= 1000 else 1
    rows = [(i, words) for i, words in rows if min(seen[word] for word in words) >= least]
    if len(rows) < 2 * HELD_OUT:
        raise DataError(
            f"{source} has {len(rows)} stretches of {bars} full bars and at most {longest} words: "
            f"expected {2 * HELD_OUT} or more"
        )
    vocabulary, tokens = numbers_of([words for _, words in rows], len(seen))
    return np.array([i for i, _ in rows]), vocabulary, tokens, source


@functools.lru_cache(2)
def _tunes_whole(name: str) -> tuple[list[np.ndarray], str]:
    """Tunes as melodies, without those that are not understood."""
    found, source = _abc(name)
    whole = []
    for head, body in found:
        if (bars := bars_of(head, body)) is not None:
            move = home(signature(head["K"]) or 0)
            notes = [note for bar in bars for note in bar]
            whole.append(melody_of([(p if p is None else p + move, size) for p, size in notes]))
    return whole, source


def _has(name: str | os.PathLike, ending: str) -> bool:
    """Is it a file of this kind, or a folder with some?"""
    path = Path(name)
    if path.is_dir():
        return any(path.glob(f"*{ending}"))
    return path.suffix == ending and path.is_file()


def _abc(name: str) -> tuple[list[tuple[dict[str, str], str]], str]:
    """(the tunes of a collection, a file or a folder, where they are from)"""
    if name == MADE:
        return list(tunes_of(made_abc())), "drawn by a formula"
    if name in COLLECTIONS:
        folder = corpus(name)
        files = [f for part in COLLECTIONS[name] for f in sorted((folder / part).glob("*.abc"))]
        source = f"music21's corpus ({', '.join(COLLECTIONS[name])})"
    else:
        path, source = Path(name), str(name)
        files = sorted(path.glob("*.abc")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise DataError(
            f"no tunes {str(name)!r}: expected {', '.join([*COLLECTIONS, MADE])}, an .abc file or "
            "a folder of such"
        )
    return [tune for file in files for tune in tunes_of(_text(file))], source


def _text(file: Path) -> str:
    content = file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def made_abc(n: int = 60) -> str:
    """Tunes in ABC notation that are drawn: in G, eight bars of four quarters, which go up and down
    the scale by small steps."""
    random = Generator(7)
    scale = "DEFGABcdefga"
    found = []
    for i in range(n):
        place, bars = 5, []
        for _ in range(8):
            bar, left = "", 8
            while left:
                size = min(left, (1, 1, 2, 2, 4)[int(random.uniform((1,))[0] * 5)])
                place = min(11, max(0, place + int(random.uniform((1,))[0] * 5) - 2))
                bar += scale[place] + (str(size) if size > 1 else "")
                left -= size
            bars.append(bar)
        found.append(f"X:{i + 1}\nM:4/4\nL:1/8\nK:G\n{'|'.join(bars)}|\n")
    return "\n".join(found)


def stretches(head: dict[str, str], body: str, bars: int) -> list[list[str]]:
    """A tune's runs of so many full bars as words; [] where it is not understood."""
    full, sharps = metre(head.get("M", "")), signature(head.get("K", ""))
    read = None if full is None or sharps is None else bars_of(head, body)
    found: list[list[str]] = []
    run: list[list[Note]] = []
    for bar in read or []:
        usual = all(pitch is not None and length in LENGTHS for pitch, length in bar)
        run = [*run, bar] if usual and sum(length for _, length in bar) == full else []
        if len(run) == bars:
            found.append([word for bar in run for word in in_words(bar, home(sharps or 0))])
            run = []
    return found


def in_words(bar: Sequence[Note], move: int) -> list[str]:
    return [*[word_of(pitch and pitch + move, length) for pitch, length in bar], BAR]


def melody_of(notes: Sequence[Note]) -> np.ndarray:
    """Notes in eighths, of which None is a rest, as a melody (n, 4)."""
    found, now, before = [], 0.0, 0.0
    for pitch, length in notes:
        if pitch is not None:
            found.append((pitch, length / 2, INTENSITY, now - before))
            before = now
        now += length / 2
    melody = np.array(found, np.float32).reshape(-1, 4)
    melody[:1, 3] = 1  # as of all that begin
    return melody


# --- MIDI files ---


def midi_folder(
    path: str | os.PathLike, on_notice: Callable[[str], object] = print
) -> list[np.ndarray]:
    """What the MIDI files in a folder and below have; times in sixteenths, intensities in steps of
    8."""
    files = sorted(p for p in Path(path).rglob("*") if p.suffix.lower() in (".mid", ".midi"))
    if not files:
        raise DataError(
            f"no music {str(path)!r}: expected one of {', '.join(MUSIC)}, or a folder with .mid or "
            ".abc files"
        )
    found = []
    for file in files:
        try:
            notes = midi_notes(file)
        except DataUnavailable:
            raise
        except DataError as error:
            on_notice(f"left out: {error}")
            continue
        notes[:, [1, 3]] = np.round(notes[:, [1, 3]] * 4) / 4
        notes[:, 1] = np.maximum(notes[:, 1], 0.25)
        notes[:, 2] = np.clip(np.round(notes[:, 2] / 8) * 8, 8, 120)
        found.append(notes)
    return found
