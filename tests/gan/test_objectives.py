"""Every objective against its formula written out in NumPy, f-divergences also against the
divergence itself, and second order."""

import math

import numpy as np
import pytest

import minigan
from minigan.autograd import tensor_of
from minigan.gan import (
    KL,
    OBJECTIVES,
    Alpha,
    FDivergence,
    Fisher,
    GANDivergence,
    Hinge,
    Jeffreys,
    JensenShannon,
    LeastSquares,
    Minimax,
    Neyman,
    NonSaturating,
    Pearson,
    RelativisticAverage,
    ReverseKL,
    SquaredHellinger,
    TotalVariation,
)

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.normal(size=(6, 1)), RNG.normal(size=(6, 1))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def hinge(x):
    return np.maximum(0, x)


def softmax_loss(real, fake, targets):
    both = np.concatenate([real.ravel(), fake.ravel()])
    return -(targets * np.log(np.exp(both) / np.exp(both).sum())).sum()


# name -> (what D ascends, what G descends), from the papers, for r = D(real), f = D(fake)
FORMULAS = {
    "minimax": (
        lambda r, f: np.log(sigmoid(r)).mean() + np.log(1 - sigmoid(f)).mean(),
        lambda r, f: np.log(1 - sigmoid(f)).mean(),
    ),
    "nonsaturating": (
        lambda r, f: np.log(sigmoid(r)).mean() + np.log(1 - sigmoid(f)).mean(),
        lambda r, f: -np.log(sigmoid(f)).mean(),
    ),
    "lsgan": (
        lambda r, f: -((r - 1) ** 2).mean() / 2 - (f**2).mean() / 2,
        lambda r, f: ((f - 1) ** 2).mean() / 2,
    ),
    "wasserstein": (lambda r, f: r.mean() - f.mean(), lambda r, f: -f.mean()),
    "hinge": (lambda r, f: -hinge(1 - r).mean() - hinge(1 + f).mean(), lambda r, f: -f.mean()),
    "relativistic": (
        lambda r, f: np.log(sigmoid(r - f)).mean(),
        lambda r, f: -np.log(sigmoid(f - r)).mean(),
    ),
    "relativistic-average": (
        lambda r, f: (
            np.log(sigmoid(r - f.mean())).mean() + np.log(1 - sigmoid(f - r.mean())).mean()
        ),
        lambda r, f: (
            -np.log(sigmoid(f - r.mean())).mean() - np.log(1 - sigmoid(r - f.mean())).mean()
        ),
    ),
    "relativistic-average-lsgan": (
        lambda r, f: -((r - f.mean() - 1) ** 2).mean() / 2 - ((f - r.mean() + 1) ** 2).mean() / 2,
        lambda r, f: ((f - r.mean() - 1) ** 2).mean() / 2 + ((r - f.mean() + 1) ** 2).mean() / 2,
    ),
    "relativistic-average-hinge": (
        lambda r, f: -hinge(1 - (r - f.mean())).mean() - hinge(1 + (f - r.mean())).mean(),
        lambda r, f: hinge(1 - (f - r.mean())).mean() + hinge(1 + (r - f.mean())).mean(),
    ),
    "fisher": (  # the multiplier starts at 0
        lambda r, f: (
            r.mean() - f.mean() - 1e-6 / 2 * ((r**2).mean() / 2 + (f**2).mean() / 2 - 1) ** 2
        ),
        lambda r, f: -f.mean(),
    ),
    "softmax": (
        lambda r, f: -softmax_loss(r, f, np.array([1 / len(r)] * len(r) + [0] * len(f))),
        lambda r, f: softmax_loss(r, f, np.full(len(r) + len(f), 1 / (len(r) + len(f)))),
    ),
}


def g_loss(objective, fake, real):
    return objective.g_loss(fake, real) if objective.compares else objective.g_loss(fake)


