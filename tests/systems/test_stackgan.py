"""StackGAN: the drawn condition and its divergence, both stages' losses and who moves, what the
second stage sees, the control; killed in each stage and resumed; what a stage hands on."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.gan.text import (
    Conditioning,
    SmallGAN,
    StackedGAN,
    StageOne,
    StageTwo,
    TextDiscriminator,
    TextEncoder,
    drawing,
)
from minigan.systems import captions, load_game, system
from minigan.systems.command import main
from minigan.training import load_checkpoint
from minigan.training.checkpoint import newest

from .steps import played

RNG = np.random.default_rng(8)
X = RNG.uniform(-1, 1, (4, 1, 8, 8))
WORDS = np.array([[1, 2], [3, 0], [2, 0], [2, 3]])
VOCABULARY = ["a", "b", "c"]


def double(module):
    for p in module.parameters():
        p.array = RNG.normal(size=p.shape) * 0.3
    for b in module.buffers():
        if b.array.dtype == np.float32:
            b.array = b.array.astype(np.float64)
    return module


def conditioning(size=3):
    return Conditioning(TextEncoder(3, 5, 4), size)


def critic(shape):
    return double(TextDiscriminator(TextEncoder(3, 5, 4), shape, 2))


def kl(made, words=WORDS):
    """By the formula, of the statistics that the layer gives."""
    code = n(made.encoder(tensor_of(words)))
    told = code @ n(made.statistics.weight).T + n(made.statistics.bias)
    mean, log_var = told[:, : made.size], told[:, made.size :]
    return (mean**2 + np.exp(log_var) - 1 - log_var).sum(1).mean() / 2, mean, np.exp(log_var / 2)


def n(x):
    return x.detach().numpy()


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


def test_the_condition_is_drawn_from_what_the_text_gives():
    made = double(conditioning())
    eps = RNG.normal(size=(4, 3))
    far, mean, deviation = kl(made)
    np.testing.assert_allclose(n(made(tensor_of(eps), tensor_of(WORDS))), mean + deviation * eps)
    np.testing.assert_allclose(made.divergence(tensor_of(WORDS)).item(), far)


def value_of(D, real, fake):
    says = lambda x, rows: n(D(tensor_of(x), tensor_of(rows)))[:, 0]
    right, wrong, false = says(real, WORDS), says(real, np.roll(WORDS, 1, 0)), says(fake, WORDS)
    off = (log_sigmoid(-wrong).mean() + log_sigmoid(-false).mean()) / 2
    return log_sigmoid(right).mean() + off


def moved(kept):
    """The players that change in each move."""
    return [
        {p for p in a if any((a[p][k] != b[p][k]).any() for k in a[p])}
        for a, b in zip(kept, kept[1:])
    ]


def test_the_first_stage_sees_small_pictures():
    network = nn.Sequential(nn.Linear(5, 16), nn.Unflatten(1, (1, 4, 4)))
    G = double(StageOne(conditioning(), network))
    small = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))

    class D(nn.Module):
        """Logits of the picture alone: what it is given can be told."""

        def __init__(self):
            super().__init__()
            self.net = double(small)

        def forward(self, images, words):
            return self.net(images)

        def of_pairs(self, real, fake, words, wrong):
            return [self.net(real), self.net(fake), self.net(real)]

    game = SmallGAN(G, D(), VOCABULARY, WORDS, 5, penalty=0.7)
    z = RNG.normal(size=(4, 5))
    game.latents = lambda n, like: tensor_of(z)
    c = n(G.conditioning(tensor_of(z[:, 2:]), tensor_of(WORDS)))
    fake = np.concatenate([z[:, :2], c], 1) @ n(network[0].weight).T
    fake = (fake + n(network[0].bias)).reshape(4, 1, 4, 4)
    far = kl(G.conditioning)[0]
    real = X.reshape(4, 1, 4, 2, 4, 2).mean((3, 5))
    value = value_of(game.D, real, fake)
    (d, g), kept = played(game, X, WORDS)
    np.testing.assert_allclose(d.value.item(), value)
    w = {k: v for k, v in kept[1]["D"].items()}
    says = fake.reshape(4, 16) @ w["net.1.weight"].T[:, 0] + w["net.1.bias"]
    np.testing.assert_allclose(g.value.item(), -log_sigmoid(says).mean() + 0.7 * far)
    np.testing.assert_allclose(g.report["kl"].item(), far)
    assert moved(kept) == [{"D"}, {"G"}]


def second(first):
    G = double(StageTwo(conditioning(), 1, 2, 1))
    return StackedGAN(
        G, critic((1, 8, 8)), VOCABULARY, WORDS, first, (1, 4, 4), 5, penalty=0.7
    )  # fmt: skip


def stage_one():
    network = nn.Sequential(nn.Linear(5, 16), nn.Unflatten(1, (1, 4, 4)))
    return double(StageOne(conditioning(), network))


def test_the_second_stage_sees_what_the_frozen_first_one_makes():
    first = stage_one()
    game = second(first)
    frozen = {k: v.numpy().copy() for k, v in first.state_dict().items()}
    z = RNG.normal(size=(4, 5 + 3))
    game.latents = lambda n, like: tensor_of(z)
    small = first(tensor_of(z[:, :5]), tensor_of(WORDS))
    np.testing.assert_array_equal(
        game.before(tensor_of(z), tensor_of(WORDS)).numpy(), small.numpy()
    )
    fake = n(game.G(tensor_of(z[:, 5:]), small, tensor_of(WORDS)))
    value, far = value_of(game.D, X, fake), kl(game.G.conditioning)[0]
    (d, g), kept = played(game, X, WORDS)
    np.testing.assert_allclose(d.value.item(), value)
    says = n(game.D(tensor_of(fake), tensor_of(WORDS)))[:, 0]  # as D is now
    np.testing.assert_allclose(g.value.item(), -log_sigmoid(says).mean() + 0.7 * far)
    assert moved(kept) == [{"D"}, {"G"}] and set(game.players) == {"D", "G"}
    for name, value in first.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), frozen[name])


def test_in_the_control_there_is_noise_in_its_place():
    game = second(None)
    assert game.latent_dim == 16 + 3
    z, words = game.inputs(4, Generator(0))
    small = game.before(z, words).numpy()
    np.testing.assert_array_equal(small.reshape(4, 16), z.numpy()[:, :16])
    c = facts(control=True)
    kind = system("stackgan")
    assert kind.stages(c) == {"II": 3} and kind.game(c).first is None
    c.control = False
    assert kind.stages(c) == {"I": 4, "II": 3} and isinstance(kind.game(c), SmallGAN)


def facts(**more):
    return SimpleNamespace(
        image_shape=[3, 12, 12], vocabulary=VOCABULARY, prompts=["a b", "c"], codes=3, features=2,
        d_features=2,
        latent_dim=2, first_steps=4, steps=3, blocks=1, kl=1.0, r1=0.0, mismatched="any", **more
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(3, 14, 14), (1, 8, 12), (3, 32, 32)])
def test_what_is_drawn_has_the_shape(shape):
    made = drawing(5, shape, 2)(tensor_of(RNG.normal(size=(2, 5)).astype(np.float32)))
    assert made.shape == (2, *shape)


def test_sides_that_cannot_be_halved():
    with pytest.raises(ValueError, match="7x8: expected even sides of at least 6"):
        drawing(5, (1, 7, 8), 2)


# --- runs ---


def train(out, *more, data="strokes"):
    words = ["--dataset", str(data), "--batch-size", "8", "--device", "cpu", "--quiet",
             "--features", "2", "--d-features", "2", "--codes", "4", "--no-doctor",
             "--first-steps", "12", "--steps", "3", "--sample-interval", "4",
             "--out", str(out), *more]  # fmt: skip
    return main(["train", "stackgan", *words])


def players(out):
    _, state = newest(out)
    found = state["trainer"]["players"] | {"averages": state["callbacks"]["Average"]["averages"]}
    return {(p, k): np.asarray(v).tobytes() for p, net in found.items() for k, v in net.items()}


def test_killed_in_each_stage_and_resumed(tmp_path, capsys):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train(whole) == 0, capsys.readouterr().err
    for steps in ("11", "12", "14"):
        more = ["--resume"] * (steps != "11")
        assert train(parts, "--max-steps", steps, *more) == 0, capsys.readouterr().err
    assert train(parts, "--resume") == 0, capsys.readouterr().err
    assert players(whole) == players(parts) and newest(parts)[1]["step"] == 15
    game = load_game(parts).game
    left = load_checkpoint(parts / "checkpoints" / "stage0.safetensors")["players"]["G"]
    for name, value in game.first.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), left[name])
    out = tmp_path / "drawn.npz"
    assert main(["draw", str(parts), "--text", "a red one", "--n", "2", "--out", str(out)]) == 0
    with np.load(out) as found:
        assert found["images"].shape == (2, 28, 28, 3)


def test_a_stage_hands_on_averaged_weights(tmp_path):
    out = tmp_path / "run"
    assert train(out, "--max-steps", "12") == 0
    state = newest(out)[1]
    raw = state["trainer"]["players"]["G"]
    averages = state["callbacks"]["Average"]["averages"]
    assert train(out, "--max-steps", "13", "--resume") == 0
    left = load_checkpoint(out / "checkpoints" / "stage0.safetensors")["players"]["G"]
    assert averages.keys() < left.keys()
    for name, value in averages.items():
        np.testing.assert_array_equal(left[name], value)
    assert any((np.asarray(left[k]) != np.asarray(raw[k])).any() for k in averages)
    ran = [k for k in left if k.endswith("running_mean")]  # seen with these weights, not those
    assert ran and all((np.asarray(left[k]) != np.asarray(raw[k])).any() for k in ran)


def test_a_run_is_measured_beside_its_first_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(captions, "EXAMINED", 5)
    captions.examiner.cache_clear()
    assert train(tmp_path / "run") == 0
    assert main(["measure", str(tmp_path / "run"), "--samples", "120"]) == 0
    captions.examiner.cache_clear()
    rows = json.loads((tmp_path / "run" / "measure.json").read_text())["rows"]
    by_name = {r["name"]: r for r in rows}
    assert len(rows) == 18 and by_name["stage I unseen place"]["value"] is not None
    assert by_name["frechet"]["target"] == by_name["stage I frechet"]["value"]


def test_the_first_stage_is_loaded_and_drawn(tmp_path):
    out = tmp_path / "run"
    assert train(out, "--max-steps", "5") == 0
    game = load_game(out).game
    assert isinstance(game, SmallGAN)
    assert game.sample(*game.inputs(2, Generator(0))).shape == (2, 3, 14, 14)


def test_pictures_that_cannot_be_made_half(tmp_path, capsys):
    from PIL import Image

    for name in ("red", "blue"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (8, 8), name).save(tmp_path / "own" / name / f"{i}.png")
    assert train(tmp_path / "run", "--size", "10", data=tmp_path / "own") == 2
    said = capsys.readouterr().err
    assert "10x10: expected sides that are multiples of 4" in said and said.count("\n") == 1
