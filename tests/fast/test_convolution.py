"""The ways of computing a convolution on the CPU, and the choice among them."""

import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ops import cases_convolution as naive
from ops.case import fill, seeds

import minigan.nn.functional as F
from minigan.fast.cpu import convolution as cpu
from minigan.fast.cpu import direct, patches, toomcook
from minigan.fast.cpu import toomcook_points as points
from minigan.ops.convolution import formula
from minigan.ops.convolution.geometry import Geometry


@st.composite
def phased(draw):
    """(x, y, w, geometry) for which `toomcook` has a plan."""
    stride = draw(st.integers(1, 3))
    kernel = tuple(draw(st.integers(2 * stride - 1, 3 * stride)) for _ in range(2))
    size = tuple(draw(st.integers(max(kernel), 15)) for _ in range(2))
    padding = tuple(draw(st.integers(0, 3)) for _ in range(2))
    behind = draw(st.integers(0, 3))
    out = tuple((n + p + behind - k) // stride + 1 for n, p, k in zip(size, padding, kernel))
    geometry = Geometry(size, out, kernel, (stride, stride), padding, (1, 1), 1)
    assume(toomcook.plan(geometry) is not None)
    # 17: vectors of channels, and one more
    n, c, o = draw(st.integers(1, 3)), *(draw(st.sampled_from([1, 2, 3, 17])) for _ in range(2))
    return (
        fill(draw(seeds), (n, c, *size)),
        fill(draw(seeds), (n, o, *out)),
        fill(draw(seeds), (o, c, *kernel)),
        geometry,
    )


def check(ways, x, y, w, geometry, arguments=()):
    """All three products of `ways` against `formula`, which the table holds against loops; in both
    precisions."""
    b, c = w.sum((1, *range(2, w.ndim))), np.ones(x.shape[1])
    shape = (-1, *[1] * len(geometry.out))
    expected = (
        formula.conv(x, w, geometry) + b.reshape(shape),
        formula.conv_transpose(y, w, geometry) + c.reshape(shape),
        formula.conv_weight(x, y, geometry),
    )
    for dtype, tolerance in ((np.float64, 1e-13), (np.float32, 5e-6)):
        x, y, w, b, c = (a.astype(dtype) for a in (x, y, w, b, c))
        found = (
            ways.conv(x, w, b, geometry, *arguments),
            ways.conv_transpose(y, w, c, geometry, *arguments),
            ways.conv_weight(x, y, geometry, *arguments),
        )
        for f, e in zip(found, expected):
            assert f.dtype == dtype and f.flags.c_contiguous
            np.testing.assert_allclose(f, e, rtol=0, atol=tolerance * np.abs(e).max(initial=1))


@settings(max_examples=80)
@given(phased(), st.sampled_from([4, 5]))
def test_toomcook(problem, most):
    plan = toomcook.plan(problem[3], most)
    assume(plan is not None)
    check(toomcook, *problem, arguments=(plan,))


@settings(max_examples=60)
@given(naive.problems())
def test_patches(problem):
    check(patches, *problem)


def in_halves(run, size, least, products):
    """As `parallel_ranges`, whatever threads there are."""
    for low, high in ((0, size // 2), (size // 2, size)):
        if low < high:
            run(low, high)


@settings(max_examples=40)
@given(phased(), st.sampled_from([4, 5]))
def test_toomcook_of_one_image(problem, most):
    """Of whose channels each thread makes some."""
    x, y, w, geometry = problem
    plan = toomcook.plan(geometry, most)
    assume(plan is not None)
    with mock.patch.object(toomcook, "parallel_ranges", in_halves):
        check(toomcook, x[:1], y[:1], w, geometry, arguments=(plan,))


@settings(max_examples=80)
@given(naive.problems())
def test_direct(problem):
    """Whatever the number of outputs; what each tap sees lies inside of the phases."""
    (found,), starts = direct._layout(problem[3])
    assert starts.max() + found["flat"] <= found["phases"] * found["size"]
    check(direct, *problem)


@pytest.mark.parametrize("groups", [1, 6])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 3), (2, 3)])
def test_few_outputs_of_a_group_go_tap_by_tap(groups, stride, dilation):
    """More positions than a block has, several images; the way is taken where it is meant to be."""
    size, c, o = (70, 61), 6, 6 if groups == 6 else 2
    out = tuple((n + 2 - 2 * dilation - 1) // stride + 1 for n in size)
    geometry = Geometry(size, out, (3, 3), (stride,) * 2, (1, 1), (dilation,) * 2, groups)
    rng = np.random.default_rng(0)
    shapes = (2, c, *size), (2, o, *out), (o, c // groups, 3, 3)
    assert direct.pays(geometry, c, o) and not direct.pays(geometry, c, 5 * groups)
    assert direct.transpose_pays(geometry, c, o)  # 9 / 4 taps see a position at least
    assert direct.transpose_pays(geometry._replace(size=(9, 9)), c, o) == (stride == 1)
    assert not direct.transpose_pays(geometry._replace(stride=(3, 3)), c, o)
    with mock.patch.object(direct, "pieces_of", lambda n, least: (3, True)):
        check(cpu, *[rng.standard_normal(s) for s in shapes], geometry)


@settings(max_examples=60)
@given(naive.problems())
def test_volumes_by_planes(problem):
    """Also those that are not quicker so."""
    geometry = problem[3]
    assume(len(geometry.size) == 3 and geometry.groups == 1)
    planes = lambda n, c, o, g: len(g.size) == 3
    with mock.patch.object(cpu, "_by_planes", planes):
        check(cpu, *problem)


@pytest.mark.parametrize(
    "n, kernel, stride, padding", [(110, 4, 2, 1), (40, 3, 1, 1), (40, 3, 1, 0)]
)
def test_the_choice_for_volumes(n, kernel, stride, padding):
    """Sizes of real layers; planes at the ends see zeros."""
    size = (5, 16, 12)
    out = tuple((n + 2 * padding - kernel) // stride + 1 for n in size)
    geometry = Geometry(size, out, *[(v,) * 3 for v in (kernel, stride, padding, 1)], 1)
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((n, 33, *s)) for s in (size, out))
    w = rng.standard_normal((33, 33, *(kernel,) * 3))
    with mock.patch.object(cpu.volumes, "cut", wraps=cpu.volumes.cut) as cut:
        check(cpu, x, y, w, geometry)
    assert cut.call_count == 4  # forward and weight, in both precisions


@pytest.mark.parametrize(
    "kernel, stride, padding, size",
    [(4, 2, 1, 14), (3, 1, 1, 10), (5, 2, 2, 16), (1, 1, 0, 6), (6, 1, 0, 6)],
)
@pytest.mark.parametrize("channels", [1, 33])
def test_the_choice(kernel, stride, padding, size, channels, monkeypatch):
    """Sizes of real layers, several images in several parts and threads."""
    monkeypatch.setattr(toomcook, "CACHE", 1 << 14)
    monkeypatch.setattr(toomcook, "BOUND", 1 << 17)
    monkeypatch.setattr(patches, "CACHE", 1 << 12)
    out = (size + 2 * padding - kernel) // stride + 1
    geometry = Geometry(
        (size, size), (out, out), *[(v, v) for v in (kernel, stride, padding, 1)], 1
    )
    if channels == 33 and kernel in (3, 4, 5):
        assert cpu._plan(110, channels, channels, geometry) is not None
    rng = np.random.default_rng(0)
    x, y, w = (
        rng.standard_normal(s)
        for s in (
            (110, channels, size, size),
            (110, channels, out, out),
            (channels, channels, kernel, kernel),
        )
    )
    check(cpu, x, y, w, geometry)


def test_the_fewest_multiplications():
    """7 outputs under 2 taps: 4 + 3 (5 + 4 points), or 3 + 3 + 1; 14: 4 + 4 + 3 + 3; under 3 taps 7
    are 3 + 2 + 2."""
    known = (
        (7, 2, 10, 9),
        (14, 2, 19, 18),
        (4, 2, 6, 5),
        (1, 2, 2, 2),
        (7, 3, 15, 13),
        (9, 3, 19, 15),
        (1, 3, 3, 3),
    )
    for outputs, taps, four, five in known:
        assert toomcook._tiles(outputs, taps, 4).sum() == four
        assert toomcook._tiles(outputs, taps, 5).sum() == five
        for most in (4, 5):  # they cover all outputs
            tiles = toomcook._tiles(outputs, taps, most)
            assert tiles.sum() - tiles[0] * (taps - 1) == outputs


def test_polynomials_are_known_from_their_values():
    """Exactly: 2 + 3 t - t^2 is 2 at 0, 4 at 1, and -1 at
    infinity."""
    assert points.values(3, 3) == [[1, 0, 0], [0, 0, 1], [1, 1, 1]]
    for q in (2, 3, 4, 5):
        back, values = np.array(points.interpolation(q)), np.array(points.values(q, q))
        assert (back @ values == np.eye(q, dtype=int)).all()
    assert (np.array(points.interpolation(3)) @ [2, -1, 4]).tolist() == [2, 3, -1]


def test_memory_is_bounded():
    """No patches of all images at once: 64 images of 32x32 pixels with 64 channels would have 260
    MB of them."""
    x, w = np.ones((64, 64, 32, 32), np.float32), np.ones((64, 64, 4, 4), np.float32)
    y = F.conv2d(x, w, None, 2, 1)
    F.conv2d(x, w[:, :, :, :1], None, 1, (1, 0))
    for call in (
        lambda: F.conv2d(x, w, None, 2, 1),
        lambda: F.conv_transpose2d(y, w, None, 2, 1),
        lambda: F.conv2d(x, w[:, :, :, :1]),
    ):
        tracemalloc.start()
        result = call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < result.nbytes + 12e6


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4"), ("f4", "i8")])
@pytest.mark.parametrize("channels", [2, 40])
def test_mixed_dtypes_are_refused(dtypes, channels):
    """Never garbage: a kernel would read the memory of one as the other."""
    x, y = np.ones((8, channels, 12, 12), dtypes[0]), np.ones((8, channels, 10, 10), dtypes[1])
    with pytest.raises(TypeError, match="y is"):
        cpu.conv_weight(x, y, Geometry((12, 12), (10, 10), (3, 3), (1, 1), (0, 0), (1, 1), 1))
