"""LSRO and CamStyle: smoothed labels written out in NumPy, who sees what, what is frozen, their
controls, the two cameras."""

from types import SimpleNamespace

import numpy as np
import pytest

from minigan import nn
from minigan.arrays import CPU
from minigan.autograd import tensor_of
from minigan.data import ImageSet
from minigan.data.cameras import two_cameras
from minigan.gan import LSRO, CamStyle, CycleGAN
from minigan.systems import load_game, system
from minigan.systems.command import main
from minigan.training import load_checkpoint

from .steps import assert_descends, played

RNG = np.random.default_rng(8)
X, REAL = RNG.normal(size=(2, 4, 3))
LABELS = np.array([1, 0, 2, 2])


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(RNG.normal(size=(n_out, n_in)))
    return layer


def classifiers():
    return tuple(linear(3, 3) for _ in range(3))


def smoothed(x, w, eps):
    """The cross entropy with 1 - eps of the weight on the label, eps on all classes alike."""
    logits = x @ w.T
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return -((1 - eps) * log_p[range(4), LABELS] + eps * log_p.mean(1)).mean()


def assert_moves(game, made, eps, weight):
    (start, end) = played(game, X, LABELS, REAL)[1]
    expected = {
        "C": lambda w: smoothed(X, w, 0) + weight * smoothed(made, w, eps),
        "R": lambda w: smoothed(X, w, 0) + weight * smoothed(REAL, w, eps),
        "B": lambda w: smoothed(X, w, 0),
    }
    assert set(game.players) == set(expected)
    for name, loss in expected.items():
        assert_descends(loss, start[name]["weight"], end[name]["weight"])


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_lsro(monkeypatch, weight):
    G, z = linear(2, 3), RNG.normal(size=(4, 2))
    game = LSRO(classifiers(), G, 2, weight=weight)
    monkeypatch.setattr(game, "latents", lambda n, like: tensor_of(z[:n]))
    before = G.weight.numpy().copy()
    assert_moves(game, z @ before.T, 1.0, weight)
    np.testing.assert_array_equal(G.weight.numpy(), before)
    assert not G.weight.requires_grad and not game.state_dict()
    np.testing.assert_allclose(game.sample(tensor_of(z)).numpy(), z @ before.T)


def test_of_what_was_made_the_label_says_nothing():
    game = LSRO(classifiers(), linear(2, 3), 2)
    x, made = tensor_of(X), tensor_of(REAL)
    for labels in ([0, 0, 0, 0], [1, 2, 1, 0]):
        whole = game.loss("C", x, tensor_of(np.array(labels)), made).item()
        w = game.players["C"].weight.detach().numpy()
        logits = X @ w.T
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        named = -log_p[range(4), labels].mean()
        np.testing.assert_allclose(whole - named, smoothed(REAL, w, 1.0))


def test_the_control_of_lsro_is_noise():
    game = LSRO(classifiers(), linear(2, 3), 2, noise=True)
    like = tensor_of(np.zeros((4, 1000)))
    found = game.make(like).numpy()
    assert found.shape == like.shape and abs(found.mean()) < 0.05
    np.testing.assert_allclose(found.std(), 1 / np.sqrt(3), atol=0.03)
    assert -1 <= found.min() < -0.99 and 0.99 < found.max() <= 1


def test_camstyle():
    AB = linear(3, 3)
    game = CamStyle(classifiers(), AB, (3,), smoothing=0.1, weight=0.5)
    w = AB.weight.numpy()
    assert_moves(game, X @ w.T, 0.1, 0.5)
    assert not AB.weight.requires_grad and not game.state_dict()
    np.testing.assert_allclose(game.sample(tensor_of(X)).numpy(), X @ w.T)


def facts(**more):
    return SimpleNamespace(**dict(
        image_shape=(1, 28, 28), features=2, blocks=1, width=2, classes=10, smoothing=0.1,
        weight=1.0, cycle=10.0, style_steps=3, steps=4, control=False,
    ) | more)  # fmt: skip


