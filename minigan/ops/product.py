"""Matrix products. Their backward rules are products again, so they close under differentiation."""

import numpy as np

from ..autograd import expand, op
from ..backend import kernel, product
from ..backend.cuda import has_kernels
from ..backend.cuda import matmul as device_matmul
from ..backend.late import can_wait, late_product
from ..backend.layout import COMPILED
from .arithmetic import mul
from .rows import add_bias, column_sums
from .shape import permute

__all__ = ["addmm", "bilinear", "bmm", "dot", "einsum", "linear", "matmul", "mm", "outer"]


def _t(x):
    """The matrices transposed: the last two dimensions exchanged."""
    return x.swapaxes(-1, -2)


@op
class matmul:
    """y = input @ other, as NumPy and torch define it: vectors, matrices, and stacks of matrices that broadcast.

    For matrices: dL/dinput = g @ other^T,  dL/dother = input^T @ g
    """

    saves = ("input", "other")

    def forward(input, other):
        return np.matmul(input, other)

    def cuda(input, other):
        return device_matmul(input, other)

    def backward(g, need, x, y):
        if x.ndim == 1 and y.ndim == 1:
            return need[0] and g * y, need[1] and g * x
        if x.ndim == 1:  # a row: (1, k) @ (..., k, n)
            g = g[..., None, :]
            return need[0] and (g @ _t(y))[..., 0, :], need[1] and x[:, None] @ g
        if y.ndim == 1:  # a column: (..., m, k) @ (k, 1)
            g = g[..., None]
            return need[0] and g @ y[None, :], need[1] and (_t(x) @ g)[..., 0]
        return need[0] and g @ _t(y), need[1] and _t(x) @ g


def check_bias(weight, bias):
    """A bias has one number for each row of the weight; a kernel would read on behind a shorter one."""
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias has shape {tuple(bias.shape)}, a weight of shape {tuple(weight.shape)} needs {tuple(weight.shape[:1])}")


@op
class linear:
    """y = input @ weight^T + bias: input (..., in), weight (out, in), bias (out,) or None -> (..., out).

    dL/dinput = g @ weight,  dL/dweight = g^T @ input,  dL/dbias = sum of g over all rows

    On the CPU computed as y^T = weight @ input^T: the result is laid out feature by feature, and so is what follows it. The tall
    matrix is then the one whose numbers are used once for each row of the batch, and it is read where it lies.
    """

    saves = ("input for weight", "weight for input")

    def forward(input, weight, bias=None):
        check_bias(weight, bias)
        y = np.matmul(input, weight.T)
        return y if bias is None else y + bias

    def cpu(input, weight, bias=None):
        check_bias(weight, bias)
        rows = input if input.ndim == 2 else input.reshape(-1, input.shape[-1])
        if rows.shape[1] == weight.shape[1] == 1 and bias is None:  # the gradient of a single unit, perhaps for images: row by row
            return input * weight[:, 0]
        y = product(weight, rows.T, bias)
        return y.T if input.ndim == 2 else y.T.reshape(*input.shape[:-1], len(y))

    def cuda(input, weight, bias=None):
        check_bias(weight, bias)
        y = device_matmul(input, weight.T)
        return y if bias is None else add_bias(y, bias)

    @can_wait(1)
    def backward(g, need, x, w):
        return linear_rule(g, need, x, w)


@kernel
def _row_sums(x, total):
    for i in range(x.shape[0]):
        row, t = x[i], total.dtype.type(0)
        for j in range(row.size):
            t += row[j]
        total[i] = t


def _sums(rows):
    """The sums over the rows of a matrix (rows, C) -> (C,), quickly where it is laid out column by column."""
    if rows.__class__ is not np.ndarray or not rows.T.flags.c_contiguous or rows.dtype not in COMPILED:
        return rows.sum(0)
    total = np.empty(rows.shape[1], rows.dtype)
    _row_sums(rows.T, total)
    return total


def linear_rule(g, need, x, w):
    """The gradients of `linear` for input, weight and bias."""
    gw = gb = None
    if need[1] or need[2]:
        rows, on_cpu = g if g.ndim == 2 else g.reshape(-1, g.shape[-1]), g.__class__ is np.ndarray
        inputs = x if x is None or x.ndim == 2 else x.reshape(-1, x.shape[-1])
        gw = need[1] and (late_product(need[1], rows.T, inputs) if on_cpu else weight_grad(rows, inputs))
        gb = need[2] and (_sums(rows) if on_cpu or not has_kernels(rows) else column_sums(rows))
    return need[0] and linear(g, w.T), gw, gb


@op
class weight_grad:
    """y = g^T @ x: g (rows, out), x (rows, in) -> (out, in).    d/dg = x @ gg^T, d/dx = g @ gg"""

    saves = ("g", "x")

    def forward(g, x):
        return np.matmul(g.T, x)

    def cpu(g, x):
        return product(g.T, x)

    def cuda(g, x):
        return device_matmul(g.T, x)

    def backward(gg, need, g, x):
        return need[0] and linear(x, gg), need[1] and linear(g, gg.T)


def mm(input, mat2):
    """The product of two matrices: (m, k), (k, n) -> (m, n)."""
    return _product("mm", 2, input, mat2)


def bmm(input, mat2):
    """The products of two stacks of matrices: (b, m, k), (b, k, n) -> (b, m, n)."""
    return _product("bmm", 3, input, mat2)


