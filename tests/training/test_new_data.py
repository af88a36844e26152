"""Runs that are resumed after the data have changed."""

import json

import numpy as np
import pytest

import minigan
from minigan import optim
from minigan.data import strokes
from minigan.data.batches import Batches
from minigan.gan import GAN, NonSaturating, Trainer, mlp_discriminator, mlp_generator
from minigan.training import Callback, Checkpoints, Metrics, Run, RunError
from minigan.training.checkpoint import newest

IMAGES = strokes(60).images


class Seen(Callback):
    """The pictures of each step, as numbers in IMAGES; and the epochs that ended."""

    def __init__(self):
        self.steps, self.epochs = {}, []

    def on_start(self, run):
        play = run.play

        def watched(numbers):
            rows = np.rint((run.batches[numbers][0].numpy() + 1) * 127.5).astype(np.uint8)
            self.steps[run.step + 1] = [
                int(np.flatnonzero((row == IMAGES).all((1, 2, 3)))[0]) for row in rows
            ]
            play(numbers)

        run.play = watched

    def on_epoch(self, run):
        self.epochs.append((run.step, run.epoch))


def make(folder, count, steps=None, epochs=99, batch=5, resume=False, seen=None, **options):
    minigan.manual_seed(0)
    game = GAN(mlp_generator(8), mlp_discriminator(), NonSaturating(), 8)
    trainer = Trainer(
        game, {name: optim.SGD(player.parameters(), 0.01) for name, player in game.players.items()}
    )
    config = {"batch_size": batch, "checksum": f"of {count}", "seed": 3}
    callbacks = [*([seen] if seen else []), Metrics(1), Checkpoints(1000)]
    return Run(trainer, Batches(IMAGES[:count], batch, 3), folder, config, epochs=epochs,
        max_steps=steps, resume=resume,
               callbacks=callbacks, **options)  # fmt: skip


def weights(folder):
    players = newest(folder)[1]["trainer"]["players"]
    return [array for player in players.values() for array in player.values()]


def same(a, b):
    return all((x == y).all() for x, y in zip(weights(a), weights(b), strict=True))


def test_what_changed_is_said_with_the_way_to_go_on(tmp_path):
    make(tmp_path / "r", 5, 4).train()
    with pytest.raises(
        RunError, match=r"its data have changed \(15, were 5\).*--resume --new-data"
    ):
        make(tmp_path / "r", 15, 8, resume=True)
    # all pictures made one batch
    with pytest.raises(RunError, match=r"\(15, were 5; batch_size was 5, now 15\)"):
        make(tmp_path / "r", 15, 8, batch=15, resume=True)
    with pytest.raises(RunError, match=r"batch_size was 5, now 4"):
        make(tmp_path / "r", 5, 8, batch=4, resume=True)
    with pytest.raises(RunError, match="--new-data goes with --resume"):
        make(tmp_path / "s", 5, 8, new_data=True)
    assert not (tmp_path / "s").exists() and newest(tmp_path / "r")[1]["step"] == 4


def test_new_data_come_in_an_order_of_their_own_from_here(tmp_path, capsys):
    make(tmp_path / "r", 20, 6).train()  # an epoch of four steps, and two more
    seen = Seen()
    run = make(tmp_path / "r", 60, epochs=4, resume=True, new_data=True, seen=seen)
    assert (run.step, run.epoch, run.total) == (6, 2, 6 + 2 * 12)  # the second epoch counts as made
    assert (
        "its data have changed (60, were 20): from step 6 on they come in a new order"
        in capsys.readouterr().out
    )
    run.train()
    assert seen.epochs == [(18, 3), (30, 4)]
    for first in (7, 19):
        assert sorted(i for step in range(first, first + 12) for i in seen.steps[step]) == list(
            range(60)
        )
    config = json.loads((tmp_path / "r" / "config.json").read_text())
    assert config["checksum"] == "of 60" and config["trained_on"] == [
        {"step": 0, "epoch": 0, "images": 20, "checksum": "of 20"},
        {"step": 6, "epoch": 2, "images": 60, "checksum": "of 60"},
    ]  # fmt: skip
    rows = [
        json.loads(line) for line in (tmp_path / "r" / "metrics.jsonl").read_text().splitlines()
    ]
    assert [(r["step"], r["epoch"]) for r in rows] == [
        (i, 1 if i <= 4 else 2 if i <= 6 else 3 if i <= 18 else 4) for i in range(1, 31)
    ]


def test_a_run_with_new_data_resumes_plainly_in_the_same_bits(tmp_path):
    for name, stops in (("whole", [20]), ("halves", [9, 20])):
        make(tmp_path / name, 20, 6).train()
        make(tmp_path / name, 60, stops[0], resume=True, new_data=True).train()
        for stop in stops[1:]:
            make(tmp_path / name, 60, stop, resume=True).train()
    assert same(tmp_path / "whole", tmp_path / "halves")
    with pytest.raises(RunError, match=r"\(20, were 60\)"):
        make(tmp_path / "whole", 20, 30, resume=True)


def test_unchanged_data_resume_in_the_same_bits_with_and_without_the_option(tmp_path, capsys):
    make(tmp_path / "whole", 20, 11).train()
    for name, options in (("plain", {}), ("asked", {"new_data": True})):
        make(tmp_path / name, 20, 6).train()
        before = (tmp_path / name / "config.json").read_bytes()
        make(tmp_path / name, 20, 11, resume=True, **options).train()
        assert (
            same(tmp_path / "whole", tmp_path / name)
            and (tmp_path / name / "config.json").read_bytes() == before
        )
    assert capsys.readouterr().out.count("the data are the same as before") == 1


def test_a_checkpoint_from_before_the_data_were_counted_resumes(tmp_path):
    from minigan.training import save_checkpoint

    make(tmp_path / "whole", 20, 11).train()
    make(tmp_path / "old", 20, 6).train()
    path, state = newest(tmp_path / "old")
    del state["trained_on"], state["epoch"]
    save_checkpoint(path, state)
    with pytest.raises(RunError, match=r"\(60, were others\)"):
        make(tmp_path / "old", 60, 11, resume=True)
    make(tmp_path / "old", 20, 11, resume=True).train()
    assert same(tmp_path / "whole", tmp_path / "old")
