"""The backward pass: walk the tape from the results to what they were made of, newest entry first.

`backward` leaves gradients on the leaves, `grad` returns those of chosen tensors. Both are `_walk`,
a loop over the entries sorted by creation number: a chain of any length needs no recursion, and an
entry is met after all that use its result.

Gradients are bare arrays in a local dict, freed as the walk passes. With `create_graph=True` they
are Tensors instead: the same rules then record what they do, and the gradients can be
differentiated again.
"""

from collections.abc import Sequence
from operator import attrgetter, iadd
from typing import Any

import numpy as np

from ..arrays import array_module, seam
from ..arrays.device import on_gpu
from ..messages import backward as problems
from .grad_mode import mode, set_grad_enabled
from .primitives import sum_to
from .tape import Node, entry
from .tensor import Tensor, fresh, raw, refresh_views, row_major, tensor_of
from .zero import Zero

_number = attrgetter("number")
ndarray = np.ndarray

# Whom the walk tells (minigan.autograd.hooks). HOOKS: id of a leaf or tape entry -> a function of
# (gradient, create_graph), which gives the gradient that flows on. AFTERWARDS: id of a leaf -> a
# function of it, called when the gradient is in `.grad`. While they are empty they cost nothing.
HOOKS: dict[int, Any] = {}
AFTERWARDS: dict[int, Any] = {}


def backward(
    tensors: "Tensor | Sequence[Tensor]", grad_tensors: "Tensor | Sequence[Tensor] | None" = None,
    retain_graph: bool | None = None, create_graph: bool = False,
    grad_variables: "Tensor | Sequence[Tensor] | None" = None,
    inputs: "Tensor | Sequence[Tensor] | None" = None,
) -> None:  # fmt: skip
    """Accumulate the gradients of `tensors` into `.grad` of the leaves.

    tensors : Tensor or sequence of Tensors
    grad_tensors : dL/d(tensor) for each; None only for tensors of one element (then 1).
        grad_variables is its old name
    retain_graph : keep the saved values for another pass (default: the value of create_graph)
    create_graph : record the computation of the gradients, so that they can be differentiated
    inputs : only these leaves receive a gradient (default: every leaf that requires one)
    """
    tensors = _sequence(tensors)
    if inputs is not None and not all(x.is_leaf for x in _sequence(inputs)):
        raise ValueError(
            "backward(inputs=...): only leaves receive a .grad; for the result of an op use "
            "minigan.grad"
        )
    seeds = _seeds(tensors, grad_variables if grad_tensors is None else grad_tensors, create_graph)
    ends = None if inputs is None else _sequence(inputs)
    found = _walk(tensors, seeds, ends, create_graph, retain_graph)
    for leaf, gradient in found.items():
        if not isinstance(leaf, Tensor) or not leaf._wanted:
            continue
        if leaf.grad is None:
            leaf.grad = gradient.clone() if create_graph else fresh(gradient)
        elif create_graph:
            leaf.grad = leaf.grad + gradient
        else:
            with set_grad_enabled(False):
                leaf.grad.add_(gradient)
        if AFTERWARDS and id(leaf) in AFTERWARDS:
            AFTERWARDS[id(leaf)](leaf)


