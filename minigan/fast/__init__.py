"""The fast path: kernels and machinery that may be deleted. Importing it puts them in their places."""

from ..arrays import seam
from .cuda import philox as philox
from . import linear_activation as fused
from .cpu import normalization_kernels as normalization_kernels
from .cpu import convolution as cpu
from .cuda import convolution as cuda
from . import deferred as deferred
from . import updates as updates
from .cpu import random as random

seam.waiting["minigan.nn"] = [f"{__name__}.fusion"]
seam.waiting["minigan.data.batches"] = [f"{__name__}.batches"]
