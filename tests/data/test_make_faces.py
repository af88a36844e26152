"""The drawn faces: the same every time, all different, and written whole."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


def make_faces(*options):
    command = [sys.executable, str(EXAMPLES / "make_faces.py"), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    done = make_faces("--out", folder / "a", "--count", 40, "--format", "png", "--size", 64)
    assert done.returncode == 0 and "40 faces of 64x64" in done.stdout, done.stderr
    assert done.stderr == ""  # without a terminal there is no progress line
    return folder / "a"


def pixels(folder):
    return np.stack([np.asarray(Image.open(p)) for p in sorted(folder.iterdir())])


def test_faces_are_colour_pictures_with_variety(drawn):
    assert [p.name for p in sorted(drawn.iterdir())] == [f"{i:05d}.png" for i in range(40)]
    faces = pixels(drawn).astype(float)
    assert faces.shape == (40, 64, 64, 3)
    apart = np.abs(faces[:, None] - faces[None]).mean((2, 3, 4)) + 99 * np.eye(40)
    assert apart.min() > 8  # no two look alike
    assert (faces.std(0).mean((0, 1)) > 30).all() and faces.std((1, 2)).min() > 5
    # nose and cheeks: skin is more red than green, more green than blue
    middle = faces[:, 28:44, 26:38].reshape(40, -1, 3).mean(1)
    assert (np.diff(middle, axis=1) < 0).all(1).mean() > 0.85


def test_a_picture_depends_on_its_seed_and_number_only(drawn, tmp_path):
    assert (
        make_faces(
            "--out",
            tmp_path / "b",
            "--count",
            3,
            "--format",
            "png",
            "--size",
            64,
            "--workers",
            1,
            "--quiet",
        ).returncode
        == 0
    )
    np.testing.assert_array_equal(pixels(tmp_path / "b"), pixels(drawn)[:3])
    assert (
        make_faces(
            "--out", tmp_path / "c", "--count", 3, "--format", "png", "--size", 64, "--seed", 1
        ).returncode
        == 0
    )
    assert (pixels(tmp_path / "c") != pixels(drawn)[:3]).any((1, 2, 3)).all()


def test_jpeg_and_a_sheet(tmp_path):
    assert make_faces("--out", tmp_path / "j", "--count", 2).returncode == 0
    with Image.open(tmp_path / "j" / "00001.jpg") as image:
        assert image.format == "JPEG" and image.size == (96, 96) and image.mode == "RGB"
    assert make_faces("--sheet", tmp_path / "s.png", "--size", 16).returncode == 0
    with Image.open(tmp_path / "s.png") as image:
        assert image.size == (12 * 16, 6 * 16)


@pytest.mark.parametrize(
    "options", [["--count", "0"], ["--size", "9"], ["--workers", "0"], ["--out", "file/below"]]
)
def test_nonsense_is_one_clear_sentence(tmp_path, options):
    (tmp_path / "file").write_text("")
    done = make_faces(
        "--out", tmp_path / "x", *[str(tmp_path / o) if "/" in o else o for o in options]
    )
    assert done.returncode == 2 and options[0] in done.stderr and "Traceback" not in done.stderr
