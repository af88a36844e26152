"""MIDI files, read and written by the package mido (MIT): `pip install 'minigan[music]'`.

Notes are float32 (n, 4): pitch (60 is the middle c), length, intensity (1 to 127), and the time
since the note before began; times in quarter notes.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence

import numpy as np

from .imageset import DataError, DataUnavailable

TICKS = 480  # of a quarter note, in files that are written
TEMPO = 100  # quarter notes in a minute


def since_before(notes: np.ndarray) -> np.ndarray:
    """Notes whose last number is when they begin -> how long after the one before that is; of the
    first a quarter."""
    notes[:, 3] = np.diff(notes[:, 3], prepend=notes[:1, 3] - 1)
    return notes


def _mido():
    try:
        import mido
    except ImportError as error:
        raise DataUnavailable(
            "MIDI files need the package mido: pip install 'minigan[music]'"
        ) from error
    return mido


def midi_notes(path: str | os.PathLike) -> np.ndarray:
    """The notes (n, 4) of a MIDI file, of all its tracks but the drums, as they begin."""
    mido = _mido()
    try:
        file = mido.MidiFile(path)
    except Exception as error:  # of a damaged file mido raises whatever it runs into
        why = str(error) or "it ends too early"
        raise DataError(f"{path} is no MIDI file that can be read ({why})") from None
    if file.ticks_per_beat <= 0:
        raise DataError(f"{path} has times in seconds (SMPTE): expected quarter notes")
    notes = []
    for track in file.tracks:
        now = 0
        on: dict[tuple[int, int], tuple[int, int]] = {}
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off") or message.channel == 9:
                continue
            key = message.channel, message.note
            if key in on:
                begin, intensity = on.pop(key)
                notes.append((message.note, now - begin, intensity, begin))
            if message.type == "note_on" and message.velocity:
                on[key] = now, message.velocity
    found = np.array(sorted(notes, key=lambda n: (n[3], n[0])), np.float32).reshape(-1, 4)
    found[:, 1] /= file.ticks_per_beat
    found[:, 3] /= file.ticks_per_beat
    return since_before(found) if len(found) else found


def midi_of(melodies: Sequence[np.ndarray], pause: float = 2.0) -> bytes:
    """A MIDI file of melodies (n, 4), one after the other with pauses of so many quarters."""
    mido = _mido()
    events, start = [], 0.0
    for melody in melodies:
        begins = start + np.cumsum(melody[:, 3]) - melody[:1, 3].sum()
        for (pitch, length, intensity, _), begin in zip(melody.tolist(), begins.tolist()):
            key, force = (int(min(127, max(0, round(x)))) for x in (pitch, intensity))
            events.append((round(begin * TICKS), 1, key, max(1, force)))
            events.append((round((begin + length) * TICKS), 0, key, 0))
        if len(melody):
            start = float((begins + melody[:, 1]).max()) + pause
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(TEMPO))])
    now = 0
    for tick, on, key, force in sorted(events):  # what ends does so before others begin
        kind = "note_on" if on else "note_off"
        track.append(mido.Message(kind, note=key, velocity=force, time=tick - now))
        now = tick
    file, buffer = mido.MidiFile(type=0, ticks_per_beat=TICKS, tracks=[track]), io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()
