"""Matrix products. Their backward rules are products again, so they close under differentiation."""

import math
from string import ascii_letters
from typing import Any

import numpy as np

from ..autograd import Tensor, expand, op, raw
from .arithmetic import _where as where
from .arithmetic import isfinite, mul
from .reduction import sum
from .shape import diagonal, permute

__all__ = ["addmm", "bilinear", "bmm", "dot", "einsum", "linear", "matmul", "mm", "outer"]


def _t(x):
    """The matrices transposed: the last two dimensions exchanged."""
    return x.swapaxes(-1, -2)


@op(saves=("input for other", "other for input", "input.shape", "other.shape"))
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """y = input @ other, as NumPy and torch define it: vectors, matrices, and stacks of matrices
    that broadcast.

    For matrices: dL/dinput = g @ other^T,  dL/dother = input^T @ g
    """
    return np.matmul(input, other)


@matmul.backward
def _(g, need, x, y, x_shape, y_shape):
    if len(x_shape) == 1 and len(y_shape) == 1:
        return need[0] and g * y, need[1] and g * x
    if len(x_shape) == 1:  # a row: (1, k) @ (..., k, n)
        g = g[..., None, :]
        return need[0] and matmul(g, _t(y))[..., 0, :], need[1] and matmul(x[:, None], g)
    if len(y_shape) == 1:  # a column: (..., m, k) @ (k, 1)
        g = g[..., None]
        return need[0] and matmul(g, y[None, :]), need[1] and matmul(_t(x), g)[..., 0]
    return need[0] and matmul(g, _t(y)), need[1] and matmul(_t(x), g)


def check_bias(weight, bias):
    """A bias has one number for each row of the weight; a kernel would read on behind a shorter
    one."""
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(
            f"bias has shape {tuple(bias.shape)}, a weight of shape {tuple(weight.shape)} needs "
            f"{tuple(weight.shape[:1])}"
        )


