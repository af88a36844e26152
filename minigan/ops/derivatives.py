"""Derivatives of functions: `jacobian`, `hessian` and products with them, under
torch.autograd.functional's names.

A function takes a Tensor, or several as arguments, and gives a Tensor or a tuple. Where `inputs`
or the result is one Tensor, what is asked for is one, too; else a tuple. `create_graph` makes the
results differentiable, with respect to whatever requires a gradient; else they are constants.
`strict` makes it an error if a result does not depend on an input, whose derivative is 0 else.
"""

from collections.abc import Callable
from typing import Any

from ..autograd import Tensor, grad
from ..engine.grad_mode import enable_grad, is_grad_enabled
from .joining import stack

__all__: list[str] = []  # torch has them in torch.autograd.functional only


def tracked(x: Tensor) -> Tensor:
    """x as something to differentiate by: on the tape behind it, or a leaf of the same memory."""
    return x.view_as(x) if x.requires_grad and is_grad_enabled() else x.detach().requires_grad_()


@enable_grad()
def gradients(
    outputs: Any, inputs: Any, cotangents: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """sum of output * cotangent, differentiated by each input: zeros for those it does not depend
    on."""
    depend = [y.requires_grad for y in outputs]
    if strict and not all(depend):
        raise RuntimeError(f"output {depend.index(False)} does not depend on the inputs")
    kept = [y for y, d in zip(outputs, depend) if d]
    if not kept:
        return tuple(x.new_zeros(x.shape) for x in inputs)
    if cotangents is not None:
        cotangents = [v for v, d in zip(cotangents, depend) if d]
    return grad(
        kept, inputs, cotangents, True, create_graph, allow_unused=not strict,
        materialize_grads=not strict,
    )  # fmt: skip


@enable_grad()
def rows(output: Tensor, inputs: Any, create_graph: bool, strict: bool = False) -> tuple[Any, ...]:
    """The Jacobian of an output by each input, (*output.shape, *input.shape): a gradient for each
    element of the output."""
    found = [
        gradients([y], inputs, None, create_graph, strict) for y in output.reshape(-1).unbind()
    ]
    if not found:
        return tuple(x.new_zeros((*output.shape, *x.shape)) for x in inputs)
    return tuple(stack(by).reshape((*output.shape, *x.shape)) for by, x in zip(zip(*found), inputs))


@enable_grad()
def pushed(outputs: Any, inputs: Any, tangents: Any, create_graph: bool) -> tuple[Tensor, ...]:
    """The Jacobian of each output times the tangents: the gradient of w -> J^T w, times them."""
    weights = [y.new_zeros(y.shape).requires_grad_() for y in outputs]
    back = gradients(outputs, inputs, weights, True)
    return gradients(back, weights, tangents, create_graph)


def _several(x):
    return (x,) if isinstance(x, Tensor) else tuple(x)


def _like(asked, results):
    """One result where one Tensor was asked about."""
    return results[0] if isinstance(asked, Tensor) else tuple(results)


def _called(func, inputs):
    """(inputs to differentiate by, what func gave, as it is and as a tuple)"""
    tensors = [tracked(x) for x in _several(inputs)]
    with enable_grad():
        made = func(*tensors)
    return tensors, made, _several(made)


def _given(v, like, what):
    """The vector of a product; ones for one element."""
    if v is None:
        if len(like) > 1 or like[0].numel() != 1:
            raise RuntimeError(f"v may be omitted only where {what} is one element")
        return (like[0].new_ones(like[0].shape),)
    v = _several(v)
    if [tuple(x.shape) for x in v] != [tuple(x.shape) for x in like]:
        raise RuntimeError(
            f"v has shapes {[tuple(x.shape) for x in v]}, {what} "
            f"{[tuple(x.shape) for x in like]}: they must be the same"
        )
    return v


def _constant(tree, create_graph):
    """Results without their places on the tape, unless they are to be differentiated."""
    if create_graph:
        return tree
    return (
        tree.detach()
        if isinstance(tree, Tensor)
        else tuple(_constant(x, create_graph) for x in tree)
    )


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """d(func(*inputs))_i / d(inputs)_j: (*output.shape, *input.shape). One backward pass for each
    element of the output (`vectorize`, `strategy`: without effect).

    For several outputs and inputs: a tuple for each output of one for each input.
    """
    tensors, made, outputs = _called(func, inputs)
    found = [_like(inputs, rows(y, tensors, create_graph, strict)) for y in outputs]
    return _constant(_like(made, found), create_graph)


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The second derivatives of a function that gives one element: (*input.shape, *input.shape);
    for several inputs a tuple of tuples."""
    tensors, made, outputs = _called(func, inputs)
    _given(None, outputs, "the result")
    first = gradients(outputs, tensors, None, True, strict)
    found = [_like(inputs, rows(g, tensors, create_graph, strict)) for g in first]
    return _constant(_like(inputs, found), create_graph)


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """(func(*inputs), v^T J): what backward computes."""
    tensors, made, outputs = _called(func, inputs)
    weights = _given(v, outputs, "the result")
    found = gradients(outputs, tensors, weights, create_graph, strict)
    return _constant((made, _like(inputs, found)), create_graph)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """(func(*inputs), J v): how the result changes along v."""
    tensors, made, outputs = _called(func, inputs)
    tangents = _given(v, tensors, "the input")
    if strict:
        gradients(outputs, tensors, [y.new_zeros(y.shape) for y in outputs], False, True)
    found = pushed(outputs, tensors, tangents, create_graph)
    return _constant((made, _like(made, found)), create_graph)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """(func(*inputs), H v) for a function that gives one element: the gradient of its gradient
    along v."""
    tensors, made, outputs = _called(func, inputs)
    _given(None, outputs, "the result")
    v = _given(v, tensors, "the input")
    first = gradients(outputs, tensors, None, True, strict)
    found = gradients(first, tensors, v, create_graph, strict)
    return _constant((made, _like(inputs, found)), create_graph)


vhp = hvp  # H is symmetric
