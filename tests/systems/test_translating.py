"""pix2pix, PAN and CycleGAN: their losses against NumPy, whose gradients reach whom, their data."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import CPU, Generator
from minigan.autograd import tensor_of
from minigan.data import Pairs
from minigan.gan import PAN, CycleGAN, Pix2Pix, Trainer
from minigan.gan.translate import jittered
from minigan.metrics import retrieval
from minigan.optim import SGD
from minigan.systems import system
from minigan.systems.command import build, parse
from minigan.systems.translating import pair_rows
from minigan.systems.typeset import lines, set_line
from minigan.systems.unet import PatchGAN, UNet, field_of_view, residual_translator
from minigan.training.callbacks import Checkpoints, Schedule

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(0)
A, B = RNG.uniform(-1, 1, (2, 4, 1, 2, 2))


def softplus(x):
    return np.logaddexp(0, x)


class Scaled(nn.Module):
    """(z, a) -> tanh(w a + v), with z as the sign"""

    per_example = True

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(tensor_of(RNG.normal(size=(1, 2, 2))))

    def forward(self, z, a=None):
        x, a = (1, z) if a is None else (1 if z is None else z[:, :1].reshape(-1, 1, 1, 1), a)
        return (self.w * a * x).tanh()


class Judge(nn.Module):
    """(b, a) -> a map of two logits"""

    per_example = True

    def __init__(self):
        super().__init__()
        self.u = nn.Parameter(tensor_of(RNG.normal(size=(2, 4))))
        self.v = nn.Parameter(tensor_of(RNG.normal(size=(2, 4))))

    def forward(self, b, a=None):
        logits = b.flatten(1) @ self.u.T
        return logits if a is None else logits + a.flatten(1) @ self.v.T


def d_loss(u, v, fake):
    on = lambda x: x.reshape(4, -1) @ u.T + A.reshape(4, -1) @ v.T
    return 0.5 * (softplus(-on(B)).mean() + softplus(on(fake)).mean())


def test_pix2pix():
    """D's value is halved; G's is the GAN's and 100 L1; z reaches the pictures."""
    game = Pix2Pix(Scaled(), Judge(), 1, 100.0, 0.5)
    z, drawn = RNG.uniform(0.5, 1, (2, 4, 1)), []
    game.latents = lambda n, like: (drawn.append(n), tensor_of(z[len(drawn) - 1]))[1]
    (d, g), (start, middle, end) = played(game, A, B)
    assert (d.player, d.ascends, g.player, g.ascends) == ("D", True, "G", False)
    assert_only("D", start, middle)
    assert_only("G", middle, end)
    w, u, v = start["G"]["w"], start["D"]["u"], start["D"]["v"]
    made = lambda w, z: np.tanh(w * A * z.reshape(4, 1, 1, 1))
    assert d.value.item() == pytest.approx(-d_loss(u, v, made(w, z[0])))
    assert_descends(lambda u: d_loss(u, v, made(w, z[0])), u, middle["D"]["u"])
    u, v = middle["D"]["u"], middle["D"]["v"]

    def g_loss(w):
        x = made(w, z[1])
        logits = x.reshape(4, -1) @ u.T + A.reshape(4, -1) @ v.T
        return 0.5 * softplus(-logits).mean() + 100 * np.abs(B - x).mean()

    assert g.value.item() == pytest.approx(g_loss(w))
    assert_descends(g_loss, w, end["G"]["w"])


def test_without_d_the_distance_is_all():
    game = Pix2Pix(Scaled(), Judge(), 0, 100.0, 0.0)
    (g,), (start, end) = played(game, A, B)
    assert_only("G", start, end)
    loss = lambda w: 100 * np.abs(B - np.tanh(w * A)).mean()
    assert g.value.item() == pytest.approx(loss(start["G"]["w"]))
    assert_descends(loss, start["G"]["w"], end["G"]["w"])
    assert game.measure([g]) == pytest.approx(
        {"g_loss": g.value.item(), "distance": g.value.item() / 100}
    )


class Tapped(nn.Module):
    """b -> logits; one hidden map, tanh(u b)"""

    per_example = True

    def __init__(self):
        super().__init__()
        self.u = nn.Parameter(tensor_of(RNG.normal(size=(3, 4))))
        self.v = nn.Parameter(tensor_of(RNG.normal(size=(1, 3))))

    def taps(self, x):
        hidden = (x.flatten(1) @ self.u.T).tanh()
        return [hidden, hidden * 2], hidden @ self.v.T

    def forward(self, x):
        return self.taps(x)[1]


