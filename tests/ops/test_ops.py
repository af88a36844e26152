"""What every op must do, for every case of the table."""

import fakecuda
import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from ops.table import CASES

import minigan
from minigan import Tensor
from minigan.autograd import FLOATS, OPS, NonSmoothError, gradcheck, gradgradcheck, tensor_of


def for_every(cases, examples):
    """Decorator: `check(case, args, seed)` becomes a test for each of the cases, with drawn
    arguments."""

    def decorate(check):
        @pytest.mark.parametrize("case", cases, ids=repr)
        @settings(max_examples=examples)
        @given(data=st.data())
        def test(case, data):
            # NumPy unpacks 0-d arrays
            args = [
                np.asarray(a) if isinstance(a, np.generic) else a for a in data.draw(case.inputs)
            ]
            check(case, args, data.draw(st.integers(0, 1000)))

        test.__name__ = test.__qualname__ = check.__name__
        test.__doc__ = check.__doc__
        return test

    return decorate


smooth = [c for c in CASES if c.orders >= 1]
twice = [c for c in CASES if c.orders >= 2]
direct = [c for c in CASES if c.op and c.card_args and "cpu" in OPS[c.op].card.kernels]


def listed(y):
    return list(y) if isinstance(y, (tuple, list)) else [y]


def boxed(case, args, convert=lambda a: a):
    """The arguments with Tensors for arrays."""
    wrt = case.differentiable(args) if case.orders else []
    return [
        tensor_of(convert(a), i in wrt) if isinstance(a, np.ndarray) else a
        for i, a in enumerate(args)
    ]


def gradients(case, boxes, seed, convert=lambda a: a):
    """Outputs as arrays, and the gradient of each differentiable argument for a random cotangent,
    also returned."""
    outputs = listed(case.call(*boxes))
    live = [y for y in outputs if y.requires_grad]
    rng = np.random.default_rng(seed)
    cotangents = [tensor_of(convert(rng.standard_normal(y.shape).astype(y.dtype))) for y in live]
    inputs = [x for x in boxes if isinstance(x, Tensor) and x.requires_grad]
    found = minigan.grad(live, inputs, cotangents, allow_unused=True) if live else []
    return outputs, inputs, found, cotangents


def close(found, expected, rtol=1e-10, atol=1e-12):
    assert found.shape == expected.shape
    scale = (
        float(np.abs(expected[np.isfinite(expected)]).max(initial=0))
        if expected.dtype.kind == "f"
        else 0
    )
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol + rtol * scale)


@for_every(CASES, 15)
def test_forward(case, args, seed):
    """The reference's values, on Tensors and on bare arrays; and nothing is written into the
    arguments."""
    before = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    outputs, expected = listed(case.call(*boxed(case, args))), listed(case.reference(*args))
    assert len(outputs) == len(expected)
    for y, e in zip(outputs, expected):
        e = np.asarray(e)
        assert isinstance(y, Tensor)
        assert y.dtype.kind == e.dtype.kind and (e.dtype.kind != "f" or y.dtype == np.float64), (
            f"{y.dtype} where {e.dtype} was expected"
        )
        close(y.array, e)
    if case.bare:
        for y, bare in zip(outputs, listed(case.call(*args))):
            assert not isinstance(bare, Tensor)
            close(y.array, np.asarray(bare), 1e-14, 1e-15)
    for i, (a, b) in enumerate(zip(args, before)):
        assert not isinstance(a, np.ndarray) or np.array_equal(a, b, equal_nan=True), (
            f"argument {i} was changed"
        )


@for_every(CASES, 10)
def test_float32(case, args, seed):
    """float32 arguments give float32 results and gradients, close to those in float64."""
    single = [
        a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for a in args
    ]
    double = [
        a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for a in single
    ]
    outputs, _, found, _ = gradients(case, boxed(case, single), seed)
    exact, inputs, expected, _ = gradients(case, boxed(case, double), seed)
    for y, e in zip(outputs, exact):
        assert y.dtype == (np.float32 if e.dtype == np.float64 else e.dtype)
        close(y.array, e.array, case.tolerance, case.tolerance)
    for g, e in zip(found, expected):
        assert (g is None) == (e is None)
        if g is not None:
            assert g.dtype == np.float32
            close(g.array, e.array, 5 * case.tolerance, 5 * case.tolerance)


