"""Op cards by family. Their names, arguments and defaults are torch's; they are functions of Tensors, or of bare arrays.

A card is a class where it is written and a function where it is used, which type checkers do not understand: each family
with cards has a stub of the same name (.pyi) with the signatures. A test holds the two together.
"""

from typing import TYPE_CHECKING

from ..autograd.primitives import identity as identity, sum_to as sum_to
from . import (
    activation,
    angles,
    arithmetic,
    arrange,
    bits,
    compose,
    contraction,
    convolution,
    creation,
    decompositions,
    dtypes,
    elementary,
    extremes,
    group_normalization,
    indexing,
    linear_algebra,
    matrices,
    normalization,
    placement,
    product,
    quantiles,
    reduction,
    running,
    sampling,
    shape,
    sorting,
    special,
    thresholds,
)
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
from .dtypes import *
from .elementary import *
from .extremes import *
from .group_normalization import *
from .indexing import *
from .linear_algebra import *
from .matrices import *
from .methods import install
from .normalization import *
from .placement import *
from .product import *
from .quantiles import *
from .reduction import *
from .running import *
from .sampling import *
from .shape import *
from .sorting import *
from .special import *
from .thresholds import *

if not TYPE_CHECKING:  # checkers read the imports above
    __all__ = ["identity", "sum_to"]
    for _family in (
        activation, angles, arithmetic, arrange, bits, compose, contraction, convolution, creation,
        decompositions, dtypes, elementary, extremes, group_normalization, indexing,
        linear_algebra, matrices, normalization, placement, product, quantiles, reduction, running,
        sampling, shape, sorting, special, thresholds,
    ):  # fmt: skip
        __all__ += _family.__all__

install()