@pytest.mark.parametrize("margin, perceptual", [(9.0, 1.0), (0.0, 1.0), (9.0, 0.0)])
def test_pan(margin, perceptual):
    """D is paid for the distance up to the margin, and G descends it."""
    game = PAN(Scaled(), Tapped(), (2.0, 0.5), margin, 1.0, perceptual)
    (d, g), (start, middle, end) = played(game, A, B)
    assert_only("D", start, middle)
    assert_only("G", middle, end)

    def seen(u, x):
        return np.tanh(x.reshape(4, -1) @ u.T)

    def far(u, x):
        return (2.0 + 0.5 * 2) * np.abs(seen(u, B) - seen(u, x)).mean()

    w, v = start["G"]["w"], start["D"]["v"]
    fake = np.tanh(w * A)

    def d_loss(u):
        loss = softplus(-seen(u, B) @ v.T).mean() + softplus(seen(u, fake) @ v.T).mean()
        return 0.5 * (loss + perceptual * max(0.0, margin - far(u, fake)))

    # PAN's D is not halved
    assert d.value.item() == pytest.approx(-2 * d_loss(start["D"]["u"]))
    assert_descends(lambda u: 2 * d_loss(u), start["D"]["u"], middle["D"]["u"])
    u, v = middle["D"]["u"], middle["D"]["v"]

    def g_loss(w):
        x = np.tanh(w * A)
        return softplus(-seen(u, x) @ v.T).mean() + perceptual * far(u, x)

    assert g.value.item() == pytest.approx(g_loss(w))
    assert_descends(g_loss, w, end["G"]["w"])


# --- CycleGAN ---


def cyclegan(**named):
    shapes = ((1, 2, 2), (1, 2, 2))
    game = CycleGAN((Scaled(), Scaled()), (Judge(), Judge()), shapes, **named)
    for pool in (game.pool_a, game.pool_b):
        pool.double()
    return game


def test_cyclegan():
    """The four gradients reach only their players, and are those of the paper's losses."""
    game = cyclegan(cycle=10.0, identity=5.0, pool=3)
    for critic in (game.DA, game.DB):
        critic.v.requires_grad_(False)
    (g, da, db), (start, middle, end) = played(game, A, B)
    assert [(m.player, m.ascends) for m in (g, da, db)] == [
        ("G", False), ("DA", True), ("DB", True)
    ]  # fmt: skip
    assert_only("G", start, middle)
    for player in ("DA", "DB"):
        assert (middle[player]["u"] != end[player]["u"]).all()
        assert (middle[player]["v"] == end[player]["v"]).all()
    assert all((middle["G"][k] == end["G"][k]).all() for k in middle["G"])
    ua, ub = start["DA"]["u"], start["DB"]["u"]
    on = lambda u, x: x.reshape(4, -1) @ u.T
    ab, ba = start["G"]["AB.w"], start["G"]["BA.w"]

    def g_loss(ab, ba):
        AB, BA = lambda x: np.tanh(ab * x), lambda x: np.tanh(ba * x)
        off = lambda x, y: np.abs(x - y).mean()
        fool = 0.5 * ((on(ub, AB(A)) - 1) ** 2).mean() + 0.5 * ((on(ua, BA(B)) - 1) ** 2).mean()
        cycle = off(BA(AB(A)), A) + off(AB(BA(B)), B)
        return fool + 10 * cycle + 5 * (off(AB(B), B) + off(BA(A), A))

    assert g.value.item() == pytest.approx(g_loss(ab, ba))
    assert_descends(lambda w: g_loss(w, ba), ab, middle["G"]["AB.w"])
    assert_descends(lambda w: g_loss(ab, w), ba, middle["G"]["BA.w"])
    # the pool of 3 is filled by the first three, and the fourth may be exchanged for one of them
    for move, u, real, w, given, pool in (
        (da, ua, A, ba, B, game.pool_a), (db, ub, B, ab, A, game.pool_b)
    ):  # fmt: skip
        fake = np.tanh(w * given)
        assert int(pool.filled.item()) == 3
        shown = [np.concatenate([fake[:3], fake[i : i + 1]]) for i in range(4)]
        values = [-0.5 * (((on(u, real) - 1) ** 2).mean() + (on(u, x) ** 2).mean()) for x in shown]
        assert min(abs(move.value.item() - v) for v in values) < 1e-9


