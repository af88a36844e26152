"""Convolution in 1, 2 and 3 dimensions, its transpose, and the gradient for its weight."""

from .cards import *
from .cards import __all__ as __all__
