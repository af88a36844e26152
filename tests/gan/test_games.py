"""Who moves whom, in which direction, along which gradient."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.gan import (
    GAN,
    Ascend,
    Descend,
    Game,
    Minimax,
    NonSaturating,
    Trainer,
    mlp_discriminator,
    mlp_generator,
    scores,
)
from minigan.ops import cat
from minigan.optim import SGD


def test_the_saturating_gradient_vanishes_where_the_other_does_not():
    rejected = tensor_of(np.full((4, 1), -20.0), True)  # D is sure that all are fake
    (saturated,) = minigan.grad(Minimax().g_loss(rejected), [rejected])
    (alive,) = minigan.grad(NonSaturating().g_loss(rejected), [rejected])
    assert np.abs(saturated.numpy()).max() < 1e-8 and np.abs(alive.numpy()).min() > 0.2


class Hill(Game):
    """x wants to go up and y wants to go down the same function x - 2 y."""

    def __init__(self, simultaneous):
        self.players = {"x": nn.Linear(1, 1, bias=False), "y": nn.Linear(1, 1, bias=False)}
        self.simultaneous = simultaneous
        for player in self.players.values():
            nn.init.ones_(player.weight)

    def value(self):
        x, y = self.players["x"].weight, self.players["y"].weight
        return (x * y).sum()

    def moves(self, real):
        if self.simultaneous:
            yield Ascend("x", self.value()), Descend("y", self.value())
        else:
            yield Ascend("x", self.value())
            yield Descend("y", self.value())


@pytest.mark.parametrize("simultaneous", [False, True])
def test_ascend_goes_up_descend_goes_down(simultaneous):
    game = Hill(simultaneous)
    trainer = Trainer(
        game, {name: SGD(player.parameters(), lr=0.5) for name, player in game.players.items()}
    )
    trainer.play(None)
    x, y = (game.players[n].weight.item() for n in "xy")
    assert x == 1.5  # 1 + 0.5 * y
    assert y == (0.5 if simultaneous else 0.25)  # the old x is 1, the new one 1.5


def test_simultaneous_moves_may_share_a_graph():
    class Shared(Hill):
        def moves(self, real):
            value = (self.value() ** 2).sum()
            yield Ascend("x", value), Descend("y", value)

    game = Shared(True)
    Trainer(
        game, {name: SGD(player.parameters(), lr=0.1) for name, player in game.players.items()}
    ).play(None)
    assert game.players["x"].weight.item() == pytest.approx(1.2) and game.players[
        "y"
    ].weight.item() == pytest.approx(0.8)


def small_gan(k=1, objective=None):
    minigan.manual_seed(3)
    G = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 3))
    D = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1))
    return GAN(G, D, objective or NonSaturating(), latent_dim=2, k=k)


def test_each_move_changes_its_own_player_only_and_in_the_order_of_algorithm_1():
    game = small_gan(k=2)
    trainer = Trainer(game, {n: SGD(m.parameters(), lr=0.1) for n, m in game.players.items()})
    real = tensor_of(np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32))
    seen = []
    for move in game.moves(real):
        before = {
            n: [p.numpy().copy() for p in (q.detach() for q in m.parameters())]
            for n, m in game.players.items()
        }
        trainer.perform(move)
        changed = {
            n
            for n, m in game.players.items()
            if any((p.detach().numpy() != b).any() for p, b in zip(m.parameters(), before[n]))
        }
        assert changed == {move.player}
        assert all(p.grad is None for m in game.players.values() for p in m.parameters())
        seen.append((move.player, move.ascends))
    assert seen == [("D", True), ("D", True), ("G", False)]


def test_d_step_raises_v_and_g_step_lowers_its_loss():
    game = small_gan()
    trainer = Trainer(game, {n: SGD(m.parameters(), lr=0.05) for n, m in game.players.items()})
    rng = np.random.default_rng(1)
    real, fake = (tensor_of(rng.normal(size=(64, 3)).astype(np.float32)) for _ in range(2))

    def value():
        return game.objective.d_value(game.D(real), game.D(fake))

    before = value()
    trainer.perform(Ascend("D", before))
    assert value().item() > before.item()
    z = tensor_of(rng.normal(size=(64, 2)).astype(np.float32))
    before = game.objective.g_loss(game.D(game.G(z)))
    trainer.perform(Descend("G", before))
    assert game.objective.g_loss(game.D(game.G(z))).item() < before.item()


def test_scores_run_together_only_where_examples_do_not_mix():
    rng = np.random.default_rng(0)
    real, fake = (tensor_of(rng.normal(size=(4, 3)).astype(np.float32)) for _ in range(2))
    calls = []

    class Counting(nn.Linear):
        def forward(self, x):
            calls.append(len(x))
            return super().forward(x)

    plain = nn.Sequential(Counting(3, 2), nn.Tanh())
    together = scores(plain, real, fake)
    assert calls == [8]
    for one, alone in zip(together, (plain(real), plain(fake))):
        np.testing.assert_allclose(one.detach().numpy(), alone.detach().numpy(), rtol=1e-6)
    several = real, fake[:1], cat([fake, real])  # of any number and length
    for one, alone in zip(scores(plain, *several), several, strict=True):
        np.testing.assert_allclose(one.detach().numpy(), plain(alone).detach().numpy(), rtol=1e-6)
    assert calls[3] == 4 + 1 + 8
    mixing = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    apart = scores(mixing, real, fake)
    mixing[1].reset_running_stats() if hasattr(mixing[1], "reset_running_stats") else None
    np.testing.assert_allclose(apart[0].detach().numpy(), mixing(real).detach().numpy(), rtol=1e-5)

    class Unknown(nn.Module):
        def forward(self, x):
            return x - x.mean(0)

    assert not Unknown().per_example and not nn.Sequential(nn.Linear(3, 3), Unknown()).per_example


def test_the_classic_networks_have_the_known_sizes():
    assert sum(p.numel() for p in mlp_generator().parameters()) == 1_510_032
    assert sum(p.numel() for p in mlp_discriminator().parameters()) == 533_505
    assert [m.eps for m in mlp_generator().modules() if isinstance(m, nn.BatchNorm1d)] == [
        0.8,
        0.8,
        0.8,
    ]


def test_optimizers_must_be_those_of_the_players():
    game = small_gan()
    with pytest.raises(ValueError, match="players"):
        Trainer(game, {"G": SGD(game.G.parameters(), lr=0.1)})


def test_a_tiny_gan_learns_a_gaussian():
    """End to end: the generated mean moves from 0 to near that of the data."""
    minigan.manual_seed(0)
    G = nn.Sequential(nn.Linear(1, 8), nn.Softplus(), nn.Linear(8, 1))
    D = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    game = GAN(G, D, NonSaturating(), latent_dim=1)
    trainer = Trainer(
        game,
        {
            n: minigan.optim.Adam(m.parameters(), 2e-3, (0.5, 0.999))
            for n, m in game.players.items()
        },
    )
    rng = np.random.default_rng(0)
    for _ in range(800):
        trainer.play(tensor_of(rng.normal(4, 0.5, (64, 1)).astype(np.float32)))
    samples = game.sample(minigan.randn(2000, 1)).numpy()
    assert abs(samples.mean() - 4) < 0.5


def test_several_descents_of_g_in_a_round():
    minigan.manual_seed(0)
    G, D = nn.Linear(2, 3), nn.Linear(3, 1)
    game = GAN(G, D, NonSaturating(), 2, k=2, g_steps=3)
    trainer = Trainer(game, {n: SGD(p.parameters(), 0.1) for n, p in game.players.items()})
    weights = []
    for move in game.moves(minigan.randn(4, 3)):
        weights.append(G.weight.detach().numpy().copy())
        trainer.perform(move)
    made = trainer.play(minigan.randn(4, 3))
    assert [m.player for m in made] == ["D", "D", "G", "G", "G"]
    assert len({w.tobytes() for w in weights}) == 3  # as it was before each descent
    found = game.measure(made)
    assert found["d_value"] == made[1].value.item() and found["g_loss"] == made[-1].value.item()
    with pytest.raises(ValueError, match="g_steps=0"):
        GAN(G, D, NonSaturating(), 2, g_steps=0)
    with pytest.raises(ValueError, match="simultaneous"):
        GAN(G, D, NonSaturating(), 2, g_steps=2, simultaneous=True)


def test_latent_vectors_of_another_distribution():
    seen = []

    class Seen(nn.Linear):
        def forward(self, z):
            seen.append(z.detach().numpy())
            return super().forward(z)

    G = nn.Sequential(Seen(50, 3), nn.BatchNorm1d(3))
    game = GAN(G, nn.Linear(3, 1), NonSaturating(), 50, latent="uniform")
    list(game.moves(minigan.randn(400, 3)))
    game.recalibrate()
    game.sample(*game.inputs(100, minigan.Generator(0)))
    for z in seen:
        assert abs(z).max() <= 1 and abs(z.std() - 1 / np.sqrt(3)) < 0.02
    assert len(seen) == 2 + 64 + 1
    with pytest.raises(ValueError, match="latent='poisson'"):
        GAN(G, nn.Linear(3, 1), NonSaturating(), 50, latent="poisson")