def test_without_cycle_and_identity_only_the_critics_speak():
    game = cyclegan(cycle=0.0, identity=0.0, pool=0)
    moves, (start, *_) = played(game, A, B)
    x, y = np.tanh(start["G"]["AB.w"] * A), np.tanh(start["G"]["BA.w"] * B)
    on = lambda u, x: x.reshape(4, -1) @ u.T
    fool = ((on(start["DB"]["u"], x) - 1) ** 2).mean() + ((on(start["DA"]["u"], y) - 1) ** 2).mean()
    assert moves[0].value.item() == pytest.approx(0.5 * fool)
    with pytest.raises(ValueError, match="identity=5.0, but pictures of A"):
        CycleGAN((Scaled(), Scaled()), (Judge(), Judge()), ((1, 2, 2), (3, 2, 2)))


def test_a_pool_resumes_to_the_bit():
    def trainer(game):
        return Trainer(game, {n: SGD(m.parameters(), lr=0.1) for n, m in game.players.items()})

    minigan.manual_seed(0)
    whole = trainer(cyclegan(pool=3))
    for x, y in ((A, B), (B, A)):
        whole.play(tensor_of(x), tensor_of(y))
    state, random = copy.deepcopy(whole.state_dict()), minigan.get_rng_state()
    assert set(state["game"]) == {"pool_a", "pool_b"}
    other = trainer(cyclegan(pool=3))
    other.load_state_dict(state)
    values = []
    for one in (whole, other):
        minigan.set_rng_state(random)
        values.append([m.value.item() for _ in range(3) for m in one.play(*map(tensor_of, (A, B)))])
    assert values[0] == values[1]


def test_both_directions():
    game = cyclegan()
    x = tensor_of(A)
    back = game.reversed()
    np.testing.assert_array_equal(
        game.sample(x).numpy(), np.tanh(game.G["AB"].w.detach().numpy() * A)
    )
    np.testing.assert_array_equal(
        back.sample(x).numpy(), np.tanh(game.G["BA"].w.detach().numpy() * A)
    )
    assert back.reversed().back is False
    with pytest.raises(ValueError, match="in both directions"):
        Pix2Pix(Scaled(), Judge()).reversed()


# --- networks ---


def test_unet():
    net = UNet((2, 16, 16), 3, 4)
    a = tensor_of(RNG.uniform(-1, 1, (5, 2, 16, 16)).astype(np.float32))
    assert net.latent_dim == 8 * 4 * 4 + 4 * 8 * 8
    z = tensor_of(RNG.uniform(-1, 1, (5, net.latent_dim)).astype(np.float32))
    one = net(z, a).detach().numpy()
    assert one.shape == (5, 3, 16, 16) and np.abs(one).max() < 1
    np.testing.assert_array_equal(
        net(z * 0.5, a).detach().numpy(), one
    )  # a sign is all that counts
    other = net(-z, a).detach().numpy()
    assert (np.abs(other - one).max((1, 2, 3)) > 0).all()
    assert np.abs(net(None, a).detach().numpy() - one).max() > 0
    # no example knows of another one
    np.testing.assert_allclose(net(z[:2], a[:2]).detach().numpy(), one[:2], atol=1e-6)
    with pytest.raises(ValueError, match="28x28.*squares of 8, 16, 32"):
        UNet((1, 28, 28), 1)


@pytest.mark.parametrize("halvings, pixels", [(1, 16), (2, 34), (3, 70)])
def test_a_patch_is_as_large_as_it_says(halvings, pixels):
    """By the gradient of one output, without normalisation, which knows the whole map's mean."""
    net = PatchGAN(1, 2, halvings)
    assert field_of_view(net) == pixels
    plain = nn.Sequential(*[m for m in net.modules() if isinstance(m, nn.Conv2d)])
    x = tensor_of(RNG.uniform(-1, 1, (1, 1, 96, 96))).requires_grad_()
    y = plain.double()(x)
    middle = y.shape[2] // 2
    (slope,) = minigan.autograd.grad(y[0, 0, middle, middle], [x])
    seen = np.argwhere(slope.numpy()[0, 0] != 0)
    assert (seen.max(0) - seen.min(0) + 1).tolist() == [pixels, pixels]


