"""The ops that the engine itself needs: broadcasting, its adjoint, and a copy-free identity."""

from ..arrays import array_module, total
from .op import op
from .tensor import Tensor, writable


@op(view=True)
def identity(x: Tensor) -> Tensor:
    """y = x, as an entry of its own on the tape.    dL/dx = dL/dy"""
    return x


@identity.backward
def _(g, need):
    return g


@op(view=True)
def cut(x: Tensor) -> Tensor:
    """y = x, where the tape ends: stands for a view that was made under no_grad.
    dL/dx is lost"""
    return x


@cut.backward
def _(g, need):
    return ()


@op(saves=("x.shape",), view=True)
def expand(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """y = x repeated along new or length-1 dimensions up to `shape` (a view).
    dL/dx = dL/dy summed over the copies"""
    return writable(array_module(x).broadcast_to(x, shape), x)


@expand.backward
def _(g, need, shape):
    return sum_to(g, shape)


@op(saves=("x.shape",), view=True)
def sum_to(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """y = x summed over what broadcasting from `shape` would have repeated.
    dL/dx = dL/dy expanded back"""
    if x.shape == shape:
        return x
    extra = x.ndim - len(shape)
    if extra < 0:
        raise ValueError(f"a gradient of shape {x.shape} where {shape} was expected")
    axes = tuple(
        i for i in range(x.ndim) if i < extra or (shape[i - extra] == 1 and x.shape[i] != 1)
    )
    return total(x, axes).reshape(shape)


@sum_to.backward
def _(g, need, shape):
    return expand(g, shape)
