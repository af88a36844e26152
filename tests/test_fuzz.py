"""Every reader of files, given valid files with bytes flipped, cut out, repeated and put in.

It reads the same values, or others that the format cannot tell from valid ones (a pixel of a plain
idx file), or raises its one documented error: never another, never hanging, never with memory far
beyond the file's. MINIGAN_FUZZ=10000 sets the number of cases of each (100 by default).
"""

import gzip
import io
import json
import os
import struct
import tracemalloc
import warnings
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import minigan
from minigan.data import DataError, SavedFileError, image_folder, strokes
from minigan.data.idx import read_idx
from minigan.data.saving import read
from minigan.training import (
    CheckpointError,
    RunError,
    load_checkpoint,
    load_generator,
    save_checkpoint,
)
from minigan.training.checkpoint import newest, path_of
from minigan.viz import read_metrics, save_curves

CASES = int(os.environ.get("MINIGAN_FUZZ", 100))
fuzz = settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=CASES == 100,
)

changes = st.lists(
    st.tuples(st.sampled_from(["flip", "byte", "cut", "insert", "repeat", "end", "number"]),
        st.floats(0, 1), st.integers(0, 2**32 - 1)),
    min_size=1, max_size=4,
)  # fmt: skip


def damaged(content, changes):
    """`content` after changes (kind, place as a share of the length, number)."""
    data = bytearray(content)
    for kind, place, n in changes:
        # Headers are short and matter most: half of the changes fall into the first 64 bytes.
        at = (
            int(place * 2 * min(64, len(data))) if place < 0.5 else int((2 * place - 1) * len(data))
        )
        at = min(at, max(len(data) - 1, 0))
        if not data:
            break
        if kind == "flip":
            data[at] ^= 1 << n % 8
        elif kind == "byte":
            data[at] = n % 256
        elif kind == "cut":
            del data[at : at + 1 + n % 50]
        elif kind == "insert":
            data[at:at] = n.to_bytes(4, "big")[: 1 + n % 4]
        elif kind == "repeat":
            data[at:at] = data[at : at + 1 + n % 50]
        elif kind == "number":
            data[at : at + 4] = n.to_bytes(4, "little" if n % 2 else "big")
        else:
            del data[at:]
    return bytes(data)