def laid_out(array, how):
    """The same values in another memory layout: transposed, every second element of a larger array,
    backwards, permuted."""
    if how == 0:
        return array.T.copy().T
    if how == 3:
        return (
            np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 0, -1)), -1, 0)
            if array.ndim
            else array
        )
    if how == 1:
        large = np.zeros([2 * n for n in array.shape], array.dtype)
        # without the dots NumPy would unpack a 0-d array
        view = large[(*[slice(None, None, 2)] * array.ndim, ...)]
    else:
        view = np.zeros_like(array)[(*[slice(None, None, -1)] * array.ndim, ...)]
    view[...] = array
    return view


@for_every(CASES, 9)
def test_layouts(case, args, seed):
    """Arguments that are not contiguous make no difference, to results or gradients, also to those
    of other layout."""
    turned = [
        laid_out(a, (seed + i) % 4) if isinstance(a, np.ndarray) else a for i, a in enumerate(args)
    ]
    outputs, _, found, _ = gradients(
        case, boxed(case, turned), seed, lambda a: laid_out(a, seed % 4)
    )
    expected, _, grads, _ = gradients(case, boxed(case, args), seed)
    for y, e in zip([*outputs, *found], [*expected, *grads]):
        if e is not None:
            close(y.array, e.array, 1e-12, 1e-13)


@for_every(direct, 10)
def test_kernel(case, args, seed):
    """The compiled kernel computes what the formula says."""
    card = OPS[case.op].card
    arguments = [
        laid_out(a, (seed + i) % 4) if isinstance(a, np.ndarray) and seed % 5 else a
        for i, a in enumerate(case.card_args(*args))
    ]
    for k, f in zip(listed(card.kernels["cpu"](*arguments)), listed(card.forward(*arguments))):
        assert k.dtype == f.dtype
        close(k, np.asarray(f), 1e-12, 1e-13)


@for_every(CASES, 6)
def test_other_library(case, args, seed):
    """On arrays of a library that refuses to meet NumPy's: the same results and gradients, and no
    value fetched."""
    expected, _, grads, _ = gradients(case, boxed(case, args), seed)
    boxes = boxed(case, args, fakecuda.asarray)
    fakecuda.syncs = 0
    with fakecuda.installed():
        outputs, _, found, _ = gradients(case, boxes, seed, fakecuda.asarray)
    assert fakecuda.syncs == 0
    for y, e in zip([*outputs, *found], [*expected, *grads]):
        if e is not None:
            assert isinstance(y.array, fakecuda.DeviceArray)
            close(y.array.storage, e.array, 1e-11, 1e-12)


def checkable(case, args):
    """(function of the differentiable arguments only, these as Tensors that require gradients)."""
    wrt = case.differentiable(args)

    def function(*xs):
        at = dict(zip(wrt, xs))
        boxes = [
            at[i] if i in at else tensor_of(a) if isinstance(a, np.ndarray) else a
            for i, a in enumerate(args)
        ]
        return [y for y in listed(case.call(*boxes)) if y.dtype in FLOATS]

    return function, [tensor_of(args[i], True) for i in wrt]


@for_every(smooth, 12)
def test_gradient(case, args, seed):
    """First derivatives against finite differences, for a random cotangent along random
    directions."""
    function, inputs = checkable(case, args)
    assume(inputs)
    try:
        gradcheck(function, inputs, directions=2, seed=seed)
    except NonSmoothError:
        reject()


@for_every(twice, 5)
def test_second_gradient(case, args, seed):
    """The recorded gradient is the plain one; second derivatives, with respect to the arguments and
    to the cotangent."""
    function, inputs = checkable(case, args)
    assume(inputs)
    outputs = [y for y in function(*inputs) if y.requires_grad]
    draw = np.random.default_rng(seed).standard_normal
    cotangents = [tensor_of(draw(y.shape), True) for y in outputs]
    plain = minigan.grad(outputs, inputs, cotangents, retain_graph=True, allow_unused=True)
    recorded = minigan.grad(outputs, inputs, cotangents, create_graph=True, allow_unused=True)
    for p, r in zip(plain, recorded):
        assert (p is None) == (r is None)
        if p is not None:
            close(r.array, p.array)
    if not any(r is not None and r.requires_grad for r in recorded):
        assert not any(r is not None and r.array.any() for r in recorded)
        return  # a step function's gradient: 0, a constant
    try:
        gradgradcheck(function, inputs, directions=1, seed=seed)
    except NonSmoothError:
        reject()


