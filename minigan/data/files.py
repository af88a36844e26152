"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path


def write_atomic(path, content: bytes) -> None:
    """Write `content` to `path` through a temporary file beside it and a rename; makes the folder if need be.

    A reader, or a run that is killed halfway, sees the old file or the new one. Raises OSError; then the old file,
    if any, is untouched and the temporary one is gone.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
