"""ProGAN: what alpha is at each step, what a grown net gives at alpha = 0, what the data are at a
size, its losses written out in NumPy, the control, and runs that are killed in every stage and
inside a fade."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest

import minigan
from minigan.arrays import Generator, default_generator
from minigan.autograd import grad, tensor_of
from minigan.gan import ProGAN, Trainer
from minigan.gan.progan import GrowingDiscriminator, GrowingGenerator, mixed
from minigan.gan.ramp import Ramp
from minigan.optim import SGD
from minigan.systems import load_game, system
from minigan.systems.command import main
from minigan.training import Run, load_checkpoint
from minigan.training.checkpoint import newest

from .steps import assert_only, weights

RNG = np.random.default_rng(3)
WIDTHS = (4, 4, 3, 2)
KIND = system("progan")


def pair(levels=1):
    minigan.manual_seed(1)
    G = GrowingGenerator(5, WIDTHS, 1).at(4 * 2 ** (levels - 1))
    return G, GrowingDiscriminator(WIDTHS, 1).at(G.side)


def latents(n=3):
    return tensor_of(RNG.normal(size=(n, 5)).astype(np.float32))


def twice(x):
    return x.repeat(2, 2).repeat(2, 3)


def halved(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).mean((3, 5))


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_at_alpha_0_the_grown_nets_do_what_the_small_ones_did(levels):
    """The same bits: the picture, doubled; and what D says of pictures made small."""
    G, D = pair(levels)
    z, x = latents(), RNG.integers(-8, 9, (3, 1, 2 * G.side, 2 * G.side)).astype(np.float32) / 8
    small, said = G(z).detach().numpy(), D(tensor_of(halved(x))).detach().numpy()
    G.grow()
    D.grow()
    assert G.side == D.side == 2 * small.shape[2] and G.alpha.item() == D.alpha.item() == 0
    assert np.array_equal(G(z).detach().numpy(), twice(small))
    assert np.array_equal(D(tensor_of(x)).detach().numpy(), said)
    for net in (G, D):
        net.alpha.copy_(net.alpha + 0.5)
    assert not np.allclose(G(z).detach().numpy(), twice(small), atol=1e-3)
    assert not np.allclose(D(tensor_of(x)).detach().numpy(), said, atol=1e-3)


def test_the_picture_is_between_the_two_ways():
    G, _ = pair(2)
    z = latents()
    old, new = (copy.deepcopy(G) for _ in range(2))
    old.alpha.copy_(old.alpha * 0)
    G.alpha.copy_(G.alpha * 0 + 0.25)
    between = 0.75 * old(z).detach().numpy() + 0.25 * new(z).detach().numpy()
    np.testing.assert_allclose(G(z).detach().numpy(), between, rtol=1e-6, atol=1e-6)
    a, b = (tensor_of(RNG.normal(size=9).astype(np.float32)) for _ in range(2))
    assert np.array_equal(mixed(a, b, minigan.tensor(0.0)).detach().numpy(), a.detach().numpy())
    assert np.array_equal(mixed(a, b, minigan.tensor(1.0)).detach().numpy(), b.detach().numpy())


def test_alpha_is_a_function_of_the_step():
    fade = Ramp(4)
    assert [fade().item() for _ in range(7)] == [0, 0.25, 0.5, 0.75, 1, 1, 1]
    again = Ramp(4)
    again.load_state_dict({"done": minigan.tensor(3.0)})
    assert [again().item() for _ in range(3)] == [0.75, 1, 1]
    assert [Ramp(0)().item() for _ in range(2)] == [1, 1]


def test_layers_are_used_with_weights_that_are_scaled():
    """Equalised rates: drawn as N(0, 1), whatever the number of inputs; He's factor when used."""
    minigan.manual_seed(0)
    G = GrowingGenerator(64, (32, 32), 1)
    drawn = G.blocks[0][1].weight.detach().numpy()
    assert abs(drawn.std() - 1) < 0.02
    h = G.blocks[0][:2](tensor_of(RNG.normal(size=(500, 64)).astype(np.float32))).detach().numpy()
    np.testing.assert_allclose(h.std(), 2**0.5 / 4, rtol=0.05)
    inside = G.blocks[0](latents(4)[:, :1].expand(4, 64)).detach().numpy()
    np.testing.assert_allclose((inside**2).mean(1), 1, rtol=1e-3)  # pixelwise normalisation


