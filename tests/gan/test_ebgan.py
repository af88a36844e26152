"""EBGAN, MAGAN, BEGAN: their losses, margins and controls against the papers' formulas, written out
in NumPy."""

import math

import numpy as np
import pytest

import minigan
from minigan import gradcheck, gradgradcheck, nn
from minigan.autograd import tensor_of
from minigan.gan import Trainer
from minigan.gan.ebgan import BEGAN, EBGAN, MAGAN, AutoEncoder, convergence, pulling_away
from minigan.optim import SGD
from minigan.training import load_checkpoint, save_checkpoint


def players(seed=0, dtype="float64"):
    """G: 2 -> 3, D: 3 -> 2 -> 3, both linear, without biases."""
    rng = np.random.default_rng(seed)
    G = nn.Linear(2, 3, bias=False)
    enc = nn.Linear(3, 2, bias=False)
    dec = nn.Linear(2, 3, bias=False)
    for layer in (G, enc, dec):
        layer.weight = nn.Parameter(rng.normal(size=layer.weight.shape).astype(dtype))
    return G, AutoEncoder(enc, dec)


def weights(G, D):
    return tuple(m.weight.detach().numpy().copy() for m in (G, D.encoder, D.decoder))


def fixed(game, *batches):
    """Make the game draw these latents, one batch after the other."""
    queue = [tensor_of(b) for b in batches]
    game.latents = lambda n, like: queue.pop(0)
    return game


def trainer(game, lr=0.01):
    return Trainer(game, {n: SGD(m.parameters(), lr=lr) for n, m in game.players.items()})


RNG = np.random.default_rng(1)
X = RNG.normal(size=(5, 3))
Z1 = RNG.normal(size=(5, 2))
Z2 = RNG.normal(size=(5, 2))


def errors(x, enc, dec):
    return x @ enc.T @ dec.T - x


def pull(codes):
    """Pair by pair."""
    n = len(codes)
    pairs = [
        (a @ b / math.sqrt((a @ a) * (b @ b))) ** 2
        for i, a in enumerate(codes)
        for j, b in enumerate(codes)
        if i != j
    ]
    return sum(pairs) / (n * (n - 1))


def test_pulling_away():
    codes = RNG.normal(size=(6, 4))
    assert pulling_away(tensor_of(codes)).item() == pytest.approx(pull(codes), rel=1e-12)
    assert pulling_away(tensor_of(np.eye(4))).item() == 0 and pulling_away(
        tensor_of(np.ones((3, 2)))
    ).item() == pytest.approx(1)
    assert pulling_away(tensor_of(codes.reshape(6, 2, 2))).item() == pytest.approx(
        pull(codes), rel=1e-12
    )
    gradcheck(pulling_away, tensor_of(codes, True))
    gradgradcheck(pulling_away, tensor_of(codes, True), directions=1)
    with pytest.raises(ValueError, match="at least 2"):
        pulling_away(tensor_of(codes[:1]))


@pytest.mark.parametrize("margin", [0.5, 3.0])
@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_ebgan(margin, weight):
    """Values of both moves, before and after D's step, and the step itself by finite differences of
    the written-out loss."""
    G, D = players()
    g, enc, dec = weights(G, D)
    game = fixed(EBGAN(G, D, 2, margin, weight), Z1, Z2)

    def energy(x, enc, dec):
        return np.sqrt((errors(x, enc, dec) ** 2).sum(1))

    def d_loss(enc, dec):
        fake = energy(Z1 @ g.T, enc, dec)
        return energy(X, enc, dec).mean() + np.maximum(margin - fake, 0).mean()

    d, after = trainer(game).play(tensor_of(X))
    assert (d.player, d.ascends, after.player, after.ascends) == ("D", False, "G", False)
    assert d.value.item() == pytest.approx(d_loss(enc, dec), rel=1e-12)
    (_, enc2, dec2), h = weights(G, D), 1e-6
    for i in np.ndindex(*enc.shape):
        e = np.zeros_like(enc)
        e[i] = h
        slope = (d_loss(enc + e, dec) - d_loss(enc - e, dec)) / (2 * h)
        assert enc2[i] == pytest.approx(enc[i] - 0.01 * slope, abs=1e-8)
    fake = Z2 @ g.T
    expected = energy(fake, enc2, dec2).mean() + (weight * pull(fake @ enc2.T) if weight else 0)
    assert after.value.item() == pytest.approx(expected, rel=1e-12)