def _product(name, ndim, x, y):
    if x.ndim != ndim or y.ndim != ndim or x.shape[:-2] != y.shape[:-2]:
        shapes = f"{tuple(x.shape)} and {tuple(y.shape)}"
        raise ValueError(f"{name}: expected two {ndim}-dimensional arguments with equal leading sizes, got {shapes}")
    return matmul(x, y)


def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta input + alpha mat1 @ mat2."""
    product = mm(mat1, mat2)
    return (input if beta == 1 else input * beta) + (product if alpha == 1 else product * alpha)


def bilinear(input1, input2, weight, bias=None):
    """y_o = input1^T weight_o input2 + bias_o: (..., in1), (..., in2), weight (out, in1, in2), bias (out,) -> (..., out)."""
    out, in1, in2 = weight.shape
    if input1.shape[:-1] != input2.shape[:-1] or input1.shape[-1] != in1 or input2.shape[-1] != in2:
        shapes = f"{tuple(input1.shape)} and {tuple(input2.shape)}"
        raise ValueError(f"bilinear: inputs of shapes {shapes} do not fit a weight of shape {tuple(weight.shape)}")
    check_bias(weight, bias)
    left = matmul(input1.reshape((-1, in1)), permute(weight, (1, 0, 2)).reshape((in1, out * in2)))
    y = matmul(left.reshape((-1, out, in2)), input2.reshape((-1, in2, 1))).reshape((*input1.shape[:-1], out))
    return y if bias is None else y + bias


def dot(input, other):
    """The inner product of two vectors of equal length."""
    if input.ndim != 1 or other.ndim != 1 or input.shape != other.shape:
        raise ValueError(f"dot: expected two vectors of equal length, got shapes {tuple(input.shape)} and {tuple(other.shape)}")
    return matmul(input, other)


def outer(input, vec2):
    """All products of two vectors: (m,), (n,) -> (m, n)."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise ValueError(f"outer: expected two vectors, got shapes {tuple(input.shape)} and {tuple(vec2.shape)}")
    return mul(input[:, None], vec2[None, :])


@op
class _einsum:
    """y = einsum(equation, *operands).    dL/d(operand) = einsum of g and the other operands, with the subscripts exchanged"""

    saves = ("equation", "*operands")

    def forward(equation, *operands):
        if len(operands) == 1:
            return np.einsum(equation, *operands).copy()  # never a view
        return np.einsum(equation, *operands, optimize=True)  # a product of two goes to the BLAS

    def backward(g, need, equation, operands):
        terms, out = equation.split("->")
        terms = terms.split(",")
        gradients = [None]
        for i, term in enumerate(terms):
            if not need[i + 1]:
                gradients.append(None)
                continue
            others = [t for j, t in enumerate(terms) if j != i]
            known = set(out).union(*others)
            kept = "".join(c for c in term if c in known)  # a subscript that only this operand has was summed away
            x = operands[i]
            grad = _einsum(",".join([out, *others]) + "->" + kept, g, *[y for j, y in enumerate(operands) if j != i])
            shape = tuple(n if c in known else 1 for c, n in zip(term, x.shape))
            gradients.append(expand(grad.reshape(shape), tuple(x.shape)) if kept != term else grad)
        return tuple(gradients)


def einsum(equation, *operands):
    """Sums of products by subscripts, as numpy.einsum: `einsum("ij,jk->ik", a, b)`. Each operand's subscripts must differ
    from each other (no diagonals); an ellipsis stands for leading dimensions that broadcast."""
    operands = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    equation = _explicit(equation, operands)
    terms = equation.partition("->")[0].split(",")
    sizes = {}
    for term, x in zip(terms, operands):
        for c, n in zip(term, x.shape):
            if sizes.setdefault(c, n) != n and 1 not in (n, sizes[c]):
                raise ValueError(f"einsum: {c!r} is {sizes[c]} long in one operand, {n} in another: {[tuple(x.shape) for x in operands]}")
            sizes[c] = n if sizes[c] == 1 else sizes[c]
    out = equation.partition("->")[2]
    if len(terms) == 1 and sorted(out) == sorted(terms[0]):
        return permute(operands[0], [terms[0].index(c) for c in out])  # a view, as in torch
    shapes = [tuple(sizes[c] for c in term) for term in terms]
    return _einsum(equation, *[x if tuple(x.shape) == shape else expand(x, shape) for x, shape in zip(operands, shapes)])


def _explicit(equation, operands):
    """The equation with its output written out and its ellipses replaced by letters."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {equation!r} has {len(terms)} terms for {len(operands)} operands")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in text]
    widths = [x.ndim - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(terms, operands)]
    dots = "".join(free[: max(widths, default=0)])
    terms = [t.replace("...", dots[len(dots) - w :]) for t, w in zip(terms, widths)]
    if not arrow:
        letters = "".join(terms).replace(dots, "") if dots else "".join(terms)
        right = ("..." if dots else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    right = right.replace("...", dots)
    for t, x in zip(terms, operands):
        if len(set(t)) != len(t):
            raise ValueError(f"einsum: a subscript is repeated within {t!r} (a diagonal), which is not supported: take the diagonal first")
        if len(t) != x.ndim:
            raise ValueError(f"einsum: {t!r} names {len(t)} dimensions of an operand of shape {tuple(x.shape)}")
    return ",".join(terms) + "->" + right
