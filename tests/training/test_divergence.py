"""Faults that are really caused: full and read-only disks, vanished and corrupt data, NaN, no
memory. What was saved is kept."""

import os
import resource
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import minigan
from minigan import nn, ops, optim
from minigan.arrays import CPU
from minigan.data import DataError, DataLoader, Dataset, strokes
from minigan.data.batches import Batches
from minigan.gan import GAN, Descend, Game, NonSaturating, Trainer, mlp_discriminator, mlp_generator
from minigan.training import Callback, Diverged, Run, Schedule, cli, usual
from minigan.training.checkpoint import checkpoints, newest

from .inside import inside
from .killing import command


def training(*words):
    return command(*words)[2:]


@pytest.fixture
def disk(tmp_path):
    """A disk of 100 MB of its own; what it holds can be remounted read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", place]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs the rights of root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def started(folder, *options, steps=10**6):
    """A run in the background that has made at least one checkpoint after its first step."""
    words = [*command(folder, "mlp", steps, False), *options]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 600
    while not any(int(p.stem) for p in checkpoints(folder)):
        assert time.monotonic() < deadline and process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    return process


def test_a_full_disk(disk):
    process = started(disk / "r")
    with open(disk / "filler", "wb", buffering=0) as filler:  # others fill the disk
        try:
            while True:
                filler.write(bytes(1 << 20))
        except OSError:
            pass
    said, errors = process.communicate(timeout=600)
    assert (
        process.returncode == 1
        and "No space left" in errors
        and "is saved" in errors
        and "--resume" in errors
    )
    assert "Traceback" not in errors and not list(disk.rglob(".*.tmp"))
    step = newest(disk / "r")[1]["step"]
    assert f"The state of step {step} is saved" in errors
    os.unlink(disk / "filler")
    again = inside(*training(disk / "r", "mlp", step + 5, True))
    assert again.returncode == 0 and newest(disk / "r")[1]["step"] == step + 5, again.stderr


def test_a_disk_that_becomes_read_only(disk):
    process = started(disk / "r")
    # While a file is open for writing the kernel refuses to; a bind mount of the folder over itself
    # does not mind.
    subprocess.run(["mount", "--bind", disk / "r", disk / "r"], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", disk / "r"], check=True)
    _, errors = process.communicate(timeout=600)
    subprocess.run(["umount", "-l", disk / "r"], check=True)
    assert (
        process.returncode == 1
        and "Read-only" in errors
        and "is saved" in errors
        and "Traceback" not in errors
    ), errors


def test_metrics_that_cannot_be_written(tmp_path):
    """/dev/full refuses as a full disk does, from the first line on; no rights are needed for
    it."""

    class Refusing(Callback):
        def on_start(self, run):
            next(c for c in run.callbacks if type(c).__name__ == "Metrics").log = open(
                "/dev/full", "w"
            )

    run = small_run(
        tmp_path / "r", callbacks=[*usual(None, ema=0, quiet=True, sample_interval=5), Refusing()]
    )
    assert cli.perform(lambda: run) == 1
    assert [int(p.stem) for p in checkpoints(tmp_path / "r")] == [0]


def test_a_run_cannot_begin_in_a_read_only_folder(disk):
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    result = inside(*training(disk / "r", "mlp", 5, False))
    assert (
        result.returncode == 2
        and "--out" in result.stderr
        and "Read-only" in result.stderr
        and "Traceback" not in result.stderr
    )


# --- data ---


def mnist_files(folder):
    """A small data set in the files of MNIST."""
    folder.mkdir()
    data = strokes(200)
    for name, array in (
        ("train-images-idx3-ubyte", data.images[:, 0]),
        ("train-labels-idx1-ubyte", data.labels),
    ):
        head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
        (folder / name).write_bytes(head + array.tobytes())


def test_a_data_folder_that_vanishes(tmp_path):
    mnist_files(tmp_path / "data")
    options = ["--dataset", "mnist", "--data-dir", str(tmp_path / "data")]
    process = started(tmp_path / "r", *options, steps=100)
    shutil.rmtree(tmp_path / "data")
    said, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors  # the pictures are in memory
    again = inside(*training(tmp_path / "r", "mlp", 110, True), *options)
    assert (
        again.returncode == 2
        and "no such folder" in again.stderr
        and newest(tmp_path / "r")[1]["step"] == 100
    )


def test_data_that_changed_is_refused(tmp_path):
    mnist_files(tmp_path / "data")
    options = ["--dataset", "mnist", "--data-dir", str(tmp_path / "data")]
    assert inside(*training(tmp_path / "r", "mlp", 5, False), *options).returncode == 0
    path = tmp_path / "data" / "train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    again = inside(*training(tmp_path / "r", "mlp", 10, True), *options)
    assert again.returncode == 2 and "checksum was" in again.stderr


class Pictures(Dataset):
    def __init__(self, folder):
        self.paths = sorted(folder.rglob("*.png"))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        try:
            return np.asarray(Image.open(self.paths[i]), np.float32)[None] / 255, 0
        except OSError as error:
            raise DataError(f"{self.paths[i]}: {error}") from error


class FromFiles:
    """Batches that are read when they are needed, through a DataLoader."""

    def __init__(self, folder):
        self.loader = DataLoader(Pictures(folder), batch_size=2, num_workers=1)
        self.device = CPU

    def __len__(self):
        return len(self.loader)

    def numbers(self, epoch, start=0):
        return (images for i, (images, _) in enumerate(self.loader) if i >= start)

    def __getitem__(self, images):
        return (images,)


def test_a_picture_that_is_corrupt_in_the_middle_of_an_epoch(tmp_path, capsys):
    (tmp_path / "pictures" / "a").mkdir(parents=True)
    for i in range(10):
        Image.fromarray(strokes(10).images[i, 0]).save(tmp_path / "pictures" / "a" / f"{i}.png")
    bad = tmp_path / "pictures" / "a" / "7.png"
    bad.write_bytes(bad.read_bytes()[:120])
    run = small_run(tmp_path / "r", batches=FromFiles(tmp_path / "pictures"))
    assert cli.perform(lambda: run) == 1
    errors = capsys.readouterr().err
    assert str(bad) in errors and "is saved" in errors and "Traceback" not in errors
    assert newest(tmp_path / "r")[1]["step"] == 3


# --- numbers ---


class Wrong(nn.Module):
    """A generator whose numbers go wrong after some calls."""

    def __init__(self, rule, calls):
        super().__init__()
        self.inner = mlp_generator(8)
        self.rule = rule
        self.calls = calls
        self.register_buffer("seen", minigan.zeros(1))

    def forward(self, z):
        y = self.inner(z)
        if self.training:
            self.seen.fill_(self.seen.item() + 1)
        return self.rule(y) if self.seen.item() >= self.calls else y


class Odd(Game):
    """Descends what `loss` makes of the generator's weights."""

    latent_dim = 8

    def __init__(self, loss):
        self.players, self.loss = {"G": mlp_generator(8)}, loss

    def moves(self, real):
        yield Descend("G", self.loss(self.players["G"], real))

    def sample(self, latents):
        return self.players["G"](latents)


