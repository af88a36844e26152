"""The house rules: who imports whom, what `import minigan` may load, how long a file may be."""

import ast
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "minigan"
# Each imports only from those before it. The last of the textbook are gan, the mathematics of
# games, training, which runs them, systems, the papers' ones, and live, a page to play them on:
# nobody knows these. Then come the fast path, which imports whatever it speeds up, and torch's
# other names, which ask for both.
ORDER = [
    "machine", "arrays", "messages", "engine", "autograd", "ops", "distributed", "nn", "optim",
    "data", "metrics", "viz", "gan", "training", "systems", "live", "fast", "compat",
]  # fmt: skip
# Where a checker looks for what other packages put on a class; a running program does not import
# it.
CHECKERS_ONLY = {("engine/tensor.py", "ops")}
# Who of the textbook may name what is behind a door: the package, which tries it, and
# `minigan.cpu`, which asks when it is called.
DOORS = {"fast": {"__init__.py", "cpu.py"}, "compat": {"__init__.py"}}
FILES = sorted(PACKAGE.rglob("*.py"))
OPTIONAL = ["numba", "llvmlite", "cupy", "cupyx", "matplotlib", "PIL", "scipy", "torch", "mpi4py"]


def imports(path):
    """The parts of minigan that a file imports: "autograd" for `from ..engine.op import op`; with
    the line."""
    inside = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = ["minigan", *inside][: len(inside) + 2 - node.level]
            base += node.module.split(".") if node.module else []
            names = [".".join([*base, a.name]) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{a.name}" for a in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "minigan":
                yield (parts[1] if len(parts) > 1 else "", node.lineno)


def allowed(package):
    return ORDER[: ORDER.index(package) + 1]


def test_every_package_has_a_place_in_the_order():
    packages = {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert packages <= set(ORDER), f"not in the order of DESIGN 1: {sorted(packages - set(ORDER))}"


def test_packages_import_only_from_those_above():
    wrong = set()
    for path in FILES:
        parts = path.relative_to(PACKAGE).parts
        if len(parts) == 1 or parts[-1] == "__main__.py":
            # minigan/__init__.py, the scripts beside it and programs (python -m minigan.metrics)
            # see everything
            continue
        for name, line in imports(path):
            if (
                name in ORDER
                and name not in allowed(parts[0])
                and ("/".join(parts), name) not in CHECKERS_ONLY
            ):
                wrong.add(f"{path.relative_to(ROOT)}:{line} imports {name}")
            if name not in ORDER and (parts[0], name) != ("compat", "__version__"):
                wrong.add(
                    f"{path.relative_to(ROOT)}:{line} imports minigan itself: name the package"
                )
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("room", DOORS)
def test_nothing_but_the_doors_names_what_is_behind_them(room):
    """With the folder deleted everything else still imports."""
    named = {
        path.relative_to(PACKAGE) for path in FILES for name, _ in imports(path) if name == room
    }
    assert {path.as_posix() for path in named if path.parts[0] not in ("fast", "compat")} == DOORS[
        room
    ]
    assert room != "compat" or not any(path.parts[0] == "fast" for path in named), (
        "the fast path goes without compat"
    )


WITHOUT = """
import importlib, sys, minigan
from minigan import nn
for name in sys.argv[1:]:
    importlib.import_module(f"minigan.{name}")
assert not any(hasattr(minigan, name) for name in ("fast", "compat", "cuda"))
net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
before, optimizer = net[0].weight.clone(), minigan.optim.Adam(net.parameters())
net(minigan.randn(8, 3)).square().mean().backward()
optimizer.step()
assert not minigan.equal(before, net[0].weight)
"""


def test_the_textbook_by_itself(tmp_path):
    """Both folders behind doors really deleted: all else imports, and a network learns."""
    shutil.copytree(
        PACKAGE,
        tmp_path / "minigan",
        ignore=shutil.ignore_patterns("fast", "compat", "__pycache__"),
    )
    textbook = [name for name in ORDER if name not in DOORS]
    done = subprocess.run([sys.executable, "-c", WITHOUT, *textbook], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr


# Words, in names of any kind, of those who record a step in order to repeat it. (A graph, `record`
# and `recorded` are the tape's.)
RECORDING = {"recorder", "recording", "recordings", "capture", "captured", "capturing", "replay",
    "replayed", "replays",
             "defer", "deferred", "deferrable", "late", "lazy", "jit", "active"}  # fmt: skip
KNOWS = "arrays/seam.py"  # the one module that may
# They name what they ask the fast path for; a run that is run again from its checkpoint is another
# thing, and so is the replay of what was learnt.
MAY_NAME = {
    "cpu.py", "compat/compiling.py", "compat/cuda.py", "training/divergence.py",
    "gan/__init__.py", "gan/replay.py", "systems/replay.py",
}  # fmt: skip


def words(name):
    return {
        w.lower()
        for part in re.split(r"[._]", name or "")
        for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", part)
    }


def knowledge(tree):
    """What the text of a module knows of the recording of a step, as (line, what)."""
    functions = {f.name for f in tree.body if isinstance(f, ast.FunctionDef)}
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    called |= {id(n.left) for n in ast.walk(tree) if isinstance(n, ast.Compare)}  # is it `plain`?
    for n in ast.walk(tree):
        names = [
            getattr(n, field, None) for field in ("id", "attr", "name", "arg", "module", "asname")
        ]
        for name in names:
            if isinstance(name, str) and words(name) & RECORDING:
                yield n.lineno, name
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name):
            asked = n.attr in ("dispatched", "may_exchange", "plain", "repeated", "told") or (
                n.attr in ("execute", "counted") and id(n) in called
            )
            if n.value.id == "seam" and not asked:
                yield n.lineno, f"seam.{n.attr} other than called"
            if n.value.id in functions and isinstance(n.ctx, ast.Store):
                yield n.lineno, f"the attribute {n.attr} of a function"
        if isinstance(n, ast.Compare) and any(
            isinstance(x, ast.Subscript) and getattr(x.value, "id", "") == "need"
            for x in ast.walk(n)
        ):
            yield n.lineno, "a `need` of more than two values"
        if (
            isinstance(n, ast.ImportFrom)
            and (n.module or "").endswith("seam")
            and {a.name for a in n.names} - {"CaptureError"}
        ):
            yield n.lineno, "what stands in the seam"


def test_who_knows_of_recording():
    """Outside of the fast path one module says when a step is recorded: the seam, by what stands in
    `execute`."""
    found = {}
    for path in FILES:
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("fast/") and name not in MAY_NAME:
            for line, what in knowledge(ast.parse(path.read_text("utf-8"))):
                found.setdefault(name, []).append(f"{line}: {what}")
    assert set(found) <= {KNOWS}, found


@pytest.mark.parametrize(
    "text",
    [
        "from .x import Recording", "is_recording()", "x.capture = 1", "def f(deferred): pass",
        "from .replay import program",
        "class LateProduct: pass", "seam.execute = f", "g = seam.execute",
        "from ..arrays.seam import plain", "seam.waiting",
        "y = need[0] is LATER", "def rule(): pass\nrule.can_wait = True",
    ],
)  # fmt: skip
def test_knowledge_of_recording_is_found(text):
    assert list(knowledge(ast.parse(text)))


def test_what_is_no_knowledge_of_recording():
    text = """
y = seam.execute(f, x)
record = mode.grad_enabled and need[0]
@seam.dispatched
def f(x): return need[1] and x
later = None
"""
    assert not list(knowledge(ast.parse(text)))


def test_the_check_can_fail(tmp_path, monkeypatch):
    """It sees all ways to write an import."""
    package = tmp_path / "minigan"
    (package / "arrays" / "deep").mkdir(parents=True)
    file = package / "arrays" / "deep" / "x.py"
    lines = [
        "import minigan.nn",
        "from minigan import viz",
        "from ...ops import add",
        "from ... import gan",
        "from ..random import y",
    ]
    file.write_text("\n".join([*lines, "", "def f():", "    from ...data.idx import z", ""]))
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", package)
    assert sorted(imports(file)) == [
        ("arrays", 5),
        ("data", 8),
        ("gan", 4),
        ("nn", 1),
        ("ops", 3),
        ("viz", 2),
    ]


def test_import_is_light():
    """A fresh interpreter loads neither compilers nor plotting with minigan."""
    code = f"import sys, minigan; print([m for m in {OPTIONAL} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]", f"`import minigan` loads {done.stdout}"


@pytest.mark.parametrize("name", [p for p in ORDER if (PACKAGE / p).exists()])
def test_every_package_can_be_imported_first(name):
    subprocess.run(
        [sys.executable, "-c", f"import minigan.{name}"], cwd=ROOT, check=True, capture_output=True
    )


def test_no_torch():
    """PyTorch is a peer in benchmarks and optional tests only."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [a.name for a in getattr(node, "names", [])] if isinstance(node, ast.Import) else []
            )
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(n.split(".")[0] in ("torch", "jax", "tensorflow") for n in names), (
                f"{path}:{node.lineno}"
            )


def test_files_stay_short():
    long = {
        str(p.relative_to(ROOT)): n
        for p in FILES
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert not long, f"over 450 lines, time for a folder: {long}"


def test_arrays_become_tensors_as_they_are():
    """minigan itself makes Tensors with tensor_of(array), which keeps the dtype; Tensor(array) is
    torch's, and makes float32."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Tensor"
            ):
                assert path.parts[-2:] == ("compat", "variable.py"), (
                    f"{path.relative_to(ROOT)}:{node.lineno}: tensor_of(array)"
                )
