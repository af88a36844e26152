"""The folder of a run: who may write there, and what is set aside or refused."""

from __future__ import annotations

import os
from pathlib import Path

from ..data.files import remove_temporaries
from .checkpoint import checkpoints

LOCK = ".lock"


class RunError(ValueError):
    """The run cannot start, resume or go on in this folder: the message says why."""


class Lock:
    """At most one run writes in a folder; the system lets go of the lock when its process ends,
    however it ends."""

    def __init__(self, folder: Path):
        self.file = open(folder / LOCK, "a+")
        try:
            import fcntl

            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # a system without flock
            pass
        except OSError as error:
            self.file.close()
            raise RunError(
                f"another run is writing in {folder}: wait for it, stop it, or name another "
                "folder with --out"
            ) from error

    def release(self) -> None:
        self.file.close()


class NoLock:
    """Of a process that writes nothing: another one does."""

    def release(self) -> None:
        pass


def holds_run(folder: Path) -> bool:
    """Is there a run in it?"""
    return (folder / "config.json").exists() or bool(checkpoints(folder))


def open_new(folder: Path, say) -> Lock:
    """A folder for a new run, made or empty; an earlier run in it is moved aside, anything else is
    refused."""
    if holds_run(folder):
        Lock(folder).release()
        aside = next(
            p
            for n in range(1, 10**6)
            if not (p := folder.with_name(f"{folder.resolve().name}.{n}")).exists()
        )
        os.replace(folder, aside)
        say(f"{folder} held an earlier run; it is now {aside}")
    elif folder.is_dir():
        remove_temporaries(folder)
        foreign = sorted(
            p.name
            for p in folder.iterdir()
            if p.name != LOCK and not (p.is_dir() and not any(p.iterdir()))
        )
        if foreign:
            raise RunError(
                f"{folder} holds no run, but {foreign[0]!r} and so on: name an empty or a new "
                "folder with --out"
            )
    folder.mkdir(parents=True, exist_ok=True)
    return Lock(folder)


def open_again(folder: Path) -> Lock:
    """The folder of a run that is to be resumed."""
    if not checkpoints(folder):
        raise RunError(
            f"--resume: there is no checkpoint in {folder}; start without --resume, or name the "
            "run's folder with --out"
        )
    lock = Lock(folder)
    remove_temporaries(folder)
    return lock
