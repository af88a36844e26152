"""What is read is what runs: the first replayed round says so, and under a debugger or a tracer
none is replayed."""

import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from training.inside import inside

import minigan
from minigan import nn
from minigan.fast.replay import followed
from minigan.gan import GAN, NonSaturating, Trainer
from minigan.optim import Adam

ROOT = Path(__file__).parents[2]
TRAIN = [
    str(ROOT / "examples" / "mnist_gan.py"),
    *"--dataset strokes --device cpu --quiet --no-doctor --sample-interval 99".split(),
]
LINE = (
    "rounds are repeated as one function, without their Python code (--no-graph plays it each time)"
)


def python(*command):
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=300, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("how, times", [([], 1), (["--no-graph"], 0)])
def test_the_first_replay_says_so(tmp_path, how, times):
    done = inside(*TRAIN[1:], "--max-steps", "6", "--out", tmp_path / "r", *how)
    assert done.returncode == 0 and (done.stdout + done.stderr).count(LINE) == times


FOLLOWED = """
import bdb, runpy, sys, trace
from minigan.data import load_dataset
from minigan.gan.trainer import Trainer
from minigan.training.callbacks import Callback, Metrics, Report
# what is drawn before the first round and after the last takes long while someone looks
load_dataset("strokes")
Metrics.on_end = Report.on_end = Callback.on_end
play, played = Trainer.play.__code__, 0
def look(frame, event, argument):
    global played
    played += frame.f_code is play
def script():
    sys.argv = {argv}
    try: runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end: assert not end.code, end.code
class Debugger(bdb.Bdb):
    user_call = lambda self, frame, arguments: look(frame, "call", arguments)
{follow}
print("played", played)
"""
COVERED = """
tracer = trace.Trace(count=1, trace=0)
tracer.runfunc(script)
played = tracer.counts[play.co_filename, sorted({line for *_, line in play.co_lines() if line})[1]]
"""


@pytest.mark.parametrize("follow", ["sys.settrace(look); script(); sys.settrace(None)",
    "Debugger().runcall(script)", COVERED],
                         ids=["tracer", "debugger", "coverage"])  # fmt: skip
def test_nothing_is_replayed_while_someone_looks(tmp_path, follow):
    argv = [*TRAIN, "--max-steps", "6", "--out", str(tmp_path / "r")]
    said = python("-c", FOLLOWED.format(argv=argv, follow=follow))
    assert LINE not in said and said.endswith("played 6\n")


def test_monitoring_counts_as_looking(monkeypatch):
    """From Python 3.12 on."""
    tools = {}
    monkeypatch.setattr(
        sys,
        "monitoring",
        types.SimpleNamespace(DEBUGGER_ID=0, COVERAGE_ID=1, get_tool=tools.get),
        raising=False,
    )
    assert not followed()
    tools[1] = "coverage"
    assert followed()


def test_a_look_in_between_changes_no_bit():
    """Rounds are replayed, then traced, then replayed again."""

    def weights(looks, repeat):
        minigan.manual_seed(0)
        G = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
        D = nn.Sequential(nn.Linear(2, 5), nn.LeakyReLU(0.2), nn.Linear(5, 1))
        trainer = Trainer(
            GAN(G, D, NonSaturating(), 3), {"G": Adam(G.parameters()), "D": Adam(D.parameters())}
        )
        play = repeat(trainer.play)
        for step in range(12):
            sys.settrace(looks if step in (6, 7) else None)
            play(minigan.full((4, 2), float(step)))
            sys.settrace(None)
        return play, [p.detach().numpy().copy() for net in (G, D) for p in net.parameters()]

    calls = []
    play, found = weights(
        lambda frame, event, argument: calls.append(frame.f_code), minigan.cpu.graph
    )
    assert play.repeats and calls.count(Trainer.play.__code__) == 2
    for a, b in zip(found, weights(None, lambda step: step)[1], strict=True):
        np.testing.assert_array_equal(a, b)
