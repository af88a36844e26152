"""The idx file format of MNIST, read with distrust.

    2 zero bytes | 1 byte: type of the items | 1 byte: number of dimensions d | d sizes, uint32 |
    the items, row-major

All numbers are big-endian. http://yann.lecun.com/exdb/mnist/ describes it.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from .imageset import DataError

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_DIMENSIONS = 32  # what every NumPy can hold
# a gzip file may unpack to a thousand times its size; no data set here comes near this
_MAX_UNPACKED = 1 << 30
_CHUNK = 1 << 20


def read_idx(path) -> np.ndarray:
    """Read one idx file, gzipped or not (its first bytes decide, not its name).

    Returns a writable array of the shape and type that the file declares, in native byte order:
    uint8 (N, 28, 28) for MNIST's images, uint8 (N,) for its labels. Memory stays in proportion to
    what the file really holds, whatever its header claims; a gzipped file may hold 1 GiB at most.

    Raises DataError, and nothing else, if the file is missing, unreadable, cut short, damaged or
    not idx.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise DataError(
                f"{path}: {'not a plain file' if path.exists() else 'no such file'}; expected an "
                "idx file"
            )
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                return _parse(raw, path, limit=None)
            with gzip.GzipFile(fileobj=raw) as stream:
                return _parse(stream, path, limit=_MAX_UNPACKED)
    except (EOFError, zlib.error, gzip.BadGzipFile) as e:
        raise DataError(f"{path}: damaged gzip data ({e}); {_FETCH_AGAIN}") from e
    except (OSError, ValueError) as e:  # ValueError: a path with a zero byte in it
        if isinstance(e, DataError):
            raise
        raise DataError(f"{path}: cannot be read ({e})") from e


_FETCH_AGAIN = "delete the file and fetch it again"


def _parse(stream, path, limit) -> np.ndarray:
    head = stream.read(4)
    if (
        len(head) < 4
        or head[:2] != b"\0\0"
        or head[2] not in _DTYPES
        or not 1 <= head[3] <= _MAX_DIMENSIONS
    ):
        raise DataError(
            f"{path}: not an idx file (it begins with {head.hex(' ') or 'nothing'}; MNIST images "
            "begin with 00 00 08 03, labels with 00 00 08 01); put the original file in its place"
        )
    dtype, ndim = np.dtype(_DTYPES[head[2]]), head[3]
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise DataError(f"{path}: cut short inside its header; {_FETCH_AGAIN}")
    shape = struct.unpack(f">{ndim}I", sizes)
    declared = math.prod(shape) * dtype.itemsize
    # The second test is for shapes such as (0, 2**32 - 1, 2**32 - 1, 2**32 - 1), which hold nothing
    # but cannot be made.
    if (limit is not None and declared > limit) or math.prod(
        n for n in shape if n
    ) * dtype.itemsize >= 1 << 62:
        raise DataError(f"{path}: its header declares the absurd shape {shape}; {_FETCH_AGAIN}")
    # One byte more than declared is asked for: it shows trailing bytes, and makes gzip check its
    # sums at the end. The buffer grows with what arrives, never with what the header promises.
    content = bytearray()
    while len(content) <= declared:
        chunk = stream.read(min(_CHUNK, declared + 1 - len(content)))
        if not chunk:
            break
        content += chunk
    if len(content) < declared:
        raise DataError(
            f"{path}: cut short: shape {shape} needs {declared} bytes, the file holds "
            f"{len(content)}; {_FETCH_AGAIN}"
        )
    if len(content) > declared:
        raise DataError(
            f"{path}: bytes follow after the {declared} that shape {shape} needs; {_FETCH_AGAIN}"
        )
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
