"""Decoded folders in the user's cache: one .npz file each (no pickle; zip checks a sum of every
byte), the oldest go first."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np

VERSION = 2  # of the files, and of what decoding does: with another, what is cached counts no more
LIMIT = 4 << 30  # bytes that all of them together may take


def cache_key(folder: Path, files: list[str], options: dict) -> str:
    """A name for what decoding gives: another one if a file has another name, size or time, or an
    option changed."""
    import PIL

    digest = hashlib.sha256(json.dumps([VERSION, PIL.__version__, options]).encode())
    for name in files:
        try:
            stat = os.stat(folder / name)
            state = f"{stat.st_size} {stat.st_mtime_ns}"
        except OSError:
            state = "gone"
        digest.update(f"\0{name}\0{state}".encode(errors="surrogateescape"))
    return digest.hexdigest()[:40]


class Cache:
    """The place of one decoded folder. Whatever goes wrong here costs time, never the data: it ends
    in a notice."""

    def __init__(self, key: str, on_notice):
        self.path: Path | None = None
        self.on_notice = on_notice
        try:
            from platformdirs import user_cache_dir
        except ImportError:
            on_notice(
                "without platformdirs (pip install platformdirs) decoded pictures are not kept: "
                "each run reads them again"
            )
        else:
            self.path = Path(user_cache_dir("minigan")) / "folders" / f"{key}.npz"

    def read(self, shape: tuple[int, ...]) -> tuple[np.ndarray, list[tuple[str, str]]] | None:
        """What `write` wrote: images (at most `shape`) and problems; None if there is nothing, or
        nothing sound."""
        if self.path is None:
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                images = file["images"]
                problems = [(str(name), str(what)) for name, what in file["problems"]]
            if images.dtype != np.uint8 or images.shape != (shape[0] - len(problems), *shape[1:]):
                raise ValueError(f"it holds {images.dtype} {images.shape}")
        except FileNotFoundError:
            return None
        except (
            OSError,
            ValueError,
            TypeError,
            KeyError,
            EOFError,
            MemoryError,
            NotImplementedError,
            zipfile.BadZipFile,
        ) as e:
            self.on_notice(
                f"{self.path}: this cache file is damaged ({e}); the pictures are read again"
            )
            return None
        with contextlib.suppress(OSError):
            os.utime(self.path)  # used just now
        return images, problems

    def write(self, images: np.ndarray, problems: list[tuple[str, str]]) -> None:
        """Keep them, atomically, and remove the files that were not used for longest if all would
        take more than LIMIT."""
        if self.path is None:
            return None
        if images.nbytes > LIMIT:
            return self.on_notice(
                f"{images.nbytes / 2**30:.1f} GiB of pictures are not cached: the limit is "
                f"{LIMIT / 2**30:g} GiB"
            )
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _make_room(self.path.parent, images.nbytes)
            # savez writes piece by piece: no second copy in memory
            with open(temporary, "wb") as file:
                np.savez(file, images=images, problems=np.array(problems, str).reshape(-1, 2))
            os.replace(temporary, self.path)
        except OSError as e:
            self.on_notice(
                f"the decoded pictures cannot be cached in {self.path.parent} ({e.strerror or e})"
            )
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _make_room(folder: Path, size: int) -> None:
    others = sorted((p.stat().st_mtime, p.stat().st_size, p) for p in folder.glob("*.npz"))
    total = size + sum(s for _, s, _ in others)
    for _, s, path in others:
        if total <= LIMIT:
            break
        path.unlink(missing_ok=True)
        total -= s
