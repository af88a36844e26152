"""Callbacks: when they are called, what they are told, and what they keep."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import minigan
from minigan import nn, optim
from minigan.data import strokes
from minigan.data.batches import Batches
from minigan.gan import GAN, NonSaturating, Trainer, mlp_discriminator, mlp_generator
from minigan.training import (
    Average,
    Callback,
    Checkpoints,
    Evaluate,
    Metrics,
    Progress,
    Run,
    RunError,
    Samples,
    Schedule,
    TensorBoard,
    load_checkpoint,
    load_generator,
    usual,
)
from minigan.training.callbacks import Falling
from minigan.training.checkpoint import newest

CONFIG = {"model": "mlp", "latent_dim": 8, "image_shape": [1, 28, 28]}


def make(folder, callbacks, steps=20, resume=False, config=None, networks=None, **options):
    """`callbacks`: a list, or a function of the trainer that gives one. networks: G and D, where
    they are not those of CONFIG, whose steps take a while"""
    minigan.manual_seed(0)
    G, D = networks or (mlp_generator(8), mlp_discriminator())
    game = GAN(G, D, NonSaturating(), 8)
    trainer = Trainer(
        game, {name: optim.SGD(player.parameters(), 0.01) for name, player in game.players.items()}
    )
    callbacks = callbacks(trainer) if callable(callbacks) else callbacks
    return Run(trainer, Batches(strokes(30).images, 5), folder, config or CONFIG, epochs=99,
        max_steps=steps, callbacks=callbacks,
               resume=resume, **options)  # fmt: skip


class Diary(Callback):
    """Writes down what it is told."""

    def __init__(self):
        self.events = []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            return lambda run: self.events.append((name, run.step, run.epoch))
        return super().__getattribute__(name)


def test_the_order_of_events(tmp_path):
    diary = Diary()
    make(tmp_path / "r", [diary, Checkpoints(1000)], steps=8).train()  # 6 steps are an epoch
    assert diary.events == [
        ("on_start", 0, 0), ("on_save", 0, 0), *[("on_step", i, 1) for i in range(1, 7)],
        ("on_epoch", 6, 1), ("on_step", 7, 2),
        ("on_step", 8, 2), ("on_end", 8, 2), ("on_save", 8, 2), ("on_close", 8, 2),
    ]  # fmt: skip


def test_a_callback_that_fails_ends_the_run_and_all_are_closed(tmp_path):
    class Failing(Callback):
        def on_step(self, run):
            if run.step == 3:
                raise ZeroDivisionError("mine")

    diary = Diary()
    run = make(tmp_path / "r", [Failing(), diary])
    with pytest.raises(ZeroDivisionError, match="mine"):
        run.train()
    assert diary.events[-1] == ("on_close", 3, 1) and ("on_step", 3, 1) not in diary.events
    make(tmp_path / "r", []).lock.release()  # the folder is free again: the lock is not held


class Counter(Callback):
    """A callback of one's own: it notes a number, and remembers another."""

    def __init__(self):
        self.sum = 0.0

    def on_step(self, run):
        self.sum += run.row()["d_value"]
        if run.step % 7 == 0:
            run.note(sum=self.sum, moves=len(run.moves))

    def state_dict(self):
        return {"sum": self.sum}

    def load_state_dict(self, state):
        self.sum = state["sum"]


def test_ones_own_callback_is_no_different(tmp_path):
    whole = Counter()
    make(tmp_path / "whole", [whole, Metrics(10), Checkpoints(0)], steps=20).train()
    make(tmp_path / "halves", [Counter(), Metrics(10), Checkpoints(0)], steps=9).train()
    half = Counter()
    make(tmp_path / "halves", [half, Metrics(10), Checkpoints(0)], steps=20, resume=True).train()
    assert half.sum == whole.sum
    rows = [
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("whole", "halves")
    ]
    assert (
        [r["step"] for r in rows[0]] == [7, 10, 14, 20]
        and rows[0][0]["moves"] == 2
        and "sum" not in rows[0][1]
    )
    kept = [{k: v for k, v in r.items() if k != "it_s"} for r in rows[1] if r["step"] != 9]
    assert kept == [{k: v for k, v in r.items() if k != "it_s"} for r in rows[0]]


