"""What do type checkers, editors and `help` know of minigan?

Ops are typed functions, and Tensor's methods are these ops (`minigan.ops.methods`): so there is
nothing to keep by hand, and here is held that nothing of it is lost on the way.
"""

import importlib.util
import inspect
import pathlib
import pydoc
import re
import subprocess
import sys

import pytest

import minigan
from minigan import Tensor
from minigan.nn import functional as F

ROOT = pathlib.Path(__file__).parents[1]
STRICT = ["--strict", "--follow-imports=silent"]
mypy_is_there = pytest.mark.skipif(
    importlib.util.find_spec("mypy") is None, reason="mypy is not installed"
)


def mypy(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@mypy_is_there
@pytest.mark.parametrize(
    "arguments",
    [[], [*STRICT, "tests/typing/public_api.py"], [*STRICT, "tests/typing/calls.py"]],
    ids=["package", "user code", "calls"],
)
def test_mypy(arguments):
    """The package is clean; user code is accepted where it is right, and refused where it is marked
    as wrong."""
    done = mypy(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@mypy_is_there
def test_a_call_that_is_wrongly_marked_is_found(tmp_path):
    """The marks of the file of calls are held: mypy says which of them is not needed, and which is
    missing."""
    file = tmp_path / "calls.py"
    lines = [
        "import minigan",
        "def f(x: minigan.Tensor) -> None:",
        "    x.exp()  # type: ignore[call-arg]",
        "    x.exp(2)",
    ]
    file.write_text("\n".join([*lines, ""]))
    said = mypy(*STRICT, file).stdout
    assert re.search(r":3: error: Unused .*ignore", said) and re.search(
        r":4: error: Too many arguments", said
    ), said


# Some give what an argument decides, or anything.
UNTYPED = {
    "array",
    "item",
    "tolist",
    "median",
    "nanmedian",
    "unique",
    "unique_consecutive",
    "type",
    "layout",
}


@mypy_is_there
def test_every_method_of_tensor_is_typed(tmp_path):
    """mypy knows each public name of the running class, with types of arguments and result; and
    none that is not there fails to be an error."""
    names = [n for n in dir(Tensor) if not n.startswith("_")]
    assert len(names) > 350
    file = tmp_path / "members.py"
    lines = [
        "from minigan import Tensor",
        "",
        "def f(x: Tensor) -> None:",
        *[f"    reveal_type(x.{n})" for n in [*names, "nowhere"]],
    ]
    file.write_text("\n".join([*lines, ""]))
    said = mypy("--follow-imports=silent", file).stdout.splitlines()
    revealed = {}
    for line in said:
        if found := re.search(r":(\d+): (?:note: Revealed type is|error:) (.*)", line):
            revealed.setdefault(lines[int(found[1]) - 1].strip()[14:-1], found[2])
    assert "has no attribute" in revealed.pop("nowhere")
    untyped = re.compile(r'^"Any"$|-> Any"$|[(,] ?\w+: Any, \w+: Any|no attribute')
    bad = {
        n: revealed.get(n)
        for n in names
        if n not in UNTYPED and (n not in revealed or untyped.search(revealed[n]))
    }
    assert not bad, bad


def public_functions():
    for module in (minigan, F):
        for name in sorted(dir(module)):
            function = getattr(module, name)
            if (
                not name.startswith("_")
                and inspect.isfunction(function)
                and function.__module__.startswith("minigan.ops")
            ):
                yield pytest.param(function, id=f"{module.__name__}.{name}")


OVERLOADED = {
    "max",
    "min",
    "nonzero",
    "where",
    *(f"{kind}max_pool{n}d" for kind in ("", "adaptive_") for n in (1, 2, 3)),
}


@pytest.mark.parametrize("function", list(public_functions()))
def test_ops_are_typed_functions(function):
    """Each public op has the types of its arguments and its result, which checkers and editors
    read."""
    signature = inspect.signature(function)
    if function.__name__ in OVERLOADED:
        return
    old = {"size_average", "reduce"}  # torch's, of losses, which it deprecates
    bare = [
        p.name
        for p in signature.parameters.values()
        if p.annotation is p.empty and p.name not in old
    ]
    assert not bare and signature.return_annotation is not signature.empty


@pytest.mark.parametrize(
    "function, said",
    [
        (minigan.relu, r"relu\(x: .*Tensor\) -> .*Tensor\n\s+y = max\(x, 0\)"),
        (minigan.add, r"add\(input: .*Tensor.*, other: .*, alpha: float = 1\) -> .*Tensor\n"),
        (minigan.softmax, r"softmax\(input: .*Tensor, dim: int \| None = None.*\n"),
        (Tensor.exp, r"exp\(x: .*Tensor\) -> .*Tensor\n\s+y = e\^x"),
        (
            Tensor.add_,
            r"add_\(input: .*alpha: float = 1\) -> .*\n\s+As `add`, into this Tensor itself",
        ),
        (F.mse_loss, r"mse_loss\(input: .*Tensor, target: .*Tensor, reduction: str = 'mean'"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_help_shows_signature_and_docstring(function, said):
    text = pydoc.render_doc(function, renderer=pydoc.plaintext)
    assert re.search(said, text), text


def test_there_are_no_stubs():
    assert not list((ROOT / "minigan").rglob("*.pyi"))
    assert (ROOT / "minigan/py.typed").exists()