@for_every(smooth, 6)
def test_gradients_are_separate(case, args, seed):
    """No gradient shares memory with another, with an argument, the result or the cotangent; all
    have their input's shape."""
    outputs, inputs, found, cotangents = gradients(case, boxed(case, args), seed)
    found = [(x, g) for x, g in zip(inputs, found) if g is not None]
    others = [x.array for x in [*inputs, *outputs, *cotangents]]
    for x, g in found:
        assert g.shape == x.shape and g.dtype == x.dtype
        assert not any(np.shares_memory(g.array, other) for other in others)
        others.append(g.array)


@for_every(smooth, 3)
def test_the_card_is_used(case, args, seed):
    """What the case calls records the card that the case is for."""
    if case.op is None:
        return
    outputs = [y for y in listed(case.call(*boxed(case, args))) if y.grad_fn is not None]
    assume(outputs)
    seen, stack = set(), [y.grad_fn for y in outputs]
    while stack:
        node = stack.pop()
        seen.add(node.op.__name__)
        stack.extend(e for e in node.edges if e is not None and not isinstance(e, Tensor))
    assert case.op.lstrip("_") in seen


def turned(xp, a, seed):
    """`a` row by row or column by column. (Of an array without dimensions `asfortranarray` makes a
    vector, in both libraries.)"""
    return xp.asfortranarray(a) if seed % 2 and a.ndim else a


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_turning_keeps_the_shape(shape):
    a = np.ones(shape)
    assert (
        turned(np, a, 1).shape == shape == turned(np, a, 2).shape
        and turned(np, a, 1).flags.f_contiguous
    )


@pytest.mark.gpu
@for_every(CASES, 4)
def test_cuda(case, args, seed):
    """CUDA computes what the CPU computes, forward and backward, in float32 and float64, from
    arguments in any layout."""
    import cupy

    from minigan.machine.precision import precision

    tf32, precision.conv_tf32 = precision.conv_tf32, False
    try:
        for dtype, tolerance in ((np.float64, 1e-9), (np.float32, 10 * case.tolerance)):
            cast = [
                a.astype(dtype) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
                for a in args
            ]
            expected, _, grads, _ = gradients(case, boxed(case, cast), seed)

            there = lambda a: turned(cupy, cupy.asarray(a), seed)
            outputs, _, found, _ = gradients(case, boxed(case, cast, there), seed, there)
            for y, e in zip([*outputs, *found], [*expected, *grads]):
                if e is not None:
                    assert isinstance(y.array, cupy.ndarray) and y.dtype == e.dtype
                    close(y.array.get(), e.array, tolerance, tolerance)
    finally:
        precision.conv_tf32 = tf32


def second_gradients(case, boxes, seed, convert=lambda a: a):
    """The gradient of <gradient, random numbers>, for every differentiable argument; zeros where
    there is no dependence."""
    outputs = [y for y in listed(case.call(*boxes)) if y.requires_grad]
    rng = np.random.default_rng(seed)
    draw = lambda y: tensor_of(convert(rng.standard_normal(y.shape).astype(y.dtype)))
    inputs = [x for x in boxes if isinstance(x, Tensor) and x.requires_grad]
    zeros = [tensor_of(x.array * 0) for x in inputs]
    if not outputs:
        return zeros
    first = [
        g
        for g in minigan.grad(
            outputs, inputs, [draw(y) for y in outputs], create_graph=True, allow_unused=True
        )
        if g is not None
    ]
    first = [g for g in first if g.requires_grad]
    found = (
        minigan.grad(first, inputs, [draw(g) for g in first], allow_unused=True) if first else zeros
    )
    return [z if g is None else g for g, z in zip(found, zeros)]


@pytest.mark.gpu
@for_every(twice, 2)
def test_cuda_second_order(case, args, seed):
    """Second derivatives on CUDA are those of the CPU, in float64."""
    import cupy

    expected = second_gradients(case, boxed(case, args), seed)
    found = second_gradients(case, boxed(case, args, cupy.asarray), seed, cupy.asarray)
    for f, e in zip(found, expected, strict=True):
        close(f.array.get(), e.array, 1e-8, 1e-9)