def grad(
    outputs: "Tensor | Sequence[Tensor]", inputs: "Tensor | Sequence[Tensor]",
    grad_outputs: "Tensor | Sequence[Tensor] | None" = None, retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True, allow_unused: bool | None = None, is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> "tuple[Tensor, ...]":  # fmt: skip
    """The gradients of `outputs` with respect to `inputs`, as a tuple of Tensors; no `.grad` is
    touched.

    Nothing is computed that these gradients do not need. Arguments as in `torch.autograd.grad`:

    outputs, inputs : Tensor or sequence of Tensors
    grad_outputs : dL/d(output) for each output; None only for outputs of one element (then 1)
    retain_graph : keep the saved values for another pass (default: the value of create_graph)
    create_graph : make the gradients themselves differentiable
    allow_unused : give None for an input that the outputs do not depend on, instead of raising
        (default False)
    materialize_grads : give zeros for it
    """
    if is_grads_batched:
        raise NotImplementedError("grad(is_grads_batched=True): call grad once per row instead")
    outputs, inputs = _sequence(outputs), _sequence(inputs)
    problems.check_inputs(inputs)
    seeds = _seeds(outputs, grad_outputs, create_graph)
    found = _walk(outputs, seeds, inputs, create_graph, retain_graph)
    gradients = [found.get(_edge(x)) for x in inputs]
    for i, (x, g) in enumerate(zip(inputs, gradients)):
        if g is None and materialize_grads:
            zeros = array_module(x.array).zeros_like(x.array)
            gradients[i] = tensor_of(zeros) if create_graph else zeros
        elif g is not None and g.shape != x.array.shape:  # it was given another one unrecorded
            gradients[i] = g.reshape(x.array.shape)
        elif g is None and not allow_unused:
            raise problems.unused(i, x)
    return tuple(g if g is None or create_graph else fresh(g) for g in gradients)


def _sequence(x):
    x = (x,) if isinstance(x, Tensor) else tuple(x)
    for i, t in enumerate(x):
        if not isinstance(t, Tensor):
            raise TypeError(f"expected Tensors, item {i} is {type(t).__name__}")
    if refresh_views:
        refresh_views[0](x)
    return x


def _edge(tensor):
    """What stands for a Tensor in the graph: the Node that made it, or for a leaf itself."""
    return tensor._node or tensor


def _seeds(tensors, gradients, create_graph):
    gradients = [None] * len(tensors) if gradients is None else _sequence(gradients)
    problems.check_outputs(tensors, gradients)
    seeds = []
    for t, g in zip(tensors, gradients):
        g = tensor_of(_one(t.array)) if g is None else g
        if t._node is not None and t._node.shape != t.array.shape:  # it got another one unrecorded
            g = sum_to(g, t._node.shape)
        seeds.append(g if create_graph else g.array)
    return seeds


def _one(array):
    """The number 1 as an array like `array`, which has one element."""
    if isinstance(array, np.ndarray) and not array.ndim:
        return np.array(1, array.dtype)
    return array_module(array).ones_like(array)


def _entries(roots, ends):
    """(the tape entries behind `roots`, newest first; those edges through which a gradient flows to
    `ends`, None for all).

    An entry's number is larger than those of all it was made of, so in this order each comes after
    everything that used it.
    """
    oldest = 0
    if ends is not None and not any(isinstance(e, Tensor) for e in ends):  # leaves have no age
        oldest = min((e.number for e in ends), default=0)  # no older entry can lead to an end
    seen, stack = set(), list(roots)
    while stack:
        entry = stack.pop()
        if entry.__class__ is Node and entry not in seen and entry.number >= oldest:
            seen.add(entry)
            stack.extend(entry.edges)
    order = sorted(seen, key=_number, reverse=True)
    if ends is None:
        return order, None
    useful = set(ends)
    for entry in reversed(order):
        if not useful.isdisjoint(entry.edges):
            useful.add(entry)
    return [e for e in order if e in useful], useful


def _walk(roots, seeds, targets, create_graph, retain_graph):
    """{edge: gradient} for the targets, or for all leaves when targets is None."""
    if retain_graph is None:
        retain_graph = create_graph
    roots = [_edge(t) for t in roots]
    ends = None if targets is None else {_edge(t) for t in targets}
    order, useful = _entries(roots, ends)
    sums = {}  # edge -> the gradient so far
    owned = set()  # edges whose sum is an array made here, which may be added to in place
    found = {}
    for edge, seed in zip(roots, seeds):
        if useful is None or edge in useful:
            bare = edge.__class__ is not Node and not create_graph  # it becomes a leaf's .grad
            _accumulate(sums, owned, edge, seam.execute(_copied, seed) if bare else seed)
    with set_grad_enabled(create_graph):
        for node in order:
            gradient = sums.pop(node, None)
            if gradient is None:
                continue
            hooks = HOOKS.get(id(node)) if HOOKS else None
            if gradient.__class__ is Zero and (hooks or (ends is not None and node in ends)):
                gradient = gradient.numbers(node, create_graph)
            if hooks:
                gradient = hooks(gradient, create_graph)
            if ends is not None and node in ends:
                found[node] = gradient if create_graph else seam.execute(_copied, gradient)
                if useful.isdisjoint(node.edges):
                    continue
            edges = node.edges
            if useful is None:
                need = [e is not None for e in edges]
            else:
                need = [e in useful for e in edges]
            if gradient.__class__ is Zero:
                gradients = (gradient,) * len(edges)  # a rule is linear in the gradient
            else:
                gradients = _apply_rule(node, gradient, need, create_graph)
            for i, edge in enumerate(edges):
                if not need[i]:
                    continue
                g = gradients[i] if i < len(gradients) else None
                if g.__class__ is Zero:
                    sums.setdefault(edge, g)
                    continue
                like = edge if edge.__class__ is Node else edge.array
                fits = g.__class__ is ndarray and g.shape == like.shape and g.dtype is like.dtype
                if not fits or mode.anomaly:
                    g = _fit(node, i, g, like)
                leaf = like is not edge and not create_graph
                if leaf and (g is gradient or g.base is not None or (i and _in(g, gradients[:i]))):
                    # not one that the rule only passed on or gave twice, nor a view
                    g = seam.execute(_copied_for, g, like)
                if edge in sums:
                    _accumulate(sums, owned, edge, g)
                else:
                    sums[edge] = g
            if not retain_graph and node.holds:
                node.free()
        for edge, g in sums.items():
            if edge.__class__ is not Node and (ends is None or edge in ends):
                if g.__class__ is Zero:
                    g = g.numbers(edge, create_graph)
                hooks = HOOKS.get(id(edge)) if HOOKS else None
                found[edge] = hooks(g, create_graph) if hooks else g
    return found


def _accumulate(sums, owned, edge, gradient):
    """Add to the sum of an edge: in place only into sums made here."""
    if edge not in sums or sums[edge].__class__ is Zero:
        sums[edge] = gradient
    elif isinstance(gradient, Tensor):
        sums[edge] = sums[edge] + gradient
    elif edge in owned:
        sums[edge] = seam.execute(iadd, sums[edge], gradient)
    else:
        total = sums[edge] = seam.execute(_added, sums[edge], gradient)
        if total.shape:
            owned.add(edge)


def _added(x, y):
    if x.__class__ is not np.ndarray and on_gpu(x) and x.ndim > 2 and not x.flags.c_contiguous:
        # CuPy's sum would be in C order, and whoever takes it would copy it back.
        order = sorted(range(x.ndim), key=lambda i: -x.strides[i])
        return (x.transpose(order) + y.transpose(order)).transpose(
            [order.index(i) for i in range(x.ndim)]
        )
    return _array(x + y)


def _copied(x):
    return x.copy()


def _copied_for(gradient, leaf):
    """A copy that lies in memory as the leaf does: an optimiser goes through both at once."""
    if leaf.flags.c_contiguous:
        return gradient.copy() if gradient.flags.c_contiguous else row_major(gradient)
    copy = array_module(leaf).empty_like(leaf)
    copy[...] = gradient
    return copy


def _in(g, gradients):
    """Is it one of them? (== would compare elements.)"""
    return any(g is other for other in gradients)


def _apply_rule(node, gradient, need, create_graph):
    """What the rule of a tape entry gives for its arguments, as a tuple."""
    op, saved = node.op, node.unpack(create_graph)
    card = op.card
    if create_graph and card.formula is not None:
        return _through_formula(card, gradient, need, saved)
    try:
        if create_graph or seam.execute is seam.plain or card.of_user:
            gradients = card.rule(gradient, need, *saved)
        else:
            gradients = seam.execute(card.rule, gradient, need, *saved)
    except Exception as error:
        raise problems.rule_failed(error, node) from error
    return gradients if gradients.__class__ is tuple else (gradients,)


def _fit(node, i, g, like):
    """The gradient for argument i in its shape: un-broadcast; anything else that does not fit is a
    bug of the op."""
    if g is None or g is False:
        raise problems.no_gradient(node, i)
    if g.shape != like.shape or isinstance(g, np.generic):
        recorded = isinstance(g, Tensor)
        g = sum_to(g, like.shape) if recorded else seam.execute(_summed_to, g, like.shape)
    if g.dtype != like.dtype:
        raise problems.wrong_dtype(node, i, g.dtype, like.dtype)
    if mode.anomaly:
        problems.check_finite_gradient(raw(g), node, i)
    return g


def _summed_to(g, shape):
    return _array(sum_to(g, shape))


def _array(x):
    """x, of NumPy's scalars (sums without dimensions) an array."""
    return np.asarray(x) if isinstance(x, np.generic) else x


def _through_formula(card, gradient, need, saved):
    """A fused op's gradients as recorded ops: differentiate the same function written in plain
    ops."""
    with set_grad_enabled(True):
        # Each argument gets a tape entry of its own, at which the inner walk ends.
        free = (*need, *[False] * len(saved))
        given = zip(saved, free)
        arguments = [entry(x if x._wanted else fresh(x.array, True)) if n else x for x, n in given]
        arguments = arguments[: len(card.names)]
        wanted = [x for x, n in zip(arguments, need) if n]
        found = iter(grad(card.formula(*arguments), wanted, gradient, create_graph=True))
    return tuple(next(found) if n else None for n in need)