def test_patches_of_a_pair():
    for size, halvings in ((12, 2), (24, 3), (6, 1)):
        assert PatchGAN(1, 2, halvings, size)(minigan.zeros(1, 1, size, size)).shape[2:] == (1, 1)
        with pytest.raises(ValueError, match=f"expected at most {halvings - 1} times"):
            PatchGAN(1, 2, halvings, size - 1)
    net = PatchGAN(3, 2)
    x = tensor_of(RNG.normal(size=(2, 1, 32, 32)).astype(np.float32))
    y = tensor_of(RNG.normal(size=(2, 2, 32, 32)).astype(np.float32))
    maps, logits = net.taps(minigan.cat([x, y], 1))
    assert logits.shape == (2, 1, 14, 14) and len(maps) == 2
    np.testing.assert_array_equal(net(x, y).detach().numpy(), logits.detach().numpy())


def test_residual_translator():
    net = residual_translator(3, 1, 4, 1)
    x = tensor_of(RNG.normal(size=(2, 3, 20, 24)).astype(np.float32))
    assert net(x).shape == (2, 1, 20, 24) and np.abs(net(x).detach().numpy()).max() < 1


# --- data, control, evidence ---


@pytest.mark.parametrize("name", ["pix2pix", "pan", "cyclegan"])
def test_what_is_learnt_from(name):
    kind = system(name)
    c = parse(kind, [])
    train, test = kind.data(c), kind.data(c, "test")
    assert train.paired == (name != "cyclegan") and test.paired
    base = {x.tobytes() for x in test.targets}
    assert not base & {x.tobytes() for x in train.targets}
    if name == "cyclegan":
        whole = system("pix2pix").data(parse(system("pix2pix"), []))
        truth = {a.tobytes(): b.tobytes() for a, b in zip(whole.images, whole.targets)}
        b = {x.tobytes() for x in train.targets}
        assert b and not {truth[a.tobytes()] for a in train.images} & b
    back = kind.data(parse(kind, ["--direction", "BtoA"]), "test")
    np.testing.assert_array_equal(back.images, test.targets)


def test_the_gallery_is_all_of_b():
    """Whatever is learnt from: cyclegan is asked among as many as pix2pix."""
    for name in ("pix2pix", "cyclegan"):
        kind = system(name)
        c = parse(kind, ["--features", "2"])
        c = SimpleNamespace(**vars(c) | kind.facts(kind.data(c), c))
        rows = kind.measure(kind.game(c), c, 0, CPU)
        assert rows[0].note == "the right one of 1,424 is nearest, of 286 held out"


def test_there_is_dropout_where_it_is_asked_for():
    kind = system("pix2pix")
    for words in ([], ["--dropout"]):
        c = parse(kind, words)
        game = kind.game(SimpleNamespace(**vars(c) | kind.facts(kind.data(c), c)))
        assert bool(game.latent_dim) == bool(words)
        assert len(game.inputs_of(minigan.zeros(2, 1, 32, 32), Generator(0))) == 1 + bool(words)


def test_controls_are_off():
    for name, expected in (("pix2pix", {"adversarial": 0.0}), ("pan", {"perceptual": 0.0}),
                           ("cyclegan", {"cycle": 0.0, "identity": 0.0})):  # fmt: skip
        kind = system(name)
        for words in ([], ["--control"]):
            c = parse(kind, words)
            game = kind.game(SimpleNamespace(**vars(c) | kind.facts(kind.data(c), c)))
            values = {k: getattr(game, k) for k in expected}
            assert (values == expected) == bool(words)
    shuffled = system("pix2pix").data(parse(system("pix2pix"), ["--shuffle-pairs"]))
    right = system("pix2pix").data(parse(system("pix2pix"), []))
    np.testing.assert_array_equal(shuffled.images, right.images)
    assert not (shuffled.targets == right.targets).all((1, 2, 3)).any()