@pytest.mark.parametrize("name", FORMULAS)
def test_objectives_are_the_papers_formulas(name):
    d_value, loss = FORMULAS[name]
    objective = OBJECTIVES[name]()
    assert objective.d_value(tensor_of(REAL), tensor_of(FAKE)).item() == pytest.approx(
        d_value(REAL, FAKE), rel=1e-12
    )
    assert g_loss(objective, tensor_of(FAKE), tensor_of(REAL)).item() == pytest.approx(
        loss(REAL, FAKE), rel=1e-12
    )


def test_every_objective_is_tested():
    divergences = {name for name, make in OBJECTIVES.items() if isinstance(make(), FDivergence)}
    assert set(FORMULAS) | divergences == set(OBJECTIVES)
    assert {case[0].name for case in DIVERGENCES} == divergences


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_stay_finite_for_extreme_outputs(name):
    objective = OBJECTIVES[name]()
    outputs = tensor_of(np.array([[-1000.0], [1000.0]], np.float32), True)
    for value in (objective.d_value(outputs, outputs), g_loss(objective, outputs, outputs)):
        (gradient,) = minigan.grad(value, [outputs], allow_unused=True)
        assert value.dtype == np.float32 and np.isfinite(value.item())
        assert gradient is None or np.isfinite(gradient.numpy()).all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_first_and_second_derivatives(name):
    objective = OBJECTIVES[name]()
    real, fake = tensor_of(REAL, True), tensor_of(FAKE, True)
    for f in (objective.d_value, lambda r, f: g_loss(objective, f, r)):
        inputs = (real, fake)
        assert minigan.gradcheck(lambda r, x: f(r, x) + 0 * (r.sum() + x.sum()), inputs)
        assert minigan.gradgradcheck(lambda r, x: f(r, x) + 0 * (r.sum() + x.sum()), inputs)


def test_gradients_flow_through_the_means_of_relativistic_average_objectives():
    real, fake = tensor_of(REAL, True), tensor_of(FAKE, True)
    for value in (
        RelativisticAverage().d_value(real, fake),
        RelativisticAverage().g_loss(fake, real),
    ):
        both = minigan.grad(value, [real, fake])
        assert all(np.abs(g.numpy()).min() > 1e-4 for g in both)
        # adding a constant to D changes nothing
        assert sum(g.sum().item() for g in both) == pytest.approx(0, abs=1e-12)


def test_an_objective_that_compares_says_so():
    for name, make in OBJECTIVES.items():
        objective = make()
        if objective.compares:
            with pytest.raises(TypeError, match="real"):
                objective.g_loss(tensor_of(FAKE))
        else:
            assert objective.g_loss(tensor_of(FAKE)).shape == (), name


# --- label smoothing ---


def test_smoothed_labels_are_one_sided():
    for a in (0.9, 1.0):
        value = (
            a * np.log(sigmoid(REAL)).mean()
            + (1 - a) * np.log(1 - sigmoid(REAL)).mean()
            + np.log(1 - sigmoid(FAKE)).mean()
        )
        assert NonSaturating(real_label=a).d_value(
            tensor_of(REAL), tensor_of(FAKE)
        ).item() == pytest.approx(value, rel=1e-12)
        assert (
            NonSaturating(real_label=a).g_loss(tensor_of(FAKE)).item()
            == NonSaturating().g_loss(tensor_of(FAKE)).item()
        )


def test_the_best_d_of_smoothed_labels_is_a_p_over_p_plus_q():
    p, q = 0.7, 0.3  # of one point x: V is p [a log D + (1 - a) log(1 - D)] + q log(1 - D)
    v = tensor_of(np.zeros((1, 1)), True)
    objective = Minimax(real_label=0.9)
    for _ in range(500):
        value = objective.on_real(v) * p + Minimax().g_loss(v) * q
        v = tensor_of((v.detach() + minigan.grad(value, v)[0] * 2).numpy(), True)
    assert sigmoid(v.item()) == pytest.approx(0.9 * p / (p + q), abs=1e-6)