def small_run(
    folder,
    *,
    generator=None,
    game=None,
    batches=None,
    callbacks=None,
    lr=2e-4,
    steps=20,
    make=optim.Adam,
):
    minigan.manual_seed(0)
    game = game or GAN(generator or mlp_generator(8), mlp_discriminator(), NonSaturating(), 8)
    optimizers = {name: make(player.parameters(), lr) for name, player in game.players.items()}
    callbacks = (
        usual(None, ema=0, quiet=True, sample_interval=100, checkpoint_seconds=0)
        if callbacks is None
        else callbacks
    )
    batches = batches or Batches(strokes(40).images, 4)
    return Run(
        Trainer(game, optimizers),
        batches,
        folder,
        {},
        epochs=100,
        max_steps=steps,
        callbacks=callbacks,
    )


def diverges(run):
    with pytest.raises(Diverged) as caught:
        run.train()
    path, state = newest(run.folder)
    assert str(path) in str(caught.value) and "learning rate" in str(caught.value)
    for player in state["trainer"]["players"].values():
        assert all(np.isfinite(v).all() for v in player.values())
    return str(caught.value), state["step"]


def test_a_nan_names_the_op_and_the_layer(tmp_path):
    said, step = diverges(small_run(tmp_path / "r", generator=Wrong(lambda y: ops.log(y - 5), 12)))
    assert (
        "NaN in the result of log (forward)" in said
        and "in G (Wrong)" in said
        and "test_divergence.py" in said
        and step == 5
    )
    assert "step 6: the value of G's move is nan" in said and "at step 6" in said


