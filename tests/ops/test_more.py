"""What a table of inputs and outputs does not describe: draws, functions of sizes, errors, and
corners where torch's values are literal.
"""

import math

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.nn import functional as F


@pytest.fixture(autouse=True)
def seeded():
    minigan.manual_seed(1)


def test_gumbel_softmax_draws_classes_with_their_probabilities():
    logits = minigan.tensor([0.5, 0.3, 0.2]).log().expand(20000, 3)
    hard = F.gumbel_softmax(logits, hard=True)
    assert set(hard.unique().tolist()) == {0.0, 1.0} and (hard.sum(1) == 1).all()
    np.testing.assert_allclose(hard.mean(0).numpy(), [0.5, 0.3, 0.2], atol=0.015)


def test_categorical_draws_classes_with_their_probabilities():
    logits = minigan.tensor([math.log(0.1), math.log(0.6), -math.inf, math.log(0.3)]).expand(
        40_000, 4
    )
    drawn = minigan.ops.categorical(logits)
    assert drawn.dtype == np.int64 and drawn.shape == (40_000,) and not drawn.requires_grad
    shares = np.bincount(drawn.numpy(), minlength=4) / 40_000
    np.testing.assert_allclose(shares, [0.1, 0.6, 0.0, 0.3], atol=0.012)
    assert shares[2] == 0
    along = minigan.ops.categorical(logits.T, dim=0, generator=minigan.Generator(3))
    assert along.shape == (40_000,) and abs((along == 1).float().mean().item() - 0.6) < 0.012
    a, b = (minigan.ops.categorical(minigan.zeros(9, 5), generator=minigan.Generator(7))
            for _ in range(2))  # fmt: skip
    assert a.tolist() == b.tolist()


def test_gumbel_softmax_repeats_with_the_seed_and_from_a_generator():
    draw = lambda: F.gumbel_softmax(minigan.zeros(2, 3)).numpy()
    a = draw()
    minigan.manual_seed(1)
    assert np.array_equal(a, draw())
    one = minigan.ops.gumbel_softmax(minigan.zeros(2), generator=minigan.Generator(5))
    assert minigan.equal(
        one, minigan.ops.gumbel_softmax(minigan.zeros(2), generator=minigan.Generator(5))
    )


def test_gumbel_softmax_is_softmax_of_noisy_logits_and_its_hard_gradient_is_the_soft_one():
    grads = []
    for hard in (False, True):
        minigan.manual_seed(3)
        logits = minigan.tensor([[0.0, 1.0, -1.0]], requires_grad=True)
        y = F.gumbel_softmax(logits, tau=0.5, hard=hard)
        (y * minigan.tensor([1.0, 2.0, 3.0])).sum().backward()
        grads.append(logits.grad.numpy())
    np.testing.assert_allclose(*grads, rtol=1e-6)
    minigan.manual_seed(3)
    noise = -np.log(-np.log1p(-minigan.rand(1, 3).numpy()))
    soft = np.exp((np.array([[0.0, 1.0, -1.0]]) + noise) / 0.5)
    soft /= soft.sum()
    np.testing.assert_allclose(
        grads[0], 2 * soft * ([1, 2, 3] - (soft * [1, 2, 3]).sum()), atol=1e-6
    )


def test_rrelu():
    x = minigan.full((1000,), -1.0, requires_grad=True)
    y = F.rrelu(x, 0.1, 0.3, training=True)
    slopes = -y.detach().numpy()
    assert slopes.min() >= 0.1 and slopes.max() <= 0.3 and abs(slopes.mean() - 0.2) < 0.01
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slopes, rtol=1e-6)
    layer = nn.RReLU(0.1, 0.3)
    assert layer(minigan.tensor([2.0])).item() == 2
    np.testing.assert_allclose(layer.eval()(minigan.tensor([-2.0])).item(), -0.4, rtol=1e-6)


def test_feature_alpha_dropout():
    y = F.feature_alpha_dropout(minigan.randn(200, 50, 4), 0.3, training=True)
    same = (y == y[..., :1]).all(-1)  # channels that were dropped have one value
    assert abs(same.float().mean().item() - 0.3) < 0.02
    assert abs(y.mean().item()) < 0.05 and abs(y.var().item() - 1) < 0.05
    x = minigan.randn(2, 3)
    assert nn.FeatureAlphaDropout(0.3).eval()(x) is x


