"""Op cards by family. Their names, arguments and defaults are torch's; they are functions of
Tensors, or of bare arrays.

`methods` puts them on Tensor.
"""

import sys
from typing import TYPE_CHECKING

from ..engine.primitives import identity as identity, sum_to as sum_to
from .activation import *
from .angles import *
from .arithmetic import *
from .arrange import *
from .bits import *
from .compose import *
from .contraction import *
from .convolution import *
from .creation import *
from .decompositions import *
from .dropout import *
from .dtypes import *
from .elementary import *
from .extremes import *
from .group_normalization import *
from .indexing import *
from .joining import *
from .linear_algebra import *
from .matrices import *
from . import methods as methods
from .normalization import *
from .placement import *
from .product import *
from .quantiles import *
from .reduction import *
from .running import *
from .sampling import *
from .scattering import *
from .shape import *
from .softmax import *
from .sorting import *
from .special import *
from .thresholds import *

if not TYPE_CHECKING:  # checkers read the imports above
    _FAMILIES = """
        activation angles arithmetic arrange bits compose contraction convolution creation
        decompositions dropout dtypes elementary extremes group_normalization indexing joining
        linear_algebra matrices normalization placement product quantiles reduction running sampling
        scattering shape softmax sorting special thresholds
    """
    __all__ = ["identity", "sum_to"]
    for _family in _FAMILIES.split():
        __all__ += sys.modules[f"{__name__}.{_family}"].__all__