def test_the_data_at_a_size():
    G, D = pair(2)
    game = ProGAN(G, D, 5, (1, 12, 10), fade=4)
    G.alpha.copy_(G.alpha * 0 + 0.25)
    x = RNG.uniform(-1, 1, (2, 1, 12, 10)).astype(np.float32)
    frame = np.full((2, 1, 16, 16), -1, np.float32)
    frame[:, :, 2:14, 3:13] = x
    small = halved(frame)
    expected = 0.75 * twice(halved(small)) + 0.25 * small
    np.testing.assert_allclose(
        game.shown(tensor_of(x)).detach().numpy(), expected, rtol=1e-5, atol=1e-6
    )
    made = game.sample(latents(2))
    assert made.shape == (2, 1, 12, 10) and abs(made.detach().numpy()).max() <= 1
    whole = twice(G(latents(2)).detach().numpy())
    assert whole.shape[2:] == (16, 16)


def test_losses_and_who_moves():
    """Each move on four examples; D's slopes by central differences."""
    G, D = (net.double() for net in pair(2))
    game = ProGAN(G, D, 5, (1, 8, 8), fade=2)
    game.fade()  # as if a round were over: alpha is 0.5
    z, x = RNG.normal(size=(4, 5)), RNG.uniform(-1, 1, (4, 1, 8, 8))
    game.latents = lambda n, like: tensor_of(z)
    trainer = Trainer(game, {n: SGD(m.parameters(), lr=0.01) for n, m in game.players.items()})
    minigan.manual_seed(4)
    state, kept = default_generator.get_state(), [weights(game)]
    says = []
    for move in game.moves(tensor_of(x)):
        before = {n: copy.deepcopy(net) for n, net in game.players.items()}
        trainer.perform(move)
        kept.append(weights(game))
        says.append((move, before))
    (d, then), (g, later) = says
    assert (d.player, d.ascends, g.player, g.ascends) == ("D", True, "G", False)
    assert_only("D", kept[0], kept[1])
    assert_only("G", kept[1], kept[2])
    D, G = then["D"], then["G"]
    assert G.alpha.item() == D.alpha.item() == 0.5
    data, fake = 0.5 * twice(halved(x)) + 0.5 * x, G(tensor_of(z)).detach().numpy()
    default_generator.set_state(state)
    e = minigan.rand(4, 1, 1, 1, dtype=minigan.float64).detach().numpy()
    points = data * e + fake * (1 - e)
    value = lambda a: D(tensor_of(a)).detach().numpy()
    slope = np.zeros_like(points)
    for i in np.ndindex(*points.shape[1:]):  # all examples at once, as D sees them together
        for n in range(4):
            step = np.zeros_like(points)
            step[(n, *i)] = 1e-5
            slope[(n, *i)] = (value(points + step) - value(points - step)).sum() / 2e-5
    norm = np.sqrt((slope**2).sum((1, 2, 3)))
    real = value(data)
    expected = real.mean() - value(fake).mean() - 10 * ((norm - 1) ** 2).mean()
    expected -= 0.001 * (real**2).mean()
    np.testing.assert_allclose(d.value.item(), expected, rtol=1e-5)
    made = later["G"](tensor_of(z))
    np.testing.assert_allclose(g.value.item(), -later["D"](made).detach().numpy().mean())
    assert game.measure([d, g])["alpha"] == 0.5


def test_all_parameters_get_a_gradient_while_layers_are_faded_in():
    G, D = pair(3)
    for net in (G, D):
        net.alpha.copy_(net.alpha * 0 + 0.5)
    for player in (G, D):
        for part in grad(D(G(latents())).sum(), list(player.parameters())):
            assert abs(part.detach().numpy()).max() > 0


# --- runs ---

SMALL = ["--dataset", "strokes", "--batch-size", "4", "--device", "cpu", "--quiet", "--no-doctor",
         "--sample-interval", "5", "--width", "2", "--latent-dim", "6", "--steps", "3", "--fade",
         "4", "--last", "3"]  # fmt: skip