def test_a_schedule_is_resumed(tmp_path):
    def callbacks(trainer):
        return [
            Schedule(*(optim.lr_scheduler.StepLR(o, 5, 0.5) for o in trainer.optimizers.values())),
            Checkpoints(0),
        ]

    whole = make(tmp_path / "a", callbacks)
    whole.train()
    make(tmp_path / "b", callbacks, steps=7).train()
    resumed = make(tmp_path / "b", callbacks, resume=True)
    resumed.train()
    for run in (whole, resumed):
        assert run.trainer.optimizers["G"].param_groups[0]["lr"] == 0.01 * 0.5**4
    for a, b in zip(whole.trainer.game.G.parameters(), resumed.trainer.game.G.parameters()):
        assert minigan.equal(a, b)


def test_averages_are_drawn_beside_the_last_weights(tmp_path):
    run = make(
        tmp_path / "r", lambda t: usual(t.game.G, ema=0.9, sample_interval=10, quiet=True), steps=40
    )
    run.train()
    averaged, last = (
        np.asarray(Image.open(p / "0000040.png"))
        for p in (run.folder / "samples", run.folder / "samples" / "last_weights")
    )
    assert averaged.shape == last.shape and (averaged != last).any()
    G, _ = load_generator(run.folder)
    raw, _ = load_generator(run.folder, averaged=False)
    for (name, a), b, c in zip(
        run.trainer.game.G.named_parameters(), G.parameters(), raw.parameters()
    ):
        assert minigan.equal(a, c) and (name.endswith("bias") or not minigan.equal(a, b)), name


def test_the_average_is_bias_corrected(tmp_path):
    """After the first update it is the weights themselves, not a tenth of them; then the mean with
    weights decay^age."""
    seen = []

    class Look(Callback):
        def on_step(self, run):
            if run.step % 10 == 0:
                seen.append(run.trainer.game.G[0].weight.detach().numpy().copy())
                weights = [0.9 ** (10 * age) for age in reversed(range(len(seen)))]
                expected = sum(w * x for w, x in zip(weights, seen)) / sum(weights)
                np.testing.assert_allclose(
                    average.ema.averages["0.weight"].numpy(), expected, rtol=1e-5, atol=1e-7
                )

    def callbacks(trainer):
        global average
        average = Average(trainer.game.G, 0.9)
        return [average, Look()]

    make(tmp_path / "r", callbacks, steps=30).train()
    assert len(seen) == 3


def test_samples_do_not_change_the_run(tmp_path):
    runs = []
    for name, callbacks in (
        ("a", []),
        ("b", lambda t: [(a := Average(t.game.G, 0.9)), Samples(2, 0, a)]),
    ):
        runs.append(make(tmp_path / name, callbacks))
        runs[-1].train()
    for a, b in zip(*(r.trainer.game.G.state_dict().values() for r in runs)):
        assert minigan.equal(a, b)


def brightness(images):
    assert (
        images.shape == (600, 1, 28, 28) and images.dtype == np.float32 and abs(images).max() <= 1
    )
    return {"bright": float(images.mean()), "n": len(images)}


