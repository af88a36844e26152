"""In which order results lie in memory once dimensions have been exchanged.

As in torch, those of elementwise ops lie as their arguments do. Nobody would notice but those who
ask for strides, and those who write into `reshape(...)` of such a result: of `x.t() * 2` it is a
copy.
"""

import numpy as np

from ..arrays import array_module, seam
from ..engine.tensor import Tensor

__all__: list[str] = []  # no ops

ELEMENTWISE = set(
    "add sub mul div neg pow maximum minimum where clamp eq ne lt le gt ge logical_and logical_or "
    "logical_not isfinite isnan floor trunc round remainder abs sign square sqrt rsqrt reciprocal "
    "exp expm1 "
    "log log1p sin cos erf tanh tanh_grad sigmoid softplus relu leaky_relu leaky_relu_grad elu "
    "gelu silu hardtanh prelu nan_to_num bitwise_and bitwise_or bitwise_xor bitwise_not isclose "
    "masked_scale clone bitwise_left_shift bitwise_right_shift convert flip put".split()
)


def keep_strides(name, inputs, result):
    """Lay a new result out as torch does, if one of the arguments lies in an order of its own."""
    if name not in ELEMENTWISE:
        return
    given = [x for x in inputs if isinstance(x, Tensor)]
    if all(x.array.flags.c_contiguous or not hasattr(x, "_base") for x in given):
        return
    order = _order(result.array.shape, [_strides(x, result.array.ndim) for x in given])
    if not result.array.transpose(order).flags.c_contiguous:
        result.array = seam.execute(_laid_out, result.array, order)
    if not result.array.flags.c_contiguous:
        result._base = None  # the order is to be seen


def _strides(x, ndim):
    """The strides of an argument as torch has them, 0 where it is broadcast."""
    array = x.array
    visible = array.flags.c_contiguous or hasattr(x, "_base")
    strides = array.strides if visible else np.empty(array.shape, np.bool_).strides
    strides = [0 if n == 1 else step for n, step in zip(array.shape, strides)]
    return [0] * (ndim - len(strides)) + strides


def _order(shape, operands):
    """The dimensions from the slowest to the fastest.

    Of two, the one with the larger stride in the first argument that tells is the slower. Sorted by
    insertion as in torch, for not every two can be compared.
    """

    def compared(a, b):
        for strides in operands:
            if strides[a] and strides[b]:
                if strides[a] != strides[b]:
                    return strides[a] - strides[b]
                if shape[a] > shape[b]:
                    return 1
        return 0

    order = list(range(len(shape)))[::-1]  # from the fastest
    for i in range(1, len(order)):
        at = i
        for j in range(i - 1, -1, -1):
            difference = compared(order[j], order[at])
            if difference > 0:
                order[j], order[at] = order[at], order[j]
                at = j
            elif difference < 0:
                break
    return tuple(order[::-1])


def _laid_out(array, order):
    """A copy whose dimensions lie in memory from the slowest to the fastest in this order."""
    out = array_module(array).empty([array.shape[d] for d in order], array.dtype)
    out[...] = array.transpose(order)
    return out.transpose(sorted(range(len(order)), key=order.__getitem__))
