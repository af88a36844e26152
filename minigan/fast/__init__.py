"""The fast path: kernels and machinery, all of which may be deleted. Importing it puts them in their places.

cpu/ : kernels for NumPy's arrays, threads, products;  cuda/ : kernels for CuPy's;  replay/ : a step as a program or a graph.
"""

from ..arrays import seam
from .cpu.blas import tame_blas
from .cpu.memory import keep_freed_memory

keep_freed_memory()
tame_blas()

from . import table as table  # noqa: E402

seam.waiting["minigan.nn"] = [f"{__name__}.fusion"]
seam.waiting["minigan.data.batches"] = [f"{__name__}.batches"]
seam.waiting["minigan.training.run"] = [f"{__name__}.replay.rounds"]