@op(saves=("input for weight", "weight for input"))
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = input @ weight^T + bias: input (..., in), weight (out, in), bias (out,) or None -> (...,
    out).

    dL/dinput = g @ weight,  dL/dweight = g^T @ input,  dL/dbias = sum of g over all rows
    """
    check_bias(weight, bias)
    if input.shape[-1:] != weight.shape[1:]:
        raise ValueError(
            f"the last sizes of input {tuple(input.shape)} and weight {tuple(weight.shape)} differ"
        )
    y = np.matmul(input, weight.T)
    return y if bias is None else y + bias


@linear.backward
def _(g, need, x, w):
    return linear_gradients(g, need, x, w)


@op(saves=("g", "x"))
def weight_grad(g, x):
    """y = g^T @ x: g (rows, out), x (rows, in) -> (out, in).    d/dg = x @ gg^T, d/dx = g @ gg"""
    return np.matmul(g.T, x)


@weight_grad.backward
def _(gg, need, g, x):
    return need[0] and linear(x, gg), need[1] and linear(g, gg.T)


@op(saves=("rows.shape",))
def sum_rows(rows):
    """y = the sum of the rows of a matrix (rows, C) -> (C,).    d/drows = g for each row"""
    return sum(rows, 0)


@sum_rows.backward
def _(g, need, shape):
    return expand(g, shape)


def linear_gradients(g, need, x, w, weight_grad=weight_grad):
    """The gradients of `linear` for input, weight and bias."""
    gw = gb = None
    if need[1] or need[2]:
        rows = g if g.ndim == 2 else g.reshape(-1, g.shape[-1])
        inputs = x if x is None or x.ndim == 2 else x.reshape(-1, x.shape[-1])
        gw, gb = need[1] and weight_grad(rows, inputs), need[2] and sum_rows(rows)
    return need[0] and linear(g, w.T), gw, gb


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices: (m, k), (k, n) -> (m, n)."""
    return _product("mm", 2, input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two stacks of matrices: (b, m, k), (b, k, n) -> (b, m, n)."""
    return _product("bmm", 3, input, mat2)


def _product(name, ndim, x, y):
    if x.ndim != ndim or y.ndim != ndim or x.shape[:-2] != y.shape[:-2]:
        shapes = f"{tuple(x.shape)} and {tuple(y.shape)}"
        raise ValueError(
            f"{name}: expected two {ndim}-dimensional arguments with equal leading sizes, got "
            f"{shapes}"
        )
    return matmul(x, y)


def addmm(
    input: Tensor,
    mat1: Tensor,
    mat2: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Tensor:
    """beta input + alpha mat1 @ mat2. beta 0: input does not count."""
    return combined(input, mm(mat1, mat2), beta, alpha)


def combined(input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    """beta input + alpha product. beta 0: input does not count, be it NaN. To integers beta and
    alpha are integers, too."""
    kinds = [raw(x).dtype for x in (input, product)]
    if all(k.kind == "b" for k in kinds):
        beta, alpha = bool(beta), bool(alpha)
    elif all(k.kind != "f" for k in kinds):
        beta, alpha = int(beta), int(alpha)
    if beta == 0:
        input = where(isfinite(input), input, 0)
    return (input if beta == 1 else input * beta) + (product if alpha == 1 else product * alpha)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y_o = input1^T weight_o input2 + bias_o: (..., in1), (..., in2), weight (out, in1, in2), bias
    (out,) -> (..., out)."""
    out, in1, in2 = weight.shape
    if input1.shape[:-1] != input2.shape[:-1] or input1.shape[-1] != in1 or input2.shape[-1] != in2:
        shapes = f"{tuple(input1.shape)} and {tuple(input2.shape)}"
        raise ValueError(
            f"bilinear: inputs of shapes {shapes} do not fit a weight of shape "
            f"{tuple(weight.shape)}"
        )
    check_bias(weight, bias)
    left = matmul(input1.reshape((-1, in1)), permute(weight, (1, 0, 2)).reshape((in1, out * in2)))
    y = matmul(left.reshape((-1, out, in2)), input2.reshape((-1, in2, 1))).reshape(
        (*input1.shape[:-1], out)
    )
    return y if bias is None else y + bias


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors of equal length."""
    if input.ndim != 1 or tensor.ndim != 1 or input.shape != tensor.shape:
        raise ValueError(
            f"dot: expected two vectors of equal length, got shapes {tuple(input.shape)} and "
            f"{tuple(tensor.shape)}"
        )
    return matmul(input, tensor)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of two vectors: (m,), (n,) -> (m, n)."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise ValueError(
            f"outer: expected two vectors, got shapes {tuple(input.shape)} and {tuple(vec2.shape)}"
        )
    return mul(input[:, None], vec2[None, :])


@op(saves=("equation", "*operands"))
def _einsum(equation, *operands):
    """y = einsum(equation, *operands).
    dL/d(operand) = einsum of g and the other operands, with the subscripts exchanged"""
    if len(operands) == 1:
        return np.einsum(equation, *operands).copy()  # never a view
    if len(operands) == 2:
        found = _as_matrices(equation, *operands)
    else:
        found = None if isinstance(operands[0], np.ndarray) else _in_pairs(equation, operands)
    return np.einsum(equation, *operands, optimize=True) if found is None else found


def _in_pairs(equation, operands):
    """An einsum of several arrays of CuPy, two at a time, in an order that NumPy finds cheap:
    CuPy's own takes products that no graph can capture."""
    terms, out = equation.split("->")
    kinds = [np.broadcast_to(np.float32(0), x.shape) for x in operands]
    # by default NumPy gives up on pairs that are larger than every operand and the result
    path, _ = np.einsum_path(equation, *kinds, optimize=("greedy", 1 << 62))
    known = list(zip(terms.split(","), operands))
    for chosen in path[1:]:
        (term, x), *others = (known.pop(i) for i in sorted(chosen, reverse=True))
        for i, (other, y) in enumerate(others):
            wanted = set(out).union(*(t for t, _ in others[i + 1 :] + known))
            if len(others) == i + 1 and not known:
                result = out
            else:
                result = "".join(c for c in dict.fromkeys(term + other) if c in wanted)
            x = _as_matrices(f"{term},{other}->{result}", x, y)
            term = result
        known.append((term, x))
    return known[0][1]


def _as_matrices(equation, x, y):
    """An einsum of two arrays as one product of stacks of matrices, or of single numbers where
    nothing is summed; None where it is neither. Subscripts that both have and the result has, too,
    count the stack."""
    terms, out = equation.split("->")
    a, b = terms.split(",")
    stack = [c for c in out if c in a and c in b]
    rows = [c for c in out if c not in b]
    columns = [c for c in out if c not in a]
    summed = [c for c in a if c in b and c not in out]
    if len(a) + len(b) != 2 * len(stack + summed) + len(rows + columns):
        return None
    if not summed:
        x, y = (
            v.transpose([term.index(c) for c in out if c in term]).reshape(
                [v.shape[term.index(c)] if c in term else 1 for c in out]
            )
            for term, v in ((a, x), (b, y))
        )
        return x * y
    if isinstance(x, np.ndarray) and not (rows and columns):
        return None  # NumPy sums these without matrices
    size = dict(zip(a, x.shape)) | dict(zip(b, y.shape))
    count = lambda labels: math.prod(size[c] for c in labels)
    x = x.transpose([a.index(c) for c in stack + rows + summed])
    y = y.transpose([b.index(c) for c in stack + summed + columns])
    z = matmul(
        x.reshape(count(stack), count(rows), count(summed)),
        y.reshape(count(stack), count(summed), count(columns)),
    )
    order = stack + rows + columns
    return z.reshape([size[c] for c in order]).transpose([order.index(c) for c in out])


@_einsum.backward
def _(g, need, equation, operands):
    terms, out = equation.split("->")
    terms = terms.split(",")
    gradients = [None]
    for i, term in enumerate(terms):
        if not need[i + 1]:
            gradients.append(None)
            continue
        others = [t for j, t in enumerate(terms) if j != i]
        known = set(out).union(*others)
        # a subscript that only this operand has was summed away
        kept = "".join(c for c in term if c in known)
        x = operands[i]
        grad = _einsum(
            ",".join([out, *others]) + "->" + kept,
            g,
            *[y for j, y in enumerate(operands) if j != i],
        )
        shape = tuple(n if c in known else 1 for c, n in zip(term, x.shape))
        gradients.append(expand(grad.reshape(shape), tuple(x.shape)) if kept != term else grad)
    return tuple(gradients)


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sums of products by subscripts, as numpy.einsum: `einsum("ij,jk->ik", a, b)`. A subscript
    repeated within an operand takes its diagonal; an ellipsis stands for leading dimensions that
    broadcast. The subscripts may be numbers up to 51, behind their operands:
    `einsum(a, [0, 1], b, [1, 2], [0, 2])`."""
    if not isinstance(equation, str):
        equation, operands = _from_numbers(equation, *operands)
    operands = (
        operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    )
    equation = _explicit(equation, operands)
    left, _, out = equation.partition("->")
    terms, operands = map(list, zip(*map(_diagonals, left.split(","), operands)))
    for i, term in enumerate(terms):  # what only this operand has is summed up at once
        others = set(out).union(*terms[:i], *terms[i + 1 :])
        alone = tuple(k for k, c in enumerate(term) if c not in others)
        if alone:
            terms[i], operands[i] = "".join(c for c in term if c in others), sum(operands[i], alone)
    sizes = {}
    for term, x in zip(terms, operands):
        for c, n in zip(term, x.shape):
            if sizes.setdefault(c, n) != n and 1 not in (n, sizes[c]):
                raise ValueError(
                    f"einsum: {c!r} is {sizes[c]} long in one operand, {n} in another: "
                    f"{[tuple(x.shape) for x in operands]}"
                )
            sizes[c] = n if sizes[c] == 1 else sizes[c]
    out = equation.partition("->")[2]
    if len(terms) == 1 and sorted(out) == sorted(terms[0]):
        return permute(operands[0], [terms[0].index(c) for c in out])  # a view, as in torch
    shapes = [tuple(sizes[c] for c in term) for term in terms]
    operands = [
        x if tuple(x.shape) == shape else expand(x, shape) for x, shape in zip(operands, shapes)
    ]
    return _einsum(f"{','.join(terms)}->{out}", *operands)


def _from_numbers(*arguments):
    """(equation, operands) of operands that are followed by lists of numbers, and the result's."""
    as_letters = lambda numbers: "".join(
        "..." if k is Ellipsis else ascii_letters[k] for k in numbers
    )
    equation = ",".join(map(as_letters, arguments[1::2]))
    if len(arguments) % 2:
        equation += "->" + as_letters(arguments[-1])
    return equation, arguments[: len(arguments) // 2 * 2 : 2]


def _diagonals(term, x):
    """(term, x) without repeated subscripts: of their dimensions the diagonal is taken."""
    for c in term:
        while term.count(c) > 1:
            i = term.index(c)
            k = term.index(c, i + 1)
            if x.shape[i] != x.shape[k]:
                raise ValueError(
                    f"einsum: the dimensions of a repeated subscript {c!r} differ: {x.shape[i]} "
                    f"and {x.shape[k]}"
                )
            x, term = diagonal(x, 0, i, k), term[:i] + term[i + 1 : k] + term[k + 1 :] + c
    return term, x


def _explicit(equation, operands):
    """The equation with its output written out and its ellipses replaced by letters."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(
            f"einsum: {equation!r} has {len(terms)} terms for {len(operands)} operands"
        )
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in text]
    widths = [
        x.ndim - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(terms, operands)
    ]
    dots = "".join(free[: max(widths, default=0)])
    terms = [t.replace("...", dots[len(dots) - w :]) for t, w in zip(terms, widths)]
    if not arrow:
        letters = "".join(terms).replace(dots, "") if dots else "".join(terms)
        right = ("..." if dots else "") + "".join(
            sorted(c for c in set(letters) if letters.count(c) == 1)
        )
    right = right.replace("...", dots)
    for t, x in zip(terms, operands):
        if len(t) != x.ndim:
            raise ValueError(
                f"einsum: {t!r} names {len(t)} dimensions of an operand of shape {tuple(x.shape)}"
            )
    return ",".join(terms) + "->" + right
