"""The compiled softmax of float32 rows and columns, against NumPy's in float64."""

from unittest import mock

import numpy as np
import pytest

from minigan.autograd import tensor_of
from minigan.fast.cpu import softmax
from minigan.ops.softmax import _log_softmax, _softmax, log_softmax_grad, softmax_grad

RNG = np.random.default_rng(0)
BLOCK, COLUMNS = softmax.BLOCK, softmax.COLUMNS
LAST = [(1,), (5,), (3, 1), (40, 33), (2, 3, 17), (3, BLOCK), (2, 2 * BLOCK + 3)]
CASES = [(shape, len(shape) - 1) for shape in LAST]
CASES += [((5, 40), 0), ((3, 5, 40), 1), ((4, 3, 2 * COLUMNS + 30), 1), ((2, 3, 4, 5), 0)]
CASES += [((2, 300, 3), 1), ((2, 3, 4, 5), 2), ((2, BLOCK + 5, 20), 1)]  # of transposed arrays
IDS = [f"{shape} along {axis}" for shape, axis in CASES]


def rows(shape, scale=1.0, view=False):
    if view:
        return rows(shape[::-1], scale).transpose()
    return (RNG.normal(size=shape) * scale).astype(np.float32)


def used(count):
    """No array takes the way of NumPy, and each is shared by so many threads."""
    return mock.patch.multiple(
        softmax, pieces_of=lambda n, least: (count, True), _are_single=lambda arrays: True
    )


def along(axis, op, *arrays):
    """In the dtype of the arrays: by the kernel, or by the definition."""
    if arrays[0].dtype == np.float64:
        return op.card.forward(*arrays, axis)
    return op(*map(tensor_of, arrays), axis).numpy()


@pytest.mark.parametrize("view", [False, True])
@pytest.mark.parametrize("scale", [1, 30])
@pytest.mark.parametrize("shape, axis", CASES, ids=IDS)
def test_rows_and_columns(shape, axis, scale, view):
    x, g = rows(shape, scale, view), rows(shape)
    wide = x.astype(np.float64)
    y, z = along(axis, _softmax, wide), along(axis, _log_softmax, wide)
    y32, z32 = y.astype(np.float32), z.astype(np.float32)
    with used(3):
        found = [along(axis, _softmax, x), along(axis, _log_softmax, x)]
        found += [along(axis, softmax_grad, g, y32), along(axis, log_softmax_grad, g, z32)]
    assert all(a.dtype == np.float32 and a.shape == shape for a in found)
    np.testing.assert_allclose(found[0], y, 1e-5, 1e-37)
    np.testing.assert_allclose(found[1], z, 2e-6, 2e-7 * np.abs(x).max())
    g = g.astype(np.float64)
    expected = along(axis, softmax_grad, g, y)
    np.testing.assert_allclose(found[2], expected, 2e-6, 3e-7 * np.abs(g).max())
    expected = along(axis, log_softmax_grad, g, z)
    np.testing.assert_allclose(found[3], expected, 2e-6, 1e-5 * np.abs(g).max())


@pytest.mark.parametrize("shape, axis", [((4, BLOCK), 1), ((BLOCK, 40), 0), ((BLOCK, 4), 0)])
def test_many_numbers_are_added_up_exactly_enough(shape, axis):
    """Half of them 0, half .1: added one after another all errors are of one sign."""
    x = (np.indices(shape).sum(0) % 2 / 10).astype(np.float32)
    g = np.full(shape, 0.1, np.float32)
    y, z = (along(axis, op, x.astype(np.float64)) for op in (_softmax, _log_softmax))
    with used(1):
        np.testing.assert_allclose(along(axis, _softmax, x), y, 2e-6)
        np.testing.assert_allclose(along(axis, _log_softmax, x), z, 1e-6)
        for op, to in ((softmax_grad, y), (log_softmax_grad, z)):
            expected = along(axis, op, g.astype(np.float64), to)
            found = along(axis, op, g, to.astype(np.float32))
            size = 0.1 if op is log_softmax_grad else 0.1 * y.max()
            np.testing.assert_allclose(found, expected, 0, 2e-6 * size)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("values", [
    (0, np.nan, 1), (np.nan, 1, 2), (-np.nan, 1, 2), (np.inf, 0, 1), (-np.inf, 0, 1),
    (np.inf, np.inf, 0), (-np.inf,) * 3, (3e38, -3e38, 0), (-0.0, 0.0, -0.0), (0, -87.2, -200),
    (-1000, -1001, -1002), (1e30, 1e30, 1e29),
])  # fmt: skip
def test_numbers_at_the_ends(values, many):
    """Rows and columns of which an element is infinite, no number or far from the others, short and
    long."""
    x = np.array([values, (1, 2, 3)], np.float32)
    if many:
        x = np.concatenate([np.repeat(x[:, :1], 5000, 1), x], 1)
    for op in (_softmax, _log_softmax):
        with np.errstate(all="ignore"):
            expected = op.card.forward(x, 1)
        with used(1):
            np.testing.assert_allclose(along(1, op, x), expected, 1e-6, 1e-37)
            few = along(0, op, x.T.copy())  # by rows, transposed
            np.testing.assert_allclose(few, expected.T, 1e-6, 1e-37)
            if not many:
                columns = along(0, op, np.tile(x.T, (1, 10)))
                np.testing.assert_allclose(columns, np.tile(expected.T, (1, 10)), 1e-6, 1e-37)


@pytest.mark.parametrize("shape, axis", [((50, 300), 1), ((30, 3, 300), 1), ((30, 40, 3), 1)])
def test_how_many_threads_there_are_makes_no_difference(shape, axis):
    x = rows(shape)
    for op in (_softmax, _log_softmax, softmax_grad, log_softmax_grad):
        arrays = (x, x) if op in (softmax_grad, log_softmax_grad) else (x,)
        with used(1):
            one = along(axis, op, *arrays)
        with used(7):
            np.testing.assert_array_equal(along(axis, op, *arrays), one)


def test_other_arrays_go_the_way_of_numpy():
    x = tensor_of(rows((4, 5)))
    none = mock.Mock(side_effect=AssertionError)
    kernels = "_in_pieces", "_grad_in_pieces", "_columns_in_pieces", "_grad_columns_in_pieces"
    with mock.patch.multiple(softmax, **dict.fromkeys(kernels, none)):
        for y, axis in ((x.double(), 0), (x.double(), 1), (x.half(), 1), (x[:0], 1), (x[:, :0], 1)):
            assert _softmax(y, axis).shape == y.shape and _log_softmax(y, axis).dtype == y.dtype
            for op in (softmax_grad, log_softmax_grad):
                assert op(y, y, axis).shape == y.shape and op(y, y, axis).dtype == y.dtype
