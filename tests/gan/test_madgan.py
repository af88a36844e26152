"""MAD-GAN in both forms: losses written out in NumPy, the theorem's optimum, who moves, and which
latents go where."""

import math

import numpy as np
import pytest

import minigan
from minigan import gradcheck, nn
from minigan.autograd import tensor_of
from minigan.gan import Minimax, NonSaturating, Trainer
from minigan.gan.madgan import MADGAN, SimilarityMADGAN
from minigan.optim import SGD, Adam

RNG = np.random.default_rng(2)
X = RNG.normal(size=(5, 3))


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)))
    return layer


def softmax(y):
    e = np.exp(y - y.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def fixed(game):
    """Latents that are drawn in an order that can be repeated."""
    rng = np.random.default_rng(9)
    drawn = []

    def latents(n, like):
        drawn.append(rng.normal(size=(n, game.latent_dim)))
        return tensor_of(drawn[-1])

    game.latents = latents
    return drawn


def trainer(game, lr=0.1):
    return Trainer(game, {n: SGD(m.parameters(), lr=lr) for n, m in game.players.items()})


@pytest.mark.parametrize("saturating", [True, False])
def test_madgan(saturating):
    generators, D = [linear(2, 3, i) for i in range(3)], linear(3, 4, 7)
    game = MADGAN(generators, D, 2, saturating)
    assert list(game.players) == ["D", "G0", "G1", "G2"]
    drawn = fixed(game)
    w, d = [g.weight.detach().numpy().copy() for g in generators], D.weight.detach().numpy().copy()
    moves = trainer(game).play(tensor_of(X))
    assert [(m.player, m.ascends) for m in moves] == [
        ("D", True),
        ("G0", False),
        ("G1", False),
        ("G2", False),
    ]
    value = np.log(softmax(X @ d.T)[:, 3]).mean()
    value += sum(np.log(softmax(drawn[i] @ w[i].T @ d.T)[:, i]).mean() for i in range(3))
    assert moves[0].value.item() == pytest.approx(value, rel=1e-12)
    d2 = D.weight.detach().numpy()
    for i, move in enumerate(moves[1:]):
        chance = softmax(drawn[3 + i] @ w[i].T @ d2.T)[:, 3]
        expected = np.log(1 - chance).mean() if saturating else -np.log(chance).mean()
        assert move.value.item() == pytest.approx(expected, rel=1e-10)
    assert game.measure(moves)["g_loss"] == pytest.approx(
        np.mean([m.value.item() for m in moves[1:]])
    )


def test_each_generator_moves_by_its_own_loss():
    """The step of G_1, by finite differences of its loss alone."""
    generators, D = [linear(2, 3, i) for i in range(2)], linear(3, 3, 7)
    game = MADGAN(generators, D, 2)
    drawn = fixed(game)
    w, h = generators[1].weight.detach().numpy().copy(), 1e-6
    trainer(game, 0.1).play(tensor_of(X))
    d = D.weight.detach().numpy()

    def loss(w):
        return np.log(1 - softmax(drawn[3] @ w.T @ d.T)[:, 2]).mean()

    for i in np.ndindex(*w.shape):
        e = np.zeros_like(w)
        e[i] = h
        slope = (loss(w + e) - loss(w - e)) / (2 * h)
        assert generators[1].weight.detach().numpy()[i] == pytest.approx(
            w[i] - 0.1 * slope, abs=1e-8
        )


def test_the_optimum_of_the_theorem():
    """D = 1 / (K + 1) for every class: D's value and the sum of the generators' game."""
    k = 4
    game = MADGAN([nn.Identity()] * k, nn.Identity(), 2)
    same = tensor_of(np.zeros((6, k + 1)))
    assert game.d_value(same, [same] * k).item() == pytest.approx(-(k + 1) * math.log(k + 1))
    total = math.log(1 / (k + 1)) + k * game.g_loss(same).item()
    assert total == pytest.approx(-(k + 1) * math.log(k + 1) + k * math.log(k))


def test_extreme_logits_stay_finite():
    game = MADGAN([nn.Identity()] * 2, nn.Identity(), 2)
    y = tensor_of(np.array([[-900.0, -900.0, 900.0], [900.0, 0.0, -900.0]], np.float32), True)
    for value in (
        game.g_loss(y),
        game.d_value(y, [y, y]),
        MADGAN([nn.Identity()] * 2, nn.Identity(), 2, False).g_loss(y),
    ):
        assert np.isfinite(value.item()) and np.isfinite(minigan.grad(value, [y])[0].numpy()).all()


def test_one_generator_is_the_plain_gan():
    """K = 1: two classes, whose difference is the logit."""
    game, logits = MADGAN([nn.Identity()], nn.Identity(), 2), RNG.normal(size=(2, 6, 2))
    real, fake = (tensor_of(x) for x in logits)
    real1, fake1 = (tensor_of(x[:, 1:] - x[:, :1]) for x in logits)
    assert game.d_value(real, [fake]).item() == pytest.approx(
        Minimax().d_value(real1, fake1).item(), rel=1e-12
    )
    assert game.g_loss(fake).item() == pytest.approx(Minimax().g_loss(fake1).item(), rel=1e-12)


def similarity_game(weight=0.7, k=3):
    generators, D = [linear(2, 3, i) for i in range(k)], linear(3, 1, 7)
    features = linear(3, 2, 8)
    return SimilarityMADGAN(generators, D, Minimax(), features, 2, weight), features


def test_similarity_madgan():
    game, psi = similarity_game()
    drawn = fixed(game)
    w, p = [g.weight.detach().numpy().copy() for g in game.generators], psi.weight.detach().numpy()
    d = game.D.weight.detach().numpy().copy()
    moves = trainer(game).play(tensor_of(X))

    def chance(x, d):
        return 1 / (1 + np.exp(-(x @ d.T)[:, 0]))

    value = np.log(chance(X, d)).mean() + np.mean(
        [np.log(1 - chance(drawn[i] @ w[i].T, d)).mean() for i in range(3)]
    )
    assert moves[0].value.item() == pytest.approx(value, rel=1e-12)
    assert len(drawn) == 4, "one batch for each generator in D's move, one for all in theirs"
    d, fakes = game.D.weight.detach().numpy(), [drawn[3] @ v.T for v in w]
    for i, move in enumerate(moves[1:]):
        lacking = []
        for j in range(3):
            for a, b in zip(fakes[i], fakes[j]) if i != j else ():
                u, v = p @ a, p @ b
                cosine = u @ v / np.sqrt((u @ u) * (v @ v))
                lacking.append(max(0.0, chance(b[None], d)[0] + cosine - chance(a[None], d)[0]))
        assert move.player == f"G{i}"
        assert move.value.item() == pytest.approx(
            np.log(1 - chance(fakes[i], d)).mean() + 0.7 * np.mean(lacking), rel=1e-10
        )


def test_similarity_pushes_apart_what_is_alike():
    """Two generators at one point in feature space: the penalty is at its largest, and falls as one
    turns away."""
    game, _ = similarity_game(k=2)
    game.features = nn.Identity()
    chances = [tensor_of(np.array([0.5])), tensor_of(np.array([0.5]))]
    first = tensor_of(np.array([[1.0, 0]]))
    lacks = [
        game.shortfalls([first, tensor_of(np.array([v]))], chances)[0].item()
        for v in ([1.0, 0], [1.0, 1], [0, 1.0])
    ]
    assert lacks == pytest.approx([1, math.sqrt(0.5), 0])
    assert [u.item() for u in similarity_game(k=1)[0].shortfalls([tensor_of(X)], chances[:1])] == [
        0
    ], "one generator resembles none"

    def lacking(x, y, c):
        return sum(u for u in game.shortfalls([x, y], [c[0], c[1]]))

    gradcheck(lacking, [tensor_of(RNG.normal(size=s), True) for s in ((4, 3), (4, 3), (2, 4))])


def test_samples_are_of_all_generators_in_the_order_of_the_latents():
    class Shift(nn.Module):
        def __init__(self, by):
            super().__init__()
            self.by, self.weight = by, nn.Parameter(np.zeros(1))

        def forward(self, z):
            assert not self.training
            return z + self.by

    game = MADGAN([Shift(100.0 * i) for i in range(3)], linear(2, 4, 0), 2)
    for n in (1, 2, 3, 8):
        z = RNG.normal(size=(n, 2))
        expected = z + 100.0 * (np.arange(n) % 3)[:, None]
        np.testing.assert_allclose(game.sample(tensor_of(z)).numpy(), expected)
    assert all(g.training for g in game.generators)


def test_two_generators_share_two_modes():
    """Data about -1 and 1, two generators that can make one bump each: each finds one of its
    own."""
    minigan.manual_seed(2)
    generators = [nn.Linear(1, 1), nn.Linear(1, 1)]
    D = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))
    game = MADGAN(generators, D, 1, saturating=False)
    play = Trainer(
        game,
        {
            n: Adam(m.parameters(), 1e-2 if n == "D" else 5e-3, (0.5, 0.9))
            for n, m in game.players.items()
        },
    )
    rng = np.random.default_rng(2)
    for _ in range(900):
        play.play(
            tensor_of(
                (rng.choice([-1.0, 1.0], (64, 1)) + 0.4 * rng.normal(size=(64, 1))).astype(
                    np.float32
                )
            )
        )
    assert sorted(g.bias.item() for g in generators) == pytest.approx([-1, 1], abs=0.25)


def test_errors():
    with pytest.raises(ValueError, match="generators is empty"):
        MADGAN([], linear(3, 1, 0))
    game = MADGAN([linear(2, 3, 0)] * 2, linear(3, 1, 1), 2)
    fixed(game)
    with pytest.raises(ValueError, match=r"expected \(N, 3\)"):
        next(game.moves(tensor_of(X)))
    assert NonSaturating.name
