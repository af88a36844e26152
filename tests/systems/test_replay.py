"""Replay: what a batch is made of, who learns from it, which data a stage sees, the control."""

import json
from types import SimpleNamespace

import numpy as np

import minigan
from minigan import nn
from minigan.arrays import CPU
from minigan.autograd import tensor_of
from minigan.data import load_dataset
from minigan.gan import Replay, Trainer
from minigan.optim import SGD
from minigan.systems import load_game, system
from minigan.systems.command import main
from minigan.systems.labelled import predicted
from minigan.systems.replay import forgetting
from minigan.training import load_checkpoint

from .steps import assert_descends, played

RNG = np.random.default_rng(1)
X = RNG.normal(size=(4, 3))
Y = np.array([0, 1, 1, 0])
KIND = system("replay")


class Always(nn.Module):
    """Gives this, whatever it is given."""

    def __init__(self, value):
        super().__init__()
        self.value = tensor_of(np.asarray(value))

    def forward(self, x):
        return self.value[: len(x)]


def linear(n_in, n_out, seed):
    layer = nn.Linear(n_in, n_out, bias=False)
    layer.weight = nn.Parameter(np.random.default_rng(seed).normal(size=(n_out, n_in)) * 0.7)
    return layer


def game(share):
    drawn, scores = RNG.normal(size=(4, 3)), np.eye(2)[[1, 0, 1, 0]]
    teacher = Always(drawn), Always(scores)
    made = Replay(linear(2, 3, 0), linear(3, 1, 1), linear(3, 2, 2), 2, teacher, share)
    made.latents = lambda n, like: minigan.tensor(np.ones((n, 2)))
    return made, drawn


def test_a_batch_has_its_share_of_new_examples():
    made, drawn = game(0.25)
    images, labels = made.mixed(tensor_of(X), tensor_of(Y))
    assert np.array_equal(images.numpy(), np.concatenate([X[:1], drawn[:3]]))
    assert labels.numpy().tolist() == [0, 1, 0, 1]  # what the solver of before says of the replayed
    whole, named = Replay(made.G, made.D, made.C, 2).mixed(tensor_of(X), tensor_of(Y))
    assert np.array_equal(whole.numpy(), X) and named.numpy().tolist() == Y.tolist()


def test_each_player_moves_by_its_own_loss():
    made, drawn = game(0.5)
    x, y = np.concatenate([X[:2], drawn[:2]]), np.array([0, 1, 1, 0])
    moves, kept = played(made, X, Y)
    assert [move.player for move in moves] == ["D", "G", "C"]
    for before, after, move in zip(kept, kept[1:], moves):
        changed = {p for p in before if (before[p]["weight"] != after[p]["weight"]).any()}
        assert changed == {move.player}

    def loss(w):
        logits = x @ w.T
        chosen = logits[np.arange(4), y]
        return (np.log(np.exp(logits).sum(1)) - chosen).mean()

    assert_descends(loss, kept[2]["C"]["weight"], kept[3]["C"]["weight"])
    value = moves[0].value.item()  # E log D of the mixture + E log(1 - D) of what G makes
    fake = np.ones((4, 2)) @ kept[0]["G"]["weight"].T
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    real, made_up = (sigmoid(v @ kept[0]["D"]["weight"].T) for v in (x, fake))
    np.testing.assert_allclose(value, (np.log(real) + np.log(1 - made_up)).mean(), rtol=1e-6)
    assert made.state_dict() == {}  # the teacher is no part that changes


def facts(**more):
    found = {
        "batch_size": 16, "seed": 0, "tasks": 5, "classes": 10, "image_shape": [1, 28, 28],
        "latent_dim": 4, "lr": 1e-3, "b1": 0.5, "control": False, "replay": "generated",
        "stage": "task 3",
    }  # fmt: skip
    return SimpleNamespace(**found | more)


