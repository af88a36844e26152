"""GoGAN: both hinges in NumPy, who moves and who is frozen, each stage starts where the one before
ended, the control, and W1 as it is measured."""

from types import SimpleNamespace

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.data.batches import Batches
from minigan.gan import GoGAN
from minigan.systems import load_game, system
from minigan.systems.command import main
from minigan.systems.gogan import POINTS, line
from minigan.training import load_checkpoint

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(2)
X, Z = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 2))
KIND = system("gogan")


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(RNG.normal(size=(n_out, n_in)) * 0.3)
    return layer


@pytest.mark.parametrize("ranking", [0.0, 0.7])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("margin", [0.5, 4.0])
def test_the_losses(ranking, first, margin):
    """D is linear: its slope is its weight's length, everywhere."""
    old = linear(2, 3).requires_grad_(False)
    before = () if first else (linear(2, 3).requires_grad_(False), old)
    D = linear(3, 1)
    D.weight = nn.Parameter(D.weight.detach().numpy() * 5)  # steeper than 1
    game = GoGAN(linear(2, 3), D, 2, 1, margin, ranking, 3.0, before)
    game.latents = lambda n, like: tensor_of(Z)
    w_old = old.weight.numpy().copy()
    (d, g), kept = played(game, X)
    assert (d.player, d.ascends, g.player, g.ascends) == ("D", True, "G", False)
    assert_only("D", kept[0], kept[1])
    assert_only("G", kept[1], kept[2])
    assert np.array_equal(old.weight.numpy(), w_old)
    w, wd = kept[0]["G"]["weight"], kept[0]["D"]["weight"]

    def lost(wd):
        real, fake, past = X @ wd.T, Z @ w.T @ wd.T, Z @ w_old.T @ wd.T
        found = np.maximum(fake + margin - real, 0).mean()
        if not first:
            found += ranking * np.maximum(past + 2 * margin - real, 0).mean()
        return found + 3 * max(np.sqrt((wd**2).sum()) - 1, 0) ** 2

    np.testing.assert_allclose(d.value.item(), -lost(wd))
    assert_descends(lost, wd, kept[1]["D"]["weight"])
    wd = kept[1]["D"]["weight"]
    loss = lambda w: -(Z @ w.T @ wd.T).mean()
    np.testing.assert_allclose(g.value.item(), loss(w))
    assert_descends(loss, w, kept[2]["G"]["weight"])
    assert set(game.kept) == ({"G0", "G1"} if not first else set())


def test_pairs_that_are_ranked_have_no_part_in_it():
    """Beyond its margin nothing is to be gained."""
    D = nn.Linear(1, 1, bias=False)
    D.weight = nn.Parameter(np.array([[1.0]]))
    G = nn.Linear(1, 1)
    G.weight, G.bias = nn.Parameter(np.array([[0.0]])), nn.Parameter(np.array([-5.0]))
    game = GoGAN(G, D, 1, 1, 2.0, before=(G,))
    game.latents = lambda n, like: tensor_of(np.zeros((n, 1)))
    x = tensor_of(np.array([[0.0], [1.0]]))
    assert abs(game.ascent(x, G(x)).value.item()) < 1e-20
    near = tensor_of(np.array([[-1.5], [-1.5]]))  # each by its margin: 0.5 or 0; 4 - 5 or 4 - 6
    assert abs(game.ascent(x, near).value.item() + 0.25) < 1e-12


def test_the_line():
    x = line().draw(100_000, Generator(0))
    assert x.shape == (100_000, 1) and x.dtype == np.float32
    for mean, share in ((-2, 0.2), (0, 0.3), (3, 0.5)):
        own = x[abs(x[:, 0] - mean) < 1.0]
        assert abs(len(own) / len(x) - share) < 0.01
        assert abs(own.mean() - mean) < 0.02 and abs(own.std() - 0.3) < 0.01


