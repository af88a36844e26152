"""What happens to a command's terminal, pipe or log is no traceback; what is no number is one
sentence."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan.training.checkpoint import newest
from minigan.training.cli import number
from minigan.training.terminal import program

from .inside import inside

EXAMPLES = Path(__file__).parents[2] / "examples"
DIGITS = [sys.executable, str(EXAMPLES / "mnist_gan.py"), "--dataset", "strokes", "--device", "cpu",
    "--batch-size", "16",
          "--max-steps", "3", "--no-doctor"]  # fmt: skip


def pictures(folder, count, first=0):
    folder.mkdir(exist_ok=True)
    for i in range(first, first + count):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (16, 16, 3), np.uint8)).save(
            folder / f"{i:03}.jpg"
        )


def faces(folder, out, *options):
    return [str(EXAMPLES / "dcgan.py"), "--train", "--dataset", str(folder),
        "--out", str(out), "--output-height", "16",
            "--features", "4", "--no-cache", "--quiet", "--no-doctor", "--max-steps", "2",
            *options]  # fmt: skip


def shell(words, tail):
    """The words as a shell's command with redirections or a pipe; (exit codes of the pipe's parts,
    stderr)."""
    import shlex

    script = f"{shlex.join(words)} {tail}; echo ${{PIPESTATUS[@]}} >&9"
    read, write = os.pipe()
    done = subprocess.run(
        ["bash", "-c", f"exec 9>&{write}; {script}"],
        capture_output=True,
        text=True,
        pass_fds=[write],
    )
    os.close(write)
    with os.fdopen(read) as codes:
        return [int(c) for c in codes.read().split()], done.stdout, done.stderr


@pytest.mark.parametrize(
    "tail, code",
    [("| head -1", 141), (">/dev/full", 1), ("2>/dev/full", 0), ("2>&-", 0), (">&-", 0),
        (">&- 2>&-", 0), ("2>&1 | head -1", 141)],
)  # fmt: skip
def test_pipes_and_full_and_closed_streams(tmp_path, tail, code):
    if "full" in tail and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    codes, said, errors = shell([*DIGITS, "--out", str(tmp_path / "r")], tail)
    assert (
        codes[0] == code
        and "Traceback" not in errors + said
        and "Exception ignored" not in errors + said
    ), errors
    if code == 0:
        assert newest(tmp_path / "r")[1]["step"] == 3
        # nothing meant for stderr was written where its number was free
        for path in (tmp_path / "r").rglob("*.json*"):
            assert "step 3/3" not in path.read_text()
    if tail == ">/dev/full":
        assert "No space left on device (standard output)" in errors


def test_help_into_a_closed_pipe():
    codes, _, errors = shell([*DIGITS, "--help"], "| head -1")
    assert errors == "" and codes[0] in (0, 141)


def test_names_that_stdout_cannot_encode(tmp_path):
    folder = tmp_path / os.fsdecode(b"b\xc3\xbc\xff")
    pictures(folder, 4)
    for i in range(5):
        (folder / os.fsdecode(b"\xff%d\xe2\x82\xac.jpg" % i)).write_bytes(b"")
    for encoding in ("ascii", "utf-8"):
        out = tmp_path / encoding
        done = subprocess.run(
            [sys.executable, *faces(folder, out)],
            capture_output=True,
            env=os.environ | {"PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
        assert b"\\udcff" in done.stdout and b"all 5 that are left out are named in" in done.stdout
        lines = (out / "left_out.txt").read_bytes().splitlines()
        assert lines[0] == b"\xff0\xe2\x82\xac.jpg\tit is empty" and len(lines) == 5


def test_resuming_after_pictures_were_added(tmp_path):
    def trained(*options):
        script, *words = faces(tmp_path / "p", tmp_path / "r", *options)
        return inside(*words, script=script)

    pictures(tmp_path / "p", 5)
    assert trained().returncode == 0
    pictures(tmp_path / "p", 10, 5)
    more = ["--resume", "--max-steps", "5"]
    done = trained(*more)
    assert (
        done.returncode == 2
        and "15, were 5" in done.stderr
        and "--resume --new-data" in done.stderr
    )
    done = trained(*more, "--new-data")
    assert done.returncode == 0 and newest(tmp_path / "r")[1]["step"] == 5, done.stderr
    assert '"images": 15' in (tmp_path / "r" / "config.json").read_text()


def test_what_is_raised_is_a_sentence_and_a_code(capsys):
    def raising(error):
        @program
        def main(arguments):
            raise error

        return main()

    assert raising(KeyboardInterrupt()) == 130
    assert raising(MemoryError("Unable to allocate 9 TiB")) == 1
    assert raising(PermissionError(13, "Permission denied", "x.png")) == 1
    errors = capsys.readouterr().err
    assert "9 TiB" in errors and "error: Permission denied (x.png)" in errors
    with pytest.raises(ZeroDivisionError):  # a fault of the program stays one
        raising(ZeroDivisionError())


@pytest.mark.parametrize(
    "kind, text, said",
    [(number(float, above=0), "0", "expected a number, above 0, not '0'"),
        (number(float, above=0), "inf", "expected a number, above 0"),
     (number(float, 0), "inf", "expected a number, at least 0, not 'inf'"),
     (number(float, 0), "nan", "not 'nan'"),
     (number(float, 0), "-1e-9", "at least 0"), (number(float, 0, below=1), "1",
         "at least 0 and below 1"),
     (number(int, 1), "1.5", "expected a whole number, at least 1, not '1.5'"),
     (number(int, 1, 9), "10", "at least 1 and at most 9"),
     (number(int, 1), "9" * 5000, "expected a whole number"),
     (number(float), "x", "expected a number, not 'x'")],
)  # fmt: skip
def test_numbers(kind, text, said):
    with pytest.raises(argparse.ArgumentTypeError) as error:
        kind(text)
    assert said in str(error.value) and "[" not in str(error.value)


def test_numbers_that_fit():
    assert (
        number(float, above=0)("1e-9") == 1e-9
        and number(int, 1, 9)("9") == 9
        and number(float, 0, below=1)("0") == 0
    )


@pytest.mark.parametrize("words", [["--lr", "0"], ["--d-lr", "0"], ["--lr", "nan"], ["--b1", "inf"],
    ["--real-label", "1,2,3"],
                                   ["--real-label", "x"], ["--seed", "x"],
                                   ["--new-data"]])  # fmt: skip
def test_options_that_make_no_sense_are_refused(tmp_path, words):
    done = inside(*DIGITS[2:], "--out", tmp_path / "r", *words)
    assert (
        done.returncode == 2
        and words[0] in done.stderr
        and "Traceback" not in done.stderr
        and not (tmp_path / "r").exists()
    )