@contextmanager
def little_memory(size):
    """What is allocated inside stays in proportion to the file."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50 * size + (8 << 20), f"{peak} bytes for a file of {size}"


# --- idx ---


def idx_file(array):
    return (
        bytes([0, 0, 8, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


IDX = strokes(30).images[:, 0]


@pytest.mark.parametrize("packed", [False, True])
def test_idx(tmp_path, packed):
    path = tmp_path / "images"
    whole = gzip.compress(idx_file(IDX), mtime=0) if packed else idx_file(IDX)
    path.write_bytes(whole)
    assert (read_idx(path) == IDX).all()

    @fuzz
    @given(changes)
    def check(changes):
        content = damaged(whole, changes)
        path.write_bytes(content)
        with little_memory(len(content) * (100 if packed else 1)):
            try:
                array = read_idx(path)
            except DataError as error:
                assert str(path) in str(error)
                return
        if packed:  # it has a checksum, but not over its header's name, time and flags
            assert (
                array.shape == IDX.shape
                and (array == IDX).all()
                or gzip.decompress(content) == idx_file(array)
            )
        else:
            assert idx_file(array) == content or array.dtype != np.uint8

    check()


# --- pictures ---


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_pictures(tmp_path, kind):
    buffer = io.BytesIO()
    Image.fromarray(strokes(4).images[:3, 0].transpose(1, 2, 0)).resize((40, 30)).save(buffer, kind)
    whole = buffer.getvalue()
    (tmp_path / "sound.img").write_bytes(whole)

    @settings(fuzz, max_examples=max(CASES // 6, 30))
    @given(changes)
    def check(changes):
        (tmp_path / "bad.img").write_bytes(damaged(whole, changes))
        said = []
        with warnings.catch_warnings(), little_memory(1 << 22):
            warnings.simplefilter("ignore")
            data = image_folder(
                tmp_path,
                "*.img",
                output_size=(8, 8),
                cache=False,
                quiet=True,
                on_notice=said.append,
            )
        assert len(data) == 2 - len(said) and data.images.shape[1:] == (3, 8, 8)
        assert not said or "bad.img" in said[0]

    check()


# --- safetensors, checkpoints ---

TREE = {
    "weights": {"0.weight": np.arange(200, dtype=np.float32).reshape(10, 20), "n": np.array(3)},
    "step": 12,
    "list": [1.5, None, "x"],
}


def equal(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and (a == b).all()
        )
    return type(a) is type(b) and a == b


def test_saved_files(tmp_path):
    path = tmp_path / "x.safetensors"
    minigan.save(TREE, path)
    whole = path.read_bytes()

    @fuzz
    @given(changes)
    def check(changes):
        content = damaged(whole, changes)
        path.write_bytes(content)
        with little_memory(len(content)):
            try:
                tree = read(path)
            except SavedFileError as error:
                assert str(path) in str(error)
            else:
                assert equal(tree, TREE)

    check()


def test_files_of_other_programs(tmp_path):
    """safetensors has no checksum: numbers may differ, but only numbers."""
    from safetensors.numpy import save

    path = tmp_path / "x.safetensors"
    whole = save({"weight": TREE["weights"]["0.weight"], "bias": np.ones(7)})

    @fuzz
    @given(changes)
    def check(changes):
        content = damaged(whole, changes)
        path.write_bytes(content)
        with little_memory(len(content)):
            try:
                tree = minigan.load(path)
            except SavedFileError:
                return
        assert all(isinstance(t, minigan.Tensor) for t in tree.values())

    check()


def test_checkpoints_and_their_config(tmp_path):
    """A run's newest checkpoint, damaged: the one before it is used; both damaged: one error, also
    where a generator is wanted."""
    state = {
        "step": 5,
        "config": {"model": "mlp", "latent_dim": 2, "image_shape": [1, 2, 2]},
        "trainer": {"players": {}},
        "callbacks": {},
    }
    old, new = path_of(tmp_path, 5), path_of(tmp_path, 6)
    save_checkpoint(old, state)
    save_checkpoint(new, state | {"step": 6})
    whole, sound = new.read_bytes(), old.read_bytes()

    @fuzz
    @given(changes)
    def check(changes):
        new.write_bytes(damaged(whole, changes))
        old.write_bytes(sound)
        _, found = newest(tmp_path, say=lambda text: None)
        assert equal(found, load_checkpoint(old)) or equal(found, state | {"step": 6})
        old.write_bytes(damaged(sound, changes))
        with pytest.raises((CheckpointError, RunError)):
            load_generator(tmp_path)

    check()


# --- metrics ---


def test_metrics(tmp_path):
    path = tmp_path / "metrics.jsonl"
    rows = [
        {
            "step": 50 * i,
            "epoch": 1,
            "d_value": -1.2,
            "g_loss": 0.7,
            "d_real": 0.6,
            "doctor": ["d_wins"],
        }
        for i in range(1, 30)
    ]
    whole = "".join(json.dumps(r) + "\n" for r in rows).encode()

    @fuzz
    @given(changes)
    def check(changes):
        content = damaged(whole, changes)
        path.write_bytes(content)
        with little_memory(len(content)):
            try:
                found = read_metrics(path)
            except ValueError as error:
                assert str(path) in str(error)
                return
        assert all(isinstance(r, dict) for r in found) and len(found) <= len(rows) + 4

    check()


def test_curves_of_damaged_metrics(tmp_path):
    """What the reader lets through can be drawn, or is refused: by the same error."""
    rows = [{"step": 50 * i, "epoch": 1, "d_value": -1.2, "g_loss": 0.7} for i in range(1, 5)]
    whole = "".join(json.dumps(r) + "\n" for r in rows).encode()

    @settings(fuzz, max_examples=max(CASES // 100, 5))
    @given(changes)
    def check(changes):
        (tmp_path / "metrics.jsonl").write_bytes(damaged(whole, changes))
        try:
            save_curves(tmp_path / "curves.png", tmp_path / "metrics.jsonl")
        except ValueError:
            pass

    check()


def test_a_resumed_run_with_damaged_metrics(tmp_path):
    """Lines that cannot be read are an error that names them; nothing is deleted."""
    from minigan.training import Metrics

    path = tmp_path / "metrics.jsonl"
    whole = "".join(json.dumps({"step": i}) + "\n" for i in range(1, 10)).encode()
    run = SimpleNamespace(folder=tmp_path, step=5)

    @fuzz
    @given(changes)
    def check(changes):
        content = damaged(whole, changes)
        path.write_bytes(content)
        callback = Metrics()
        try:
            callback.on_start(run)
        except ValueError:
            assert path.read_bytes() == content
        else:
            assert all(r.get("step", 0) <= 5 for r in read_metrics(path))
        callback.on_close(run)

    check()
