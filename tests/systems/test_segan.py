"""SegAN: its loss at several scales written out in NumPy, each move only where it belongs, clipped
weights, the plain GAN of masks, controls, data with exact masks."""

from types import SimpleNamespace

import numpy as np
import pytest

from minigan import nn
from minigan.autograd import tensor_of
from minigan.data import strokes
from minigan.gan import Trainer
from minigan.gan.segan import Critic, MaskGAN, SegAN, Segmenting, Segmentor
from minigan.optim import SGD
from minigan.systems import load_game, system
from minigan.systems.command import main
from minigan.systems.segan import thinnest

from .steps import assert_descends, assert_only, played

RNG = np.random.default_rng(7)
X, Y = RNG.uniform(-1, 1, (4, 2, 3, 3)), np.sign(RNG.normal(size=(4, 1, 3, 3)))
MASK = (Y + 1) / 2


def pointwise(n_in, n_out):
    layer = nn.Conv2d(n_in, n_out, 1, bias=False)
    layer.weight = nn.Parameter(RNG.normal(size=layer.weight.shape))
    return layer


class Taps(nn.Module):
    """[x, tanh(W x)], at each place by itself."""

    per_example = True

    def __init__(self):
        super().__init__()
        self.layer = pointwise(3, 4)

    def forward(self, x):
        return [x, self.layer(x).tanh()]


