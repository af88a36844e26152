"""Python's operators as methods of Tensor."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

import numpy as np

from ..arrays import is_array
from ..autograd._types import Operand
from ..autograd.attributes import attach
from ..engine.tensor import Tensor, raw
from . import arithmetic, bits, elementary, indexing, product

P = ParamSpec("P")


def reflected(function: Callable[..., Tensor]) -> Callable[[Tensor, Operand], Tensor]:
    """The operator that Python calls where only the right operand is a Tensor: 2 - x."""
    return lambda x, y: function(y, x)


def comparison(
    function: Callable[Concatenate[Tensor, P], Tensor],
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """Of a Tensor with something that is no number Python decides, as for other objects: x == None
    is False."""

    @functools.wraps(function)
    def compare(self, other):
        if isinstance(other, (Tensor, int, float, np.generic)) or is_array(other):
            return function(self, other)
        return NotImplemented

    return compare


@attach
class Operators:
    __add__ = arithmetic.add
    __sub__ = arithmetic.sub
    __mul__ = arithmetic.mul
    __truediv__ = arithmetic._div
    __pow__ = arithmetic.pow
    __matmul__ = product.matmul
    __mod__ = arithmetic.remainder
    __floordiv__ = arithmetic.floor_divide
    __lshift__ = bits.bitwise_left_shift
    __rshift__ = bits.bitwise_right_shift
    __radd__ = reflected(arithmetic.add)
    __rsub__ = reflected(arithmetic.sub)
    __rmul__ = reflected(arithmetic.mul)
    __rtruediv__ = reflected(arithmetic._div)
    __rpow__ = reflected(arithmetic.pow)
    __rmatmul__ = reflected(product.matmul)
    __rmod__ = reflected(arithmetic.remainder)
    __rfloordiv__ = reflected(arithmetic.floor_divide)
    __rlshift__ = reflected(bits.bitwise_left_shift)
    __rrshift__ = reflected(bits.bitwise_right_shift)
    __and__ = __rand__ = bits.bitwise_and
    __or__ = __ror__ = bits.bitwise_or
    __xor__ = __rxor__ = bits.bitwise_xor
    __invert__ = bits.bitwise_not
    __neg__ = arithmetic.neg
    __abs__ = elementary.abs
    __eq__ = comparison(arithmetic.eq)
    __ne__ = comparison(arithmetic.ne)
    __lt__ = comparison(arithmetic.lt)
    __le__ = comparison(arithmetic.le)
    __gt__ = comparison(arithmetic.gt)
    __ge__ = comparison(arithmetic.ge)
    __getitem__ = indexing.getitem

    def __pos__(self) -> Tensor:
        return self

    def __contains__(self, element: object) -> bool:
        """Is an element equal to a number (or a Tensor)?"""
        if isinstance(element, (Tensor, int, float, np.generic)):
            return bool(raw(self == element).any())
        raise TypeError(
            f"`in` a Tensor: expected a number or a Tensor, got {type(element).__name__}"
        )