def labels_seen(c):
    data = load_dataset("strokes")
    batches = KIND.batches(SimpleNamespace(columns=("images", "labels")), data, c, CPU)
    return {int(k) for _, labels in batches.epoch(0) for k in labels.numpy()}


def test_a_stage_sees_its_own_task_only():
    assert labels_seen(facts()) == {4, 5}
    assert labels_seen(facts(control=True)) == {4, 5}
    assert labels_seen(facts(replay="exact")) == {0, 1, 2, 3, 4, 5}
    assert labels_seen(facts(replay="exact", control=True)) == {4, 5}
    assert labels_seen(facts(tasks=3, stage="task 3")) == {6, 7, 8, 9}


def test_who_is_replayed_stays_as_it_was():
    first = KIND.game(facts(stage="task 1"))
    assert first.teacher == () and first.share == 1
    later = KIND.game_after(first.players, facts())
    draws, names = later.teacher
    assert later.share == 1 / 3 and later.C is first.C and names is not first.C
    images, labels = tensor_of(np.zeros((6, 1, 28, 28), np.float32)), tensor_of(np.arange(6) % 2)
    kept = {k: v.numpy().copy() for k, v in names.state_dict().items()}
    drawn = {k: v.numpy().copy() for k, v in draws.state_dict().items()}
    played_images, named = later.mixed(images, labels)
    assert not played_images.numpy()[:2].any() and played_images.numpy()[2:].any()
    before = {k: v.numpy().copy() for k, v in later.C.state_dict().items()}
    trainer = Trainer(later, {n: SGD(p.parameters(), lr=0.1) for n, p in later.players.items()})
    trainer.play(images, labels)
    assert any((v.numpy() != before[k]).any() for k, v in later.C.state_dict().items())
    assert all(np.array_equal(v.numpy(), kept[k]) for k, v in names.state_dict().items())
    assert all(np.array_equal(v.numpy(), drawn[k]) for k, v in draws.state_dict().items())
    assert KIND.game_after(first.players, facts(control=True)).teacher == ()


def test_the_curve_of_forgetting(tmp_path, capsys):
    """By what each stage has left; and the teacher has the averaged weights."""
    out = tmp_path / "run"
    words = ["--dataset", "strokes", "--batch-size", "32", "--device", "cpu", "--quiet", "--out",
             str(out), "--no-doctor", "--tasks", "3", "--task-steps", "20",
             "--ema", "0.9"]  # fmt: skip
    assert main(["train", "replay", *words]) == 0
    assert main(["measure", str(out), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((out / "measure.json").read_text())["rows"]}
    assert (out / "forgetting.png").read_bytes()[:4] == b"\x89PNG"
    loaded = load_game(out)
    test = load_dataset("strokes", "test")
    curve = forgetting(loaded.game, SimpleNamespace(**vars(loaded.c), folder=out), test, CPU)
    assert curve.shape == (10, 3)
    assert np.isnan(curve[3:6, 0]).all() and np.isnan(curve[6:, :2]).all()
    assert not np.isnan(curve[:, 2]).any()
    told = predicted(loaded.game.classifier, test.images, CPU) == test.labels
    np.testing.assert_allclose(curve[9, 2], told[test.labels == 9].mean())
    left = load_checkpoint(out / "checkpoints" / "stage0.safetensors")["players"]
    loaded.game.classifier.load_state_dict(left["C"])
    told = predicted(loaded.game.classifier, test.images, CPU) == test.labels
    np.testing.assert_allclose(curve[0, 0], told[test.labels == 0].mean())
    lost = [*(curve[:3, 0] - curve[:3, 2]), *(curve[3:6, 1] - curve[3:6, 2])]
    np.testing.assert_allclose(rows["forgotten"]["value"], np.mean(lost))
    second = load_checkpoint(out / "checkpoints" / "stage1.safetensors")["players"]["G"]
    for name, value in loaded.game.teacher[0].named_parameters():
        np.testing.assert_array_equal(value.numpy(), second[name])
    assert KIND.hands_on and KIND.averaged == "G"
