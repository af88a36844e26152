"""The games of the plane: each builds and moves its players, D's surface and G's field are what the
game's own moves say."""

import numpy as np
import pytest

import minigan
from minigan import grad, nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.data.toy import ring
from minigan.gan import GAN, OBJECTIVES, Minimax
from minigan.gan.ebgan import EBGAN, MAGAN
from minigan.gan.madgan import MADGAN
from minigan.gan.veegan import VEEGAN
from minigan.training.plane import GAMES, Players, judge, points_per_example

REAL = tensor_of(ring().draw(24, Generator(0)))


def flat(module):
    return np.concatenate([p.detach().numpy().ravel() for p in module.parameters()])


@pytest.mark.parametrize("name", GAMES)
def test_a_round_moves_every_player_and_stays_finite(name):
    minigan.manual_seed(0)
    trainer = GAMES[name](Players())
    before = {n: flat(m) for n, m in trainer.game.players.items()}
    moves = trainer.play(REAL)
    for player, module in trainer.game.players.items():
        assert np.isfinite(flat(module)).all()
        waits = isinstance(trainer.game, MAGAN) and player == "G"  # D is pretrained first
        assert (flat(module) != before[player]).any() != waits, player
    assert all(np.isfinite(v) for v in trainer.game.measure(moves).values())
    samples = trainer.game.sample(
        tensor_of(Generator(1).normal((10, trainer.game.latent_dim)))
    ).numpy()
    assert samples.shape == (10, 2) and np.isfinite(samples).all()


def test_the_networks_of_pacgan():
    """Lin et al. 2018: G 4 x 400 with batch normalisation and no biases but the last, D 3 x 200
    maxout with 5 pieces, N(0, 0.02^2)."""
    minigan.manual_seed(0)
    p = Players("pacgan")
    G, D = p.generator(), p.critic(more=4)
    assert (
        sum(q.numel() for q in G.parameters())
        == 2 * 400 + 3 * 400 * 400 + 4 * 2 * 400 + 400 * 2 + 2
    )
    assert sum(q.numel() for q in D.parameters()) == 7 * 1000 + 2 * 201 * 1000 + 201
    for m in (*G.modules(), *D.modules()):
        if isinstance(m, nn.Linear):
            assert m.weight.std().item() == pytest.approx(0.02, rel=0.15) and (
                m.bias is None or not m.bias.detach().numpy().any()
            )
    assert G(tensor_of(np.zeros((5, 2), np.float32))).shape == (5, 2)


@pytest.mark.parametrize("name", ["gan", "lsgan", "hinge", "wgan", "ebgan", "madgan", "began"])
def test_the_field_is_the_gradient_of_gs_loss(name):
    """What `judge` gives at a point is N times what G's own move has there: the samples of its
    batch are the points."""
    minigan.manual_seed(0)
    game = GAMES[name](Players()).game
    x = tensor_of(REAL.numpy().copy(), True)
    said, loss = judge(game, x, REAL)
    (slope,) = grad(loss, [x], retain_graph=True)
    if isinstance(game, EBGAN):
        own = game.energy(x, game.D(x)).mean()
    elif isinstance(game, MADGAN):
        own = game.g_loss(game.D(x))
    else:
        own = game.objective.g_loss(game.D(x))
    np.testing.assert_allclose(
        slope.numpy(), grad(own, [x])[0].numpy() * len(x), rtol=1e-4, atol=1e-7
    )
    assert said.shape == (len(x),)
    up = grad(said.sum(), [x])[0].numpy()
    if name != "lsgan":  # whose loss has a minimum: beyond it, more is worse
        assert (up * slope.numpy()).sum(1).max() <= 1e-6, "the field leads up D's surface"


@pytest.mark.parametrize("name", ["relativistic", "relativistic-average-hinge", "softmax"])
def test_the_field_of_an_objective_that_compares(name):
    """The real examples are those that it is given, again and again where the points are more."""
    minigan.manual_seed(0)
    p = Players()
    game = GAN(p.generator(), p.critic(), OBJECTIVES[name](), 2)
    x = tensor_of(np.concatenate([REAL.numpy()] * 2) * 0.5, True)
    said, loss = judge(game, x, REAL)
    (slope,) = grad(loss, [x])
    on_real = game.D(tensor_of(np.concatenate([REAL.numpy()] * 2)))
    (own,) = grad(game.objective.g_loss(game.D(x), on_real), [x])
    np.testing.assert_allclose(slope.numpy(), own.numpy() * len(x), rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(said.detach().numpy(), game.D(x).detach().numpy()[:, 0])


def test_packs_are_of_the_point_and_others_of_the_data():
    game = GAMES["pacgan3"](Players()).game
    seen = []
    game.D.forward = lambda x: (seen.append(x.detach().numpy()), x.sum(1, keepdim=True))[1]
    x = tensor_of(np.full((8, 2), 9.0, np.float32))
    judge(game, x, REAL)
    assert points_per_example(game) == 3 and points_per_example(GAMES["gan"](Players()).game) == 1
    np.testing.assert_array_equal(seen[0][:, :2], x.numpy())
    np.testing.assert_array_equal(
        seen[0][:, 2:], np.concatenate([REAL.numpy()[:8], REAL.numpy()[8:16]], 1)
    )


def test_packs_of_more_points_than_there_are_data():
    game = GAMES["pacgan4"](Players()).game
    x = tensor_of(np.zeros((50, 2), np.float32))
    assert judge(game, x, REAL)[0].shape == (50,)


def test_minimax_is_drawn_where_it_does_not_vanish():
    """Its own gradient would be nothing where D is sure; the direction is the same."""
    G, D = nn.Linear(2, 2), nn.Linear(2, 1)
    x = tensor_of(REAL.numpy().copy(), True)
    (drawn,) = grad(judge(GAN(G, D, Minimax(), 2), x, REAL)[1], [x])
    (own,) = grad(Minimax().g_loss(D(x)), [x])
    cosine = (
        (drawn.numpy() * own.numpy()).sum(1)
        / np.linalg.norm(drawn.numpy(), axis=1)
        / np.linalg.norm(own.numpy(), axis=1)
    )
    np.testing.assert_allclose(cosine, 1, rtol=1e-5)


def test_veegans_surface_is_of_real_pairs():
    """Its D is the other way round: generated pairs score high, and so what it says of them is
    low."""
    minigan.manual_seed(0)
    game = VEEGAN(nn.Linear(2, 2), nn.Linear(4, 1), nn.Linear(2, 2), 2)
    x = tensor_of(REAL.numpy().copy(), True)
    said, loss = judge(game, x, REAL)
    with minigan.no_grad():
        logit = game.D(minigan.cat([game.F(x), x], 1))[:, 0].numpy()
    np.testing.assert_allclose(said.detach().numpy(), 1 / (1 + np.exp(logit)), rtol=1e-5)
    assert loss.item() == pytest.approx(logit.sum(), rel=1e-4)
