"""What `import minigan` gives, and what it costs."""

import inspect
import pathlib
import subprocess
import sys
import types

import pytest

import minigan

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = set(
    (
        "engine machine messages arrays autograd cpu data distributed func gan linalg metrics nn "
        "ops optim training viz"
    ).split()
)
PLACES = set()  # modules that are no files
PACKAGES |= {"fast"} & set(vars(minigan))
if hasattr(minigan, "compat"):
    PACKAGES |= set(
        "accelerator amp backends compat cuda distributions utils version vision".split()
    )
    PLACES = set(minigan.compat.places.PLACES)
# Of the standard library: slow to import, and needed only by functions that are seldom called.
HEAVY = [
    "asyncio",
    "concurrent.futures",
    "difflib",
    "http.client",
    "multiprocessing",
    "statistics",
    "unittest",
    "urllib.request",
]


def run(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_public_names_exist():
    assert len(set(minigan.__all__)) == len(minigan.__all__)
    assert {
        n for n in minigan.__all__ if isinstance(getattr(minigan, n), types.ModuleType)
    } == PACKAGES
    assert set(minigan.__all__) >= {
        *minigan.ops.__all__,
        "Tensor",
        "grad",
        "no_grad",
        "manual_seed",
        "tanh",
        "zeros",
        "float32",
    }
    assert set(minigan.__all__) <= set(dir(minigan))


def test_nothing_public_by_accident():
    """No NumPy, no decorators, no module of a package at the top level."""
    for module in (minigan, minigan.ops):
        public = {n for n in vars(module) if not n.startswith("_")} - {"TYPE_CHECKING"} - PLACES
        public -= {"systems", "live"}  # another test may have imported them
        if module is minigan.ops:
            public -= {n for n in public if isinstance(vars(module)[n], types.ModuleType)} | {
                "install"
            }
        assert public <= set(module.__all__), sorted(public - set(module.__all__))


@pytest.mark.parametrize("name", ["data", "gan", "metrics", "training", "viz"])
def test_packages_for_training_come_when_they_are_used(name):
    assert (
        run(f"import sys, minigan; print('minigan.{name}' in sys.modules, minigan.{name}.__name__)")
        == f"False minigan.{name}"
    )


def test_star_import():
    assert (
        run("from minigan import *; print(gan.__name__, tanh.__name__, data.__name__)")
        == "minigan.gan tanh minigan.data"
    )


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'minigan' has no attribute 'tahn'"):
        minigan.tahn  # noqa: B018
    assert not hasattr(minigan, "__wrapped__")


def test_import_loads_no_heavy_modules():
    """Beyond what NumPy loads by itself."""
    code = (
        f"import sys, numpy; before = set(sys.modules); import minigan; print(set({HEAVY}) & "
        "(set(sys.modules) - before))"
    )
    assert run(code) == "set()"


# Functions of a Tensor that are no methods, as in torch; and families without a method.
FUNCTIONS = set(
    """
    alpha_dropout bucketize celu channel_shuffle combinations dropout elu feature_alpha_dropout
    feature_dropout gelu getitem glu gumbel_softmax hardsigmoid hardswish hardtanh identity
    leaky_relu linear local_response_norm logsigmoid mish pdist rand_like randint_like randn_like
    rms_norm rrelu rsub selu silu softshrink std_mean sum_to tanhshrink threshold vander var_mean
    """.split()
)
LAYERS = {"convolution", "creation", "dtypes", "group_normalization", "normalization"}


def test_methods_are_the_functions_of_a_tensor():
    """A public op whose first argument is a Tensor is a method, unless torch has none."""
    missing = set()
    for name in minigan.ops.__all__:
        op = getattr(minigan.ops, name)
        if (
            inspect.isfunction(op)
            and not LAYERS & set(op.__module__.split("."))
            and not hasattr(minigan.Tensor, name)
        ):
            if inspect.unwrap(op).__code__.co_varnames[:1] in (("input",), ("x",), ("A",)):
                missing.add(name)
    assert missing <= FUNCTIONS, (
        f"public, but no method (minigan/ops/methods.py): {sorted(missing - FUNCTIONS)}"
    )
    assert not {
        name
        for name in FUNCTIONS
        if hasattr(minigan.Tensor, name) or name not in minigan.ops.__all__
    } - {"gumbel_softmax"}
    assert minigan.Tensor.hypot is minigan.hypot and minigan.Tensor.det is minigan.det