def test_drawn_labels_lie_between_their_bounds():
    minigan.manual_seed(0)
    big = tensor_of(np.full((5000, 1), 3.0))
    mean_label = 0.9
    expected = mean_label * np.log(sigmoid(3.0)) + (1 - mean_label) * np.log(1 - sigmoid(3.0))
    assert Minimax(real_label=(0.8, 1.0)).on_real(big).item() == pytest.approx(expected, rel=1e-2)
    for bad in (0.0, 1.1, (0.5, 1.5), (0.9, 0.8)):
        with pytest.raises(ValueError, match="real_label"):
            Minimax(real_label=bad)


def test_other_codings_of_least_squares():
    objective = LeastSquares(-1, 1, 0)
    expected = -((REAL - 1) ** 2).mean() / 2 - ((FAKE + 1) ** 2).mean() / 2
    assert objective.d_value(tensor_of(REAL), tensor_of(FAKE)).item() == pytest.approx(
        expected, rel=1e-12
    )
    assert objective.g_loss(tensor_of(FAKE)).item() == pytest.approx(
        (FAKE**2).mean() / 2, rel=1e-12
    )


def test_hinge_ignores_what_is_told_with_a_margin():
    real, fake = tensor_of(np.array([2.0, 0.5]), True), tensor_of(np.array([-2.0, 0.5]), True)
    on_real, on_fake = minigan.grad(Hinge().d_value(real, fake), [real, fake])
    assert on_real.tolist() == [0, 0.5] and on_fake.tolist() == [0, -0.5]


def test_fisher_multiplier_follows_its_gradient_and_is_saved():
    rho = 0.1
    objective, multiplier = Fisher(rho), 0.0
    for step in range(3):
        real, fake = REAL * (step + 1), FAKE
        moment = ((real**2).mean() + (fake**2).mean()) / 2
        value = real.mean() - fake.mean() + multiplier * (1 - moment) - rho / 2 * (moment - 1) ** 2
        assert objective.d_value(tensor_of(real), tensor_of(fake)).item() == pytest.approx(
            value, rel=1e-9
        )
        assert objective.second_moment.item() == pytest.approx(moment)
        objective.after_step()
        multiplier -= rho * (1 - moment)
        assert objective.multiplier.item() == pytest.approx(multiplier)
    other = Fisher(rho)
    other.load_state_dict(objective.state_dict())
    assert (
        other.d_value(tensor_of(REAL), tensor_of(FAKE)).item()
        == objective.d_value(tensor_of(REAL), tensor_of(FAKE)).item()
    )
    empty = Fisher(rho)
    empty.load_state_dict(Fisher().state_dict())
    assert empty.multiplier is None


# --- f-divergences: the textbook formula of each, for densities p, q on a few points ---

KL_ = lambda p, q: (p * np.log(p / q)).sum()
DIVERGENCES = [  # class, options, f(u), D(P || Q), supremum over u of (u t - f(u)) at t
    (TotalVariation, {}, lambda u: abs(u - 1) / 2, lambda p, q: abs(p - q).sum() / 2),
    (KL, {}, lambda u: u * math.log(u), KL_),
    (ReverseKL, {}, lambda u: -math.log(u), lambda p, q: KL_(q, p)),
    (Pearson, {}, lambda u: (u - 1) ** 2, lambda p, q: ((p - q) ** 2 / q).sum()),
    (Neyman, {}, lambda u: (1 - u) ** 2 / u, lambda p, q: ((p - q) ** 2 / p).sum()),
    (SquaredHellinger, {}, lambda u: (math.sqrt(u) - 1) ** 2, lambda p,
        q: ((np.sqrt(p) - np.sqrt(q)) ** 2).sum()),
    (JensenShannon, {}, lambda u: u * math.log(u) - (u + 1) * math.log((u + 1) / 2),
     lambda p, q: KL_(p, (p + q) / 2) + KL_(q, (p + q) / 2)),
    (GANDivergence, {}, lambda u: u * math.log(u) - (u + 1) * math.log(u + 1),
     lambda p, q: KL_(p, (p + q) / 2) + KL_(q, (p + q) / 2) - math.log(4)),
    (Jeffreys, {}, lambda u: (u - 1) * math.log(u), lambda p, q: KL_(p, q) + KL_(q, p)),
    *[(Alpha, {"alpha": a}, lambda u, a=a: (u**a - 1 - a * (u - 1)) / (a * (a - 1)),
       lambda p, q, a=a: ((p**a * q ** (1 - a)).sum() - 1) / (a * (a - 1))) for a in (0.5, 0.3,
       -1.0, 2.0, 1.7)],
]  # fmt: skip
IDS = [c[0].name + "".join(map(str, c[1].values())) for c in DIVERGENCES]


