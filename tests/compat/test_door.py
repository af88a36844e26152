"""torch's other names stay behind their door: what they add is added here, and nobody else leans on
it."""

import ast
import pathlib
import subprocess
import sys

import minigan
from minigan.compat import MODULES, NAMES, places

ROOT = pathlib.Path(__file__).parents[2]
# Beside tests/compat: mypy's user code, PyTorch programs for whoever has PyTorch, and what needs a
# GPU go with what they show.
BOTH = {"nn.utils.spectral_norm", "nn.utils.weight_norm"}  # names of the textbook, too
WITH_COMPAT = {"compat", "typing", "pytorch", "gpu", "test_namespace.py"}


def leaning(path):
    """Lines that name something of compat: minigan.cuda, `from minigan import FloatTensor`,
    minigan.nn.utils.parametrize."""
    names = {
        *MODULES,
        *NAMES,
        *places.MODULES,
        *places.PLACES,
        *(f"{m}.{n}" for m, names in places.ADDED.items() for n in names),
    }
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            found = [ast.unparse(node)]
        elif isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in found:
            root, _, rest = name.partition(".")
            if root == "minigan" and (
                rest in names - BOTH or rest.partition(".")[0] in (*MODULES, "compat")
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {name}"


def test_the_textbooks_tests_and_examples_do_not_lean_on_it():
    """With minigan/compat and tests/compat deleted, the others pass."""
    files = [
        p
        for p in (ROOT / "tests").rglob("*.py")
        if p.relative_to(ROOT / "tests").parts[0] not in WITH_COMPAT
    ]
    files += [*(ROOT / "examples").glob("*.py")]
    assert not (found := [line for path in files for line in leaning(path)]), "\n".join(found)


def test_the_check_can_fail():
    assert (
        len(list(leaning(pathlib.Path(__file__).parent / "vocabulary" / "test_first_lines.py"))) > 5
    )


def test_a_module_stands_in_two_places_and_is_one():
    import minigan.backends.cudnn
    import minigan.compat.backends.cudnn
    import minigan.compat.vision.transforms.v2.functional
    import minigan.vision.transforms.v2.functional as functional

    assert minigan.backends.cudnn is minigan.compat.backends.cudnn
    assert functional is minigan.compat.vision.transforms.v2.functional
    assert minigan.backends.cudnn.__spec__.name == "minigan.compat.backends.cudnn"


def run(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_names_are_added_whichever_way_a_package_comes():
    assert (
        run("from minigan.nn import *; print(DataParallel.__module__)") == "minigan.compat.parallel"
    )
    assert run("from minigan import nn; print(nn.DataParallel.__name__)") == "DataParallel"
    assert (
        run("import minigan.nn.modules; print(minigan.nn.modules.DataParallel.__name__)")
        == "DataParallel"
    )
    assert run("from minigan.autograd import *; print(Variable.__name__)") == "Variable"
    assert (
        run(
            "import minigan.gan, minigan; print(minigan.nn.modules.conv.Conv2d is "
            "minigan.nn.Conv2d)"
        )
        == "True"
    )
    assert run("import minigan.vision.datasets as d; print(d.MNIST.__name__)") == "MNIST"


def test_importing_loads_what_is_asked_for():
    """`import minigan` brings the table of places and the tensor types, not vision, loaders or
    settings."""
    code = (
        "import sys, minigan; print(sorted(m[15:] for m in sys.modules if "
        "m.startswith('minigan.compat.')))"
    )
    assert run(code) == "['places', 'tensor_types', 'variable']"


def test_a_tensor_that_names_nothing_private():
    assert not hasattr(minigan.ones(1), "_nothing")
