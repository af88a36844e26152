"""The fast path: kernels and machinery, all of which may be deleted. Importing it puts them in
their places.

cpu/ : kernels for NumPy's arrays, threads, products
cuda/ : kernels for CuPy's
replay/ : a step as a program or a graph
"""

import importlib
import sys
from importlib.machinery import PathFinder

from .cpu.blas import tame_blas
from .cpu.memory import keep_freed_memory

keep_freed_memory()
tame_blas()

from . import table as table  # noqa: E402

# part of minigan -> the modules here that put themselves in place once that part is complete
AFTER = {
    "minigan.nn": ["fusion"],
    "minigan.nn.summary": ["outline"],
    "minigan.data.batches": ["batches"],
    "minigan.training.run": ["replay.rounds", "cpu.ahead"],
}


class _Finder:
    """Asked first: lets a part be imported as ever, and what speeds it up right after. So the part
    knows nothing of it."""

    def find_spec(self, name, path, target=None):
        modules = AFTER.pop(name, None)
        if modules is None:
            return None
        spec = PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def execute_both(part):
            execute(part)
            for module in modules:
                importlib.import_module(f"{__name__}.{module}")

        spec.loader.exec_module = execute_both
        return spec


sys.meta_path.insert(0, _Finder())
