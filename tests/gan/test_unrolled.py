"""Unrolled GAN: G's gradient goes through K steps of D, compared with finite differences of the
whole procedure in float64."""

import numpy as np
import pytest

import minigan
from minigan import grad, nn
from minigan.autograd import tensor_of
from minigan.gan import GAN, Minimax, Trainer
from minigan.gan.unrolled import Unrolled
from minigan.optim import SGD, Adam
from minigan.optim.functional import follow

RNG = np.random.default_rng(3)
X, Z = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 2))
OPTIMIZERS = {
    "sgd": lambda p: SGD(p, lr=0.3),
    "momentum": lambda p: SGD(p, lr=0.2, momentum=0.9),
    "adam": lambda p: Adam(p, lr=0.05, betas=(0.5, 0.99)),
}


def players(seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    G = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    D = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    for module in (G, D):
        for part in module.modules():
            for name, p in list(part._parameters.items()):
                setattr(part, name, nn.Parameter(rng.normal(size=p.shape).astype(dtype)))
    return G, D


def build(kind, unroll, warm=0, latents=Z):
    """The game with D's optimizer after `warm` steps of its own, drawing the same latents for
    ever."""
    G, D = players()
    optimizer = OPTIMIZERS[kind](D.parameters())
    game = Unrolled(G, D, optimizer, 2, unroll)
    for i in range(warm):
        g = np.random.default_rng(i)
        optimizer.step_with([tensor_of(g.normal(size=p.shape)) for p in D.parameters()])
    game.latents = lambda n, like: tensor_of(latents)
    return game, optimizer


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def f(game, fake):
    """V = E log D(x) + E log(1 - D(fake)), with logits as the module gives them and the logarithms
    in NumPy."""
    on_real, on_fake = (game.D(tensor_of(x)).detach().numpy() for x in (X, fake))
    return np.log(sigmoid(on_real)).mean() + np.log(1 - sigmoid(on_fake)).mean()


def procedure(kind, unroll, warm, flat):
    """What f_K says: set G's weights, let the *optimizer itself* (not its functional twin) make K
    steps of D, read off V."""
    game, optimizer = build(kind, unroll, warm)
    with minigan.no_grad():
        start = 0
        for p in game.G.parameters():
            p.copy_(tensor_of(flat[start : start + p.numel()].reshape(p.shape)))
            start += p.numel()
    fake = game.G(tensor_of(Z)).detach().numpy()
    for group in optimizer.param_groups:
        group["maximize"] = True
    for _ in range(unroll):
        value = Minimax().d_value(game.D(tensor_of(X)), game.D(tensor_of(fake)))
        optimizer.step_with(grad(value, list(game.D.parameters())))
    return f(game, fake)


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("unroll, warm", [(0, 0), (1, 0), (1, 3), (5, 0), (5, 3)])
def test_the_gradient_of_g_is_that_of_the_whole_procedure(kind, unroll, warm):
    game, _ = build(kind, unroll, warm)
    parameters = list(game.G.parameters())
    (_, descend), *_ = game.moves(tensor_of(X))
    assert (descend.player, descend.ascends) == ("G", False)
    found = np.concatenate([s.numpy().ravel() for s in grad(descend.value, parameters)])
    flat = np.concatenate([p.detach().numpy().ravel() for p in parameters])
    assert descend.value.item() == pytest.approx(procedure(kind, unroll, warm, flat), rel=1e-12)
    h = 1e-5
    for i in range(len(flat)):
        e = h * np.eye(len(flat))[i]
        slope = (
            procedure(kind, unroll, warm, flat + e) - procedure(kind, unroll, warm, flat - e)
        ) / (2 * h)
        assert found[i] == pytest.approx(slope, rel=2e-4, abs=1e-7), (i, kind)


def test_looking_ahead_changes_the_gradient():
    """The term that is left out when D after K steps counts as constant is not small: such a
    program would fail the test above."""
    game, _ = build("sgd", 5)
    parameters = list(game.G.parameters())
    (_, descend), *_ = game.moves(tensor_of(X))
    whole = np.concatenate([s.numpy().ravel() for s in grad(descend.value, parameters)])
    step, state = follow(game.optimizer, maximize=True, joined=True)
    d, fake = minigan.cat([p.detach().flatten() for p in game.D.parameters()]), game.G(tensor_of(Z))
    for _ in range(5):
        d = d.detach().requires_grad_()
        (d,), state = step([d], grad(game.value(d, tensor_of(X), fake.detach()), [d]), state)
    constant = np.concatenate(
        [s.numpy().ravel() for s in grad(game.value(d, tensor_of(X), fake), parameters)]
    )
    assert np.linalg.norm(whole - constant) > 0.1 * np.linalg.norm(whole)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_no_steps_is_the_simultaneous_gan(kind):
    """Three rounds with K = 0, and the same by hand: both gradients of the minimax value at one
    point."""
    game, optimizer = build(kind, 0)
    play = Trainer(game, {"D": optimizer, "G": SGD(game.G.parameters(), lr=0.1)})
    G, D = players()
    steps = [OPTIMIZERS[kind](D.parameters()), SGD(G.parameters(), lr=0.1)]
    for _ in range(3):
        play.play(tensor_of(X))
        value = Minimax().d_value(D(tensor_of(X)), D(G(tensor_of(Z))))
        gradients = [grad(value, list(m.parameters()), retain_graph=True) for m in (D, G)]
        steps[0].step_with([-g for g in gradients[0]])
        steps[1].step_with(gradients[1])
    for ours, plain in ((game.G, G), (game.D, D)):
        for a, b in zip(ours.parameters(), plain.parameters()):
            np.testing.assert_allclose(
                a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-12
            )


def test_d_makes_one_real_step_and_keeps_the_others_to_itself():
    game, optimizer = build("adam", 5)
    play = Trainer(game, {"D": optimizer, "G": SGD(game.G.parameters(), lr=0.0)})
    _, twin = players()
    one = OPTIMIZERS["adam"](twin.parameters())
    value = Minimax().d_value(twin(tensor_of(X)), twin(game.G(tensor_of(Z))))
    one.step_with([-g for g in grad(value, list(twin.parameters()))])
    moves = play.play(tensor_of(X))
    for a, b in zip(game.D.parameters(), twin.parameters()):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
    assert {int(s["step"]) for s in optimizer.state.values()} == {1}
    assert moves[1].value.item() > moves[0].value.item(), "after five ascents V is higher"
    assert set(game.measure(moves)) >= {"d_value", "g_loss", "d_real", "d_fake"}


def test_a_frozen_layer_of_d_stays():
    G, D = players()
    D[0].weight.requires_grad_(False)
    optimizer = SGD(D.parameters(), lr=0.3)
    game = Unrolled(G, D, optimizer, 2, 2)
    game.latents = lambda n, like: tensor_of(Z)
    before = D[0].weight.numpy().copy()
    Trainer(game, {"D": optimizer, "G": SGD(G.parameters(), lr=0.1)}).play(tensor_of(X))
    np.testing.assert_array_equal(D[0].weight.numpy(), before)


def test_relu_and_maxout_critics_have_finite_gradients_with_adam():
    """Dead units have gradients of exactly 0, whose roots Adam divides by."""
    minigan.manual_seed(0)
    G = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
    D = nn.Sequential(nn.Maxout(2, 8, 3), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    with minigan.no_grad():
        D[1].bias.fill_(-5.0)  # most units are dead
    optimizer = Adam(D.parameters(), 1e-3)
    game = Unrolled(G, D, optimizer, 2, 3)
    play = Trainer(game, {"D": optimizer, "G": Adam(G.parameters(), 1e-3)})
    for _ in range(3):
        play.play(minigan.randn(10, 2))
    assert all(np.isfinite(p.detach().numpy()).all() for m in (G, D) for p in m.parameters())


def test_the_optimizer_must_be_ds():
    G, D = players()
    with pytest.raises(ValueError, match="must be D's"):
        Unrolled(G, D, SGD(G.parameters(), lr=0.1))
    with pytest.raises(ValueError, match="unroll=-1"):
        Unrolled(G, D, SGD(D.parameters(), lr=0.1), unroll=-1)
    game = Unrolled(G, D, optimizer := SGD(D.parameters(), lr=0.1))
    assert isinstance(game, GAN) and game.optimizer is optimizer and game.state_dict() == {}