@pytest.mark.parametrize(("make", "options", "f", "divergence"), DIVERGENCES, ids=IDS)
def test_the_conjugate_is_the_supremum_of_ut_minus_f(make, options, f, divergence):
    objective = make(**options)
    u = np.exp(np.linspace(-14, 14, 200_001))
    values = np.array([f(x) for x in u])
    for v in (-3.0, -1.1, -0.2, 0.0, 0.4, 1.3, 2.5):
        t = objective.activation(tensor_of(np.array(v))).item()
        if make is Pearson and t < -2:
            continue  # there the supremum is at u < 0, where the parabola goes on
        assert objective.conjugate(tensor_of(np.array(v))).item() == pytest.approx(
            (u * t - values).max(), rel=1e-5, abs=2e-5
        )


@pytest.mark.parametrize(("make", "options", "f", "divergence"), DIVERGENCES, ids=IDS)
def test_what_d_ascends_to_is_the_divergence(make, options, f, divergence):
    """F is a sum over points: the largest of each point's part, over all outputs v."""
    p, q = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.2, 0.3, 0.1, 0.4])
    objective, v = make(**options), tensor_of(np.linspace(-40, 40, 400_001)[:, None])
    parts = objective.activation(v) * p - objective.conjugate(v) * q
    assert parts.numpy().max(0).sum() == pytest.approx(divergence(p, q), rel=1e-7)


@pytest.mark.parametrize("make", [case[0] for case in DIVERGENCES[:9]] + [Alpha])
def test_activations_increase_and_the_bound_also_holds_where_v_is_bent(make):
    objective = make()
    v = tensor_of(np.linspace(-60, 60, 241))
    t, conjugate = objective.activation(v).numpy(), objective.conjugate(v).numpy()
    assert (np.diff(t) >= 0).all() and (np.diff(t)[100:140] > 0).all()
    p, q = 0.3, 0.6
    density = lambda f: q * f(p / q)
    f = next(case[2] for case in DIVERGENCES if case[0] is make)
    assert (p * t - q * conjugate <= density(f) + 1e-9 * (1 + abs(t))).all()


def test_relations_between_divergences():
    real, fake = tensor_of(REAL), tensor_of(FAKE)
    value = lambda objective: objective.d_value(real, fake).item()
    assert value(Alpha(0.5)) == pytest.approx(2 * value(SquaredHellinger()), rel=1e-12)
    assert value(Alpha(-1)) == pytest.approx(value(Neyman()) / 2, rel=1e-12)
    assert value(Alpha(1 + 1e-7)) == pytest.approx(
        KL().d_value(real + 1, fake + 1).item(), rel=1e-4
    )
    assert value(Alpha(1e-7)) == pytest.approx(value(ReverseKL()), rel=1e-4)
    assert value(GANDivergence()) == pytest.approx(value(Minimax()), rel=1e-12)
    assert value(JensenShannon()) == pytest.approx(value(Minimax()) + math.log(4), rel=1e-12)
    assert GANDivergence().g_loss(fake).item() == pytest.approx(
        Minimax().g_loss(fake).item(), rel=1e-12
    )
    assert GANDivergence(nonsaturating=True).g_loss(fake).item() == pytest.approx(
        NonSaturating().g_loss(fake).item(), rel=1e-12
    )
    for alpha in (0, 1):
        with pytest.raises(ValueError, match="KL"):
            Alpha(alpha)
