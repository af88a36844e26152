"""Runs that are killed, and folders that hold something else."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from minigan.training import CheckpointError, load_checkpoint
from minigan.training.checkpoint import checkpoints, newest

from .inside import inside
from .killing import command, kill_and_resume, same, whole


@pytest.mark.parametrize("model, steps, kills", [("mlp", 40, 2), ("dcgan", 25, 1)])
def test_a_killed_run_ends_in_the_same_bits(tmp_path, model, steps, kills):
    whole(tmp_path / "whole", model, steps)
    for seed in range(50):  # a run that was too quick to be killed is made again
        shutil.rmtree(tmp_path / "killed", ignore_errors=True)
        killed, _ = kill_and_resume(tmp_path / "killed", model, steps, kills, random.Random(seed))
        if killed:
            break
    assert killed and same(tmp_path / "whole", tmp_path / "killed") == []
    assert same(tmp_path / "whole", tmp_path / "whole") == []
    rows = (tmp_path / "killed" / "metrics.jsonl").read_text().splitlines()
    (tmp_path / "killed" / "metrics.jsonl").write_text("\n".join([*rows, rows[-1]]) + "\n")
    assert same(tmp_path / "whole", tmp_path / "killed")  # the comparison itself can fail


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "r"
    assert again(folder, resume=False).returncode == 0
    return folder


def again(folder, *options, steps=20, resume=True):
    return inside(*command(folder, "mlp", steps, resume)[2:], *options)


def test_the_newest_checkpoints_are_kept_and_a_damaged_one_is_passed_over(finished, tmp_path):
    assert 1 <= len(checkpoints(finished)) <= 2 and not list(finished.rglob(".*.tmp"))
    again(tmp_path / "r", "--keep", "3", "--checkpoint-seconds", "0", resume=False)
    kept = checkpoints(tmp_path / "r")
    assert [int(p.stem) for p in kept] == [20, 19, 18]
    content = kept[0].read_bytes()
    kept[0].write_bytes(content[:-5000] + b"\0\1\2\3" + content[-4996:])
    result = again(tmp_path / "r", steps=22)
    assert (
        result.returncode == 0 and "checksum" in result.stdout and "after step 19" in result.stdout
    ), result.stderr
    assert newest(tmp_path / "r")[1]["step"] == 22
    for path in checkpoints(tmp_path / "r"):
        path.write_bytes(b"nonsense")
    result = again(tmp_path / "r", steps=30)
    assert (
        result.returncode == 2
        and "not a readable minigan checkpoint" in result.stderr
        and "Traceback" not in result.stderr
    )


def test_what_does_not_change_the_numbers_may_change(finished, tmp_path):
    again(tmp_path / "r", resume=False, steps=10)
    changed = ["--sample-interval", "5", "--checkpoint-seconds", "3", "--keep", "1", "--no-doctor"]
    assert again(tmp_path / "r", *changed).returncode == 0
    assert newest(tmp_path / "r")[1]["step"] == 20
    (_, one), (_, two) = newest(finished), newest(tmp_path / "r")
    assert all(
        (one["trainer"]["players"]["G"][k] == v).all()
        for k, v in two["trainer"]["players"]["G"].items()
    )


def test_other_data_or_options_are_refused_with_the_list(finished):
    result = again(finished, "--batch-size", "17", "--seed", "3", steps=30)
    assert (
        result.returncode == 2
        and "batch_size was 16, now 17" in result.stderr
        and "seed was 0, now 3" in result.stderr
    )
    assert newest(finished)[1]["step"] == 20


def test_nothing_left_to_do_is_said(finished):
    before = {
        p: p.stat().st_mtime_ns for p in finished.rglob("*") if p.is_file() and p.name != ".lock"
    }
    result = again(finished)
    assert result.returncode == 0 and "nothing is left to do" in result.stdout
    assert before == {p: p.stat().st_mtime_ns for p in before}


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "metrics.jsonl").write_text("dear")
    result = again(tmp_path / "letters", resume=False)
    assert result.returncode == 2 and "holds no run" in result.stderr and "--out" in result.stderr
    assert os.listdir(tmp_path / "letters") == ["metrics.jsonl"]


def test_two_runs_do_not_write_in_one_folder(tmp_path):
    first = subprocess.Popen(
        command(tmp_path / "r", "mlp", 10**6, False), stdout=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 600
        while not checkpoints(tmp_path / "r"):
            assert time.monotonic() < deadline and first.poll() is None
            time.sleep(0.05)
        for resume in (False, True):
            second = again(tmp_path / "r", resume=resume)
            assert (
                second.returncode == 2
                and "another run is writing" in second.stderr
                and "Traceback" not in second.stderr
            )
        first.send_signal(signal.SIGTERM)
        said, _ = first.communicate(timeout=600)
        assert first.returncode == 143 and "--resume" in said and "state is saved" in said
    finally:
        first.kill()
    assert not (tmp_path / "r.1").exists()


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    """While the first one's step is still being made (here: it never ends)."""
    program = (
        "import sys, time; sys.argv = ['mnist_gan.py', *sys.argv[1:]]\n"
        "from minigan.gan import Trainer\n"
        "play = Trainer.play\n"
        "def slow(self, real):\n"
        "    moves = play(self, real)\n"
        "    print('in a step', flush=True); time.sleep(1000)\n"
        "Trainer.play = slow\n"
        "from minigan.training.signals import StopSignals\n"
        "ask = StopSignals._ask\n"
        "def heard(self, number, frame):\n"
        "    ask(self, number, frame)\n"
        "    print('heard', flush=True)\n"
        "StopSignals._ask = heard\n"
        "import runpy; runpy.run_path(sys.argv.pop(1), run_name='__main__')\n"
    )
    words = command(tmp_path / "r", "mlp", 50, False)
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line == "in a step\n":
            break
    process.send_signal(signal.SIGINT)
    for line in process.stdout:
        if line == "heard\n":
            break
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=600)
    assert (
        process.returncode == 130
        and "stopped at once" in said
        and "step 0 is saved" in said
        and "Traceback" not in errors
    )


def test_the_folder_tells_how_to_repeat_the_run(finished):
    config = json.loads((finished / "config.json").read_text())
    assert (
        config["options"]["max_steps"] == 20
        and config["seed"] == 0
        and len(config["checksum"]) == 64
    )
    assert {"minigan", "python", "numpy", "threads", "command"} <= config.keys()


def test_a_checkpoint_of_another_version_goes_on_with_a_notice(finished, tmp_path):
    from minigan.training import save_checkpoint

    path, state = newest(finished)
    save_checkpoint(
        tmp_path / "r" / "checkpoints" / path.name,
        state | {"made_with": state["made_with"] | {"minigan": "0.0.1"}},
    )
    result = again(tmp_path / "r", steps=22)
    assert result.returncode == 0 and "(was 0.0.1)" in result.stdout, result.stderr
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "r" / "config.json")