def test_sizes_and_positions():
    assert tuple(minigan.broadcast_shapes((2, 1), (3,), 1)) == (2, 3)
    assert minigan.tril_indices(2, 3, 1).tolist() == [[0, 0, 1, 1, 1], [0, 1, 0, 1, 2]]
    assert minigan.triu_indices(2, 3, 1).tolist() == [[0, 0, 1], [1, 2, 2]]
    found = minigan.unique_consecutive(
        minigan.tensor([3, 3, 1, 1, 3]), return_inverse=True, return_counts=True
    )
    assert [f.tolist() for f in found] == [[3, 1, 3], [0, 0, 1, 1, 2], [2, 2, 1]]
    rows = minigan.unique_consecutive(minigan.tensor([[1, 2], [1, 2], [0, 2]]), dim=0)
    assert rows.tolist() == [[1, 2], [0, 2]]


def test_float_power():
    y = minigan.float_power(minigan.tensor([2, 3]), 0.5)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y.numpy(), np.sqrt([2.0, 3.0]))


@pytest.mark.parametrize("dims", [2, 3])
def test_nearest_samples_have_a_gradient_of_zeros_for_the_grid(dims):
    x = minigan.randn(1, 2, *[3] * dims, requires_grad=True)
    grid = minigan.rand(1, *[2] * dims, dims, requires_grad=True)
    F.grid_sample(x, grid, mode="nearest", align_corners=True).sum().backward()
    assert grid.grad.abs().sum().item() == 0 and x.grad.sum().item() == 2 * 2**dims


def test_reflected_samples_far_outside():
    """torch.nn.functional.grid_sample(arange(4.).view(1, 1, 1, 4), grid, padding_mode="reflection",
    align_corners=a)
    """
    x = minigan.arange(4.0).view(1, 1, 1, 4)
    grid = minigan.tensor([[[[-3.3, 0.0], [2.2, 0.0], [5.7, 0.0]]]])
    plain = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    corners = F.grid_sample(x, grid, padding_mode="reflection", align_corners=True)
    np.testing.assert_allclose(plain.flatten().numpy(), PLAIN, atol=1e-5)
    np.testing.assert_allclose(corners.flatten().numpy(), CORNERS, atol=1e-5)


PLAIN = [2.9, 1.1, 2.1]
CORNERS = [2.55, 1.2, 1.95]


def test_cumprod_with_zeros_has_torchs_derivatives_of_both_orders():
    x = minigan.tensor([2.0, 0.0, 3.0, 0.0, 5.0], requires_grad=True)
    (g,) = minigan.grad(
        x.cumprod(0) @ minigan.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), x, create_graph=True
    )
    assert g.tolist() == [1, 22, 0, 0, 0]
    (h,) = minigan.grad(g @ minigan.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), x)
    assert h.tolist() == [22, 725, 12, 348, 0]


def test_medians_share_the_gradient_among_equal_elements_as_in_torch():
    x = minigan.tensor([1.0, 2.0, 2.0, 3.0, 2.0], requires_grad=True)
    x.median().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0, 1 / 3, 1 / 3, 0, 1 / 3])


def test_the_determinant_of_a_singular_matrix():
    assert minigan.det(minigan.ones(2, 2)).item() == 0
    assert minigan.slogdet(minigan.ones(2, 2)).logabsdet.item() == -math.inf


def test_frechet_distance_with_torchs_names_and_its_gradient():
    """What a program writes for tr(S1 + S2 - 2 (S1 S2)^1/2): against minigan.metrics, and
    differentiable.
    """
    from minigan.metrics.frechet import frechet_of_gaussians

    rng = np.random.default_rng(0)
    a, b = (
        minigan.tensor(rng.standard_normal((50, 3)), requires_grad=True),
        minigan.tensor(rng.standard_normal((60, 3)) * 2),
    )

    def distance(x, y):
        s, t = minigan.cov(x.T), minigan.cov(y.T)
        values, vectors = minigan.linalg.eigh(s)
        root = vectors @ minigan.diag(values.sqrt()) @ vectors.T
        cross = minigan.linalg.eigvalsh(root @ t @ root).sqrt().sum()
        return (
            ((x.mean(0) - y.mean(0)) ** 2).sum() + minigan.trace(s) + minigan.trace(t) - 2 * cross
        )

    d = distance(a, b)
    x, y = a.detach().numpy(), b.numpy()
    np.testing.assert_allclose(
        d.item(), frechet_of_gaussians(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T)), rtol=1e-10
    )
    minigan.gradcheck(lambda x: distance(x, b), [a])