def at_each(x, w):
    return np.einsum("nchw,oc->nohw", x, w[:, :, 0, 0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cross_entropy(logits):
    return -(MASK * np.log(sigmoid(logits)) + (1 - MASK) * np.log(1 - sigmoid(logits))).mean()


def test_the_distance_in_all_layers():
    game = SegAN(pointwise(2, 1), Taps(), (2, 3, 3))
    (c, s), kept = played(game, X, Y)
    assert [(m.player, m.ascends) for m in (c, s)] == [("C", True), ("S", False)]
    assert_only("C", *kept[:2])
    assert_only("S", *kept[1:])
    seen = np.concatenate([X, np.ones((4, 1, 3, 3))], 1)  # with the channel of ones

    def far(w, v):
        a, b = seen * sigmoid(at_each(X, w)), seen * MASK
        hidden = np.abs(np.tanh(at_each(a, v)) - np.tanh(at_each(b, v))).mean()
        return (np.abs(a - b).mean() + hidden) / 2

    w, v = kept[0]["S"]["weight"], kept[0]["C"]["layer.weight"]
    np.testing.assert_allclose(c.value.item(), far(w, v))
    assert_descends(lambda v: -far(w, v), v, kept[1]["C"]["layer.weight"])
    v = kept[1]["C"]["layer.weight"]
    # S's mask was made before C's step, and C's maps are taken anew
    np.testing.assert_allclose(s.value.item(), far(w, v))
    assert_descends(lambda w: far(w, v), w, kept[2]["S"]["weight"])


def test_a_frozen_critic_stays():
    game = SegAN(pointwise(2, 1), Taps(), (2, 3, 3), frozen=True)
    (s,), kept = played(game, X, Y)
    assert s.player == "S"
    assert_only("S", *kept)


def test_what_is_black_is_not_as_if_it_were_hidden():
    """Where a picture is 0 in every channel, S still learns."""
    game = SegAN(pointwise(2, 1), Taps(), (2, 3, 3))
    zero = np.zeros_like(X)
    seen = game.far(tensor_of(np.concatenate([zero, np.ones_like(MASK)], 1) * MASK),
                    tensor_of(np.concatenate([zero, np.ones_like(MASK)], 1) * 0))  # fmt: skip
    assert seen.item() > 0.05


def test_the_cross_entropy_alone():
    game = Segmenting(pointwise(2, 1), (2, 3, 3))
    (s,), (start, end) = played(game, X, Y)
    loss = lambda w: cross_entropy(at_each(X, w))
    np.testing.assert_allclose(s.value.item(), loss(start["S"]["weight"]))
    assert_descends(loss, start["S"]["weight"], end["S"]["weight"])
    made = game.sample(tensor_of(X)).numpy()
    np.testing.assert_allclose(made, 2 * sigmoid(at_each(X, end["S"]["weight"])) - 1)


def test_the_plain_gan_of_masks():
    D = nn.Sequential(nn.Flatten(), nn.Linear(27, 1, bias=False).double())
    game = MaskGAN(pointwise(2, 1), D, (2, 3, 3), weight=0.3)
    (d, s), kept = played(game, X, Y)
    assert_only("D", *kept[:2])
    assert_only("S", *kept[1:])
    pair = lambda mask: np.concatenate([X, mask], 1).reshape(4, 27)
    made = lambda w: pair(2 * sigmoid(at_each(X, w)) - 1)
    w, v = kept[0]["S"]["weight"], kept[0]["D"]["1.weight"]
    on = lambda x, v: sigmoid(x @ v.T)
    value = lambda v: np.log(on(pair(Y), v)).mean() + np.log(1 - on(made(w), v)).mean()
    np.testing.assert_allclose(d.value.item(), value(v))
    assert_descends(lambda v: -value(v), v, kept[1]["D"]["1.weight"])
    v = kept[1]["D"]["1.weight"]
    loss = lambda w: cross_entropy(at_each(X, w)) - 0.3 * np.log(sigmoid(made(w) @ v.T)).mean()
    np.testing.assert_allclose(s.value.item(), loss(w))
    assert_descends(loss, w, kept[2]["S"]["weight"])


def facts(**more):
    given = dict(image_shape=(3, 28, 28), width=2, loss="segan", clip=0.0, weight=0.1, lr=0.01,
                 b1=0.5, c_lr=0.002, freeze_critic=False, control=False)  # fmt: skip
    return SimpleNamespace(**given | more)


@pytest.mark.parametrize("more, kind, players", [
    ({}, SegAN, {"S", "C"}), ({"loss": "gan"}, MaskGAN, {"S", "D"}),
    ({"loss": "ce"}, Segmenting, {"S"}),
    ({"control": True}, Segmenting, {"S"}), ({"loss": "gan", "control": True}, Segmenting, {"S"}),
    ({"freeze_critic": True}, SegAN, {"S", "C"}),
])  # fmt: skip
def test_losses_and_controls(more, kind, players):
    game = system("segan").game(facts(**more))
    assert type(game) is kind and set(game.players) == players
    assert getattr(game, "frozen", False) == facts(**more).freeze_critic


def after_a_step(c, rate):
    kind = system("segan")
    game = kind.game(c)
    optimizers = {n: SGD(m.parameters(), lr=rate) for n, m in game.players.items()}
    trainer = Trainer(game, optimizers, kind.constraints(game, c))
    x = tensor_of(RNG.uniform(-1, 1, (2, 3, 28, 28)).astype(np.float32))
    trainer.play(x, (x[:, :1] > 0).to(x.dtype) * 2 - 1)
    return game


def test_the_critic_is_clipped():
    game = after_a_step(facts(clip=0.05), 10.0)
    sizes = {n: max(abs(p.detach().numpy()).max() for p in m.parameters())
             for n, m in game.players.items()}  # fmt: skip
    assert sizes["C"] <= 0.05 + 1e-7 < sizes["S"]


def test_the_critic_is_spectrally_normalised_where_it_is_not_clipped():
    C = after_a_step(facts(), 1.0).C
    x = tensor_of(RNG.uniform(-1, 1, (2, 4, 28, 28)).astype(np.float32))
    for _ in range(60):  # the power method takes a step each time
        C(x)
    for layer in (block[0] for block in C.blocks):
        found = np.linalg.svd(layer.weight.detach().numpy().reshape(len(layer.weight), -1))[1]
        np.testing.assert_allclose(found[0], 1, atol=0.02)


def test_the_critic_has_a_rate_of_its_own():
    c, kind = facts(), system("segan")
    rates = {n: o.param_groups[0]["lr"] for n, o in kind.optimizers(kind.game(c), c).items()}
    assert rates == {"S": 0.01, "C": 0.002}


def test_thin_strokes():
    masks = np.zeros((8, 1, 6, 6), bool)
    masks[:6, :, 1:5, 1:5] = True  # four of sixteen have all neighbours
    masks[6, :, 2] = True
    masks[7, :, 1:4] = True  # four of eighteen
    assert list(thinnest(masks)) == [6, 7]


def test_networks():
    assert Segmentor(3, 2)(tensor_of(np.zeros((2, 3, 12, 8), np.float32))).shape == (2, 1, 12, 8)
    maps = Critic(4, 2)(tensor_of(np.zeros((2, 4, 28, 28), np.float32)))
    assert [m.shape for m in maps] == [(2, 4, 28, 28), (2, 2, 28, 28), (2, 4, 14, 14)]


def test_masks_are_those_of_the_digits():
    c = SimpleNamespace(dataset="strokes", size=28, seed=0, ground="textures")
    train, test = (system("segan").data(c, split) for split in ("train", "test"))
    digits = strokes(20_000, seed=0)
    assert train.images.shape == (20_000, 3, 28, 28) and len(test) == 4000
    np.testing.assert_array_equal(train.targets == 255, digits.images > 127)
    assert set(np.unique(train.targets)) == {0, 255}
    np.testing.assert_array_equal(train.labels, digits.labels)
    ground = np.where(digits.images == 0, train.images, 0)[:50]
    assert ground.std() > 20  # something is behind them
    inside = np.where(digits.images == 255, 255 - train.images.astype(int), 0)
    assert (inside >= 0).all()


def test_a_run_is_measured(tmp_path, capsys):
    words = ["--dataset", "strokes", "--ground", "textures", "--width", "2", "--batch-size", "8",
             "--device", "cpu", "--quiet", "--no-doctor", "--max-steps", "2"]  # fmt: skip
    assert main(["train", "segan", *words, "--out", str(tmp_path / "run")]) == 0
    assert main(["measure", str(tmp_path / "run"), "--samples", "100", "--control"]) == 0
    said = capsys.readouterr().out
    assert "\niou " in said and "\nwrong pixels " in said and "no mask at all: 0." in said
    assert set(load_game(f"{tmp_path}/run-control").game.players) == {"S"}