def test_pair_rows():
    """Of perfect pictures, and of the pictures as they are."""
    a, b = RNG.integers(0, 256, (2, 6, 1, 12, 12), np.uint8)
    data = Pairs(a, np.zeros(6, np.uint8), "n", "s", targets=b)
    perfect, nothing = (
        {row.name: row.value for row in pair_rows(data, x / 127.5 - 1, b, 0.8)} for x in (b, a)
    )
    assert perfect["retrieval"] == 1 and perfect["L1"] == pytest.approx(0, abs=1e-9)
    assert perfect["iou"] == 1 and perfect["ssim"] == pytest.approx(1)
    for name in ("retrieval", "L1", "iou"):
        assert nothing[name] == pytest.approx(nothing[f"nothing: {name}"])
    assert nothing["retrieval"] == retrieval(a, b, np.arange(6)) < 1
    assert nothing["L1"] == pytest.approx(np.abs(a / 255.0 - b / 255.0).mean())


def test_rates_fall_in_the_second_half():
    kind = system("pix2pix")
    c = parse(kind, [])
    w = nn.Parameter(tensor_of(np.zeros(1)))
    trainer = SimpleNamespace(optimizers={"G": SGD([w], lr=1.0)})
    (schedule,) = kind.callbacks(trainer, c, 10)
    rates = []
    w.grad = tensor_of(np.zeros(1))
    for _ in range(10):
        trainer.optimizers["G"].step()
        rates.append(trainer.optimizers["G"].param_groups[0]["lr"])
        schedule.on_step(None)
    np.testing.assert_allclose(rates, [1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])


def test_a_checkpoint_has_the_rates_of_its_step(tmp_path):
    """What saves comes after what a system adds to a run."""
    kind = system("pix2pix")
    words = ["--device", "cpu", "--features", "2", "--quiet", "--no-doctor", "--max-steps", "1"]
    run = build(kind, parse(kind, [*words, "--out", str(tmp_path / "run")]))
    kinds = [type(callback) for callback in run.callbacks]
    assert kinds.index(Schedule) < kinds.index(Checkpoints)


def test_a_line_of_text():
    """Each letter as wide as its ink, a gap between them; above, the font as it is."""
    square = np.full((2, 1, 16, 16), -1.0, np.float32)
    square[0, :, 4:6, 3:9], square[1, :, 4:6, 5:7] = 1, 1
    line = set_line("a b", square)
    assert line.shape == (1, 16, 1 + 6 + 1 + 4 + 2 + 1)
    assert np.flatnonzero(line[0, 4] > 0).tolist() == [1, 2, 3, 4, 5, 6, 12, 13]
    both = lines("Ab c", "DejaVuSans", 32, lambda pictures: -np.ones_like(pictures))
    assert (
        both.shape[:3] == (1, 1, 64) and (both[0, 0, :32] > 0).any() and (both[0, 0, 32:] < 0).all()
    )
    with pytest.raises(ValueError, match="DejaVuSansMono has no '\u6c49'"):
        lines("a\u6c49", "DejaVuSansMono", 32, None)
    with pytest.raises(ValueError, match="no letter"):
        lines("  ", "DejaVuSansMono", 32, None)


def test_jitter_moves_both_pictures_of_a_pair_alike():
    x = tensor_of(RNG.uniform(-1, 1, (40, 1, 6, 6)))
    y = tensor_of(RNG.uniform(-1, 1, (40, 2, 6, 6)))
    minigan.manual_seed(0)
    a, b = (t.numpy() for t in jittered(2, x, y))
    both = np.concatenate([a, b], 1)
    edges = np.pad(
        np.concatenate([x.numpy(), y.numpy()], 1), ((0, 0), (0, 0), (2, 2), (2, 2)), "edge"
    )
    seen = set()
    for i in range(40):
        places = [(r, c) for r in range(5) for c in range(5)
                  if (edges[i, :, r : r + 6, c : c + 6] == both[i]).all()]  # fmt: skip
        assert len(places) == 1
        seen.add(places[0])
    assert {r for r, _ in seen} == {c for _, c in seen} == set(range(5))
    assert jittered(0, x)[0] is x


def test_samples_are_of_its_sources():
    game = Pix2Pix(Scaled(), Judge(), 1)
    with pytest.raises(ValueError, match="draw RUN --from FILES"):
        game.inputs(2, Generator(0))
    game.sources = tensor_of(A[:3])
    z, a = game.inputs(5, Generator(0))
    assert z.shape == (5, 1)
    np.testing.assert_array_equal(a.numpy(), A[[0, 1, 2, 0, 1]])
