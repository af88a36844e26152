"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from pathlib import Path

_SUFFIX = ".tmp"
_TEMPORARY = re.compile(r"\..+\.\d+\.\d+\.tmp")


@contextlib.contextmanager
def open_atomic(path):
    """A binary file to write, which becomes `path` at the end of the block, by a rename; makes the
    folder if need be.

    A reader, a run that is killed halfway, or a machine that loses its power sees the old file or
    the new one. If the block raises, or the system (OSError), the old file, if any, is untouched
    and the temporary one is gone.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}{_SUFFIX}")
    try:
        with open(temporary, "wb") as file:
            yield file
            flush(file)
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def write_atomic(path, content: bytes) -> None:
    """Write `content` to `path`, as `open_atomic`."""
    with open_atomic(path) as file:
        file.write(content)


def flush(file) -> None:
    """What was written to an open file is on the disk when this returns."""
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """The rename itself too; systems and file systems that cannot do that for folders are left
    alone."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_temporaries(folder) -> None:
    """Delete what writers that were killed have left in a folder and its subfolders. Only while
    nobody writes there."""
    for path in Path(folder).rglob(f".*{_SUFFIX}"):
        if _TEMPORARY.fullmatch(path.name):
            with contextlib.suppress(OSError):
                path.unlink()
