"""The fast path: kernels and machinery that may be deleted. Importing it puts them in their places."""

from ..backend import seam
from ..backend.cuda import philox as philox
from . import deferred as deferred
from . import updates as updates
from .cpu import random as random

seam.waiting["minigan.nn"] = [f"{__name__}.fusion"]
seam.waiting["minigan.data.batches"] = [f"{__name__}.batches"]
