"""Several processes that train together. (What is alike on all ranks is asserted by the programs
that are started here.)"""

import os
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from small_runs import SMALL

from minigan.distributed import group
from minigan.systems import load_game
from minigan.systems.command import main
from minigan.training import cli
from minigan.training.checkpoint import load_checkpoint, newest, path_of

from . import play
from .mpi import HERE, mpirun, needs_mpi

pytestmark = needs_mpi
KINDS = list(play.GAMES)


def state(folder, kind, step=play.STEPS):
    return load_checkpoint(path_of(folder / kind, step))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """One process with the whole batch."""
    folder = tmp_path_factory.mktemp("one")
    for kind in KINDS:
        play.run(folder, kind).train()
    return folder


def played(n, folder, *words):
    done = mpirun(n, HERE / "play.py", folder, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    return folder, played(2, folder)


@pytest.fixture(scope="module")
def three(tmp_path_factory, two):
    folder = tmp_path_factory.mktemp("three")
    return folder, played(3, folder, two[0] / "half")


def arrays(tree, path=""):
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key != "param_groups":
                yield from arrays(value, f"{path}.{key}")
    elif isinstance(tree, (int, float)) or hasattr(tree, "dtype"):
        yield path, np.asarray(tree)


def farthest(one, other):
    """The largest distance of two states of what is trained, and where it is."""
    a, b = dict(arrays(one["trainer"])), dict(arrays(other["trainer"]))
    assert a.keys() == b.keys() and len(a) > 10
    return max((float(np.abs(a[k] - b[k]).max(initial=0)), k) for k in a)


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    folder = tmp_path_factory.mktemp("four")
    played(4, folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_several_end_where_one_ends(alone, two, three, four, kind):
    one = state(alone, kind)
    for folder in (two[0] / "whole", three[0] / "whole", three[0] / "other", four / "whole"):
        other = state(folder, kind)
        assert other["step"] == play.STEPS and other["random"] == one["random"]
        distance, where = farthest(one, other)
        assert distance < 2e-5, (folder, where, distance)
        average = "Average"
        found, expected = (dict(arrays(s["callbacks"][average])) for s in (other, one))
        assert max(float(np.abs(found[k] - expected[k]).max(initial=0)) for k in expected) < 2e-5
    assert farthest(one, state(two[0] / "half", kind, 2))[0] > 1e-3  # it could be seen


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_number_gives_the_same_bits_also_after_a_resume(two, kind):
    whole, resumed = (state(two[0] / name, kind) for name in ("whole", "resumed"))
    assert farthest(whole, resumed)[0] == 0 and whole["random"] == resumed["random"]


def test_one_goes_on_with_what_two_began(alone, two, tmp_path, capsys):
    shutil.copytree(two[0] / "half", tmp_path / "half")
    play.run(tmp_path / "half", "dcgan", resume=True).train()
    assert "made with processes 1 (was 2)" in capsys.readouterr().out
    distance, where = farthest(state(alone, "dcgan"), state(tmp_path / "half", "dcgan"))
    assert distance < 2e-5, (where, distance)


def test_what_is_said(two, three):
    assert "2 processes (MPI), 3/4 rows of each batch" in two[1]
    assert "3 processes (MPI), 2/2/3 rows of each batch" in three[1]
    assert "statistics of all processes together" in two[1]
    # of all but DCGAN after the resume, at which the doctor looks
    assert two[1].count("rounds are repeated as one function") == 2 * len(KINDS) - 1
    assert "made with processes 3 (was 2)" in three[1]
    assert two[1].count(f"done: {play.STEPS} steps") == len(KINDS)  # by one of them


def test_collectives():
    done = mpirun(3, HERE / "collective.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(done.stdout.split("\n"))[-3:] == [f"rank {r} is through" for r in range(3)]


@pytest.mark.parametrize(
    "what, says",
    [
        ("kill", r"process rank 1 .*exited on\s+signal 9"),
        ("memory", r"rank 1 of 2 .*out of memory \(Unable to allocate 9 GiB\)"),
        ("disk", r"rank 0 of 2 .*No space left on device \(metrics.jsonl\) at step 2"),
        ("bug", r"rank 1 of 2 .*stopped by KeyError(.|\n)*a mistake"),
        ("data", r"rank 1 has another kind than rank 0 \('other', not 'mlp'\)"),
        ("networks", r"rank 1 has another G.0.bias than rank 0 \(\(12,\), not \(8,\)\)"),
        ("resume", r"rank 1 has another resume than rank 0 \(True, not False\)"),
    ],
)
def test_one_fault_stops_all(tmp_path, two, what, says):
    done = mpirun(2, HERE / "fault.py", tmp_path, what, timeout=60)
    ended = time.time()
    assert done.returncode != 0 and len(re.findall(says, done.stderr)) == 1, done.stderr
    if what not in ("data", "networks", "resume"):
        assert ended - float(re.search("fault at ([0-9.]+)", done.stderr)[1]) < 30
    if what == "kill":
        done = mpirun(2, HERE / "fault.py", tmp_path, "again")
        assert done.returncode == 0, done.stderr
        assert farthest(state(tmp_path, "mlp"), state(two[0] / "whole", "mlp"))[0] == 0


def test_one_that_is_asked_to_stop_stops_all(tmp_path):
    done = mpirun(2, HERE / "fault.py", tmp_path, "stop")
    assert done.returncode == 143 and "stopped after step" in done.stdout, done.stderr
    said = re.search(r"stopped after step (\d+) of 400; the state is saved", done.stdout)
    assert state(tmp_path, "mlp", int(said[1]))["step"] < 400
    assert "to go on: mpirun -n 2 python" in done.stdout


def test_the_command(tmp_path):
    """python -m minigan train and an example, as they are; a batch smaller than the ranks."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (12, 8, 8, 1), dtype=np.uint8)
    for i, pixels in enumerate(pictures):
        path = tmp_path / "pictures" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[..., 0]).save(path)
    words = ["--out", tmp_path / "run", "--device", "cpu", "--no-doctor", "--quiet"]
    words += ["--dataset", tmp_path / "pictures", "--size", "8"]
    script = HERE.parents[1] / "examples" / "mnist_gan.py"
    # of the statistics of batch normalisation, each process's or of all, a load knows
    for steps, more, together in ((2, [], 2.5), (3, ["--resume", "--sync-bn"], 5)):
        done = mpirun(2, script, *words, "--max-steps", steps, "--batch-size", "5", *more)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("2 processes (MPI), 2/3 rows") == 1
        game, step = load_game(tmp_path / "run")[1::2]
        assert (step, game.batch_size) == (steps, together)
    done = mpirun(3, "-m", "minigan", "train", "cgan", *words, "--batch-size", "2")
    assert done.returncode == 2 and "start fewer" in done.stderr, done.stderr


def test_policies_in_their_world(tmp_path):
    """Each process plays the world, and learns from its part of the rows."""
    words = ["train", "airl", "--max-steps", "4", "--batch-size", "8", "--device", "cpu", "--quiet"]
    words += SMALL["airl"]
    assert main([*words, "--out", str(tmp_path / "one")]) == 0
    done = mpirun(3, "-m", "minigan", *words, "--out", tmp_path / "three")
    assert done.returncode == 0 and "3 processes (MPI), 5/5/6 rows" in done.stdout, done.stderr
    one, three = (newest(tmp_path / name)[1] for name in ("one", "three"))
    assert one["random"] == three["random"] and farthest(one, three)[0] < 1e-4


@pytest.fixture(scope="module")
def one_gpu(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpu")
    done = mpirun(1, HERE / "on_gpus.py", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize(
    "more, says", [((), "sums by NCCL"), (("shared",), "sums by MPI, as NCCL is missing or GPUs")]
)
def test_on_gpus(one_gpu, tmp_path, more, says):
    """Of a stand-in. Two ranks on one GPU go MPI's way."""
    done = mpirun(2, HERE / "on_gpus.py", tmp_path, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(says) == len(KINDS)
    for kind in KINDS:
        distance, where = farthest(state(one_gpu, kind), state(tmp_path, kind))
        assert distance < 1e-4, (kind, where, distance)


@pytest.mark.gpu
@pytest.mark.parametrize("n", [1, 2])
def test_on_a_gpu(n, alone, tmp_path):
    """A real one: sums by NCCL of one rank, by MPI of two that share it."""
    done = mpirun(n, HERE / "on_a_gpu.py", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in KINDS:
        distance, where = farthest(state(alone, kind), state(tmp_path, kind))
        assert distance < 1e-3, (kind, where, distance)


NO_MPI = "import sys; sys.modules['mpi4py'] = None\n"
TRAIN = "from minigan.training.cli import perform; perform(lambda: print('begun') or exit())"


@pytest.mark.parametrize(
    "before, started, says",
    [
        # of another MPI than mpi4py's, which finds one process only
        ("", {"PMI_SIZE": "2"}, "2 processes were started, but MPI finds this one only"),
        (NO_MPI, {"PMI_SIZE": "2"}, "several processes need MPI: pip install"),
        (NO_MPI, {"PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "1"}, "begun"),
        (NO_MPI, {}, "begun"),
    ],
)
def test_who_started_it(before, started, says):
    command = [sys.executable, "-c", before + TRAIN]
    done = subprocess.run(command, env=os.environ | started, capture_output=True, text=True)
    assert says in done.stdout + done.stderr and ("begun" in done.stdout) == (says == "begun")


def test_a_rank_without_the_folder_does_not_say_that_nothing_is_saved(tmp_path, monkeypatch):
    run = play.run(tmp_path, "mlp")
    run.lock.release()
    assert "Nothing was saved" in cli._kept(run, "--resume")
    monkeypatch.setattr(group, "rank", lambda: 1)
    said = cli._kept(run, "--resume")
    assert f"in {tmp_path / 'mlp'}, where the first rank runs; to go on" in said


def test_import_does_not_load_mpi():
    code = "import sys, minigan.distributed, minigan.training; print('mpi4py' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
