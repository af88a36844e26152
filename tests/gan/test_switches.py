"""Switches of the game: simultaneous moves, feature matching, what D is shown, and states that a
resumed run needs."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.gan import (
    GAN,
    OBJECTIVES,
    VIEWS,
    DiffAugment,
    FeatureMatching,
    Fisher,
    GradientPenalty,
    HistoricalAveraging,
    InstanceNoise,
    Minimax,
    NonSaturating,
    Pack,
    SpectralNorm,
    Trainer,
    WeightClip,
)
from minigan.gan.views import color, cutout, translation
from minigan.optim import SGD, Adam

RNG = np.random.default_rng(0)


def networks(width=3):
    G = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 3))
    D = nn.Sequential(nn.Linear(width, 6), nn.LeakyReLU(0.2), nn.Linear(6, 1))
    return G, D


def trainer_of(game, lr=0.1, **named):
    return Trainer(game, {n: SGD(m.parameters(), lr) for n, m in game.players.items()}, **named)


def weights(game):
    return [p.detach().numpy().copy() for m in game.players.values() for p in m.parameters()]


def batches(n, size=8):
    return [tensor_of(RNG.normal(2, 1, (size, 3)).astype(np.float32)) for _ in range(n)]


def test_simultaneous_moves_are_gradients_at_the_same_point_with_the_same_fakes():
    minigan.manual_seed(0)
    game = GAN(*networks(), Minimax(), latent_dim=2, simultaneous=True)
    (real,) = batches(1)
    minigan.manual_seed(1)
    fake = game.G(game.latents(8, real))
    v = Minimax().d_value(game.D(real), game.D(fake))
    up = minigan.grad(v, list(game.D.parameters()), retain_graph=True)
    down = minigan.grad(Minimax().g_loss(game.D(fake)), list(game.G.parameters()))
    expected = [p.detach().numpy() + 0.1 * g.numpy() for p, g in zip(game.D.parameters(), up)]
    expected += [p.detach().numpy() - 0.1 * g.numpy() for p, g in zip(game.G.parameters(), down)]
    minigan.manual_seed(1)
    made = trainer_of(game).play(real)
    assert [m.player for m in made] == ["D", "G"]
    for now, then in zip(weights(game), expected):
        np.testing.assert_allclose(now, then, rtol=1e-5, atol=1e-7)
    with pytest.raises(ValueError, match="simultaneous"):
        GAN(*networks(), Minimax(), k=2, simultaneous=True)


@pytest.mark.parametrize("simultaneous", [False, True])
def test_feature_matching_is_the_distance_of_mean_features(simultaneous):
    minigan.manual_seed(0)
    game = FeatureMatching(*networks(), NonSaturating(), latent_dim=2, simultaneous=simultaneous)
    (real,) = batches(1)
    fake = tensor_of(RNG.normal(size=(8, 3)).astype(np.float32))
    w, b = (p.detach().numpy() for p in game.D[0].parameters())

    def mean_features(x):
        y = x.numpy() @ w.T + b
        return np.where(y > 0, y, 0.2 * y).mean(0)

    expected = ((mean_features(real) - mean_features(fake)) ** 2).sum()
    assert game.descent(real, fake).value.item() == pytest.approx(expected, rel=1e-5)
    before = expected
    trainer = trainer_of(game, 0.05)
    for _ in range(100):
        moves = trainer.play(real)
    assert [m.player for m in moves] == ["D", "G"] and np.isfinite(moves[-1].value.item())
    assert abs(game.sample(minigan.randn(500, 2)).numpy().mean() - 2) < 0.7 and before > 0
    with pytest.raises(ValueError, match="Sequential"):
        FeatureMatching(networks()[0], nn.Linear(3, 1), NonSaturating())


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("simultaneous", [False, True])
def test_every_objective_plays_and_reports(name, simultaneous):
    minigan.manual_seed(0)
    game = GAN(
        *networks(),
        OBJECTIVES[name](),
        latent_dim=2,
        simultaneous=simultaneous,
        penalties=GradientPenalty(),
    )
    trainer, before = trainer_of(game, 1e-3), weights(game)
    for real in batches(3):
        row = game.measure(trainer.play(real))
    assert all(np.isfinite(v) for v in row.values()) and row["penalty"] > 0
    assert {"d_value", "g_loss", "penalty"} < set(row) and len(row) == 5
    assert ("d_real" in row) == game.objective.logistic
    assert all(np.isfinite(w).all() for w in weights(game)) and any(
        (a != b).any() for a, b in zip(before[4:], weights(game)[4:])
    )


# --- what D sees ---


def test_packing_puts_neighbours_side_by_side():
    x = tensor_of(np.arange(24.0).reshape(4, 1, 3, 2))
    packed = Pack(2)(x).numpy()
    assert packed.shape == (2, 2, 3, 2)
    for i in range(4):
        assert (packed[i // 2, i % 2] == x.numpy()[i, 0]).all()
    assert (
        Pack(2)(tensor_of(np.arange(12.0).reshape(4, 3))).numpy() == np.arange(12.0).reshape(2, 6)
    ).all()
    with pytest.raises(ValueError, match="batch"):
        Pack(3)(x)
    minigan.manual_seed(0)
    game = GAN(
        *networks(6), NonSaturating(), latent_dim=2, views=Pack(2), penalties=GradientPenalty()
    )
    moves = trainer_of(game).play(batches(1)[0])
    assert moves[0].report["d_real"].shape == (4, 1)


def test_instance_noise_falls_linearly_and_its_steps_are_saved():
    minigan.manual_seed(0)
    x = tensor_of(np.zeros((20_000, 1)))
    noise = InstanceNoise(0.5, steps=4)
    spread = []
    for _ in range(6):
        spread.append(noise(x).numpy().std())
        noise.after_step()
    np.testing.assert_allclose(spread, [0.5, 0.375, 0.25, 0.125, 0, 0], rtol=0.03)
    other = InstanceNoise(0.5, steps=4)
    other.load_state_dict(InstanceNoise(0.5, 4).state_dict() | {"made": 2})
    assert other(x).numpy().std() == pytest.approx(0.25, rel=0.03)
    assert InstanceNoise(0.3)(x).numpy().std() == pytest.approx(0.3, rel=0.03)


def test_instance_noise_that_stays_has_no_state():
    """So that the rounds of its game can be repeated as one function; older runs saved the moves
    made."""
    noise = InstanceNoise(0.3)
    noise.after_step()
    assert noise.state_dict() == {}
    noise.load_state_dict({"made": 7})
    assert noise.made == 0
    game = GAN(nn.Linear(2, 3), nn.Linear(3, 1), NonSaturating(), latent_dim=2, views=noise)
    assert game.state_dict() == {}


def images(n=64, channels=3):
    return tensor_of(RNG.uniform(-1, 1, (n, channels, 8, 12)))


def test_translation_shifts_each_image_by_its_own_way():
    minigan.manual_seed(0)
    x = images()
    y = translation(x, 0.25).numpy()
    seen = set()
    for before, after in zip(x.numpy(), y):
        ways = []
        for down in range(-2, 3):
            for right in range(-3, 4):
                moved = np.zeros_like(before)
                moved[:, max(down, 0) : 8 + min(down, 0), max(right, 0) : 12 + min(right, 0)] = (
                    before[
                        :, max(-down, 0) : 8 + min(-down, 0), max(-right, 0) : 12 + min(-right, 0)
                    ]
                )
                if (moved == after).all():
                    ways.append((down, right))
        assert len(ways) == 1
        seen.update(ways)
    assert {d for d, _ in seen} == set(range(-2, 3)) and {r for _, r in seen} == set(range(-3, 4))


def test_cutout_blanks_one_rectangle_in_each_image():
    minigan.manual_seed(0)
    x = images()
    for before, after in zip(x.numpy(), cutout(x).numpy()):
        hole = (after == 0).all(0)
        rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
        assert hole[
            rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1
        ].all() and hole.sum() == len(rows) * len(columns)
        assert 2 <= len(rows) <= 4 and 3 <= len(columns) <= 6 and (after == before)[:, ~hole].all()


def test_colour_changes_are_affine_for_each_image_and_keep_shades_of_grey():
    minigan.manual_seed(0)
    x = images(2000)
    y = color(x).numpy()
    a, b = x.numpy()[0].ravel(), y[0].ravel()
    assert not np.allclose(a, b)
    # saturation and contrast keep an image's mean
    mean_shift = y.mean((1, 2, 3)) - x.numpy().mean((1, 2, 3))
    assert (
        mean_shift.min() >= -0.5
        and mean_shift.max() <= 0.5
        and mean_shift.std() == pytest.approx(1 / 12**0.5, rel=0.05)
    )
    grey = lambda t: t.mean(1) - t.mean((1, 2, 3))[:, None, None]
    contrast = (grey(y) * grey(x.numpy())).sum((1, 2)) / (grey(x.numpy()) ** 2).sum((1, 2))
    assert (
        contrast.min() >= 0.5
        and contrast.max() <= 1.5
        and contrast.mean() == pytest.approx(1, abs=0.03)
    )
    off_grey = lambda t: t - t.mean(1, keepdims=True)
    saturation = (
        (off_grey(y) * off_grey(x.numpy())).sum((1, 2, 3))
        / (off_grey(x.numpy()) ** 2).sum((1, 2, 3))
        / contrast
    )
    assert (
        saturation.min() >= 0
        and saturation.max() <= 2
        and saturation.mean() == pytest.approx(1, abs=0.05)
    )


@pytest.mark.parametrize("change", [color, translation, cutout])
def test_gradients_flow_through_augmentations(change):
    def seeded(x):
        minigan.manual_seed(3)
        return change(x)

    x = tensor_of(RNG.normal(size=(2, 2, 6, 6)), True)
    assert minigan.gradcheck(seeded, x)
    assert minigan.gradgradcheck(lambda x: seeded(x) ** 2, x)


def test_augmentation_by_names():
    x = images(4)
    assert (
        DiffAugment("translation, color")(x).shape == x.shape
        and len(DiffAugment("cutout").changes) == 1
    )
    with pytest.raises(ValueError, match="blur"):
        DiffAugment("color,blur")
    with pytest.raises(ValueError, match="images"):
        DiffAugment()(tensor_of(np.zeros((3, 4))))
    assert set(VIEWS) == {"noise", "augment", "pack"}


# --- going on after a stop ---


def stateful_game():
    G, D = networks()
    return GAN(
        G, D, Fisher(0.1), latent_dim=2, views=InstanceNoise(0.5, 6),
        penalties=[GradientPenalty(0.1), HistoricalAveraging(0.1)],
        g_penalties=HistoricalAveraging(0.2),
    )  # fmt: skip


def stateful_trainer():
    game = stateful_game()
    optimizers = {n: Adam(m.parameters(), 1e-2) for n, m in game.players.items()}
    return Trainer(game, optimizers, {"D": [WeightClip(0.5), SpectralNorm()]})


def test_a_game_goes_on_in_the_same_bits(tmp_path):
    from minigan.training import load_checkpoint, save_checkpoint

    data = batches(8)
    minigan.manual_seed(0)
    whole = stateful_trainer()
    for real in data:
        whole.play(real)
    minigan.manual_seed(0)
    first = stateful_trainer()
    for real in data[:3]:
        first.play(real)
    save_checkpoint(
        tmp_path / "c", {"trainer": first.state_dict(), "random": minigan.get_rng_state()}
    )
    minigan.manual_seed(99)
    second, saved = stateful_trainer(), load_checkpoint(tmp_path / "c")
    second.load_state_dict(saved["trainer"])
    minigan.set_rng_state(saved["random"])
    for real in data[3:]:
        second.play(real)
    assert all((a == b).all() for a, b in zip(weights(whole.game), weights(second.game)))
    assert whole.game.objective.multiplier.item() == second.game.objective.multiplier.item() != 0
    assert whole.game.penalties[1].steps == second.game.penalties[1].steps == 9
    assert set(whole.game.state_dict()) == {"objective", "views.0", "penalties.1", "g_penalties.0"}


def test_plain_games_have_no_state():
    assert GAN(*networks(), NonSaturating()).state_dict() == {}