def test_the_hinge_is_of_each_example():
    """One sample far above the margin must not hide one below it."""
    G, D = players()
    for layer in (D.encoder, D.decoder):
        layer.weight = nn.Parameter(np.zeros_like(layer.weight.detach().numpy()))
    G.weight = nn.Parameter(np.array([[1.0, 0], [0, 0], [0, 0]]))
    game = fixed(EBGAN(G, D, 2, margin=2.0), np.array([[1.0, 0], [9.0, 0]]))
    move = next(game.moves(tensor_of(np.zeros((2, 3)))))
    # (2 - 1) / 2; of the mean it would be [2 - 5]+ = 0
    assert move.value.item() == pytest.approx(0.5)


@pytest.mark.parametrize("eta", [1, 2])
def test_began(eta):
    G, D = players()
    g, enc, dec = weights(G, D)
    game = fixed(BEGAN(G, D, 2, gamma=0.7, lambda_k=0.01, eta=eta), Z1, Z2, Z1, Z2)
    game.balance.k.fill_(0.3)

    def loss(x, enc, dec):
        return (np.abs(errors(x, enc, dec)) ** eta).mean()

    play = trainer(game)
    moves = play.play(tensor_of(X))
    real, fake = loss(X, enc, dec), loss(Z1 @ g.T, enc, dec)
    assert moves[0].value.item() == pytest.approx(real - 0.3 * fake, rel=1e-12)
    _, enc, dec = weights(G, D)
    made = loss(Z2 @ g.T, enc, dec)
    assert moves[1].value.item() == pytest.approx(made, rel=1e-12)
    k = 0.3 + 0.01 * (0.7 * real - made)
    assert game.balance.k.item() == pytest.approx(k, rel=1e-12)
    found = game.measure(moves)
    assert (
        found["convergence"] == pytest.approx(real + abs(0.7 * real - made))
        and found["k"] == game.balance.k.item()
    )
    assert found["d_value"] == pytest.approx(moves[0].value.item()) and found[
        "g_loss"
    ] == pytest.approx(made)
    play.play(tensor_of(X))
    assert game.balance.k.item() != pytest.approx(k)


@pytest.mark.parametrize("lambda_k, end", [(100.0, 1.0), (-100.0, 0.0)])
def test_k_stays_between_0_and_1(lambda_k, end):
    G, D = players()
    G.weight = nn.Parameter(1e-3 * G.weight.detach().numpy())
    game = fixed(BEGAN(G, D, 2, lambda_k=lambda_k), Z1, Z2)
    assert game.balance.k.item() == 0  # it starts there
    trainer(game).play(tensor_of(X))
    assert game.balance.k.item() == end


def test_convergence_measure():
    assert convergence(2.0, 0.5, 0.5) == 2.5 and convergence(2.0, 1.0, 0.5) == 2.0


def test_magan_pretrains_then_takes_the_mean_energy_as_margin():
    minigan.manual_seed(0)
    G, D = players(dtype="float32")
    game = MAGAN(G, D, 2, period=2, pretraining=3)
    play, x = trainer(game, 0.05), tensor_of(X.astype(np.float32))
    before, seen = G.weight.detach().numpy().copy(), []
    for _ in range(3):
        assert game.margin is None
        (move,) = play.play(x)
        assert move.player == "D"
        seen.append(move.value.item())
    np.testing.assert_array_equal(G.weight.detach().numpy(), before)
    assert game.margin == pytest.approx(np.mean(seen[1:]), rel=1e-6)
    margin = game.margin
    d, g = play.play(x)
    energies = [d.report[k].detach().numpy() for k in ("e_real", "e_fake")]
    assert d.value.item() == pytest.approx(
        energies[0].mean() + np.maximum(margin - energies[1], 0).mean(), rel=1e-5
    )
    play.play(x)
    assert game.fake_before is not None, "a period is over"


@pytest.mark.parametrize(
    "real, fake, before, margin",
    [
        (0.5, 0.8, 0.7, 0.5),  # D has room and G has stopped to gain
        (0.5, 0.8, 0.9, 1.0),  # G still gains
        (0.5, 0.4, 0.3, 1.0),  # samples have the lower energy
        (1.5, 1.8, 1.7, 1.0),  # the margin never grows
        (0.5, 0.8, None, 1.0),  # the first period has none before it
    ],
)
def test_the_margin_adapts(real, fake, before, margin):
    game = MAGAN(*players(), 2, 1, 1)
    game.margin, game.fake_before = 1.0, before
    game.adapt(real, fake)
    assert game.margin == margin and game.fake_before == fake