@pytest.mark.parametrize("higher", [False, True])
def test_the_best_state_is_kept(tmp_path, higher):
    def callbacks(trainer):
        return [
            Evaluate(brightness, 1, "bright", higher, samples=600),
            Metrics(1000),
            Checkpoints(0, keep=1),
        ]

    run = make(tmp_path / "r", callbacks, steps=20)  # evaluated at 6, 12, 18 and the end
    run.train()
    rows = [
        json.loads(line) for line in (tmp_path / "r" / "metrics.jsonl").read_text().splitlines()
    ]
    assert [r["step"] for r in rows] == [6, 12, 18, 20] and all(r["n"] == 600 for r in rows)
    best = (max if higher else min)(rows, key=lambda r: r["bright"])
    state = load_checkpoint(tmp_path / "r" / "checkpoints" / "best.safetensors")
    assert (
        state["step"] == best["step"]
        and state["callbacks"]["Evaluate"]["best"]["value"] == best["bright"]
    )
    G, _ = load_generator(tmp_path / "r", best=True)
    assert (
        G.state_dict()["0.weight"].numpy() == state["trainer"]["players"]["G"]["0.weight"]
    ).all()
    assert newest(tmp_path / "r")[1]["step"] == 20

    make(tmp_path / "halves", callbacks, steps=8).train()  # its end, step 8, is one more evaluation
    make(tmp_path / "halves", callbacks, steps=20, resume=True).train()
    again = [
        json.loads(line)
        for line in (tmp_path / "halves" / "metrics.jsonl").read_text().splitlines()
    ]
    assert {r["step"]: r["bright"] for r in again if r["step"] != 8} == {
        r["step"]: r["bright"] for r in rows
    }


def test_evaluations_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="best_by='x' is none of the numbers: bright, n"):
        make(tmp_path / "r", [Evaluate(brightness, 1, "x", samples=600)], steps=6).train()
    make(tmp_path / "s", [Checkpoints(0)], steps=1).train()
    with pytest.raises(RunError, match="no best state"):
        load_generator(tmp_path / "s", best=True)


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event

    run = make(tmp_path / "r", lambda t: [Samples(10), TensorBoard(5), Checkpoints(0)], steps=20)
    run.train()
    (path,) = (tmp_path / "r" / "tensorboard").iterdir()
    content = path.read_bytes()
    scalars = {}
    pictures = []
    while content:  # a record: its length, a checksum, the event, a checksum
        n = int.from_bytes(content[:8], "little")
        event = Event.FromString(content[12 : 12 + n])
        content = content[16 + n :]
        for value in event.summary.value:
            if value.HasField("image"):
                pictures.append(event.step)
            else:
                scalars.setdefault(value.tag, []).append(event.step)
    assert scalars["d_value"] == scalars["g_loss"] == [5, 10, 15, 20] and pictures == [10, 20]


def test_tensorboard_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match="pip install 'minigan\\[tensorboard\\]'"):
        TensorBoard()


def test_a_checkpoint_of_other_networks_is_refused(tmp_path):
    make(tmp_path / "r", [Checkpoints(0)], steps=3).train()
    run = make(tmp_path / "other", [])
    path, state = newest(tmp_path / "r")
    run.trainer.game.players["G"] = nn.Linear(3, 4)
    with pytest.raises((RuntimeError, ValueError, KeyError)):
        run.load_state_dict(state)


def small():
    G = nn.Sequential(nn.Linear(8, 784), nn.Unflatten(1, (1, 28, 28)))
    return G, nn.Sequential(nn.Flatten(), nn.Linear(784, 1))


class Slow(Callback):
    """Moves the clock: steps of 10 ms, but for those that compile."""

    def __init__(self, monkeypatch, seconds):
        self.now, self.seconds = 0.0, seconds
        monkeypatch.setattr(
            "minigan.training.callbacks.progress.time.perf_counter", lambda: self.now
        )

    def on_step(self, run):
        self.now += self.seconds.get(run.step, 0.01)


class Terminal(io.StringIO):
    """A stderr that says it is one."""

    def isatty(self):
        return True


