"""ABC notation, in which tunes are written as text (abcnotation.com, the standard 2.1): bars of
notes from it, and notes as words.

>>> bars = bars_of({"K": "G", "L": "1/8"}, "GABc d2e2|")
>>> bars[0][0]
(67, 1.0)
>>> [word_of(*note) for note in bars[0]]
['G', 'A', 'B', 'c', 'd2', 'e2']
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

# (MIDI pitch, None for a rest; length in eighths)
Note = tuple[int | None, float]

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
NAMES = ["C", "^C", "D", "_E", "E", "F", "^F", "G", "^G", "A", "_B", "B"]
FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
SHARPS = "FCGDAEB"  # in the order in which signatures have them
MODES = {
    "": 0, "maj": 0, "ion": 0, "m": -3, "min": -3, "aeo": -3, "mix": -1, "dor": -2, "phr": -4,
    "lyd": 1, "loc": -5,
}  # fmt: skip
BAR = "|"

NOTE = r"(?P<accidental>[_^=]*)(?P<letter>[A-Ga-gzx])(?P<octave>[,']*)(?P<length>\d*/*\d*)"
TOKEN = re.compile(
    r'(?P<skip>"[^"]*"|![^!\s]*!|\+\w+\+|\{[^}]*\}|%.*|\\)'
    r"|\[(?P<field>[A-Z]:[^\]]*)\]"
    r"|\((?P<tuplet>\d)(?::(?P<times>\d?))?(?::(?P<notes>\d?))?"
    r"|(?P<bar>:*\|+[\]:|]*(?:\[?\d[\d,.-]*)?|::|\[\d[\d,.-]*|\[\|)"
    r"|\[(?P<chord>[^\]|]+)\](?P<chord_length>\d*/*\d*)"
    rf"|{NOTE}|(?P<broken>[<>]+)|(?P<tie>-)"
)
TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # so many in the time of so many


def tunes_of(text: str) -> Iterator[tuple[dict[str, str], str]]:
    """The tunes of a text: (what their heads say, by letter; the body)."""
    for part in re.split(r"(?m)^(?=X:)", text)[1:]:
        head: dict[str, str] = {}
        lines = part.splitlines()
        for i, line in enumerate(lines):
            if re.match(r"[A-Za-z]:", line):
                head.setdefault(line[0], line[2:].split("%")[0].strip())
            if line.startswith("K:"):
                yield head, "\n".join(lines[i + 1 :])
                break


@functools.lru_cache
def signature(key: str) -> int | None:
    """How many sharps a key has, flats as negative numbers; None where it is not understood."""
    if key in ("HP", "Hp"):  # of the pipes
        return 2
    found = re.match(r"([A-G])([#b]?)\s*([A-Za-z]*)\s*$", key)
    if not found:
        return None
    mode = found[3].lower()
    mode = mode if mode in MODES else mode[:3]
    if mode not in MODES:
        return None
    return FIFTHS[found[1]] + {"": 0, "#": 7, "b": -7}[found[2]] + MODES[mode]


def metre(text: str) -> float | None:
    """The length of a bar, in eighths; None where there is none."""
    if text in ("C", "C|"):
        return 8.0
    found = re.match(r"(\d+)/(\d+)$", text)
    return 8 * int(found[1]) / int(found[2]) if found and int(found[2]) else None


@functools.lru_cache
def length_of(text: str) -> float:
    """What stands behind a note: "" is 1, "3/2", "/" and "/2" are halves, "//" is a quarter."""
    above, slashes, below = re.match(r"(\d*)(/*)(\d*)", text).groups()  # type: ignore[union-attr]
    under = int(below) if below else 2 ** len(slashes)
    return int(above or 1) / (under or 1)


def unit_of(head: dict[str, str]) -> float:
    """The length of a note without a number, in eighths."""
    if (found := metre(head.get("L", ""))) is not None:
        return found
    bar = metre(head.get("M", ""))
    return 1.0 if bar is None or bar >= 6 else 0.5


def bars_of(head: dict[str, str], body: str) -> list[list[Note]] | None:
    """The notes of each bar, of chords the highest; grace notes, ornaments and words are left
    out. None where the key is not understood, or key, metre or unit change on the way."""
    sharps, unit = signature(head.get("K", "")), unit_of(head)
    if sharps is None:
        return None
    bars: list[list[Note]] = [[]]
    inside: dict[str, int] = {}  # accidentals of this bar
    stretch, left = 1.0, 0  # of a tuplet, and notes that are left of it
    after, tied = 1.0, False  # by what the next note is longer; does it go on with the last one?
    for line in body.splitlines():
        if field := re.match(r"([A-Za-z]):(?![|\]:])", line):
            if field[1] in "KLM":
                return None
            continue
        for token in TOKEN.finditer(line):
            kind, bar = token.lastgroup, bars[-1]
            if kind == "bar":
                bars.append([])
                inside, left = {}, 0
            elif kind == "field":
                if token["field"][0] in "KLM":
                    return None
            elif token["tuplet"]:
                count = int(token["tuplet"])
                stretch = int(token["times"] or TUPLETS.get(count, 2)) / max(1, count)
                left = int(token["notes"] or count)
            elif kind == "broken":
                by = 0.5 ** len(token["broken"])
                before, after = (2 - by, by) if token["broken"][0] == ">" else (by, 2 - by)
                if bar:
                    bar[-1] = bar[-1][0], bar[-1][1] * before
            elif kind == "tie":
                tied = bool(bar)
            elif token["letter"] or token["chord"]:
                pitch, length = _sound(token, sharps, inside)
                length *= unit * after * (stretch if left else 1)
                after, left = 1.0, max(0, left - 1)
                if tied and bar and bar[-1][0] == pitch is not None:
                    bar[-1] = pitch, bar[-1][1] + length
                else:
                    bar.append((pitch, length))
                tied = False
    return [bar for bar in bars if bar]


def _sound(token: re.Match, sharps: int, inside: dict[str, int]) -> Note:
    """Pitch and length, in units, of a note or of the highest of a chord."""
    if not token["chord"]:
        return _pitch(token, sharps, inside), length_of(token["length"])
    notes = list(re.finditer(NOTE, token["chord"]))
    pitches = [p for note in notes if (p := _pitch(note, sharps, inside)) is not None]
    length = length_of(token["chord_length"]) * (length_of(notes[0]["length"]) if notes else 1)
    return max(pitches, default=None), length


def _pitch(note: re.Match, sharps: int, inside: dict[str, int]) -> int | None:
    """The MIDI pitch of a note, of which 60 is C; `inside` learns its accidental."""
    letter = note["letter"]
    if letter in "zx":
        return None
    octaves = letter.islower() + note["octave"].count("'") - note["octave"].count(",")
    place = f"{letter.upper()}{octaves}"
    if signs := note["accidental"]:
        inside[place] = signs.count("^") - signs.count("_")
    name = letter.upper()
    at = SHARPS.index(name)
    usual = (sharps - at + 6) // 7 if sharps > 0 else -((-sharps - (6 - at) + 6) // 7)
    return 60 + 12 * octaves + LETTERS[name] + inside.get(place, usual)


def word_of(pitch: int | None, length: float) -> str:
    """A note as ABC has it, its accidental always said, in eighths: "^F3/2"."""
    size = "" if length == 1 else str(Fraction(length).limit_denominator(64)).removeprefix("1/")
    size = f"/{size}" if 0 < length < 1 and "/" not in size else size
    if pitch is None:
        return "z" + size
    octave, name = divmod(pitch - 60, 12)
    text = NAMES[name]
    if octave >= 1:
        text, octave = text.lower(), octave - 1
    return text + ("'" * octave if octave > 0 else "," * -octave) + size


def note_of(word: str) -> Note | None:
    """The note that a word of `word_of` stands for; None where it is none, as a bar is."""
    found = re.fullmatch(NOTE, word)
    return (_pitch(found, 0, {}), length_of(found["length"])) if found else None


def notes_of(words: Sequence[str]) -> list[Note]:
    """The notes of words, without those that are none."""
    return [note for word in words if (note := note_of(word)) is not None]