@pytest.mark.parametrize("kind", [MAGAN, BEGAN])
def test_a_saved_state_goes_on_bit_for_bit(kind, tmp_path):
    """In the middle of MAGAN's period and of its pretraining, too."""

    def make():
        minigan.manual_seed(5)
        options = dict(period=3, pretraining=4) if kind is MAGAN else dict(lambda_k=0.1)
        game = kind(*players(dtype="float32"), 2, **options)
        return game, trainer(game)

    x = tensor_of(X.astype(np.float32))
    for stop in (2, 6):
        (game, play), (other, again) = make(), make()
        for _ in range(stop):
            play.play(x)
        # the trainer's has the game's in it
        save_checkpoint(tmp_path / "x.safetensors", play.state_dict())
        again.load_state_dict(load_checkpoint(tmp_path / "x.safetensors"))
        random = minigan.get_rng_state()
        states = []
        for g, p in ((game, play), (other, again)):
            minigan.set_rng_state(random)
            for _ in range(9):
                p.play(x)
            states.append([w.tobytes() for w in weights(g.G, g.D)] + [g.state_dict()])
        assert states[0] == states[1]


def test_began_finds_the_plane_of_the_data():
    """Data on a line: D's codes have one number, so that it can only reconstruct a line; the
    measure of convergence falls."""
    minigan.manual_seed(1)
    G = nn.Linear(1, 3)
    D = AutoEncoder(nn.Linear(3, 1), nn.Linear(1, 3))
    game = BEGAN(G, D, 1, gamma=0.7, lambda_k=0.02)
    play = Trainer(
        game,
        {
            n: minigan.optim.Adam(m.parameters(), 5e-3, (0.5, 0.999))
            for n, m in game.players.items()
        },
    )
    direction, rng = np.array([[1.0, -1.0, 0.5]], np.float32), np.random.default_rng(0)
    points = (
        tensor_of(rng.normal(size=(64, 1)).astype(np.float32) @ direction) for _ in range(600)
    )
    history = [game.measure(play.play(x))["convergence"] for x in points]
    made = game.sample(minigan.randn(500, 1)).numpy()
    off = made - made @ direction.T @ direction / (direction**2).sum()
    assert np.mean(history[-50:]) < 0.25 * np.mean(history[:10])
    assert np.abs(off).mean() < 0.15


def test_bad_options():
    with pytest.raises(ValueError, match="gamma=2"):
        BEGAN(*players(), gamma=2)
    with pytest.raises(ValueError, match="period=5"):
        MAGAN(*players(), period=5, pretraining=2)


@pytest.mark.parametrize("kind, options", [(EBGAN, {}), (BEGAN, {"eta": 1}), (BEGAN, {"eta": 2})])
def test_derivatives_of_the_energies(kind, options):
    """Of both orders, with respect to the examples and D's weights: a gradient penalty on energies
    is possible."""
    G, D = players()
    game = kind(G, D, 2, **options)
    enc, dec = D.encoder.weight, D.decoder.weight

    def energy(x, a, b):
        return game.energy(x, x @ a.T @ b.T)

    inputs = [tensor_of(X, True), *[tensor_of(w.detach().numpy().copy(), True) for w in (enc, dec)]]
    np.testing.assert_allclose(
        energy(*inputs).detach().numpy(),
        game.energy(inputs[0], D(inputs[0])).detach().numpy(),
        rtol=1e-12,
    )
    gradcheck(energy, inputs)
    gradgradcheck(energy, inputs, directions=1)


def test_a_perfect_reconstruction_has_a_gradient():
    """|0| has no derivative; it counts as 0, not as NaN."""
    G, D = players()
    D.encoder.weight, D.decoder.weight = (nn.Parameter(w) for w in (np.eye(2, 3), np.eye(3, 2)))
    game = EBGAN(G, D, 2)
    x = tensor_of(np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]), True)
    energy = game.energy(x, D(x))
    np.testing.assert_allclose(energy.detach().numpy(), [0, 3])
    np.testing.assert_allclose(minigan.grad(energy.sum(), [x])[0].numpy(), [[0, 0, 0], [0, 0, 1]])
