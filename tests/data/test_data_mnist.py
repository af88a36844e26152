"""mnist.load: where it looks, what it refuses, and downloads that go wrong in every way a mirror
can."""

import gzip
import hashlib
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import platformdirs
import pytest

from minigan.data import (
    DataError,
    DataUnavailable,
    ImageSet,
    download,
    load_dataset,
    mnist,
    read_idx,
)
from minigan.data.files import write_atomic

LONG = 600  # seconds after which a thing counts as stuck: no machine is so slow
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 28, 28), np.uint8)
LABELS = (np.arange(20) % 10).astype(np.uint8)


def idx(array):
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


SERVED = {
    f"{kind}-{what}": gzip.compress(idx(array), mtime=0)
    for kind in ("train", "t10k")
    for what, array in (("images-idx3-ubyte", IMAGES), ("labels-idx1-ubyte", LABELS))
}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No environment, an empty cache, no mirror, patience, and checksums of the small files served
    here."""
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda app: str(tmp_path / "cache" / app))
    monkeypatch.setattr(mnist, "MIRRORS", {"mnist": (), "fashion-mnist": ()})
    sizes = {
        file: (len(content), hashlib.md5(content).hexdigest()) for file, content in SERVED.items()
    }
    monkeypatch.setattr(mnist, "FILES", {"mnist": sizes, "fashion-mnist": sizes, "kmnist": sizes})
    monkeypatch.setattr(download, "ANSWER_SECONDS", 60.0)
    monkeypatch.setattr(download, "STALL_SECONDS", 60.0)
    return tmp_path / "cache" / "minigan"


def cached_files(cache):
    return sorted(p.name for p in cache.rglob("*") if p.is_file())


def put(folder, images=IMAGES, labels=LABELS, kind="train", packed=True):
    folder.mkdir(parents=True, exist_ok=True)
    for what, array in (("images-idx3", images), ("labels-idx1", labels)):
        if array is not None:
            content = array if isinstance(array, bytes) else idx(array)
            name = f"{kind}-{what}-ubyte{'.gz' * packed}"
            (folder / name).write_bytes(gzip.compress(content) if packed else content)
    return folder


# ---- the user's folder


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", ["", "mnist"])
@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_folder(tmp_path, monkeypatch, packed, below, by):
    put(tmp_path / "data" / below, packed=packed)
    if by == "environment":
        monkeypatch.setenv("MINIGAN_DATA", str(tmp_path / "data"))
    data = mnist.load("mnist", data_dir=tmp_path / "data" if by == "argument" else None)
    assert (
        data.images.shape == (20, 1, 28, 28) and data.images.flags.c_contiguous and len(data) == 20
    )
    np.testing.assert_array_equal(data.images[:, 0], IMAGES)
    np.testing.assert_array_equal(data.labels, LABELS)
    assert data.checksum == hashlib.sha256(IMAGES.tobytes()).hexdigest()
    assert data.name == "mnist" and str(tmp_path / "data") in data.source


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_folder_needs_no_platformdirs(tmp_path, monkeypatch, by):
    """That package says only where the cache is: who has the files does without it."""
    monkeypatch.setitem(sys.modules, "platformdirs", None)  # its import raises ImportError
    put(tmp_path / "data")
    if by == "environment":
        monkeypatch.setenv("MINIGAN_DATA", str(tmp_path / "data"))
    data, notice = (
        load_dataset("mnist", data_dir=tmp_path / "data" if by == "argument" else None),
        [],
    )
    assert data.name == "mnist" and len(data) == 20
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    with pytest.raises(DataUnavailable, match="pip install platformdirs.*--data-dir"):
        mnist.load("mnist")
    assert (
        load_dataset("mnist", on_notice=notice.append).name == "strokes"
        and "platformdirs" in notice[0]
    )


def test_splits_and_names_are_kept_apart(tmp_path):
    put(tmp_path / "mnist"), put(tmp_path / "mnist", IMAGES[:7], LABELS[:7], kind="t10k")
    put(tmp_path / "fashion-mnist", IMAGES[:9], LABELS[:9])
    sizes = [
        len(mnist.load(*what, data_dir=tmp_path))
        for what in (("mnist",), ("mnist", "test"), ("fashion-mnist",))
    ]
    assert sizes == [20, 7, 9]


def test_the_argument_comes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIGAN_DATA", str(put(tmp_path / "a", IMAGES[:3], LABELS[:3])))
    assert len(mnist.load(data_dir=put(tmp_path / "b"))) == 20


def test_a_given_folder_is_never_passed_over(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no such folder") as e:
        load_dataset("mnist", data_dir=tmp_path / "absent")
    assert not isinstance(e.value, DataUnavailable)
    with pytest.raises(DataError, match="train-images-idx3-ubyte and train-labels-idx1-ubyte") as e:
        load_dataset("mnist", data_dir=tmp_path)
    assert str(tmp_path) in str(e.value) and not isinstance(e.value, DataUnavailable)
    with pytest.raises(DataError, match="train-labels-idx1-ubyte.*is missing"):
        load_dataset("mnist", data_dir=put(tmp_path / "half", labels=None))
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path / "typo"))
    with pytest.raises(DataError, match="MINIGAN_DATA.*typo"):
        load_dataset("mnist")


@pytest.mark.parametrize(
    "images, labels, says",
    [
        (IMAGES[:, :27], LABELS, "expected images"),
        (LABELS, LABELS, "expected images"),
        (IMAGES[:0], LABELS[:0], "expected images"),
        (IMAGES, LABELS[:19], "expected 20 labels"),
        (IMAGES, IMAGES, "expected 20 labels"),
        (IMAGES, LABELS + 1, "labels 0 to 9"),
        (b"GIF89a", LABELS, "not an idx file"),
        (idx(IMAGES)[:-5], LABELS, "cut short"),
    ],
)
def test_wrong_files_are_shown_not_replaced(tmp_path, images, labels, says):
    with pytest.raises(DataError, match=says) as e:
        load_dataset("mnist", data_dir=put(tmp_path, images, labels), on_notice=pytest.fail)
    assert not isinstance(e.value, DataUnavailable) and str(tmp_path) in str(e.value)


def test_mnist_is_not_taken_for_fashion(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "MNIST_CHECKSUMS", {hashlib.sha256(IMAGES.tobytes()).hexdigest()})
    assert len(mnist.load("mnist", data_dir=put(tmp_path))) == 20
    with pytest.raises(DataError, match="this is MNIST"):
        mnist.load("fashion-mnist", data_dir=tmp_path)


# ---- mirrors


class Mirror(BaseHTTPRequestHandler):
    """/good serves the files; the other folders go wrong in the way they are called."""

    def do_GET(self):
        _, how, file = self.path.split("/")
        content = SERVED[file.removesuffix(".gz")]
        self.server.asked.append(self.path)
        if how == "silent":
            self.server.over.wait(LONG)
            return
        if how == "missing":
            self.send_error(404)
            return
        if how == "wrong":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if how == "portal":
            content = b"<html>Log in</html>"
        self.send_response(200)
        if how != "endless":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if how == "short":
            content = content[: len(content) // 2]
        if how == "stalls":
            self.wfile.write(content[:100])
            self.wfile.flush()
            self.server.over.wait(LONG)
        elif how == "drips":
            for byte in content:
                self.wfile.write(bytes([byte]))
                if self.server.over.wait(0.05):
                    return
        elif how == "endless":
            while not self.server.over.is_set():
                self.wfile.write(bytes(1 << 16))
        else:
            self.wfile.write(content)

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # the client left, which is what it should do


@pytest.fixture
def mirror(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads = True
    server.over = threading.Event()
    server.asked = []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def use(*hows, name="mnist"):
        urls = tuple(f"http://127.0.0.1:{server.server_port}/{how}/" for how in hows)
        monkeypatch.setattr(mnist, "MIRRORS", {**mnist.MIRRORS, name: urls})
        return server

    yield use
    server.over.set()
    server.shutdown()
    server.server_close()


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_download_then_cache(mirror, nowhere):
    server = mirror("good")
    first = mnist.load()
    np.testing.assert_array_equal(first.images[:, 0], IMAGES)
    assert cached_files(nowhere / "mnist") == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ]
    assert len(server.asked) == 2
    assert mnist.load(download=False).checksum == first.checksum == load_dataset("mnist").checksum
    assert len(server.asked) == 2


def test_environment_without_the_files_goes_on_to_the_mirrors(mirror, tmp_path, monkeypatch):
    mirror("good", name="fashion-mnist")
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path))
    assert mnist.load("fashion-mnist").name == "fashion-mnist"


@pytest.mark.parametrize("how", ["wrong", "portal", "short", "stalls", "drips", "endless"])
def test_a_bad_download_is_an_error_and_leaves_nothing(mirror, nowhere, monkeypatch, how):
    monkeypatch.setattr(download, "STALL_SECONDS", 0.5)
    server, start = mirror(how), time.monotonic()
    with pytest.raises(DataError, match="download failed") as e:
        load_dataset("mnist", on_notice=pytest.fail)
    assert not isinstance(e.value, DataUnavailable)
    assert f"http://127.0.0.1:{server.server_port}/{how}/train-images-idx3-ubyte.gz" in str(e.value)
    assert cached_files(nowhere) == []
    assert time.monotonic() - start < LONG


@pytest.mark.parametrize("how", ["wrong", "missing", "short", "silent"])
def test_the_next_mirror_is_tried(mirror, monkeypatch, how):
    if how == "silent":
        monkeypatch.setattr(download, "ANSWER_SECONDS", 3.0)
    mirror(how, "good")
    assert len(mnist.load()) == 20


@pytest.mark.parametrize("how", ["missing", "silent"])
def test_no_answer_is_unavailable(mirror, nowhere, monkeypatch, how):
    monkeypatch.setattr(download, "ANSWER_SECONDS", 0.5 if how == "silent" else 60.0)
    mirror(how, how)
    start = time.monotonic()
    with pytest.raises(DataUnavailable):
        mnist.load()
    assert time.monotonic() - start < LONG and cached_files(nowhere) == []


def test_without_a_network_strokes_and_one_notice(monkeypatch):
    port = closed_port()
    monkeypatch.setattr(mnist, "MIRRORS", {n: (f"http://127.0.0.1:{port}/",) for n in mnist.FILES})
    notices, start = [], time.monotonic()
    data = load_dataset("mnist", "test", on_notice=notices.append)
    assert data.name == "strokes" and data.images.shape == (4000, 1, 28, 28)
    assert len(notices) == 1 and time.monotonic() - start < LONG
    for part in ("mnist", f"127.0.0.1:{port}", "strokes", "--data-dir", "MINIGAN_DATA"):
        assert part in notices[0]
    with pytest.raises(DataUnavailable):  # digits are no stand-in for clothes
        load_dataset("fashion-mnist", on_notice=pytest.fail)


def test_a_name_look_up_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(mnist, "MIRRORS", {"mnist": ("http://nowhere.invalid/",)})
    hang = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: hang.wait(LONG))
    monkeypatch.setattr(download, "ANSWER_SECONDS", 0.5)
    start = time.monotonic()
    with pytest.raises(DataUnavailable, match="no answer"):
        mnist.load()
    assert time.monotonic() - start < LONG
    hang.set()


def test_a_damaged_cache_is_fetched_again_or_shown(mirror, nowhere, monkeypatch):
    mirror("good")
    mnist.load()
    path = nowhere / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1])
    assert len(mnist.load()) == 20
    path.write_bytes(path.read_bytes()[:-1])
    monkeypatch.setattr(mnist, "MIRRORS", {"mnist": (f"http://127.0.0.1:{closed_port()}/",)})
    with pytest.raises(DataError, match="damaged") as e:
        load_dataset("mnist", on_notice=pytest.fail)
    assert str(path) in str(e.value) and not isinstance(e.value, DataUnavailable)


def test_a_cache_that_cannot_be_written(mirror, nowhere):
    mirror("good")
    nowhere.parent.mkdir(parents=True, exist_ok=True)
    nowhere.write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cache cannot be used"):
        mnist.load()


def test_not_allowed_to_download(mirror):
    server = mirror("good")
    with pytest.raises(DataUnavailable):
        mnist.load(download=False)
    assert not server.asked


# ---- the rest


@pytest.mark.parametrize("name, split", [("cifar", "train"), ("mnist", "valid"), ("strokes", "")])
def test_unknown_names(name, split):
    with pytest.raises(DataError, match="fashion-mnist"):
        load_dataset(name, split)


def test_image_set_is_frozen():
    data = ImageSet(IMAGES[:, None], LABELS, "x", "here")
    with pytest.raises(ValueError):
        data.images[0] = 0
    with pytest.raises(AttributeError):
        data.name = "y"
    assert IMAGES.flags.writeable
    with pytest.raises(DataError):
        ImageSet(IMAGES, LABELS, "x", "here")
    with pytest.raises(DataError):
        ImageSet(IMAGES[:, None], LABELS[1:], "x", "here")


def test_write_atomic(tmp_path, monkeypatch):
    path = tmp_path / "new" / "file"
    write_atomic(path, b"old")

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(path.parent) == ["file"]


REAL = os.environ.get("MINIGAN_DATA")


@pytest.mark.skipif(not REAL, reason="MINIGAN_DATA does not name a folder with the real MNIST")
def test_the_real_mnist():
    train, test = (mnist.load("mnist", split, data_dir=REAL) for split in ("train", "test"))
    assert train.images.shape == (60000, 1, 28, 28) and test.images.shape == (10000, 1, 28, 28)
    assert {train.checksum, test.checksum} == mnist.MNIST_CHECKSUMS
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert read_idx(os.path.join(train.source, min(os.listdir(train.source)))).dtype == np.uint8


# ---- names under which others keep the files


@pytest.mark.parametrize("place", ["MNIST/raw", "MNIST", "raw", "."])
@pytest.mark.parametrize("spelling", ["{0}", "{1}", "{0}/{0}", "{0}/{1}", "{1}.gz"])
def test_torchvisions_and_kaggles_places(tmp_path, monkeypatch, place, spelling):
    for what, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        name = f"train-{what}-ubyte"
        path = tmp_path / place / spelling.format(name, name.replace("-idx", ".idx"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(idx(array))
    assert np.array_equal(load_dataset("mnist", data_dir=tmp_path).images[:, 0], IMAGES)
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path))
    assert len(load_dataset("mnist")) == 20


def test_siblings_below_one_folder(tmp_path):
    for folder, n in (("MNIST/raw", 3), ("FashionMNIST/raw", 4), ("KMNIST/raw", 5)):
        put(tmp_path / folder, IMAGES[:n], LABELS[:n])
    assert [
        len(mnist.load(name, data_dir=tmp_path)) for name in ("mnist", "fashion-mnist", "kmnist")
    ] == [3, 4, 5]


@pytest.mark.parametrize("header", [True, False])
def test_kaggles_table(tmp_path, header):
    names = ["label", *(f"{i}x{j}" for i in range(1, 29) for j in range(1, 29))]
    rows = [[label, *image.reshape(-1)] for label, image in zip(LABELS, IMAGES)]
    (tmp_path / "mnist_test.csv").write_text(
        "\n".join(",".join(map(str, row)) for row in [names] * header + rows) + "\n"
    )
    data = load_dataset("mnist", "test", tmp_path)
    assert np.array_equal(data.images[:, 0], IMAGES) and np.array_equal(data.labels, LABELS)
    for wrong in ("1,2,3\n", "label\nx\n", ",".join(["300"] * 785), ""):
        (tmp_path / "mnist_test.csv").write_text(wrong)
        with pytest.raises(DataError, match="mnist_test.csv"):
            load_dataset("mnist", "test", tmp_path)


def test_a_folder_without_them_says_where_they_may_be(tmp_path):
    with pytest.raises(DataError, match="MNIST/raw"):
        load_dataset("mnist", data_dir=tmp_path)
