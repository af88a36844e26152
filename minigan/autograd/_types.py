"""The types of arguments, as signatures name them."""

from collections.abc import Sequence
from types import EllipsisType

import numpy as np
import numpy.typing as npt

from ..arrays import device
from ..engine.tensor import Tensor

Operand = Tensor | np.ndarray | np.generic | float  # the other argument of an op: numbers and arrays are constants
Ints = int | Sequence[int]  # sizes or dimensions, as f(2, 3) and f((2, 3))
Shape = int | Sequence[int]
Dims = int | Sequence[int] | None
DType = npt.DTypeLike | None
Place = device | str | int | None
_Index = int | slice | EllipsisType | None | Tensor | np.ndarray | np.generic | Sequence[int] | Sequence[bool]
Index = _Index | tuple[_Index, ...]