def test_a_nan_names_the_op_also_after_many_steps_without_a_checkpoint(tmp_path):
    callbacks = usual(None, ema=0, quiet=True, sample_interval=100, checkpoint_seconds=1000)
    said, step = diverges(
        small_run(
            tmp_path / "r", generator=Wrong(lambda y: ops.log(y - 5), 12), callbacks=callbacks
        )
    )
    assert "NaN in the result of log (forward)" in said and step == 0


def test_an_infinite_gradient_of_a_finite_value(tmp_path):
    def loss(G, real):  # the derivative of a root is infinite at 0
        return ops.sqrt((G[0].weight * 0).sum()) + (G[0].weight * 0).sum()

    said, step = diverges(small_run(tmp_path / "r", game=Odd(loss), make=optim.SGD))
    assert "sqrt (backward" in said and step == 0


def test_a_step_that_is_too_long(tmp_path):
    said, _ = diverges(small_run(tmp_path / "r", lr=1e38, make=optim.SGD))
    assert "the optimiser of D has made its steps too long: D.1.weight has grown to" in said


def test_a_replay_follows_the_schedule(tmp_path):
    """Without it the rate would stay small, and the replay would not show what happened."""
    run = small_run(tmp_path / "r", make=optim.SGD, lr=1e-3, callbacks=[])
    run.callbacks[:] = [Schedule(optim.lr_scheduler.LambdaLR(run.trainer.optimizers["G"],
        lambda t: 1.0 if t < 5 else 1e38)),
                        *usual(None, ema=0, quiet=True, checkpoint_seconds=1000)]  # fmt: skip
    said, _ = diverges(run)
    assert "the optimiser of G has made its steps too long" in said


def test_the_command_says_it_in_one_piece(tmp_path, capsys):
    run = small_run(tmp_path / "r", generator=Wrong(lambda y: ops.log(y - 5), 6))
    assert cli.perform(lambda: run) == 1
    errors = capsys.readouterr().err
    assert errors.strip().startswith("error: step 3") and "Traceback" not in errors


def test_infinite_options_are_refused(tmp_path):
    for value in ("inf", "nan"):
        result = inside(*training(tmp_path / "r", "mlp", 5, False), "--lr", value)
        assert result.returncode == 2 and "--lr" in result.stderr and not (tmp_path / "r").exists()


# --- memory ---


def test_networks_that_do_not_fit(tmp_path):
    result = inside(*training(tmp_path / "r", "mlp", 5, False), "--latent-dim", 10**11)
    assert (
        result.returncode == 2
        and "more memory than there is" in result.stderr
        and "lower" in result.stderr
        and "Traceback" not in result.stderr
    )


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux's prlimit")
def test_memory_that_runs_out_while_training(tmp_path):
    """A limit on the process's memory is set while it trains, then a step asks for more than is
    left."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from training.test_divergence import *\n"
        "class Greedy(Callback):\n"
        "    def on_step(self, run):\n"
        "        if run.step == 5:\n"
        "            size = int(open('/proc/self/statm').read().split()[0]) * "
        "resource.getpagesize()\n"
        "            resource.setrlimit(resource.RLIMIT_AS, (size + (200 << 20),) * 2)\n"
        "            self.kept = [np.ones(1 << 24) for _ in range(100)]\n"
        "callbacks = [*usual(None, ema=0, quiet=True, checkpoint_seconds=0), Greedy()]\n"
        "sys.exit(cli.perform(lambda: small_run(sys.argv[2], callbacks=callbacks)))\n"
    )
    tests = str(__import__("pathlib").Path(__file__).parents[1])
    result = subprocess.run(
        [sys.executable, "-c", program, tests, str(tmp_path / "r")], capture_output=True, text=True
    )
    assert (
        result.returncode == 1
        and "out of memory" in result.stderr
        and "--batch-size" in result.stderr
    ), result.stderr
    assert "The state of step 5 is saved" in result.stderr and "Traceback" not in result.stderr
    assert newest(tmp_path / "r")[1]["step"] == 5
