"""Cases: matrix products, each against loops over its indices."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from ops.case import Case, fill, seeds, shapes

import minigan

side = st.integers(1, 4)


def _matmul2(x, y):
    out = np.zeros((x.shape[0], y.shape[1]))
    for i in range(x.shape[0]):
        for j in range(y.shape[1]):
            for k in range(x.shape[1]):
                out[i, j] += x[i, k] * y[k, j]
    return out


def matmul(x, y):
    """Loops; vectors become matrices and lose the added dimension again, stacks broadcast."""
    a = x[None, :] if x.ndim == 1 else x
    b = y[:, None] if y.ndim == 1 else y
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, lead + a.shape[-2:]), np.broadcast_to(b, lead + b.shape[-2:])
    out = np.zeros((*lead, a.shape[-2], b.shape[-1]))
    for index in np.ndindex(lead):
        out[index] = _matmul2(a[index], b[index])
    out = out[..., 0, :] if x.ndim == 1 else out
    return out[..., 0] if y.ndim == 1 else out


def linear(x, w, b=None):
    out = np.zeros((*x.shape[:-1], len(w)))
    for index in np.ndindex(out.shape):
        total = 0.0 if b is None else b[index[-1]]
        for k in range(w.shape[1]):
            total += x[(*index[:-1], k)] * w[index[-1], k]
        out[index] = total
    return out


def bilinear(x, y, w, b=None):
    out = np.zeros((len(x), len(w)))
    for n, o in np.ndindex(out.shape):
        out[n, o] = sum(x[n, i] * w[o, i, j] * y[n, j] for i, j in np.ndindex(w.shape[1:])) + (
            0.0 if b is None else b[o]
        )
    return out


def einsum(equation, sizes, *operands):
    """The definition: a loop over all values of all subscripts."""
    left, right = equation.split("->")
    terms = left.split(",")
    letters = sorted(sizes)
    out = np.zeros(tuple(sizes[c] for c in right))
    for values in np.ndindex(tuple(sizes[c] for c in letters)):
        at = dict(zip(letters, values))
        product = 1.0
        for term, x in zip(terms, operands):
            product *= x[tuple(at[c] for c in term)]
        out[tuple(at[c] for c in right)] += product
    return out


@st.composite
def matmul_inputs(draw):
    m = draw(side)
    k = draw(side)
    n = draw(side)
    kind = draw(st.sampled_from(["vv", "vm", "mv", "mm"]))
    lead = draw(mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=2)).input_shapes
    x = (k,) if kind[0] == "v" else (*lead[0], m, k)
    y = (k,) if kind[1] == "v" else (*lead[1], k, n)
    return fill(draw(seeds), x), fill(draw(seeds), y)


@st.composite
def linear_inputs(draw, bias=True):
    shape = draw(shapes(1, 3))
    out = draw(side)
    x, w = fill(draw(seeds), shape), fill(draw(seeds), (out, shape[-1]))
    return (x, w, fill(draw(seeds), (out,))) if bias else (x, w)


@st.composite
def products(draw, *dims):
    """Arrays whose shapes are named by letters with equal sizes: products("mk", "kn")."""
    sizes = {c: draw(side) for c in sorted(set("".join(dims)))}
    return tuple(fill(draw(seeds), tuple(sizes[c] for c in d)) for d in dims)


EQUATIONS = [
    "ij,jk->ik",
    "ij->ji",
    "ij->",
    "ij->j",
    "i,j->ij",
    "ij,ij->",
    "bij,bjk->bik",
    "bi,bj,ij->b",
    "ij,j->i",
    "ijk->ki",
    "i,i,i->i",
    "ij,kj->ik",
]
OF_SEVERAL = ["ij,jk,lk->il", "i,ij,j->", "bi,bj,oij->bo", "i,j,k->kij", "ij,jk,ki,i->k",
              "bijk,ci,cj,ck->cb"]  # fmt: skip


@st.composite
def einsum_inputs(draw, equations=EQUATIONS):
    equation = draw(st.sampled_from(equations))
    terms = equation.partition("->")[0].split(",")
    sizes = {c: draw(side) for c in sorted(set("".join(terms)))}
    return (equation, sizes, *[fill(draw(seeds), tuple(sizes[c] for c in t)) for t in terms])


@st.composite
def ellipsis_inputs(draw):
    lead = draw(mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=2)).input_shapes
    i = draw(side)
    j = draw(side)
    k = draw(side)
    return fill(draw(seeds), (*lead[0], i, j)), fill(draw(seeds), (*lead[1], j, k))


def lazy(name):
    return lambda *args, **kwargs: getattr(minigan.ops, name)(*args, **kwargs)


def of_sizes(equation, sizes, *operands):
    return minigan.ops.einsum(equation, *operands)


CASES = [
    Case("matmul", matmul_inputs(), matmul),
    Case("linear", linear_inputs(), linear),
    Case("linear:no bias", linear_inputs(False), linear),
    Case("weight_grad", products("ro", "ri"), lambda g, x: _matmul2(g.T, x)),
    Case("sum_rows", products("no"), lambda x: np.array([sum(column) for column in x.T])),
    Case("mm", products("mk", "kn"), _matmul2, op=None),
    Case("bmm", products("bmk", "bkn"), matmul, op=None),
    Case("addmm", products("mn", "mk", "kn"), lambda a, x, y: a + _matmul2(x, y), op=None),
    Case(
        "addmm:scaled", products("n", "mk", "kn"), lambda a, x, y: 0.3 * a - 2 * _matmul2(x, y),
        call=lambda a, x, y: minigan.ops.addmm(a, x, y, beta=0.3, alpha=-2), op=None,
    ),
    Case("dot", products("k", "k"), lambda x, y: np.array(sum(a * b for a, b in zip(x, y))),
        op=None),
    Case("bilinear", products("bi", "bj", "oij", "o"), bilinear, op=None),
    Case("bilinear:no bias", products("i", "j", "oij"), lambda x, y,
        w: bilinear(x[None], y[None], w)[0], op=None),
    Case("outer", products("m", "n"), lambda x, y: np.array([[a * b for b in y] for a in x]),
        op=None),
    Case("einsum", einsum_inputs().filter(lambda a: "," in a[0]), einsum, call=of_sizes,
        op="_einsum"),
    Case("einsum:several", einsum_inputs(OF_SEVERAL), einsum, call=of_sizes, op="_einsum"),
    # sums and views
    Case("einsum:one", einsum_inputs().filter(lambda a: "," not in a[0]), einsum, call=of_sizes,
        op=None),
    Case("einsum:ellipsis", ellipsis_inputs(), matmul, call=lambda x,
        y: minigan.ops.einsum("...ij,...jk->...ik", x, y), op="_einsum"),
    Case("einsum:implicit", products("ji", "jk"), lambda x, y: _matmul2(x.T, y), op="_einsum",
         call=lambda x, y: minigan.ops.einsum("ji,jk", x, y)),
    Case("einsum:numbers", products("bij", "bjk"), matmul, op="_einsum",
         call=lambda x, y: minigan.ops.einsum(x, [..., 27, 1], y, [..., 1, 0], [..., 27, 0])),
    Case("einsum:numbers implicit", products("ij", "jk"), _matmul2, op="_einsum",
         call=lambda x, y: minigan.ops.einsum(x, [0, 1], y, [1, 2])),
]  # fmt: skip
