"""What a file is that is no picture: people look for the cause of a message, and most causes can be
told from the first bytes."""

from __future__ import annotations

EPS = "a PostScript drawing (EPS), which Pillow cannot identify without another program"
BEGINNINGS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a file of thumbnails (Thumbs.db) or of an office program",
    b"\x00\x00\x00\x01Bud1": "a file of the macOS Finder (.DS_Store)",
    b"\x00\x05\x16\x07": "the macOS companion of another file",
    b"%PDF": "a PDF document",
    b"%!PS": EPS,
    b"\xc5\xd0\xd3\xc6": EPS,
    b"\xd7\xcd\xc6\x9a": "a Windows drawing (WMF), which Pillow cannot identify without another "
    "program",
    b"PK\x03\x04": "a zip archive: unpack it",
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"Rar!": "a RAR archive: unpack it",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself by `git lfs pull`",
    b"\x93NUMPY": "an array of NumPy's",
    b"\x1aE\xdf\xa3": "a video",
}
DRAWING, PAGE = (b"<svg",), (b"<!doctype html", b"<html", b"<head", b"<body")


def what_it_is(content: bytes) -> str:
    """A sentence about the content of a file that is no picture (or of no kind that Pillow
    reads)."""
    if not content:
        return "it is empty"
    if not content.strip(b"\0"):
        return f"all of its {len(content):,} bytes are zero: a copy or a download that broke off"
    for beginning, what in BEGINNINGS.items():
        if content.startswith(beginning):
            return f"it is no picture but {what}"
    if content[4:8] == b"ftyp":
        kind = content[8:12].decode("ascii", "replace")
        heif = kind in ("heic", "heix", "mif1", "msf1", "avif", "avis", "hevc")
        if heif:
            return (
                f"it is a picture of the kind {kind!r}, which this Pillow cannot read: convert it"
            )
        return "it is no picture but a video"
    head = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(PAGE) or (head.startswith(b"<") and any(word in head for word in PAGE)):
        return "it is no picture but a web page (HTML): the download was answered by a message"
    if any(word in head for word in DRAWING):
        return "it is a drawing (SVG), which Pillow cannot read: convert it"
    try:
        if (
            content[:1000]
            .decode("utf-8", "strict" if len(content) <= 1000 else "ignore")
            .isprintable()
            or head.isascii()
        ):
            return f"it is no picture but text: {content[:30].decode('utf-8', 'replace')!r}"
    except UnicodeDecodeError:
        pass
    return (
        "it is no picture of a kind that Pillow reads: it begins with the bytes "
        f"{content[:8].hex(' ')}"
    )
