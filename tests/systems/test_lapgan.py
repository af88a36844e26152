"""LAPGAN: the pyramid puts a picture together exactly, what G makes goes up it, each level's loss
in NumPy, levels know nothing of each other, the control."""

from types import SimpleNamespace

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import grad, tensor_of
from minigan.gan import LAPGAN
from minigan.gan.lapgan import (
    Details,
    Judge,
    Pyramid,
    down,
    mlp_pyramid,
    put_together,
    taken_apart,
    up,
)
from minigan.systems import load_game, system
from minigan.systems.command import build, main, parse

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(8)
KIND = system("lapgan")


def halved(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).mean((3, 5))


def doubled(x):
    """By linear interpolation between pixels' centres: weights 3/4 and 1/4, edges as they are."""

    def along(x, axis):
        n = x.shape[axis]
        before, after = (np.take(x, np.clip(np.arange(n) + d, 0, n - 1), axis) for d in (-1, 1))
        pairs = np.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis + 1)
        return pairs.reshape(*x.shape[:axis], 2 * n, *x.shape[axis + 1 :])

    return along(along(x, 2), 3)


def test_down_and_up():
    x = RNG.normal(size=(2, 3, 4, 6))
    np.testing.assert_allclose(down(tensor_of(x)).numpy(), halved(x))
    np.testing.assert_allclose(up(tensor_of(x)).numpy(), doubled(x))


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_the_pyramid_puts_a_picture_together_exactly(levels):
    """To the bit where no sum is rounded: pixels that are multiples of 1/128. Else to the last."""
    x = (RNG.integers(-128, 129, (5, 1, 28, 28)) / 128).astype(np.float32)
    parts = taken_apart(tensor_of(x), levels)
    assert [p.shape[-1] for p in parts] == [28, 14, 7][:levels][::-1]
    assert np.array_equal(put_together(parts).numpy(), x)
    if levels > 1:
        small = halved(x)
        assert np.array_equal(parts[-1].numpy(), x - doubled(small).astype(np.float32))
    grey = (RNG.integers(0, 256, x.shape) / 127.5 - 1).astype(np.float32)
    again = put_together(taken_apart(tensor_of(grey), levels)).numpy()
    np.testing.assert_allclose(again, grey, atol=2e-7)


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(RNG.normal(size=(n_out, n_in)) * 0.4)
    return layer


def made():
    """2x2 pictures, and details of 4x4 ones; of each level two latents."""
    smallest = nn.Sequential(linear(2, 4), nn.Unflatten(1, (1, 2, 2)))
    G = Pyramid(smallest, [Details(linear(2 + 16, 16))], 2)
    D = [nn.Sequential(nn.Flatten(), linear(4, 1)),
         Judge(nn.Sequential(nn.Flatten(), linear(32, 1)))]  # fmt: skip
    return LAPGAN(G, D)


X, Z = RNG.uniform(-1, 1, (4, 1, 4, 4)), RNG.normal(size=(4, 4))


def details(w, z, coarse):
    out = np.concatenate([z, coarse.reshape(4, 16)], 1) @ w.T
    return np.tanh(out.reshape(coarse.shape) + 2 * coarse) - coarse


def test_a_sample_goes_up_the_pyramid():
    game = made()
    w0, w1 = (p.detach().numpy() for p in game.G.parameters())
    small = (Z[:, :2] @ w0.T).reshape(4, 1, 2, 2)
    expected = doubled(small) + details(w1, Z[:, 2:], doubled(small))
    np.testing.assert_allclose(game.sample(tensor_of(Z)).numpy(), expected)
    sizes = game.levels(tensor_of(Z))
    np.testing.assert_allclose(sizes[0].numpy(), small)
    assert game.latent_dim == 4 and len(game.inputs(3, Generator(0))[0][0]) == 4
    residual = sizes[1].numpy() - doubled(small)
    again = put_together([sizes[0], tensor_of(residual)])
    np.testing.assert_allclose(again.numpy(), expected)
    assert abs(expected).max() <= 1


