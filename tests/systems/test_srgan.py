"""SRGAN: what small pictures are, both stages' losses written out in NumPy, what is frozen, the
control, what it refuses."""

from types import SimpleNamespace

import numpy as np
import pytest

from minigan import nn
from minigan.autograd import tensor_of
from minigan.gan.srgan import SRGAN, SRResNet, enlarger
from minigan.systems import load_game, system
from minigan.systems.command import main
from minigan.systems.srgan import LAYER
from minigan.training import load_checkpoint

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(6)
X, LABELS = RNG.uniform(-1, 1, (4, 1, 4, 4)), np.array([0, 2, 1, 2])
SMALL = X.reshape(4, 1, 2, 2, 2, 2).mean((3, 5))


def net(n_in, *shape):
    """Flatten, linear, and the shape of a picture again."""
    layer = nn.Linear(n_in, int(np.prod(shape)), bias=False)
    layer.weight = nn.Parameter(RNG.normal(size=layer.weight.shape) * 0.4)
    return nn.Sequential(nn.Flatten(), layer, *([nn.Unflatten(1, shape)] if len(shape) > 1 else []))


def classifier():
    layers = [nn.Linear(16, 5, bias=False), nn.Tanh(), nn.Linear(5, 3, bias=False)]
    for layer in layers[::2]:
        layer.weight = nn.Parameter(RNG.normal(size=layer.weight.shape) * 0.4)
    return nn.Sequential(nn.Flatten(), *layers)


def cross_entropy(logits):
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return -np.log(p[range(4), LABELS]).mean()


def says(x, first, last):
    return np.tanh(x.reshape(4, 16) @ first.T) @ last.T


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_small_pictures_are_means_of_squares():
    game = SRResNet(nn.Identity(), nn.Identity(), (1, 4, 4), 2)
    np.testing.assert_allclose(game.small(tensor_of(X)).numpy(), SMALL)
    assert game.source_shape == (1, 2, 2)
    flat = np.full((1, 1, 2, 2), 0.3)
    np.testing.assert_allclose(game.bicubic(tensor_of(flat)).numpy(), np.full((1, 1, 4, 4), 0.3))


def test_the_first_stage():
    game = SRResNet(net(4, 1, 4, 4), classifier(), (1, 4, 4), 2)
    (g, f), (start, end) = played(game, X, LABELS)
    w, first, last = start["G"]["1.weight"], start["F"]["1.weight"], start["F"]["3.weight"]
    far = lambda w: ((SMALL.reshape(4, 4) @ w.T - X.reshape(4, 16)) ** 2).mean()
    np.testing.assert_allclose([g.value.item(), f.value.item()],
                               [far(w), cross_entropy(says(X, first, last))])  # fmt: skip
    assert_descends(far, w, end["G"]["1.weight"])
    assert_descends(lambda v: cross_entropy(says(X, first, v)), last, end["F"]["3.weight"])


@pytest.mark.parametrize("adversarial, task", [(0.3, 0.0), (0.0, 0.0), (0.3, 0.5)])
def test_the_second_stage(adversarial, task):
    F = classifier()
    game = SRGAN(net(4, 1, 4, 4), net(16, 1), F, 3, (1, 4, 4), 2, adversarial, task)
    frozen = [p.numpy().copy() for p in (*F.parameters(), *game.before.parameters())]
    (d, g), kept = played(game, X, LABELS)
    for player, before, after in zip("DG", kept, kept[1:]):
        assert_only(player, before, after)
    for was, p in zip(frozen, (*F.parameters(), *game.before.parameters()), strict=True):
        np.testing.assert_array_equal(p.numpy(), was)
    w, wd = kept[0]["G"]["1.weight"], kept[0]["D"]["1.weight"]
    made = lambda w: SMALL.reshape(4, 4) @ w.T
    real, fake = X.reshape(4, 16) @ wd.T, made(w) @ wd.T
    value = np.log(sigmoid(real)).mean() + np.log(1 - sigmoid(fake)).mean()
    assert (d.player, d.ascends, g.player, g.ascends) == ("D", True, "G", False)
    np.testing.assert_allclose(d.value.item(), value)
    wd, (first, last) = kept[1]["D"]["1.weight"], frozen[:2]

    def loss(w):
        phi = lambda x: np.tanh(x.reshape(4, 16) @ first.T)
        found = ((phi(X) - phi(made(w))) ** 2).mean()
        found -= adversarial * np.log(sigmoid(made(w) @ wd.T)).mean()
        return found + task * cross_entropy(says(made(w), first, last))

    np.testing.assert_allclose(g.value.item(), loss(w))
    assert_descends(loss, w, kept[2]["G"]["1.weight"])


