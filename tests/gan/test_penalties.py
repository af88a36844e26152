"""Penalties and constraints against closed forms on critics whose gradients are known, and their
derivatives."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.gan import (
    DRAGAN,
    GAN,
    PENALTIES,
    R1,
    R2,
    GradientPenalty,
    HistoricalAveraging,
    NonSaturating,
    Orthogonal,
    SpectralNorm,
    Trainer,
    Wasserstein,
    WassersteinDivergence,
    WeightClip,
)
from minigan.gan.penalties import between, slopes, squared_slopes
from minigan.optim import SGD, RMSprop

RNG = np.random.default_rng(0)


class Quadratic(nn.Module):
    """D(x) = sum_j a_j x_j^2 / 2 over all numbers of an example: grad D(x) = a x."""

    per_example = True

    def __init__(self, shape):
        super().__init__()
        self.a = nn.Parameter(RNG.normal(size=shape))

    def forward(self, x):
        return (x * x * self.a).flatten(1).sum(1, keepdim=True) * 0.5


class Recording(nn.Module):
    """D(x) = 0 x, and the points where it was asked."""

    per_example = True

    def forward(self, x):
        self.asked = x.detach().numpy()
        return (x * 0).flatten(1).sum(1)


SHAPES = [(2,), (1, 3, 3), (3, 2, 4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_slopes_go_over_all_numbers_of_each_example(shape):
    critic, x = Quadratic(shape), RNG.normal(size=(5, *shape))
    expected = [
        sum(float(a * v) ** 2 for a, v in zip(critic.a.detach().numpy().ravel(), example.ravel()))
        for example in x
    ]
    np.testing.assert_allclose(
        squared_slopes(critic, tensor_of(x)).detach().numpy(), expected, rtol=1e-12
    )
    np.testing.assert_allclose(
        slopes(critic, tensor_of(x)).detach().numpy(), np.sqrt(expected), rtol=1e-9
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_penalties_of_gradients_in_closed_form(shape):
    """Between equal batches, and around a constant batch without spread, the points asked are
    known."""
    critic, x = Quadratic(shape), RNG.normal(size=(5, *shape))
    lengths = np.sqrt(((critic.a.detach().numpy() * x) ** 2).reshape(5, -1).sum(1))
    real, other = tensor_of(x), tensor_of(x * 2)
    value = lambda penalty, *batches: penalty(critic, *batches).item()
    assert value(GradientPenalty(7.0, 0.5), real, real) == pytest.approx(
        7 * ((lengths - 0.5) ** 2).mean(), rel=1e-9
    )
    assert value(GradientPenalty(7.0, 0.5, True), real, real) == pytest.approx(
        7 * (np.maximum(lengths - 0.5, 0) ** 2).mean(), rel=1e-9
    )
    assert value(DRAGAN(3.0, 1.0, scale=0.0), real, other) == pytest.approx(
        3 * ((lengths - 1) ** 2).mean(), rel=1e-9
    )
    assert value(R1(4.0), real, other) == pytest.approx(2 * (lengths**2).mean(), rel=1e-12)
    assert value(R2(4.0), other, real) == pytest.approx(2 * (lengths**2).mean(), rel=1e-12)
    assert value(WassersteinDivergence(), real, real) == pytest.approx(
        2 * (lengths**6).mean(), rel=1e-9
    )
    assert value(WassersteinDivergence(1.5, 3.0), real, real) == pytest.approx(
        1.5 * (lengths**3).mean(), rel=1e-6
    )


def test_the_slope_of_a_linear_critic_is_its_weight():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 1)).double()
    x = tensor_of(RNG.normal(size=(4, 3, 2, 2)))
    length = np.linalg.norm(critic[1].weight.detach().numpy())
    assert GradientPenalty()(critic, x, x * 3).item() == pytest.approx(
        10 * (length - 1) ** 2, rel=1e-9
    )


def test_each_example_has_its_own_point_between():
    minigan.manual_seed(0)
    real, fake = tensor_of(np.zeros((2000, 1, 2, 2))), tensor_of(np.ones((2000, 1, 2, 2)))
    e = 1 - between(real, fake).numpy()
    assert (e == e[:, :1, :1, :1]).all()  # one number for all pixels
    e = np.sort(e[:, 0, 0, 0])
    assert len(np.unique(e)) > 1990 and np.abs(e - np.linspace(0, 1, 2000)).max() < 0.04  # uniform
    with pytest.raises(ValueError, match="one shape"):
        between(real, fake[:5])


def test_dragan_looks_around_real_examples_only():
    minigan.manual_seed(0)
    real = tensor_of(RNG.normal(3, 2, (500, 4)))
    fake = tensor_of(np.full((500, 4), 100.0))
    critic = Recording()
    DRAGAN(scale=0.5)(critic, real, fake)
    noise = critic.asked - real.numpy()
    assert (
        noise.std() == pytest.approx(0.5 * real.numpy().std(), rel=0.05) and abs(noise.mean()) < 0.1
    )


def smooth_critic():
    minigan.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1),
        nn.Softplus(),
        nn.Flatten(),
        nn.Linear(48, 4),
        nn.Tanh(),
        nn.Linear(4, 1),
    ).double()


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_are_differentiable_with_respect_to_the_weights(name):
    """Their gradient (second derivatives of D) and that one's derivative, against finite
    differences."""
    critic = smooth_critic()
    real, fake = tensor_of(RNG.normal(size=(3, 2, 4, 4))), tensor_of(RNG.normal(size=(3, 2, 4, 4)))
    penalty = PENALTIES[name]()
    if name == "historical":
        penalty(critic, real, fake)
        penalty.averages = [a + 0.3 for a in penalty.averages]

    def value(*weights):
        minigan.manual_seed(5)  # the same points every time
        return penalty(_With(critic, weights), real, fake)

    weights = [tensor_of(p.detach().numpy().copy(), True) for p in critic.parameters()]
    assert (
        value(*weights).item() == pytest.approx(_seeded(penalty, critic, real, fake), rel=1e-12)
        and value(*weights).item() > 0
    )
    assert minigan.gradcheck(
        lambda *w: value(*w) + 0 * sum(x.sum() for x in w), weights, directions=1
    )
    assert minigan.gradgradcheck(
        lambda *w: value(*w) + 0 * sum(x.sum() for x in w), weights, directions=1
    )


def _seeded(penalty, critic, real, fake):
    minigan.manual_seed(5)
    return penalty(critic, real, fake).item()


class _With(nn.Module):
    """The critic with other weights: what finite differences need."""

    def __init__(self, critic, weights):
        super().__init__()
        self.critic, self.weights = critic, list(weights)
        self._names = [n for n, _ in critic.named_parameters()]

    def forward(self, x):
        return minigan.func.functional_call(self.critic, dict(zip(self._names, self.weights)), (x,))

    def parameters(self, recurse=True):
        return iter(self.weights)

    def modules(self):
        linear = [m for m in self.critic.modules() if hasattr(m, "weight")]
        for module, weight in zip(linear, self.weights[::2]):
            module.__dict__["weight"] = weight
            yield module


def test_second_derivatives_are_finite_where_the_gradient_is_zero():
    critic = nn.Linear(3, 1)
    nn.init.zeros_(critic.weight)
    x = minigan.randn(4, 3)
    for penalty in (GradientPenalty(), DRAGAN(), WassersteinDivergence(power=3.0), R1()):
        first = minigan.grad(penalty(critic, x, x), critic.weight, create_graph=True)[0]
        second = minigan.grad((first * first).sum() + first.sum(), critic.weight)[0]
        assert np.isfinite(first.detach().numpy()).all() and np.isfinite(second.numpy()).all()


@pytest.mark.parametrize("name", ["gradient", "dragan", "r1", "r2", "div"])
def test_critics_with_batch_statistics_are_refused(name):
    critic = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    x = minigan.randn(5, 3)
    with pytest.raises(ValueError, match="LayerNorm"):
        PENALTIES[name]()(critic, x, x)
    assert np.isfinite(PENALTIES[name]()(critic.eval(), x, x).item())
    layer = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))
    assert np.isfinite(PENALTIES[name]()(layer, x, x).item())


def test_orthogonal_in_closed_form():
    w = RNG.normal(size=(3, 5))
    layer = nn.Linear(5, 3).double()
    layer.load_state_dict({"weight": w, "bias": np.zeros(3)})
    gram = w @ w.T
    assert Orthogonal(2.0)(layer, None, None).item() == pytest.approx(
        2 * ((gram - np.eye(3)) ** 2).sum(), rel=1e-12
    )
    assert Orthogonal(2.0, True)(layer, None, None).item() == pytest.approx(
        2 * ((gram * (1 - np.eye(3))) ** 2).sum(), rel=1e-12
    )
    q, _ = np.linalg.qr(RNG.normal(size=(6, 6)))
    kernel = q[:4].reshape(4, 3, 2, 1)
    for convolution, weight in (
        (nn.Conv2d(3, 4, (2, 1)), kernel),
        (nn.ConvTranspose2d(3, 4, (2, 1)), kernel.swapaxes(0, 1)),
        (nn.Linear(2, 6), q[:, :2]),
    ):
        convolution.double().load_state_dict(
            {"weight": np.ascontiguousarray(weight), "bias": np.zeros(len(convolution.bias))}
        )
        assert Orthogonal(1.0)(nn.Sequential(convolution), None, None).item() == pytest.approx(
            0, abs=1e-20
        )
    with pytest.raises(ValueError, match="no linear"):
        Orthogonal()(nn.Tanh(), None, None)


def test_historical_averaging_is_the_distance_from_the_mean_of_all_steps():
    player = nn.Linear(2, 1).double()
    penalty = HistoricalAveraging(0.5)
    seen = []
    for step in range(4):
        values = RNG.normal(size=(1, 2))
        player.load_state_dict({"weight": values, "bias": np.zeros(1)})
        cost = penalty(player, None, None).item()
        past = seen or [values]
        assert cost == pytest.approx(0.5 * ((values - np.mean(past, 0)) ** 2).sum(), abs=1e-12)
        if step == 0:
            seen.append(values)
            continue
        penalty.after_step()
        seen.append(values)
    other = HistoricalAveraging(0.5)
    other.load_state_dict(penalty.state_dict())
    assert other(player, None, None).item() == penalty(player, None, None).item()


# --- constraints and the trainer ---


def test_weights_are_clipped_after_each_step_of_the_critic_only():
    minigan.manual_seed(0)
    G, D = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    game = GAN(G, D, Wasserstein(), latent_dim=2)
    before = G.weight.detach().numpy().copy()
    trainer = Trainer(
        game,
        {n: RMSprop(m.parameters(), 0.05) for n, m in game.players.items()},
        {"D": [WeightClip(0.01)]},
    )
    # from the start
    assert max(abs(p.detach().numpy()).max() for p in D.parameters()) <= np.float32(0.01)
    for _ in range(3):
        trainer.play(minigan.randn(16, 2) + 3)
        sizes = [abs(p.detach().numpy()).max() for p in D.parameters()]
        assert max(sizes) == np.float32(0.01)
    assert (
        abs(G.weight.detach().numpy()).max() > 0.01 and (G.weight.detach().numpy() != before).any()
    )


def test_spectral_norm_as_a_constraint():
    minigan.manual_seed(0)
    G = nn.Linear(2, 4)
    D = nn.Sequential(
        nn.Unflatten(1, (1, 2, 2)),
        nn.Conv2d(1, 6, 2),
        nn.Flatten(),
        nn.LeakyReLU(0.2),
        nn.Linear(6, 1),
    )
    game = GAN(G, D, NonSaturating(), latent_dim=2)
    optimizers = {n: SGD(m.parameters(), 0.05) for n, m in game.players.items()}
    trainer = Trainer(game, optimizers, {"D": [SpectralNorm(3)]})
    for _ in range(50):
        trainer.play(minigan.randn(16, 4))
    for layer in (D[1], D[4]):
        assert np.linalg.svd(layer.weight.detach().numpy().reshape(len(layer.weight), -1))[1][
            0
        ] == pytest.approx(1, rel=0.01)
        assert np.linalg.svd(layer.weight_orig.detach().numpy().reshape(len(layer.weight), -1))[1][
            0
        ] != pytest.approx(1, rel=0.01)


def test_constraints_and_optimizers_are_those_of_players():
    G, D = nn.Linear(2, 2), nn.Linear(2, 1)
    game = GAN(G, D, Wasserstein(), latent_dim=2)
    optimizers = {n: SGD(m.parameters(), 0.1) for n, m in game.players.items()}
    with pytest.raises(ValueError, match="constraints"):
        Trainer(game, optimizers, {"critic": [WeightClip()]})
    with pytest.raises(ValueError, match="optimizer of G"):
        Trainer(game, {"D": optimizers["D"], "G": optimizers["D"]})
    with pytest.raises(ValueError, match="limit"):
        WeightClip(0)


def test_a_penalty_is_part_of_the_same_move():
    """One step of SGD along the gradient of value - penalty, not two steps."""
    minigan.manual_seed(0)
    G, D = nn.Linear(2, 2).double(), nn.Linear(2, 1).double()
    game = GAN(G, D, Wasserstein(), latent_dim=2, penalties=R1(2.0))
    game.latents = lambda n, like: minigan.randn(n, 2).double()
    w, real = D.weight.detach().numpy().copy(), tensor_of(RNG.normal(size=(8, 2)))
    move = next(game.moves(real))
    slope = minigan.grad(move.value, D.weight, retain_graph=True)[0].numpy()
    expected = slope + 2.0 * w  # R1 of a linear critic: gamma / 2 |w|^2
    no_penalty = move.value + move.report["penalty"]
    np.testing.assert_allclose(
        minigan.grad(no_penalty, D.weight, retain_graph=True)[0].numpy(), expected, rtol=1e-12
    )
    trainer = Trainer(game, {"D": SGD(D.parameters(), 0.1), "G": SGD(G.parameters(), 0.1)})
    trainer.perform(move)
    np.testing.assert_allclose(D.weight.detach().numpy(), w + 0.1 * slope, rtol=1e-12)
    assert game.measure([move, move])["penalty"] == pytest.approx((w**2).sum(), rel=1e-9)
