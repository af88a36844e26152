"""Runs in stages: in each of them a run goes on to the bit, is replayed, and can be killed."""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import fakecuda
import numpy as np
import pytest
from PIL import Image

from minigan.arrays import resolve_device
from minigan.training import Callback, Run, RunError, Stage, load_checkpoint
from minigan.training.callbacks import Samples
from minigan.training.checkpoint import checkpoints, newest
from minigan.viz import Grid

from .killing import same
from .staged import STEPS, make, stages

SCRIPT = pathlib.Path(__file__).with_name("staged.py")
TOTAL = sum(STEPS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run in one piece, op by op."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    make(folder, graph=False).train()
    return folder


def test_a_run_in_stages(whole):
    path, state = newest(whole)
    assert (
        state["step"] == TOTAL and state["stage"] == 2 and set(state["trainer"]["players"]) == {"E"}
    )
    assert [(d["stage"], d["step"]) for d in state["trained_on"]] == [("a", 0), ("b", 7), ("c", 13)]
    assert state["trainer"]["game"] == {} and "Average" not in state["callbacks"]
    for number, names in ((0, {"G", "D"}), (1, {"G", "D"})):
        left = load_checkpoint(whole / "checkpoints" / f"stage{number}.safetensors")
        assert set(left["players"]) == names
    rows = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert {r["step"]: r["stage"] for r in rows} == {5: "a", 10: "b", 15: "c", 20: "c", 22: "c"}
    assert (whole / "samples" / "0000022.png").exists()


@pytest.mark.parametrize("at", [3, 7, 9, 13, 14, 20])
def test_it_resumes_to_the_bit_in_every_stage(at, whole, tmp_path, capsys):
    make(tmp_path / "r", max_steps=at).train()
    assert newest(tmp_path / "r")[1]["stage"] == (at > 7) + (at > 13)
    make(tmp_path / "r", resume=True).train()
    assert f"after step {at}" in capsys.readouterr().out
    differ = same(whole, tmp_path / "r")
    # the interrupted run logs its last step
    assert [d for d in differ if d != "metrics"] == []


def test_every_stage_is_replayed(whole, tmp_path):
    class Watch(Callback):
        repeated = set()

        def on_step(self, run):
            if run.round.graph.repeats:
                self.repeated.add(run.stages.now.name)

    make(tmp_path / "r", more=[Watch()]).train()
    assert Watch.repeated == {"a", "b", "c"} and same(whole, tmp_path / "r") == []


@pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))
def test_every_stage_is_a_graph_on_cuda(tmp_path, capsys):
    with fakecuda.with_kernels():
        make(tmp_path / "plain", place="cuda", graph=False).train()
        make(tmp_path / "r", place="cuda", max_steps=9).train()
        make(tmp_path / "r", place="cuda", resume=True).train()
    assert "without a CUDA graph" not in capsys.readouterr().out
    assert [d for d in same(tmp_path / "plain", tmp_path / "r") if d != "metrics"] == []


def test_averages_begin_anew(tmp_path):
    class Watch(Callback):
        seen = {}

        def on_step(self, run):
            average = next(c for c in run.callbacks if type(c).__name__ == "Average")
            self.seen[run.step] = average.ema, average.updates

    make(tmp_path / "r", more=[Watch()]).train()
    seen = Watch.seen
    assert seen[1][0] is seen[7][0] is not seen[8][0] and seen[13][0] is seen[8][0]
    assert seen[14] == (None, 0) and seen[12][1] == 1 and seen[7][1] == 0


def test_stages_tell_callbacks_and_the_players_go_on(tmp_path):
    class Watch(Callback):
        stages = []

        def on_stage(self, run):
            self.stages.append((run.step, run.stages.now.name, sorted(run.trainer.game.players)))

    run = make(tmp_path / "r", more=[Watch()])
    G = run.trainer.game.G
    run.train()
    assert Watch.stages == [(7, "b", ["D", "G"]), (13, "c", ["E"])]
    assert run.trainer.game.G is G


def test_what_is_shown_may_differ_in_size(tmp_path):
    """As of SRGAN, whose second stage shows the first one's pictures, too."""

    def exhibit(game, generator, device):
        rows = 1 + len(game.players)  # 3, 3, 2
        return lambda: Grid(np.zeros((rows, 1, 4, 4), np.uint8), rows, 1)

    samples, place = Samples(5, exhibit=exhibit), resolve_device("cpu")
    Run(None, None, tmp_path / "r", {}, stages=stages(place), callbacks=[samples]).train()
    with Image.open(tmp_path / "r" / "samples.gif") as gif:
        assert gif.size == (12, 32)


def test_a_killed_run_ends_in_the_same_bits(whole, tmp_path):
    """Killed as soon as a checkpoint of each stage is there, and in the end left alone."""
    folder, killed = tmp_path / "r", set()
    for _ in range(30):
        words = [sys.executable, SCRIPT, folder, *["--resume"] * bool(checkpoints(folder))]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        began, stage = time.monotonic(), None
        while process.poll() is None and time.monotonic() - began < 120:
            if found := checkpoints(folder):
                stage = sum(int(found[0].stem) >= end for end in (7, 13))
                if stage not in killed and int(found[0].stem) < TOTAL:
                    process.send_signal(signal.SIGKILL)
                    killed.add(stage)
                    break
            time.sleep(0.001)
        process.wait()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, process.stderr.read().decode()
    assert killed and same(whole, folder) == []


def test_bad_stages(tmp_path):
    with pytest.raises(ValueError, match="'b': steps=0"):
        Run(None, None, tmp_path / "r", {}, stages=[Stage("b", lambda players: None, 0)])
    with pytest.raises(ValueError, match="a trainer, batches and epochs, or stages instead"):
        Run(None, None, tmp_path / "r", {}, epochs=3)
    make(tmp_path / "r", max_steps=9).train()
    (tmp_path / "r" / "checkpoints" / "stage0.safetensors").write_bytes(b"nonsense")
    shutil.copytree(tmp_path / "r", tmp_path / "s")
    with pytest.raises(RunError, match="does not fit this run"):
        make(tmp_path / "s", resume=True)
