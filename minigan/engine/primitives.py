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
    repeated = [i for i, (n, m) in enumerate(zip(x.shape[extra:], shape), extra) if n != m]
    if extra < 0 or any(shape[i - extra] != 1 for i in repeated):
        return _without_ones(x, shape)
    return total(x, (*range(extra), *repeated)).reshape(shape)


def _without_ones(x, shape):
    """x in `shape`, if they differ in dimensions of size 1 only: a Tensor may be given such ones,
    or lose them, after it was used (`squeeze_` under no_grad)."""
    if [n for n in x.shape if n != 1] != [n for n in shape if n != 1]:
        raise ValueError(f"a gradient of shape {x.shape} where {shape} was expected")
    return x.reshape(shape)


@sum_to.backward
def _(g, need, shape):
    if g.ndim > len(shape) or any(n not in (1, m) for n, m in zip(g.shape[::-1], shape[::-1])):
        return g.reshape(shape)
    return expand(g, shape)
