"""The ops that the engine itself needs: broadcasting, its adjoint, and a copy-free identity."""

from ..backend import array_module, total
from .op import op


@op
class identity:
    """y = x, as an entry of its own on the tape.    dL/dx = dL/dy"""

    view = True

    def forward(x):
        return x

    def backward(g, need):
        return g


@op
class expand:
    """y = x repeated along new or length-1 dimensions up to `shape` (a view).    dL/dx = dL/dy summed over the copies"""

    saves = ("x.shape",)
    view = True

    def forward(x, shape):
        return array_module(x).broadcast_to(x, shape)

    def backward(g, need, shape):
        return sum_to(g, shape)


@op
class sum_to:
    """y = x summed over what broadcasting from `shape` would have repeated.    dL/dx = dL/dy expanded back"""

    saves = ("x.shape",)
    view = True

    def forward(x, shape):
        if x.shape == shape:
            return x
        extra = x.ndim - len(shape)
        if extra < 0:
            raise ValueError(f"a gradient of shape {x.shape} where {shape} was expected")
        axes = tuple(i for i in range(x.ndim) if i < extra or (shape[i - extra] == 1 and x.shape[i] != 1))
        return total(x, axes).reshape(shape)

    def backward(g, need, shape):
        return expand(g, shape)