def test_the_control_of_camstyle_translates_nothing():
    kind = system("camstyle")
    assert kind.stages(facts()) == {"style": 3, "classifiers": 4}
    assert kind.stages(facts(control=True)) == {"classifiers": 4}
    game = kind.game(facts(control=True))
    x = tensor_of(RNG.normal(size=(2, 1, 28, 28)).astype(np.float32))
    np.testing.assert_array_equal(game.make(x).numpy(), x.numpy())
    first = kind.game(facts())
    assert type(first) is CycleGAN and first.identity == 0 and first.cycle == 10
    later = kind.game_after(dict(first.players), facts())
    assert later.make is first.G["AB"] and set(later.players) == set("CRB")


def test_two_cameras():
    dot = np.zeros((2, 1, 5, 5), np.uint8)
    dot[0, 0, 2, 2] = 255
    found = two_cameras(ImageSet(dot, np.array([3, 4], np.uint8), "dots", "here"))
    light = np.linspace(1, 0.5, 5)
    blank = (light * 230).round()
    np.testing.assert_array_equal(found.targets[1, 0], np.tile(blank, (5, 1)))
    ink = np.outer([0, 1, 2, 1, 0], [0, 1, 2, 1, 0]) / 16 * 255 * 0.7
    np.testing.assert_array_equal(found.targets[0, 0], (light * (230 - ink)).round())
    np.testing.assert_array_equal(found.images, dot)
    assert found.labels.tolist() == [3, 4] and found.name == "dots-cameras" and found.paired


def run(name, out, *more):
    words = ["--dataset", "strokes", "--batch-size", "8", "--device", "cpu", "--quiet", "--width",
             "2", "--labels", "20", "--no-doctor", "--out", str(out)]  # fmt: skip
    return main(["train", name, *words, *more])


def test_batches_of_camstyle():
    """The translators see no picture under both cameras; the classifiers 20 labels a class."""
    kind = system("camstyle")
    c = facts(dataset="strokes", size=28, seed=0, style_batch=4, batch_size=8, labels=200)
    data = kind.data(c)
    apart = data.apart(0)
    a = {x.tobytes() for x in two_cameras(apart).targets}
    assert not a & {x.tobytes() for x in apart.targets[:500]}
    c.stage = "style"
    images, targets = next(kind.batches(None, data, c, CPU).epoch(0))
    assert images.shape == targets.shape == (4, 1, 28, 28)
    c.stage = "classifiers"
    few = kind.batches(None, data, c, CPU)
    images, labels, targets = few[np.arange(200)]
    assert np.bincount(labels.numpy()).tolist() == [20] * 10 and few.examples == 200
    again = two_cameras(ImageSet(
        ((images.numpy() + 1) * 127.5).round().astype(np.uint8),
        labels.numpy().astype(np.uint8), "", "",
    )).targets  # fmt: skip
    np.testing.assert_allclose(targets.numpy(), again / 127.5 - 1, atol=1e-6)


def test_a_run_of_camstyle_is_measured(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["--style-steps", "2", "--steps", "2", "--features", "2", "--blocks", "1"]
    assert run("camstyle", out, *words) == 0
    left = load_checkpoint(out / "checkpoints" / "stage0.safetensors")["players"]["G"]
    for name, value in load_game(out).game.translator.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), left[f"AB.{name}"])
    assert main(["measure", str(out), "--control"]) == 0
    said = capsys.readouterr().out
    assert "\nsecond camera " in said and "\nsecond camera, B " in said
    assert "\nfirst camera " in said


def test_a_run_of_lsro_is_measured(tmp_path, capsys):
    words = ["--dataset", "strokes", "--batch-size", "8", "--max-steps", "2", "--device", "cpu",
             "--quiet", "--no-doctor", "--out", str(tmp_path / "gan")]  # fmt: skip
    assert main(["train", "gan", *words]) == 0
    capsys.readouterr()
    assert run("lsro", tmp_path / "run", "--max-steps", "2") == 2
    assert "--of RUN: say whose G it is about" in capsys.readouterr().err
    of = ("--of", str(tmp_path / "gan"), "--max-steps", "2")
    assert run("lsro", tmp_path / "run", *of) == 0
    saved = load_checkpoint(sorted((tmp_path / "run").glob("checkpoints/0*"))[-1])["trainer"]
    assert set(saved["players"]) == set("CRB") and not saved["game"]
    assert main(["measure", str(tmp_path / "run"), "--control"]) == 0
    said = capsys.readouterr().out
    for row in ("errors ", "errors by labels alone ", "errors with real images "):
        assert f"\n{row}" in said
    assert load_game(f"{tmp_path}/run-control").game.noise is True
