"""Functions of functions, under torch.func's names: their derivatives, `vmap`, and modules as
functions of their parameters (`functional_call`).

    per_sample = vmap(grad(loss), in_dims=(None, 0))(parameters, images)

Arguments and results are Tensors, and dicts, lists and tuples of them. A derivative can be
differentiated again, by another of these functions or by `backward`, wherever something that it
depends on requires a gradient; else it is a constant.
"""

import functools
from collections.abc import Callable
from typing import Any

from .autograd import Tensor, enable_grad, is_grad_enabled
from .engine.trees import TREES, mapped, tensors
from .nn.stateless import functional_call
from .ops.derivatives import gradients, pushed, rows, tracked
from .ops.joining import stack

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp",
    "vmap",
]  # fmt: skip


def _filled(tree, values):
    """The tree with other Tensors, in order."""
    values = iter(values)
    return mapped(lambda x: next(values) if isinstance(x, Tensor) else x, tree)


# --- derivatives ---


def _chosen(args, argnums):
    """(the arguments to differentiate by, all arguments with these tracked)"""
    numbers = (argnums,) if isinstance(argnums, int) else argnums
    args = list(args)
    for i in numbers:
        args[i] = mapped(lambda x: tracked(x) if isinstance(x, Tensor) else x, args[i])
    chosen = args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in numbers)
    return chosen, args


def _led_from_elsewhere(outputs, own):
    """Does a gradient of the outputs lead to anything but these leaves?"""
    if not is_grad_enabled():
        return False
    mine = {id(x) for x in own if x.is_leaf}
    edges, seen = [y._node or y for y in outputs if y.requires_grad], set()
    while edges:
        edge = edges.pop()
        if isinstance(edge, Tensor):
            if id(edge) not in mine:
                return True
        elif edge not in seen:
            seen.add(edge)
            edges += [e for e in edge.edges if e is not None]
    return False


def _settled(tree, again):
    """A result without its place on the tape, unless it is to be differentiated again."""
    return tree if again else mapped(lambda x: x.detach() if isinstance(x, Tensor) else x, tree)


def _called(func, args, kwargs, has_aux):
    with enable_grad():
        made = func(*args, **kwargs)
    return made if has_aux else (made, None)


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives (gradient, value) of one that gives one element.

    argnums : by which argument, or by which ones (then a tuple)
    has_aux : func gives (value, something); then the result is (gradient, (value, something))
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        chosen, args = _chosen(args, argnums)
        value, aux = _called(func, args, kwargs, has_aux)
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise RuntimeError(
                "grad: the function must give one element, got "
                + (f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value))
            )
        own = tensors(chosen)
        again = _led_from_elsewhere([value], own)
        found = _filled(chosen, gradients([value], own, None, again))
        value, aux = _settled(value, again), _settled(aux, again)
        return found, (value, aux) if has_aux else value

    return wrapper


def grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives the gradient of one that gives one element; arguments as for
    `grad_and_value`.

    has_aux : func gives (value, something); then the result is (gradient, something)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(func(*primals), a function that takes v, of the form of that, and gives v^T J as a tuple of
    one for each primal); has_aux: and what func gave besides."""
    chosen, args = _chosen(primals, tuple(range(len(primals))))
    value, aux = _called(func, args, {}, has_aux)
    own, outputs = tensors(chosen), tensors(value)
    again = _led_from_elsewhere(outputs, own)

    def pulled(cotangents):
        return _filled(chosen, gradients(outputs, own, tensors(cotangents), again))

    value = _settled(value, again)
    return (value, pulled, _settled(aux, again)) if has_aux else (value, pulled)


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False,
    has_aux: bool = False,
) -> Any:  # fmt: skip
    """(func(*primals), J tangents): how the results change along the tangents, by two backward
    passes; has_aux: and what func gave besides."""
    chosen, args = _chosen(primals, tuple(range(len(primals))))
    value, aux = _called(func, args, {}, has_aux)
    own, outputs = tensors(chosen), tensors(value)
    again = _led_from_elsewhere(outputs, own)
    found = _filled(value, pushed(outputs, own, tensors(tangents), again))
    value = _settled(value, again)
    return (value, found, _settled(aux, again)) if has_aux else (value, found)


def jacrev(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The function that gives the Jacobian of `func`, (*output.shape, *input.shape), by a backward
    pass for each element of the output."""

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        chosen, args = _chosen(args, argnums)
        value, aux = _called(func, args, kwargs, has_aux)
        own = tensors(chosen)
        again = _led_from_elsewhere(tensors(value), own)
        found = mapped(lambda y: _filled(chosen, rows(y, own, again)), value)
        return (found, _settled(aux, again)) if has_aux else found

    return wrapper


def jacfwd(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *,
    chunk_size: int | None = None, randomness: str = "error",
) -> Callable[..., Any]:  # fmt: skip
    """As `jacrev`: there is no forward mode."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The function that gives the second derivatives of one that gives one element."""
    return jacrev(jacrev(func, argnums), argnums)


# --- over a dimension ---


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The function that calls `func` for each index of a dimension of its arguments and stacks the
    results: a loop, which takes a loop's time.

    in_dims : which dimension, for all arguments, or a tuple of one for each (None: this argument is
        the same in all calls); for an argument that is a tree also a tree
    out_dims : where the results lie, for all, or a tree of their form
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        dims = in_dims if isinstance(in_dims, (list, tuple)) else (in_dims,) * len(args)
        if len(dims) != len(args):
            raise ValueError(f"vmap: in_dims has {len(dims)} entries for {len(args)} arguments")
        sizes = {n for a, d in zip(args, dims) for n in _sizes(a, d)}
        if len(sizes) != 1:
            raise ValueError(
                "vmap: expected arguments of one size in the dimensions that in_dims names, got "
                f"{sorted(sizes) or 'none'}"
            )
        results = [
            func(*(_picked(a, d, i) for a, d in zip(args, dims)), **kwargs)
            for i in range(sizes.pop())
        ]
        return _stacked(results, out_dims)

    return wrapper


def _sizes(tree, dim):
    if isinstance(tree, Tensor):
        return [] if dim is None else [tree.shape[dim]]
    return [n for part, d in _with_dims(tree, dim) for n in _sizes(part, d)]


def _picked(tree, dim, i):
    """Index i of a dimension of each Tensor."""
    if isinstance(tree, Tensor):
        return tree if dim is None else tree.select(dim, i)
    if not isinstance(tree, TREES):
        return tree
    parts = [_picked(part, d, i) for part, d in _with_dims(tree, dim)]
    return dict(zip(tree, parts)) if isinstance(tree, dict) else type(tree)(parts)


def _with_dims(tree, dim):
    """The parts of a tree with their dimensions."""
    if not isinstance(tree, TREES):
        return []
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    return [(tree[k], dim[k] if isinstance(dim, TREES) else dim) for k in keys]


def _stacked(results, dims):
    first = results[0]
    if isinstance(first, dict):
        at = lambda k: dims[k] if isinstance(dims, dict) else dims
        return {k: _stacked([r[k] for r in results], at(k)) for k in first}
    if isinstance(first, (list, tuple)):
        at = lambda k: dims[k] if isinstance(dims, (list, tuple)) else dims
        return type(first)(_stacked([r[k] for r in results], at(k)) for k in range(len(first)))
    if not isinstance(first, Tensor):
        raise TypeError(f"vmap: the function must give Tensors, got {type(first).__name__}")
    return stack(results, dims)
