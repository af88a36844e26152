"""Folders as people have them: links, loops, upper-case names, and files that are no pictures."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from minigan.data import DataError, image_folder
from minigan.data.damage import what_it_is
from minigan.data.findfiles import find_files


def put(path, shade=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), shade, np.uint8)).save(path, "PNG")


def load(folder, pattern="*.jpg", **options):
    notices = []
    data = image_folder(
        folder,
        pattern,
        output_size=(8, 8),
        cache=False,
        quiet=True,
        on_notice=notices.append,
        **options,
    )
    return data, notices


@pytest.mark.parametrize(
    "options", [{"pattern": "**/*.jpg"}, {"pattern": "*.jpg", "recursive": True}]
)
def test_linked_subfolders_are_read(tmp_path, options):
    """The report: 10 of 20."""
    for i in range(10):
        put(tmp_path / "pictures" / f"{i}.jpg", i)
        put(tmp_path / "elsewhere" / f"{i}.jpg", 100 + i)
    os.symlink(tmp_path / "elsewhere", tmp_path / "pictures" / "linked")
    data, notices = load(tmp_path / "pictures", **options)
    assert (
        sorted(data.images[:, 0, 0, 0].tolist()) == [*range(10), *range(100, 110)] and notices == []
    )
    assert data.labels.tolist() == [0] * 10 + [1] * 10 and data.left_out == ()


def test_loops_are_read_once_and_named(tmp_path):
    for name in ("a/1.jpg", "b/2.jpg"):
        put(tmp_path / name)
    for link, target in (("a/up", ".."), ("a/b", "../b"), ("b/a", "../a"), ("self", "self")):
        os.symlink(target, tmp_path / link)
    files, unseen = find_files(tmp_path, "**/*.jpg")
    assert files == ["a/1.jpg", "b/2.jpg"]
    assert dict(unseen) == {
        "a/up": "a link to the folder itself, which is read already",
        "a/b": "a link to b, which is read already",
        "b/a": "a link to a, which is read already", "self": "a link to self, which is not there",
    }  # fmt: skip


def test_links_that_lead_nowhere_are_named(tmp_path):
    put(tmp_path / "1.jpg")
    os.symlink("gone.jpg", tmp_path / "dangling.jpg")
    os.symlink("gone", tmp_path / "folder")
    data, notices = load(tmp_path, "**/*.jpg")
    assert len(data) == 1 and dict(data.left_out) == {
        "dangling.jpg": "a link to gone.jpg, which is not there",
        "folder": "a link to gone, which is not there",
    }  # fmt: skip
    assert "dangling.jpg" in notices[0] and "folder" in notices[1]


def test_patterns(tmp_path):
    for name in (
        "1.jpg",
        "2.JPG",
        "3.Jpg",
        "sub/4.jpg",
        "Sub/5.jpg",
        "sub/deep/6.jpg",
        ".git/7.jpg",
        "sub/.8.jpg",
        "x.png",
    ):
        put(tmp_path / name)
    patterns = (
        "*.jpg",
        "sub/*",
        "*/*.jpg",
        "./**/deep/*.JPG",
        "sub/**",
        ".git/*.jpg",
        "**/sub/*.jpg",
    )
    found = {p: find_files(tmp_path, p)[0] for p in patterns}
    assert found == {
        "*.jpg": ["1.jpg", "2.JPG", "3.Jpg"], "sub/*": ["sub/4.jpg"],
        "*/*.jpg": ["Sub/5.jpg", "sub/4.jpg"],
        "./**/deep/*.JPG": ["sub/deep/6.jpg"], "sub/**": ["sub/4.jpg", "sub/deep/6.jpg"],
        ".git/*.jpg": [".git/7.jpg"],
        "**/sub/*.jpg": ["sub/4.jpg"],
    }  # fmt: skip
    for bad in ("", "/etc/*.jpg", "../*.jpg", "**.jpg"):
        with pytest.raises(DataError, match="pattern"):
            find_files(tmp_path, bad)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_block(tmp_path):
    put(tmp_path / "1.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    data, notices = load(tmp_path, channels=None)
    assert len(data) == 1 and "pipe.jpg (no file, but a pipe or a device)" in notices[0]


@pytest.mark.parametrize(
    "content, said",
    [(b"", "it is empty"), (b"\0" * 9, "all of its 9 bytes are zero"),
     (b"<!DOCTYPE html>\n<html>", "web page"), (b"\n <HTML>x", "web page"),
     (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "Thumbs.db"),
     (b"\0\0\0\1Bud1\0", ".DS_Store"), (b"PK\3\4....", "zip archive"),
     (b"%PDF-1.5", "PDF"), (b'<?xml version="1.0"?><svg/>', "SVG"),
     (b'{"error": 404}', "text: '{\"error\": 404}'"),
     (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
     (b"\0\0\0\x1cftypheic", "'heic'"), (b"\0\0\0\x1cftypisom", "video"),
     (b"\x01\xff\xfe\x80ab", "begins with the bytes 01 ff fe 80 61 62")],
)  # fmt: skip
def test_what_is_no_picture_says_what_it_is(tmp_path, content, said):
    assert said in what_it_is(content)
    put(tmp_path / "good.jpg")
    (tmp_path / "bad.jpg").write_bytes(content)
    data, notices = load(tmp_path)
    assert (
        said in notices[0]
        and "BytesIO" not in notices[0]
        and len(data) == 1
        and data.left_out[0][0] == "bad.jpg"
    )


def test_too_many_pixels_says_which_limit(tmp_path, monkeypatch):
    buffer = io.BytesIO()
    Image.new("1", (3000, 3000)).save(buffer, "PNG")
    (tmp_path / "blank.jpg").write_bytes(buffer.getvalue())
    put(tmp_path / "good.jpg")
    _, notices = load(tmp_path)
    assert (
        f"3000x3000 are more pixels than a file of {len(buffer.getvalue()):,} bytes holds: it is "
        "damaged" in notices[0]
    )
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5_000_000)
    with pytest.warns(Image.DecompressionBombWarning):
        _, notices = load(tmp_path)
    assert (
        "3000x3000 are 9,000,000 pixels: more than Pillow's limit of 5,000,000" in notices[0]
        and "MAX_IMAGE_PIXELS" in notices[0]
    )
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    _, notices = load(tmp_path)
    assert "Pillow's limit" in notices[0]


def test_names_that_are_no_text(tmp_path):
    put(tmp_path / "good.jpg")
    name = os.fsdecode(b"\xff\xfe.jpg")
    (tmp_path / name).write_bytes(b"")
    data, _ = load(tmp_path)
    assert data.left_out == ((name, "it is empty"),)