def test_in_the_control_d_weighs_nothing():
    c = dict(image_shape=(1, 28, 28), factor=4, width=4, blocks=1, classes=10, features=2,
             adversarial=0.1, task=0.0, stage="content")  # fmt: skip
    kind = system("srgan")
    for control, weight in ((True, 0.0), (False, 0.1)):
        facts = SimpleNamespace(**c, control=control)
        first = kind.game(facts)
        later = kind.game_after(dict(first.players), facts)
        assert later.adversarial == weight and set(later.players) == {"D", "G"}
        assert later.G is first.players["G"] and later.before is not later.G


@pytest.mark.parametrize("factor, shape", [(2, (3, 6, 10)), (4, (1, 3, 5))])
def test_enlarger(factor, shape):
    c, h, w = shape
    found = enlarger(c, factor, 8, 1)(tensor_of(np.zeros((2, *shape), np.float32)))
    assert found.shape == (2, c, factor * h, factor * w)


def run(out, *more):
    words = ["--dataset", "strokes", "--batch-size", "8", "--device", "cpu", "--quiet", "--width",
             "4", "--blocks", "1", "--features", "2", "--no-doctor", "--out", str(out)]  # fmt: skip
    return main(["train", "srgan", *words, *more])


def test_a_run_is_measured_and_enlarges_given_pictures(tmp_path, capsys):
    assert run(tmp_path / "run", "--content-steps", "2", "--steps", "2") == 0
    game = load_game(tmp_path / "run").game
    left = load_checkpoint(tmp_path / "run" / "checkpoints" / "stage0.safetensors")["players"]
    for name, value in game.before.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), left["G"][name])
    assert main(["measure", str(tmp_path / "run"), "--samples", "100"]) == 0
    said = capsys.readouterr().out
    for row in ("PSNR", "right digit", "frechet", "SRResNet PSNR", "bicubic frechet"):
        assert f"\n{row} " in said
    from minigan.viz import save_images

    save_images(tmp_path / "small", np.zeros((2, 1, 7, 7), np.uint8))
    words = ["--from", str(tmp_path / "small"), "--out", str(tmp_path / "large.npz")]
    assert main(["draw", str(tmp_path / "run"), *words]) == 0
    with np.load(tmp_path / "large.npz") as found:
        assert found["images"].shape == (2, 28, 28)


@pytest.mark.parametrize("factor", ["3", "8"])
def test_a_factor_that_does_not_divide(factor, tmp_path, capsys):
    assert run(tmp_path / "run", "--factor", factor) == 2
    said = capsys.readouterr().err
    assert f"--factor {factor}: expected a power of 2 that divides" in said
    assert said.count("\n") == 1


def test_pictures_without_classes_are_compared_by_their_pixels():
    """Both stages are of pictures alone, and nobody learns to classify."""
    first = SRResNet(net(4, 1, 4, 4), None, (1, 4, 4), 2)
    ((move,), _) = played(first, X)
    assert move.player == "G" and first.columns == ("images",) and set(first.players) == {"G"}
    game = SRGAN(net(4, 1, 4, 4), net(16, 1), None, LAYER, (1, 4, 4), 2, 0.3)
    (_, g), kept = played(game, X)
    w, wd = kept[0]["G"]["1.weight"], kept[1]["D"]["1.weight"]
    made = SMALL.reshape(4, 4) @ w.T
    content = ((made - X.reshape(4, 16)) ** 2).mean()
    loss = content - 0.3 * np.log(sigmoid(made @ wd.T)).mean()
    np.testing.assert_allclose(g.value.item(), loss)


def test_a_folder_of_pictures_is_learned_from_and_measured(tmp_path, capsys):
    from minigan.viz import save_images

    pictures = np.random.default_rng(0).integers(0, 256, (80, 3, 12, 12), np.uint8)
    save_images(tmp_path / "own", pictures)
    words = ["--dataset", str(tmp_path / "own"), "--size", "12", "--content-steps", "2", "--steps"]
    assert run(tmp_path / "run", *words, "2") == 0
    assert main(["measure", str(tmp_path / "run"), "--samples", "100"]) == 0
    said = capsys.readouterr().out
    for row in ("PSNR", "frechet of pixels", "SRResNet PSNR", "bicubic frechet of pixels"):
        assert f"\n{row} " in said
    assert "right digit" not in said
    assert run(tmp_path / "other", *words, "2", "--task", "1") == 2
    assert "has no classes for F to know" in capsys.readouterr().err
