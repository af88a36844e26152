"""Files from public mirrors: checked against a known md5 before anybody sees them, and given up
soon where a network does not answer."""

from __future__ import annotations

import hashlib
import http.client
import queue
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .files import open_atomic
from .imageset import DataError, DataUnavailable

ANSWER_SECONDS = 4.0  # a mirror that has not answered by then counts as unreachable
STALL_SECONDS = 10.0  # a download that stands still this long is given up
SLOWEST_RATE = 20_000  # bytes per second from the beginning; a slower one is given up too
LARGEST = 8 << 30  # bytes, where neither we nor the mirror know a size


def md5_of(path) -> str:
    """The md5 of a file, as a hex digest."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def fetch(urls: Sequence[str], path, md5: str, size: int | None, name: str, how_to: str) -> None:
    """Write the file of the first URL that serves it whole to `path`. The checksum is checked
    before the file has its name.

    size : in bytes, if known
    name, how_to : for the progress bar, and for the message of what else can be done

    DataUnavailable if no mirror answers, DataError if a download breaks off or has the wrong
    checksum; OSError if it cannot be written.
    """
    from tqdm import tqdm

    problems: list[str] = []
    error: type[DataError] = DataUnavailable
    for url in urls:
        try:
            response = _open(url)
        except (OSError, http.client.HTTPException) as e:
            problems.append(f"{url}: {getattr(e, 'reason', None) or e}")
            continue
        expected = (
            size if size is not None else int(response.headers.get("Content-Length") or 0) or None
        )
        with (
            response,
            tqdm(total=expected, desc=name, unit="B", unit_scale=True, disable=None) as bar,
        ):
            problem = _receive(response, Path(path), md5, expected, bar)
        if problem is None:
            return
        problems.append(f"{url}: {problem}")
        error = DataError
    if error is DataError:
        raise DataError(f"download failed: {'; '.join(problems)}. Try again, or {how_to}.")
    raise DataUnavailable(f"no mirror can be reached ({'; '.join(problems)})")


def _open(url: str):
    """Open the URL and wait for the first answer, but no longer than ANSWER_SECONDS.

    In a thread, because no timeout of the socket covers the look-up of the host's name, which can
    take minutes.
    """
    answer: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask():
        try:
            request = urllib.request.Request(url, headers={"User-Agent": "minigan"})
            answer.put(urllib.request.urlopen(request, timeout=STALL_SECONDS, context=_tls()))
        except Exception as e:  # raised again below
            answer.put(e)

    threading.Thread(target=ask, daemon=True).start()
    try:
        response = answer.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"no answer within {ANSWER_SECONDS:g} s") from None
    if isinstance(response, Exception):
        raise response
    return response


def _tls():
    import ssl

    context = ssl.create_default_context()
    try:  # some Pythons (python.org's for macOS) come without certificates of their own
        import certifi

        context.load_verify_locations(certifi.where())
    except ImportError:
        pass
    return context


class _Refused(Exception):
    """What was received is not to be kept."""


def _receive(response, path: Path, md5: str, size: int | None, bar) -> str | None:
    """The body of the response into `path`; or what is wrong with it, and then nothing is
    written."""
    try:
        with open_atomic(path) as file:
            received, digest = _copy(response, file, LARGEST if size is None else size, bar)
            if digest != md5 or (size is not None and received != size):
                raise _Refused(
                    f"wrong checksum ({received} bytes "
                    f"received{'' if size is None else f', {size} expected'})"
                )
    except _Refused as e:
        return str(e)
    return None


def _copy(response, file, limit: int, bar) -> tuple[int, str]:
    """The number of bytes, `limit` + 1 at most, and their md5."""
    received = 0
    digest = hashlib.md5()
    start = time.monotonic()
    while received <= limit:
        # read1 returns with whatever has arrived, so that a server that drips cannot hold us for
        # long
        try:
            chunk = response.read1(min(1 << 16, limit + 1 - received))
        except (OSError, http.client.HTTPException) as e:
            raise _Refused(f"the download broke off ({e or type(e).__name__})") from e
        if not chunk:
            break
        file.write(chunk)
        digest.update(chunk)
        received += len(chunk)
        bar.update(len(chunk))
        if time.monotonic() - start > STALL_SECONDS + received / SLOWEST_RATE:
            raise _Refused(f"the download broke off (too slow: {received} bytes)")
    return received, digest.hexdigest()