@pytest.mark.parametrize("name", POINTS)
def test_points_as_data(name):
    c = SimpleNamespace(dataset=name)
    train, test = KIND.data(c), KIND.data(c, "test")
    assert train.images.dtype == np.float32 and train.name == name
    assert not np.array_equal(train.images, test.images)
    assert train.checksum_of(()) == KIND.data(c).checksum_of(()) != test.checksum_of(())
    (batch,) = Batches(train, 5)[np.arange(5)]
    assert np.array_equal(batch.numpy(), train.images[:5])


def train(out, *more):
    words = ["--batch-size", "8", "--device", "cpu", "--quiet", "--no-doctor", "--k", "1",
             "--sample-interval", "3", "--out", str(out)]  # fmt: skip
    return main(["train", "gogan", *words, *more])


def test_stages_start_where_the_one_before_ended(tmp_path, capsys):
    """Measured at the end: each stage as it was left."""
    out, words = tmp_path / "r", ["--dataset", "line", "--stage-steps", "3"]
    assert train(out, *words) == 0, capsys.readouterr().err
    game = load_game(out).game
    assert len(game.before) == 2 and game.stages == 3
    for n, net in enumerate(game.before):
        left = load_checkpoint(out / "checkpoints" / f"stage{n}.safetensors")["players"]["G"]
        for name, value in net.state_dict().items():
            assert np.array_equal(value.numpy(), left[name])
    c = SimpleNamespace(dataset="line", pictures="line", image_shape=[1])
    rows = KIND.measure(game, c, 500, minigan.device("cpu"))
    assert [row.name for row in rows] == [f"W1 of stage {n}" for n in (1, 2, 3)]
    real = KIND.data(c, "test").images[:500]
    z = game.inputs(500, Generator(0))[0]
    for row, G in zip(rows, (*game.before, game.G), strict=True):
        made = G(z).detach().numpy()
        far = abs(np.sort(made[:, 0]) - np.sort(real[:, 0])).mean()
        np.testing.assert_allclose(row.value, far, rtol=1e-5)
        assert row.ceiling < 0.3 and row.better == "down"
    assert rows[2].target == rows[1].value / 2
    # killed in each stage
    parts = tmp_path / "parts"
    for n, step in enumerate((2, 3, 5, 7, 9)):
        more = ["--resume"] * (n > 0)
        assert train(parts, *words, "--max-steps", str(step), *more) == 0
    other = load_game(parts).game
    for a, b in zip((*game.before, game.G, game.D), (*other.before, other.G, other.D)):
        for name, value in a.state_dict().items():
            assert np.array_equal(value.numpy(), b.state_dict()[name].numpy())
    assert main(["draw", str(out)]) == 2
    assert "'line' makes points, no pictures" in capsys.readouterr().err


def test_what_is_shown_of_points(tmp_path):
    """A panel for each stage, with all of the data's modes."""
    assert train(tmp_path / "r", "--dataset", "line", "--stage-steps", "2") == 0
    data = KIND.data(SimpleNamespace(dataset="line"))
    shown = KIND.exhibit(load_game(tmp_path / "r").game, data, Generator(0), minigan.device("cpu"))
    panels = shown().panels
    assert [p.title for p in panels] == ["GAN 1", "GAN 2", "GAN 3"]
    for p in panels:
        x = p.places[p.kinds == 0][:, 0]
        assert (
            len(x) == 400 and abs((x < -1).mean() - 0.2) < 0.06 and abs((x > 1).mean() - 0.5) < 0.08
        )
        assert (p.kinds == 1).sum() == 400


def test_points_of_the_plane_and_the_control(tmp_path, capsys):
    out = tmp_path / "r"
    words = ["--dataset", "ring", "--stage-steps", "2", "--stages", "2"]
    assert train(out, *words) == 0
    assert main(["measure", str(out), "--samples", "100", "--control"]) == 0
    said = capsys.readouterr().out
    assert "no ranking" in said and "\nW1 of stage 2 " in said
    assert load_game(out).game.ranking == 0.5 and load_game(f"{out}-control").game.ranking == 0
