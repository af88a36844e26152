"""The house rules: who imports whom, what `import minigan` may load, how long a file may be."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "minigan"
# Each imports only from those before it. The last of the textbook are gan, the mathematics of games, and training, which runs them: it
# draws grids and measures, and nobody knows it. Then come the fast path, which imports whatever it speeds up, and torch's other names,
# which ask for both.
ORDER = ["arrays", "autograd", "ops", "nn", "optim", "data", "metrics", "viz", "gan", "training", "fast", "compat"]
# Who of the textbook may name what is behind a door: the package, which tries it, and `minigan.cpu`, which asks when it is called.
DOORS = {"fast": {"__init__.py", "cpu.py"}, "compat": {"__init__.py"}}
FILES = sorted(PACKAGE.rglob("*.py"))
OPTIONAL = ["numba", "llvmlite", "cupy", "cupyx", "matplotlib", "PIL", "scipy", "torch"]


def imports(path):
    """The parts of minigan that a file imports: "autograd" for `from ..autograd.op import op`; with the line."""
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
            continue  # minigan/__init__.py, the scripts beside it and programs (python -m minigan.metrics) see everything
        for name, line in imports(path):
            if name in ORDER and name not in allowed(parts[0]):
                wrong.add(f"{path.relative_to(ROOT)}:{line} imports {name}")
            if name not in ORDER and (parts[0], name) != ("compat", "__version__"):
                wrong.add(f"{path.relative_to(ROOT)}:{line} imports minigan itself: name the package")
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("room", DOORS)
def test_nothing_but_the_doors_names_what_is_behind_them(room):
    """With the folder deleted everything else still imports."""
    named = {path.relative_to(PACKAGE) for path in FILES for name, _ in imports(path) if name == room}
    assert {path.as_posix() for path in named if path.parts[0] not in ("fast", "compat")} == DOORS[room]
    assert room != "compat" or not any(path.parts[0] == "fast" for path in named), "the fast path goes without compat"


def test_who_knows_of_recording():
    """Outside of the fast path one module says when a step is recorded: the seam, by what stands in `execute`."""
    words = re.compile(r"\b(Recording|recording\(|DEFERRABLE|CONSUMERS|current_recording)\b")
    textbook = [p for p in FILES if p.relative_to(PACKAGE).parts[0] != "fast"]
    assert {p.relative_to(PACKAGE).as_posix() for p in textbook if words.search(p.read_text("utf-8"))} <= {"arrays/seam.py"}


def test_the_check_can_fail(tmp_path, monkeypatch):
    """It sees all ways to write an import."""
    package = tmp_path / "minigan"
    (package / "arrays" / "deep").mkdir(parents=True)
    file = package / "arrays" / "deep" / "x.py"
    lines = ["import minigan.nn", "from minigan import viz", "from ...ops import add", "from ... import gan", "from ..random import y"]
    file.write_text("\n".join([*lines, "", "def f():", "    from ...data.idx import z", ""]))
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", package)
    assert sorted(imports(file)) == [("arrays", 5), ("data", 8), ("gan", 4), ("nn", 1), ("ops", 3), ("viz", 2)]


def test_import_is_light():
    """A fresh interpreter loads neither compilers nor plotting with minigan."""
    code = f"import sys, minigan; print([m for m in {OPTIONAL} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", f"`import minigan` loads {done.stdout}"


@pytest.mark.parametrize("name", [p for p in ORDER if (PACKAGE / p).exists()])
def test_every_package_can_be_imported_first(name):
    subprocess.run([sys.executable, "-c", f"import minigan.{name}"], cwd=ROOT, check=True, capture_output=True)


def test_no_torch():
    """PyTorch is a peer in benchmarks and optional tests only."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in getattr(node, "names", [])] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(n.split(".")[0] in ("torch", "jax", "tensorflow") for n in names), f"{path}:{node.lineno}"


def test_files_stay_short():
    long = {str(p.relative_to(ROOT)): n for p in FILES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 450}
    assert not long, f"over 450 lines, time for a folder: {long}"


def test_arrays_become_tensors_as_they_are():
    """minigan itself makes Tensors with tensor_of(array), which keeps the dtype; Tensor(array) is torch's, and makes float32."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Tensor":
                assert path.parts[-2:] == ("compat", "variable.py"), f"{path.relative_to(ROOT)}:{node.lineno}: tensor_of(array)"
