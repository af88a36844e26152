"""The types of arguments, as signatures name them."""

from collections.abc import Sequence
from types import EllipsisType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..arrays import device
from ..engine.tensor import Tensor

# the other argument of an op: numbers and arrays are constants
Operand: TypeAlias = Tensor | np.ndarray | np.generic | float
Ints: TypeAlias = int | Sequence[int]  # sizes or dimensions, as f(2, 3) and f((2, 3))
Shape: TypeAlias = int | Sequence[int]
Dims: TypeAlias = int | Sequence[int] | None
DType: TypeAlias = npt.DTypeLike | None
Place: TypeAlias = device | str | int | None
_Index: TypeAlias = (
    int
    | slice
    | EllipsisType
    | None
    | Tensor
    | np.ndarray
    | np.generic
    | Sequence[int]
    | Sequence[bool]
)
Index: TypeAlias = _Index | tuple[_Index, ...]
