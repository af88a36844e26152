"""Every kernel's source compiles for GPUs (NVRTC) without one."""

import importlib
import pkgutil

import pytest

import minigan.fast.cuda.philox
import minigan.ops
from minigan.fast.cuda import SOURCES, elementwise, summed
from minigan.fast.cuda.elementwise import Elementwise, Summed
from minigan.fast.cuda.source import OPTIONS


def every_source():
    """All sources; those of translated formulas are made for the kinds of arguments that a first
    use would give."""
    for package in (minigan.ops, minigan.fast.cuda):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    from minigan.fast import updates
    from minigan.ops import update

    for name in update.__all__:
        step = getattr(update, name)
        for variant in updates.variants(step):
            updates.kernel(step, variant)
    return dict(SOURCES)


def translated():
    """All translated formulas of the cards and in the kernels' modules."""
    from minigan.autograd import OPS

    modules = [
        importlib.import_module(m.name)
        for m in pkgutil.walk_packages(minigan.fast.cuda.__path__, "minigan.fast.cuda.")
    ]
    everything = [
        *(f for m in modules for f in vars(m).values()),
        *(f for op in OPS.values() for f in op.card.kernels.values()),
    ]
    found = {f for f in everything if isinstance(f, (Elementwise, Summed))}
    return sorted(found, key=lambda f: f.__qualname__ + f.__module__)


def cubin(text, arch):
    nvrtc = pytest.importorskip(
        "cupy_backends.cuda.libs.nvrtc", reason="needs CuPy (pip install 'minigan[cuda13]')"
    )
    try:
        nvrtc.getVersion()
    except Exception as error:  # NVRTC's library is not there
        pytest.skip(f"needs NVRTC (pip install nvidia-cuda-nvrtc): {error}")
    program = nvrtc.createProgram(text, "kernel.cu", (), ())
    try:
        # the last CuPy adds to every compilation
        nvrtc.compileProgram(program, (f"-arch=sm_{arch}", *OPTIONS, "-ftz=true"))
        return nvrtc.getCUBIN(program)
    except nvrtc.NVRTCError:
        pytest.fail(nvrtc.getProgramLog(program)[:3000])
    finally:
        nvrtc.destroyProgram(program)


@pytest.mark.parametrize("arch", [80, 90])
def test_every_source_compiles(arch):
    sources = every_source()
    some = {"columns", "normalization", "convolution", "philox", "store", "bfloat16"}
    assert some <= sources.keys()
    for source in sources.values():
        for char in "fd":
            assert len(cubin(source.text(char), arch)) > 500


@pytest.mark.parametrize("arch", [80, 90])
def test_every_translated_formula_compiles(arch):
    formulas = translated()
    assert len(formulas) >= 15
    for f in formulas:
        names = f._formula.arguments[
            : -1 if f._formula.loops and isinstance(f, Elementwise) else None
        ]
        loops = f._formula.loops
        kinds = "".join(
            "a" if (n in f._formula.elements if loops else i == 0) else "n"
            for i, n in enumerate(names)
        )
        for char in "fd":
            assert len(cubin(f.source(kinds).text(char), arch)) > 500


def test_the_check_can_fail():
    with pytest.raises(pytest.fail.Exception, match="undefined"):
        cubin('extern "C" __global__ void k(float* x) { x[0] = nothing; }', 90)


def test_decorators_keep_the_function():
    def double(x):
        return x * 2

    assert elementwise(double).function is double and summed(double).__name__ == "double"