# stages: 4x4 to step 3; 8x8 to 10, its fade to 7; 16x16 to 17, to 14; 32x32 to 24, to 21


class Killed(BaseException):
    """Nothing is saved, nothing ends in order."""


def train(out, *more):
    return main(["train", "progan", *SMALL, "--out", str(out), *more])


def bits(out):
    _, state = newest(out)
    found = {}
    for name, part in (("players", state["trainer"]), ("averages", state["callbacks"])):
        stack = [(name, part)]
        while stack:
            key, value = stack.pop()
            value = dict(enumerate(value)) if isinstance(value, (list, tuple)) else value
            if isinstance(value, dict):
                stack += [(f"{key}.{k}", v) for k, v in value.items()]
            else:
                found[key] = np.asarray(value).tobytes()
    return state["step"], found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("progan") / "whole"
    assert train(out) == 0
    return out


def test_killed_in_every_stage_and_inside_fades(whole, tmp_path, monkeypatch):
    """Ten kills of one run: it ends in the bits of one that was never killed."""
    play, at = Run.play, []

    def dies(run, numbers):
        play(run, numbers)
        if at and run.step == at[0]:
            at.pop(0)
            raise Killed

    monkeypatch.setattr(Run, "play", dies)
    for n, step in enumerate((2, 3, 4, 6, 9, 11, 13, 16, 18, 20, 23)):
        at.append(step)
        with pytest.raises(Killed):
            train(tmp_path / "r", "--checkpoint-seconds", "0", *["--resume"] * (n > 0))
        assert newest(tmp_path / "r")[1]["step"] == step - 1
    assert train(tmp_path / "r", "--resume") == 0
    assert bits(whole) == bits(tmp_path / "r") and bits(whole)[0] == 24


@pytest.mark.parametrize("step, side, alpha", [(3, 4, 1), (4, 8, 0), (6, 8, 0.5), (9, 8, 1),
                                              (12, 16, 0.25), (24, 32, 1)])  # fmt: skip
def test_a_run_is_loaded_as_it_stood(step, side, alpha, whole, tmp_path):
    out = whole
    if step < 24:
        out = tmp_path / "r"
        assert train(out, "--max-steps", str(step)) == 0
    game = load_game(out, averaged=False).game
    assert game.G.side == game.D.side == side and game.G.alpha.item() == alpha
    assert [net.side for net in game.before] == [s for s in (4, 8, 16) if s < side]
    for n, net in enumerate(game.before):
        left = load_checkpoint(out / "checkpoints" / f"stage{n}.safetensors")["players"]["G"]
        for name, value in net.state_dict().items():
            assert np.array_equal(value.detach().numpy(), left[name])
    assert game.sample(*game.inputs(2, Generator(0))).shape == (2, 1, 28, 28)


def test_in_the_control_alpha_is_1(tmp_path):
    assert train(tmp_path / "r", "--control", "--max-steps", "4") == 0
    game = load_game(tmp_path / "r").game
    assert game.G.side == 8 and game.G.alpha.item() == game.D.alpha.item() == 1
    c = dict(steps=5, fade=7, last=9, start=4, image_shape=(1, 28, 28))
    given = {"4x4": 5, "8x8": 12, "16x16": 12, "32x32": 16}
    assert KIND.stages(SimpleNamespace(**c, control=False)) == given
    given = {"4x4": 5, "8x8": 5, "16x16": 5, "32x32": 9}
    assert KIND.stages(SimpleNamespace(**c, control=True)) == given


def test_the_same_nets_at_full_size_from_the_start(whole, tmp_path, capsys):
    assert train(tmp_path / "r", "--start", "32", "--last", "2") == 0
    game, grown = load_game(tmp_path / "r").game, load_game(whole).game
    shapes = [
        {n: {k: p.shape for k, p in net.named_parameters()} for n, net in g.players.items()}
        for g in (game, grown)
    ]
    assert shapes[0] == shapes[1] and game.before == () and game.G.alpha.item() == 1
    assert train(tmp_path / "x", "--start", "12") == 2
    assert "--start 12: expected one of 4, 8, 16, 32" in capsys.readouterr().err
    assert main(["measure", str(whole), "--samples", "100"]) == 0
    assert "\nseconds " in capsys.readouterr().out