@pytest.mark.parametrize("first", [0, 7])
@pytest.mark.parametrize(
    "compiling", [{1: 15.0}, {1: 15.0, 2: 5.0, 3: 20.0}, {2: 9.0, 10: 1.0}, {1: 9.0, 13: 9.0}]
)
def test_the_time_left_does_not_count_compilation(tmp_path, monkeypatch, first, compiling):
    """100 steps a second, whichever of the first ones compile: never "0.06 it/s, 1:18:55 left"."""
    monkeypatch.setattr("sys.stderr", Terminal())
    if first:
        make(tmp_path / "r", [Checkpoints(0)], steps=first, networks=small()).train()
    said = []

    class Shown(Progress):
        interval = 0.0

        def on_start(self, run):
            super().on_start(run)
            assert self.bar.n == first

        def on_step(self, run):
            super().on_step(run)
            said.append((run.step, self.bar.postfix.rpartition("| ")[2]))

    held_up = {first + step: seconds for step, seconds in compiling.items()} | {first + 60: 11.0}
    slow = Slow(monkeypatch, held_up)
    callbacks = [slow, Shown(), Checkpoints(1000)]
    more = {"steps": 100, "resume": bool(first), "networks": small()}
    make(tmp_path / "r", callbacks, **more).train()
    assert said[0][1] == said[1][1] == "? it/s, ? left"
    assert all(text.startswith(("100.00 it/s, 00:00 left", "? it/s")) for _, text in said), said
    assert not any("?" in text for _, text in said[5:])


def test_slow_steps_have_an_estimate_soon(tmp_path, monkeypatch):
    """Steps of 10 seconds, the first of 60: after the third there is one."""
    monkeypatch.setattr("sys.stderr", Terminal())
    said = []

    class Shown(Progress):
        def on_step(self, run):
            super().on_step(run)
            said.append(self.bar.postfix.rpartition("| ")[2])

    slow = Slow(monkeypatch, {1: 60.0} | dict.fromkeys(range(2, 100), 10.0))
    make(tmp_path / "r", [slow, Shown()], steps=20, networks=small()).train()
    assert said[2] == "0.10 it/s, 02:50 left" and said[18] == "0.10 it/s, 00:10 left"


def test_without_a_terminal_there_are_no_progress_lines(tmp_path, monkeypatch, capfd):
    """Neither in a log file nor with quiet; of a terminal there are."""
    make(tmp_path / "log", usual(nn.Linear(3, 4)), steps=20).train()
    out, err = capfd.readouterr()
    assert err == "" and "done: 20 steps" in out
    assert not any(ord(c) < 32 and c != "\n" for c in out)
    monkeypatch.setattr("sys.stderr", Terminal())
    make(tmp_path / "quiet", usual(nn.Linear(3, 4), quiet=True), steps=20).train()
    assert sys.stderr.getvalue() == ""
    make(tmp_path / "terminal", usual(nn.Linear(3, 4)), steps=20).train()
    assert "step 20/20" in sys.stderr.getvalue()


def test_rates_fall_in_a_line(tmp_path):
    """To nothing at the end of so many steps, however the run is cut; in stages anew in each."""
    rates = {"D": 0.1, "G": 0.4}

    class Noted(Callback):
        def __init__(self):
            self.found = []

        def on_step(self, run):
            group = {n: o.param_groups[0]["lr"] for n, o in run.trainer.optimizers.items()}
            self.found.append((group["D"], group["G"]))

    noted = Noted()
    make(tmp_path / "a", [Falling(rates, 8), noted], steps=6).train()
    left = [7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8]
    np.testing.assert_allclose(noted.found, [(0.1 * x, 0.4 * x) for x in left])
    fall = Falling(rates, 100)
    group = {"lr": 0.0}
    trainer = SimpleNamespace(optimizers={"G": SimpleNamespace(param_groups=[group])})
    stages = SimpleNamespace(end=30, now=SimpleNamespace(steps=10))
    for step, expected in ((21, 0.9), (29, 0.1), (30, 0)):
        fall.on_step(SimpleNamespace(stages=stages, step=step, trainer=trainer))
        assert group["lr"] == pytest.approx(0.4 * expected)
