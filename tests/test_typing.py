"""Do the stubs (.pyi) say what the program does, and does mypy accept the package and typical user code?

A stub repeats names and parameters, so it can go stale: here it is compared with the running program.
"""

import ast
import importlib
import importlib.util
import inspect
import pathlib
import subprocess
import sys

import pytest

import minigan

ROOT = pathlib.Path(__file__).parents[1]
STUBS = sorted((ROOT / "minigan").rglob("*.pyi"))


def declared(body):
    """{name: [parameters of each overload]} of a stub; None for what is no function."""
    found = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            is_property = any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list)
            found.setdefault(node.name, []).append(None if is_property else parameters_of_stub(node.args))
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = [None]
        elif isinstance(node, ast.ClassDef):
            found[node.name] = [None]
    return found


def parameters_of_stub(a):
    names = [p.arg for p in (*a.posonlyargs, *a.args)]
    return [*names, *(["*" + a.vararg.arg] if a.vararg else []), *[p.arg for p in a.kwonlyargs]]


def parameters(function):
    names = inspect.signature(function).parameters.values()
    return [("*" if p.kind is p.VAR_POSITIONAL else "") + p.name for p in names]


def class_in(source, name):
    return declared(next(n.body for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == name))


def members(cls):
    """{name: attribute} of a class: public ones and operators."""
    own = {n: inspect.getattr_static(cls, n) for n in dir(cls)}
    spoken = {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__init__", "__repr__", "__format__"}
    machinery = set(vars(object)) - spoken
    machinery |= {"__dict__", "__module__", "__slots__", "__slotnames__", "__weakref__", "__annotations__", "__getattr__"}
    machinery |= {"__static_attributes__", "__firstlineno__"}  # Python 3.13
    return {n: v for n, v in own.items() if n not in machinery and (not n.startswith("_") or n.endswith("__"))}


def differences(stub, real, methods):
    """What a stub and the program say differently, as sentences."""
    wrong = [f"{n}: not in the stub" for n in real if n not in stub]
    wrong += [f"{n}: in the stub only" for n in stub if n not in real and (not n.startswith("_") or n.endswith("__"))]
    for name, overloads in stub.items():
        if name not in real or name.startswith("__") or not callable(real[name]) or inspect.isclass(real[name]):
            continue
        for listed in overloads:
            plain = parameters(real[name])
            if listed is None or listed[methods:] != plain[methods:]:  # of methods without self, which ops call input or x
                wrong.append(f"{name}: parameters {listed} in the stub, {plain} in the program")
    return wrong


def test_stub_of_tensor():
    stub = class_in((ROOT / "minigan/autograd/tensor.pyi").read_text("utf-8"), "Tensor")
    wrong = differences(stub, members(minigan.Tensor), methods=1)
    assert not wrong, "minigan/autograd/tensor.pyi:\n" + "\n".join(wrong)


def test_stub_of_the_module_tensor():
    stub = declared(ast.parse((ROOT / "minigan/autograd/tensor.pyi").read_text("utf-8")).body)
    module = importlib.import_module("minigan.engine.tensor")
    own = {n: v for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__}
    wrong = differences(
        stub, {**own, "FLOATS": module.FLOATS, "stale": module.stale, "printed": module.printed, "permuted": module.permuted}, methods=0
    )
    assert not wrong, "\n".join(wrong)


def test_the_comparison_can_fail():
    class Real:
        size = property(lambda self: 3)

        def scale(self, by):
            pass

        def shift(self, by, *dims, where=0):
            pass

    stub = """class Real:
    @property
    def size(self): ...
    def scale(self, by): ...
    def shift(self, by, *dims, where=0): ...
"""
    real = {n: v for n, v in members(Real).items() if not n.startswith("_")}
    assert differences(class_in(stub, "Real"), real, 1) == []
    for old, new, what in [
        ("scale(self, by)", "scale(self, factor)", "scale: parameters"),
        ("    def scale(self, by): ...\n", "", "scale: not in the stub"),
        ("def scale", "def rescale(self): ...\n    def scale", "rescale: in the stub only"),
        ("*dims", "dims", "shift: parameters"),
        (", where=0", "", "shift: parameters"),
    ]:
        wrong = differences(class_in(stub.replace(old, new), "Real"), real, 1)
        assert len(wrong) == 1 and wrong[0].startswith(what), (new, wrong)


def test_every_stub_belongs_to_a_module():
    lonely = {str(p.relative_to(ROOT)) for p in STUBS if not p.with_suffix(".py").exists()}
    assert not lonely and not list((ROOT / "minigan/ops").rglob("*.pyi"))
    assert (ROOT / "minigan/py.typed").exists()


USER_CODE = ["--strict", "--follow-imports=silent", "tests/typing/public_api.py"]


@pytest.mark.parametrize("arguments", [[], USER_CODE], ids=["package", "user code"])
def test_mypy(arguments):
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    done = subprocess.run([sys.executable, "-m", "mypy", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
