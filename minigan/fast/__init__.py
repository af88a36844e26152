"""The fast path: kernels and machinery that may be deleted. Importing it puts them in their places."""

from ..backend import seam
from ..backend.cuda import philox as philox
from ..ops import fused as fused
from ..ops import normalization_kernels as normalization_kernels
from ..ops.convolution import cpu as cpu
from ..ops.convolution import cuda as cuda
from . import deferred as deferred
from . import updates as updates
from .cpu import random as random

seam.waiting["minigan.nn"] = [f"{__name__}.fusion"]
seam.waiting["minigan.data.batches"] = [f"{__name__}.batches"]