def test_storage_is_shared_by_views():
    x = minigan.arange(6.0).view(2, 3)
    y = x.t()[1:]
    assert y.storage().data_ptr() == x.storage().data_ptr() and y.storage().tolist() == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]
    assert (y.storage_offset(), y.storage().size(), y.storage().nbytes(), y.storage()[2]) == (
        1,
        6,
        24,
        2,
    )


BAD = [
    (lambda: F.grid_sample(minigan.ones(1, 1, 2, 2), minigan.ones(1, 2, 2, 3)), "expected input"),
    (
        lambda: F.grid_sample(minigan.ones(1, 1, 2, 2), minigan.ones(1, 2, 2, 2), "cubic"),
        "mode='cubic'",
    ),
    (lambda: F.affine_grid(minigan.ones(1, 2, 2), (1, 1, 2, 2)), "expected theta"),
    (lambda: F.unfold(minigan.ones(1, 1, 2, 2), 3), "does not fit"),
    (lambda: F.fold(minigan.ones(1, 4, 3), (3, 3), 2), "expected input"),
    (
        lambda: F.max_unpool2d(
            minigan.ones(1, 1, 2, 2), minigan.ones(1, 1, 2, 2).long(), 2, output_size=(9, 9)
        ),
        "output_size",
    ),
    (lambda: minigan.quantile(minigan.ones(2), 1.5), "must be in"),
    (
        lambda: minigan.quantile(minigan.ones(2), 0.5, interpolation="cubic"),
        "interpolation='cubic'",
    ),
    (lambda: minigan.tensordot(minigan.ones(2, 3), minigan.ones(2, 3), 1), "have sizes"),
    (lambda: minigan.linalg.inv(minigan.ones(2, 3)), "square matrices"),
    (lambda: minigan.linalg.inv(minigan.ones(2, 2)), "Singular matrix"),
    (lambda: minigan.div(minigan.ones(2), 2, rounding_mode="up"), "rounding_mode='up'"),
    (lambda: minigan.ones(3).unfold(0, 4, 1), "size=4"),
    (lambda: F.triplet_margin_loss(*[minigan.ones(2, 2)] * 3, margin=-1), "margin=-1"),
    (
        lambda: F.gaussian_nll_loss(minigan.ones(2), minigan.ones(2), minigan.tensor([1.0, -1.0])),
        "negative",
    ),
    (lambda: F.channel_shuffle(minigan.ones(1, 3, 1), 2), "groups=2"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bases_of_the_whole_space():
    x = minigan.randn(3, 2, requires_grad=True, dtype=minigan.float64)
    U, S, Vh = minigan.linalg.svd(x)
    part = minigan.linalg.svd(x, full_matrices=False)
    assert U.shape == (3, 3) and Vh.shape == (2, 2)
    assert minigan.allclose(U @ U.t(), minigan.eye(3).double())
    expected = minigan.grad(part.U[0, 0] ** 2, x)[0]  # further vectors are constants, as in torch
    assert minigan.allclose(minigan.grad(U[0, 0] ** 2 + U[:, 2].sum(), x)[0], expected)


def test_inverses_and_ranks_with_limits():
    A = minigan.tensor([[1.0, 0.0], [0.0, 4.0]])
    limits = minigan.tensor([0.5, 2.0, 5.0])
    rank, pinv = minigan.linalg.matrix_rank, minigan.linalg.pinv
    assert rank(A, limits).tolist() == [2, 1, 0] == rank(A, atol=limits.double()).tolist()
    assert (
        rank(A, rtol=minigan.tensor([0.2, 0.3])).tolist() == [2, 1] and rank(A, tol=2.0).item() == 1
    )
    assert pinv(A, atol=2.0).tolist() == [[0, 0], [0, 0.25]] == pinv(A, 0.5).tolist()
    assert pinv(A, atol=minigan.tensor(0.5)).tolist() == [[1, 0], [0, 0.25]]
    B = minigan.tensor([[1.0, 9.0], [1.0, 2.0]], requires_grad=True)  # the lower triangle is read
    y = pinv(B, hermitian=True)
    assert minigan.allclose(y, minigan.tensor([[2.0, -1.0], [-1.0, 1.0]]), atol=1e-5)


def test_least_squares_gives_residuals_that_require_gradients():
    A = minigan.randn(2, 3, requires_grad=True)
    found = minigan.linalg.lstsq(A, minigan.randn(2, 1))
    assert found.residuals.shape == (0,) and found.residuals.requires_grad
    assert found.singular_values.shape == (0,) and not found.singular_values.requires_grad


def test_products_of_integers_stay_what_they_are():
    i = lambda *shape: minigan.arange(1, 1 + math.prod(shape)).reshape(shape)
    found = minigan.addbmm(i(2, 2), i(2, 2, 2), i(2, 2, 2), beta=0.6, alpha=1.2)
    assert found.tolist() == [[74, 88], [106, 128]] and found.dtype == minigan.int64
    assert minigan.addmm(i(2, 2), i(2, 2), i(2, 2), beta=2.0, alpha=2.5).tolist() == [
        [16, 24],
        [36, 52],
    ]
    found = minigan.addr(i(2, 2) > 1, i(2) > 1, i(2) > 0, beta=3, alpha=2)
    assert found.tolist() == [[False, True], [True, True]] and found.dtype == minigan.bool
    bytes_ = minigan.ones(2, 1, dtype=minigan.uint8), minigan.ones(2, 3, dtype=minigan.uint8)
    found = minigan.tensordot(*bytes_, [[0, 1], [0, 1]])
    assert found.item() == 6 and found.dtype == minigan.uint8


def test_what_beta_0_leaves_out():
    nan = minigan.tensor([float("nan"), 1.0], requires_grad=True)
    y = minigan.addmv(nan, minigan.ones(2, 2), minigan.ones(2), beta=0)
    assert y.tolist() == [2, 2] and minigan.grad(y.sum(), nan)[0].tolist() == [0, 0]
    for y in (
        minigan.addmm(nan.detach(), minigan.ones(1, 2), minigan.ones(2, 2), beta=0),
        minigan.addbmm(nan.detach(), minigan.ones(1, 1, 2), minigan.ones(1, 2, 2), beta=0),
        minigan.baddbmm(nan.detach(), minigan.ones(1, 1, 2), minigan.ones(1, 2, 2), beta=0),
        minigan.addr(nan.detach(), minigan.ones(1), minigan.ones(2) * 2, beta=0),
    ):
        assert y.reshape(-1).tolist() == [2, 2]


def test_powers_of_a_number_and_running_products_of_integers():
    negative = minigan.tensor([-1, -2])
    assert (2.0**negative).tolist() == [0.5, 0.25] and minigan.ldexp(
        minigan.tensor([4, 4]), negative
    ).tolist() == [2, 1]
    one = minigan.tensor(3, dtype=minigan.uint8)
    assert one.cumprod(0).dtype == one.cumsum(0).dtype == minigan.int64
    hundreds = minigan.tensor([100, 200, 300])
    assert hundreds.cumprod(0, dtype=minigan.uint8).tolist() == [100, 32, 128]
    assert hundreds.cumprod(0, dtype=minigan.uint8).dtype == minigan.uint8
    signed = minigan.copysign(minigan.tensor([1, 2]), -1)
    assert signed.tolist() == [-1, -2] and signed.dtype == minigan.float32
    assert minigan.copysign(
        minigan.tensor([False, True]), minigan.tensor([-1.0, 1.0])
    ).tolist() == [0, 1]
    half = minigan.tensor([[1, 2], [3, 4]], dtype=minigan.float16)
    assert half.cov(aweights=minigan.ones(2)).dtype == minigan.float32
    vander = minigan.linalg.vander
    assert vander(minigan.tensor(2.0), N=3).tolist() == [[1, 2, 4]]
    assert vander(minigan.tensor([2, 3], dtype=minigan.uint8)).dtype == minigan.int64
    assert minigan.vander(minigan.tensor([2, 3], dtype=minigan.int32)).dtype == minigan.int64
    with pytest.raises(ValueError, match="N=1"):
        vander(minigan.ones(3), N=1)


def test_places_named_twice():
    value = minigan.tensor(2.0, requires_grad=True)
    y = minigan.zeros(3).index_fill(0, minigan.tensor([1, 1, -2, 0]), value)
    y.sum().backward()
    assert y.tolist() == [2, 2, 0] and value.grad.item() == 2
    x = minigan.tensor([1, 2, 3], dtype=minigan.uint8)
    ones = minigan.ones(2, dtype=minigan.uint8)
    y = x.index_add(0, minigan.tensor([0, 2]), ones, alpha=-1)
    assert y.tolist() == [0, 2, 2] and y.dtype == minigan.uint8


def test_places_from_the_end_and_sums_of_nothing():
    x = minigan.tensor([[1.0, 2.0, 3.0]])
    assert minigan.take_along_dim(x, minigan.tensor([[-1, 0]]), 1).tolist() == [[3, 1]]
    assert minigan.histc(minigan.zeros(0), 3).tolist() == [0, 0, 0]
    b = minigan.tensor([True, False])
    assert minigan.add(b, ~b, alpha=False).tolist() == [True, False]
    assert minigan.add(b, ~b, alpha=True).tolist() == [True, True]


def test_where_of_a_condition_alone():
    x = minigan.tensor([[1.0, -1.0], [-2.0, 3.0]])
    rows, columns = minigan.where(x > 0)
    assert rows.tolist() == [0, 1] and columns.tolist() == [0, 1] and rows.dtype == minigan.int64
    assert x.where(x > 0, 0.0).tolist() == [[1, 0], [0, 3]] == minigan.where(x > 0, x, 0.0).tolist()


def test_integers_from_floats():
    arange = minigan.arange
    linspace = minigan.linspace
    integers = dict(dtype=minigan.int64)
    assert arange(-0.9, 2.1, 2.0, **integers).tolist() == [0]
    assert arange(-0.9, 2.1, 2.0, dtype=minigan.int32).tolist() == [0, 2]
    assert arange(0.5, 3.7, dtype=minigan.int32).tolist() == [0, 1, 2, 3]
    assert linspace(4.3, -3, 50, **integers)[:3].tolist() == [4, 3, 3]
    assert linspace(0.5, 9.7, 5, **integers).tolist() == [0, 2, 4, 6, 9]
    x = minigan.arange(12.0).reshape(3, 4)
    assert minigan.norm(x, "nuc").item() == pytest.approx(24.3646, abs=1e-4)
    assert minigan.norm(x, "nuc", dim=(0, 1), keepdim=True).shape == (1, 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [minigan.float32, minigan.float64])
def test_small_probabilities_keep_their_digits(dtype):
    x = minigan.tensor([-80.0, -30.0, -16.0, -1000.0, 0.0, 40.0], dtype=dtype)
    expected = [1.8048514e-35, 9.3576230e-14, 1.1253516e-07, 0.0, 0.5, 1.0]
    np.testing.assert_allclose(x.sigmoid().numpy(), expected, rtol=2e-6)
    np.testing.assert_allclose(
        F.silu(x)[:3].numpy(), [-1.4438811e-33, -2.8072869e-12, -1.8005626e-06], rtol=2e-6
    )
    assert x[:3].sigmoid().log().numpy() == pytest.approx([-80, -30, -16])
    half = minigan.tensor([-12.0, -6.0], dtype=minigan.float16).sigmoid()
    np.testing.assert_allclose(half.float().numpy(), [6.1393e-06, 2.4738e-03], rtol=2e-2)


def test_the_integer_part_keeps_nothing_for_backward():
    x = minigan.tensor([1.5, -1.5], requires_grad=True)
    y = (x * 2).trunc() + x.frac()
    with minigan.no_grad():
        x.add_(1)
    y.sum().backward()
    assert y.tolist() == [3.5, -3.5] and x.grad.tolist() == [1, 1]


def test_transposes_as_attributes():
    number = minigan.tensor(1.0)
    assert (
        number.mT is number
        and number.mH is number
        and number.H is number
        and number.T is not number
    )
    matrix = minigan.tensor([[1.0, 2.0]])
    assert matrix.H.tolist() == matrix.mT.tolist() == [[1], [2]]
    for name in ("mT", "mH", "H"):
        with pytest.raises(RuntimeError, match="dimension"):
            getattr(minigan.ones(2), name)


def test_parts_of_nothing():
    assert [x.shape for x in minigan.zeros(0, 4).chunk(3, 0)] == [(0, 4)] * 3


def test_unflatten_of_nothing():
    assert minigan.zeros(0, 4, 2).unflatten(-2, (-1, 1)).shape == (0, 4, 1, 2)


def test_shifts_in_place():
    x = minigan.tensor([1, 2, 3])
    x <<= minigan.tensor([1, 0, 2])
    assert x.tolist() == [2, 2, 12]
    x >>= 1
    assert (
        x.tolist() == [1, 1, 6]
        and (1 << x).tolist() == [2, 2, 64]
        and (8 >> x).tolist() == [4, 4, 0]
    )
