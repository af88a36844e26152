"""PyTorch programs, run after changing their import lines only. The files beside this one are valid
PyTorch: run them with it too."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import minigan
from minigan.data.idx import read_idx

HERE = pathlib.Path(__file__).parent
SCRIPTS = sorted(p.stem for p in HERE.glob("*.py") if not p.stem.startswith("test_"))

# The whole translation of an import line. `import torch.utils.data` also makes the name `torch`.
RENAMED = [
    (r"^import (torch(?:vision)?)$", r"import \1 as \1"),
    (r"^import torch(\.[\w.]+)$", r"import torch\1; import torch as torch"),
    (r"\btorchvision\b(?! *$)(?!;)", "minigan.vision"),
    (r"(?<!as )\btorch\b", "minigan"),
]


def translated(text):
    lines = []
    for line in text.split("\n"):
        if re.match(r"\s*(import|from) ", line):
            for old, new in RENAMED:
                line = re.sub(old, new, line)
        lines.append(line)
    return "\n".join(lines)


def write_idx(path, array):
    path.write_bytes(
        bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()
    )


@pytest.fixture
def folder(tmp_path):
    """A working folder with a few digits where torchvision keeps MNIST."""
    raw = tmp_path / "data" / "mnist" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    digits = minigan.data.strokes(150, seed=1)
    for kind, rows in (("train", slice(0, 10)), ("t10k", slice(0, 150))):
        write_idx(raw / f"{kind}-images-idx3-ubyte", digits.images[rows, 0])
        write_idx(raw / f"{kind}-labels-idx1-ubyte", digits.labels[rows])
    assert read_idx(raw / "train-images-idx3-ubyte").shape == (10, 28, 28)
    return tmp_path


def run(program, folder, *through):
    """Run a program, through another one if given, in a folder."""
    command = [sys.executable, *map(str, through), str(program), "--out", "out"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nan" not in done.stdout.replace("namespace", "").lower()
    return done.stdout


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name, folder):
    text = (HERE / f"{name}.py").read_text("utf-8")
    program = folder / f"{name}.py"
    program.write_text(translated(text), "utf-8")
    same = [
        a == b
        for a, b in zip(text.split("\n"), program.read_text("utf-8").split("\n"), strict=True)
    ]
    changed = [line for line, s in zip(text.split("\n"), same) if not s]
    assert changed and all(re.match(r"(import|from) ", line) for line in changed)
    (folder / "out").mkdir()
    run(program, folder)


@pytest.mark.torch
@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_pytorch(name, folder):
    pytest.importorskip("torch")
    text = (HERE / f"{name}.py").read_text("utf-8")
    through = []
    if "torchvision" in text:
        if importlib.util.find_spec("torchvision") is None:
            pytest.skip("torchvision is not installed")
        through = [HERE.parent / "torchvision_alone.py"]
    program = folder / f"{name}.py"
    program.write_text(text, "utf-8")
    (folder / "out").mkdir()
    run(program, folder, *through)


def test_the_translation_of_import_lines():
    lines = {
        "import torch": "import minigan as torch",
        "import torch.nn as nn": "import minigan.nn as nn",
        "import torch.utils.data": "import minigan.utils.data; import minigan as torch",
        "import torchvision.utils as vutils": "import minigan.vision.utils as vutils",
        "from torchvision import datasets": "from minigan.vision import datasets",
        "from torch.autograd import Variable": "from minigan.autograd import Variable",
        "x = torch.zeros(1)  # import": "x = torch.zeros(1)  # import",
    }
    assert {line: translated(line) for line in lines} == lines