def test_the_losses_of_each_level():
    """Of the residual, given the coarse version of real pictures."""
    game = made()
    game.latents = lambda n, like: tensor_of(Z)
    (d, g), kept = played(game, X)
    assert (d.player, d.ascends, g.player, g.ascends) == ("D", True, "G", False)
    assert_only("D", kept[0], kept[1])
    assert_only("G", kept[1], kept[2])
    small = halved(X)
    coarse = doubled(small)

    def logits(d0, d1, w0, w1):
        fake, h = (Z[:, :2] @ w0.T).reshape(4, 4), details(w1, Z[:, 2:], coarse)
        pair = lambda h: np.concatenate([coarse + h, h], 1).reshape(4, 32)
        return [small.reshape(4, 4) @ d0.T, pair(X - coarse) @ d1.T], [fake @ d0.T, pair(h) @ d1.T]

    def value(d0, d1, w0, w1):
        real, fake = logits(d0, d1, w0, w1)
        says = [np.log(1 / (1 + np.exp(-r))).mean() + np.log(1 / (1 + np.exp(f))).mean()
                for r, f in zip(real, fake)]  # fmt: skip
        return sum(says)

    def loss(d0, d1, w0, w1):
        return sum(np.log1p(np.exp(-f)).mean() for f in logits(d0, d1, w0, w1)[1])

    at = [*kept[0]["D"].values(), *kept[0]["G"].values()]
    np.testing.assert_allclose(d.value.item(), value(*at))
    new = list(kept[1]["D"].values())
    assert_descends(lambda w: -value(w, *at[1:]), at[0], new[0])
    assert_descends(lambda w: -value(at[0], w, *at[2:]), at[1], new[1])
    at[:2] = new
    np.testing.assert_allclose(g.value.item(), loss(*at))
    new = list(kept[2]["G"].values())
    assert_descends(lambda w: loss(*at[:2], w, at[3]), at[2], new[0])
    assert_descends(lambda w: loss(*at[:3], w), at[3], new[1])


def test_levels_know_nothing_of_each_other():
    """The loss of details does not depend on the generator of small pictures, nor the other way."""
    game = made()
    game.latents = lambda n, like: tensor_of(Z)
    real = tensor_of(X)
    small, h = game.made(real, [up(down(real))])
    w0, w1 = game.G.parameters()
    assert grad(h.sum(), [w0], retain_graph=True, allow_unused=True) == (None,)
    assert grad(small.sum(), [w1], allow_unused=True) == (None,)


def test_networks_and_the_control():
    c = dict(latent_dim=3, image_shape=(2, 8, 12), levels=3, width=5)
    game = KIND.game(SimpleNamespace(**c, control=False))
    minigan.manual_seed(0)
    assert [x.shape[1:] for x in game.levels(minigan.randn(2, 9))] == [
        (2, 2, 3), (2, 4, 6), (2, 8, 12)
    ]  # fmt: skip
    alone = KIND.game(SimpleNamespace(**c, control=True))
    assert len(alone.D) == 1 and alone.latent_dim == 3 and not len(alone.G.details)
    assert alone.sample(minigan.randn(2, 3)).shape == (2, 2, 8, 12)
    assert len(mlp_pyramid(3, (1, 4, 4), 2, 5)[1]) == 2


WORDS = ["--dataset", "strokes", "--batch-size", "2000", "--device", "cpu", "--quiet",
         "--no-doctor", "--width", "8", "--epochs", "1"]  # fmt: skip


def total(out, *more):
    """The steps of the run that these words describe."""
    return build(KIND, parse(KIND, [*WORDS, "--out", str(out), *more])).total


def test_the_control_learns_for_as_many_seconds(tmp_path, capsys):
    """Its rounds are cheaper: it makes 2.3 times as many epochs."""
    assert total(tmp_path / "r", "--levels", "2") == 10 and total(tmp_path / "c", "--control") == 20
    out = ["--out", str(tmp_path / "trained")]
    assert main(["train", "lapgan", *WORDS, *out, "--control", "--max-steps", "1"]) == 0
    assert load_game(tmp_path / "trained").step == 1
    assert main(["train", "lapgan", *WORDS, "--out", str(tmp_path / "x"), "--levels", "4"]) == 2
    assert "--levels 4: pictures of 28x28 cannot be halved so often" in capsys.readouterr().err
