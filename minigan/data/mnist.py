"""MNIST and Fashion-MNIST: found in a folder, in the cache, or downloaded from a public mirror.

LeCun, Cortes, Burges: The MNIST database of handwritten digits. Xiao, Rasul, Vollgraf: Fashion-MNIST (2017).
"""

from __future__ import annotations

import hashlib
import http.client
import os
import queue
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from .files import write_atomic
from .idx import read_idx
from .imageset import DataError, DataUnavailable, ImageSet

MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
}

# Size in bytes and md5 of each file as the mirrors serve it, with ".gz" added to the name.
FILES = {
    "mnist": {
        "train-images-idx3-ubyte": (9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        "train-labels-idx1-ubyte": (28881, "d53e105ee54ea40749a09fcbcd1e9432"),
        "t10k-images-idx3-ubyte": (1648877, "9fb629c4189551a2d022fa330f9573f3"),
        "t10k-labels-idx1-ubyte": (4542, "ec29112dd5afa0611ce80d1b7f02629c"),
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": (26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        "train-labels-idx1-ubyte": (29515, "25c81989df183df01b3e8a0aad5dffbe"),
        "t10k-images-idx3-ubyte": (4422102, "bef4ecab320f06d8554ea6380940ec79"),
        "t10k-labels-idx1-ubyte": (5148, "bb300cfdad3c16e7a12a480ee83cd310"),
    },
}

# ImageSet.checksum of the genuine MNIST: both data sets use the same file names, so a folder can be taken for the other.
MNIST_CHECKSUMS = {
    "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
}

ANSWER_SECONDS = 4.0  # a mirror that has not answered by then counts as unreachable
STALL_SECONDS = 10.0  # a download that stands still this long is given up
SLOWEST_RATE = 20_000  # bytes per second over the whole file; a slower one is given up too

_HOW_TO = "name a folder with the four idx files by --data-dir DIR or MINIGAN_DATA"


def load(name: str = "mnist", split: str = "train", data_dir=None, download: bool = True) -> ImageSet:
    """Load MNIST or Fashion-MNIST: images uint8 (N, 1, 28, 28), labels uint8 (N,), N = 60,000 or 10,000.

    name      "mnist" or "fashion-mnist"
    split     "train" or "test"
    data_dir  folder (str or path) that holds the idx files, gzipped or not, itself or in a subfolder called `name`
    download  whether a mirror may be asked, last of all

    Looks in `data_dir` and nowhere else if it is given; otherwise in $MINIGAN_DATA (the same layout), then in the
    cache folder of the user, then downloads there. Files from a user's folder are checked by their structure, those
    in the cache by their checksum.

    Raises DataError if `data_dir` or $MINIGAN_DATA is no folder, if `data_dir` lacks the files, if a file is damaged
    or foreign, or a download broke off or has the wrong checksum. Raises DataUnavailable (a DataError) if there are
    no files and no mirror can be reached, which is known within a few seconds.
    """
    if name not in FILES or split not in ("train", "test"):
        raise DataError(f"no data set {name!r} / {split!r}; there are {', '.join(FILES)}, each 'train' and 'test'")
    wanted = [file for file in FILES[name] if file.startswith("train" if split == "train" else "t10k")]

    searched = []
    folder = (os.environ.get("MINIGAN_DATA") or None) if data_dir is None else data_dir
    if folder is not None:
        what = "MINIGAN_DATA" if data_dir is None else "data folder"
        found = _find(Path(folder).expanduser(), name, wanted, what)
        if found:
            return _read(name, *found)
        if data_dir is not None:
            raise DataError(
                f"data folder {folder} does not hold {name}: expected {' and '.join(wanted)} (or with .gz) in it "
                f"or in {Path(folder) / name}"
            )
        searched.append(f"MINIGAN_DATA={folder}")

    from platformdirs import user_cache_dir

    cache = Path(user_cache_dir("minigan")) / name
    searched.append(str(cache))
    return _read(name, *(_cached(cache, name, file, download, searched) for file in wanted))


def _find(folder: Path, name: str, wanted: list[str], what: str) -> list[Path] | None:
    """The files `wanted`, all from one place in the user's folder; None if none of them is there."""
    if not os.path.isdir(folder):  # os.path answers where pathlib would raise PermissionError
        raise DataError(f"{what} {folder}: no such folder; {_HOW_TO}")
    for place in (folder / name, folder):
        found = {f: p for f in wanted for p in (place / f"{f}.gz", place / f) if os.path.isfile(p)}
        if len(found) == len(wanted):
            return [found[f] for f in wanted]
        if found:
            missing = " and ".join(f for f in wanted if f not in found)
            raise DataError(f"{what} {place}: {missing} (or with .gz) is missing beside {', '.join(found)}; add it")
    return None


def _read(name: str, images_path: Path, labels_path: Path) -> ImageSet:
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.dtype != "uint8" or images.ndim != 3 or images.shape[1:] != (28, 28) or not len(images):
        raise DataError(f"{images_path}: expected images, uint8 (N, 28, 28), but it holds {images.dtype} {images.shape}")
    if labels.dtype != "uint8" or labels.shape != images.shape[:1]:
        raise DataError(
            f"{labels_path}: expected {len(images)} labels, uint8 ({len(images)},), to go with {images_path}, but it "
            f"holds {labels.dtype} {labels.shape}; take both files from the same data set and split"
        )
    if labels.max() > 9:
        raise DataError(f"{labels_path}: expected labels 0 to 9, but there is a {labels.max()}; put the original back")
    data = ImageSet(images[:, None], labels, name, str(images_path.parent))
    if name != "mnist" and data.checksum in MNIST_CHECKSUMS:
        raise DataError(f"{images_path}: this is MNIST, not {name}; keep each in a subfolder of its own name")
    return data


def _cached(cache: Path, name: str, file: str, download: bool, searched: list[str]) -> Path:
    """The path of a file in the cache that has the right checksum, downloaded if it is not there yet."""
    path = cache / f"{file}.gz"
    try:
        present = path.is_file()
        if present and hashlib.md5(path.read_bytes()).hexdigest() == FILES[name][file][1]:
            return path
        if not download:
            raise DataUnavailable(f"{name} is not in {' or '.join(searched)}; {_HOW_TO}.")
        try:
            content = _download(name, file)
        except DataUnavailable as e:
            if present:
                raise DataError(f"{path}: damaged (wrong checksum), and {e}; delete it, or {_HOW_TO}") from e
            raise DataUnavailable(f"{name} is not in {' or '.join(searched)}, and {e}; to use it, {_HOW_TO}.") from e
        write_atomic(path, content)
    except OSError as e:
        raise DataError(f"{path}: the cache cannot be used ({e}); {_HOW_TO}") from e
    return path


def _download(name: str, file: str) -> bytes:
    """The file from the first mirror that serves it whole. The checksum is checked before anything is written."""
    from tqdm import tqdm

    size, md5 = FILES[name][file]
    problems: list[str] = []
    error: type[DataError] = DataUnavailable
    for mirror in MIRRORS[name]:
        url = f"{mirror}{file}.gz"
        try:
            response = _open(url)
        except (OSError, http.client.HTTPException) as e:
            problems.append(f"{url}: {getattr(e, 'reason', None) or e}")
            continue
        try:
            with response, tqdm(total=size, desc=f"{name} {file}", unit="B", unit_scale=True, disable=None) as bar:
                content = _receive(response, size, bar)
        except (OSError, http.client.HTTPException) as e:
            problem = f"the download broke off ({e or type(e).__name__})"
        else:
            if len(content) == size and hashlib.md5(content).hexdigest() == md5:
                return content
            problem = f"wrong checksum ({len(content)} bytes received, {size} expected)"
        problems.append(f"{url}: {problem}")
        error = DataError
    if error is DataError:
        raise DataError(f"download failed: {'; '.join(problems)}. Try again, or {_HOW_TO}.")
    raise DataUnavailable(f"no mirror can be reached ({'; '.join(problems)})")


def _open(url: str):
    """Open the URL and wait for the first answer, but no longer than ANSWER_SECONDS.

    In a thread, because no timeout of the socket covers the look-up of the host's name, which can take minutes.
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


def _receive(response, size: int, bar) -> bytes:
    """The body of the response, `size` + 1 bytes at most. Raises OSError if it stalls or crawls."""
    content, deadline = bytearray(), time.monotonic() + STALL_SECONDS + size / SLOWEST_RATE
    while len(content) <= size:
        # read1 returns with whatever has arrived, so that a server that drips cannot hold us past the deadline
        chunk = response.read1(min(1 << 16, size + 1 - len(content)))
        if not chunk:
            break
        content += chunk
        bar.update(len(chunk))
        if time.monotonic() > deadline:
            raise TimeoutError(f"too slow: {len(content)} bytes of {size}")
    return bytes(content)
