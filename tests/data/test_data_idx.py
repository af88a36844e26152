"""read_idx: what is written comes back; whatever is wrong with a file is a DataError and costs no
memory."""

import gzip
import os
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minigan.data import DataError, read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
FEW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def idx(array):
    header = struct.pack(
        f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype.str[1:]], array.ndim, *array.shape
    )
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def pack(content, packed):
    return gzip.compress(content, mtime=0) if packed else content


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", CODES)
def test_round_trip(tmp_path, dtype, packed):
    array = np.random.default_rng(0).normal(0, 50, (5, 4, 3)).astype(dtype)
    path = tmp_path / "name-says-nothing.gz"
    path.write_bytes(pack(idx(array), packed))
    back = read_idx(str(path))
    assert back.dtype == array.dtype and back.dtype.isnative and back.flags.writeable
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("shape", [(0,), (0, 28, 28), (3, 0), (1,)])
def test_empty_and_tiny(tmp_path, shape):
    (tmp_path / "f").write_bytes(idx(np.zeros(shape, np.uint8)))
    assert read_idx(tmp_path / "f").shape == shape


def header(*shape, code=0x08):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "not an idx file"),
        (b"\0\0\x08", "not an idx file"),
        (b"<html>404</html>", "not an idx file"),
        (b"\x89PNG\r\n\x1a\n", "not an idx file"),
        (header(5, code=0x0A) + bytes(5), "not an idx file"),
        (b"\0\0\x08\0", "not an idx file"),
        (b"\0\0\x08\xff" + bytes(255 * 4), "not an idx file"),
        (header(5, 4, 3)[:-1], "inside its header"),
        (idx(IMAGES)[:-1], "cut short"),
        (idx(IMAGES) + b"x", "bytes follow"),
        (header(0, 0) + b"x", "bytes follow"),
        (header(0, 2**32 - 1, 2**32 - 1, 2**32 - 1), "absurd shape"),
        (header(*[2**32 - 1] * 32) + bytes(100), "absurd shape"),
    ],
)
def test_damage_is_named(tmp_path, content, says, packed):
    path = tmp_path / "some-file"
    path.write_bytes(pack(content, packed))
    with pytest.raises(DataError, match=says) as e:
        read_idx(path)
    assert str(path) in str(e.value)


def test_missing_folder_and_odd_paths(tmp_path):
    for path in (tmp_path / "absent", tmp_path, "a\0b", os.devnull):
        with pytest.raises(DataError):
            read_idx(path)


@pytest.mark.parametrize("cut", [1, 2, 5, 12, 40, -1, -4, -8, -9])
def test_cut_gzip(tmp_path, cut):
    path = tmp_path / "f"
    path.write_bytes(gzip.compress(idx(IMAGES), mtime=0)[:cut])
    with pytest.raises(DataError, match="damaged gzip|not an idx"):
        read_idx(path)


def test_gzip_checksum_is_checked(tmp_path):
    whole = bytearray(gzip.compress(idx(IMAGES), mtime=0))
    whole[-8] ^= 1  # the CRC
    (tmp_path / "f").write_bytes(whole)
    with pytest.raises(DataError, match="damaged gzip"):
        read_idx(tmp_path / "f")


def peak_of(path):
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_idx(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_no_memory_for_what_a_header_claims(tmp_path, packed):
    # 784 MB, it says
    (tmp_path / "f").write_bytes(pack(header(10**6, 28, 28) + bytes(1000), packed))
    assert peak_of(tmp_path / "f") < 8e6


def test_gzip_bombs(tmp_path):
    # 64 KB that unpack to 64 MB; members may follow each other
    zeros = gzip.compress(bytes(64 << 20), 9)
    (tmp_path / "trailing").write_bytes(gzip.compress(header(100)) + zeros)
    # 4.7 GB, it says
    (tmp_path / "declared").write_bytes(gzip.compress(header(60000, 280, 280)) + zeros)
    assert peak_of(tmp_path / "trailing") < 8e6
    assert peak_of(tmp_path / "declared") < 8e6


damage = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert"]), st.integers(0, 10**4), st.integers(1, 255)
    ),
    min_size=1,
    max_size=4,
)


@FEW
@given(damage, st.booleans())
def test_fuzz(tmp_path, changes, packed):
    content = bytearray(pack(idx(IMAGES), packed))
    for kind, where, value in changes:
        where %= len(content) + (kind == "insert") or 1
        if kind == "flip" and content:
            content[where] ^= value
        elif kind == "cut":
            del content[where : where + value % 8 + 1]
        else:
            content[where:where] = bytes([value]) * (value % 5 + 1)
    path = tmp_path / "fuzzed"
    path.write_bytes(content)
    try:
        array = read_idx(path)
    except DataError:
        return
    if content[:2] == b"\x1f\x8b":  # gzip has a checksum, plain idx has none
        np.testing.assert_array_equal(array, IMAGES)
    else:
        assert array.nbytes <= len(content)


@FEW
@given(st.binary(max_size=64))
def test_fuzz_after_a_good_start(tmp_path, tail):
    for start in (b"\0\0\x08\x03", b"\0\0\x0e\x01", b"\x1f\x8b\x08"):
        (tmp_path / "f").write_bytes(start + tail)
        try:
            assert read_idx(tmp_path / "f").nbytes <= 64
        except DataError:
            pass
