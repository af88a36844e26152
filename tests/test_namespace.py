"""What `import minigan` gives, and what it costs."""

import pathlib
import subprocess
import sys
import types

import pytest

import minigan

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = set("engine machine messages arrays autograd cpu data func gan linalg metrics nn ops optim training viz".split())
PLACES = set()  # modules that are no files
PACKAGES |= {"fast"} & set(vars(minigan))
if hasattr(minigan, "compat"):
    PACKAGES |= set("accelerator amp backends compat cuda distributions utils version vision".split())
    PLACES = set(minigan.compat.places.PLACES)
# Of the standard library: slow to import, and needed only by functions that are seldom called.
HEAVY = ["asyncio", "concurrent.futures", "difflib", "http.client", "multiprocessing", "statistics", "unittest", "urllib.request"]


def run(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_public_names_exist():
    assert len(set(minigan.__all__)) == len(minigan.__all__)
    assert {n for n in minigan.__all__ if isinstance(getattr(minigan, n), types.ModuleType)} == PACKAGES
    assert set(minigan.__all__) >= {*minigan.ops.__all__, "Tensor", "grad", "no_grad", "manual_seed", "tanh", "zeros", "float32"}
    assert set(minigan.__all__) <= set(dir(minigan))


def test_nothing_public_by_accident():
    """No NumPy, no decorators, no module of a package at the top level."""
    for module in (minigan, minigan.ops):
        public = {n for n in vars(module) if not n.startswith("_")} - {"TYPE_CHECKING"} - PLACES
        if module is minigan.ops:
            public -= {n for n in public if isinstance(vars(module)[n], types.ModuleType)} | {"install"}
        assert public <= set(module.__all__), sorted(public - set(module.__all__))


@pytest.mark.parametrize("name", ["data", "gan", "metrics", "training", "viz"])
def test_packages_for_training_come_when_they_are_used(name):
    assert run(f"import sys, minigan; print('minigan.{name}' in sys.modules, minigan.{name}.__name__)") == f"False minigan.{name}"


def test_star_import():
    assert run("from minigan import *; print(gan.__name__, tanh.__name__, data.__name__)") == "minigan.gan tanh minigan.data"


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'minigan' has no attribute 'tahn'"):
        minigan.tahn  # noqa: B018
    assert not hasattr(minigan, "__wrapped__")


def test_import_loads_no_heavy_modules():
    """Beyond what NumPy loads by itself."""
    code = f"import sys, numpy; before = set(sys.modules); import minigan; print(set({HEAVY}) & (set(sys.modules) - before))"
    assert run(code) == "set()"


def test_methods_are_the_functions_of_a_tensor():
    """A public op whose first argument is a Tensor is a method, unless methods.py says that torch has none: no name there is stale."""
    methods = minigan.ops.methods
    assert methods.FUNCTIONS <= set(minigan.ops.__all__) and methods.LAYERS <= set(vars(minigan.ops))
    assert minigan.Tensor.hypot is minigan.hypot and minigan.Tensor.det is minigan.det and not hasattr(minigan.Tensor, "elu")
