"""How a run is run: the folder, metrics, checkpoints, resuming, interruption."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import minigan
from minigan.data import strokes
from minigan.data.batches import Batches, gather_scaled
from minigan.training import (
    CheckpointError,
    generate,
    load_checkpoint,
    load_generator,
    save_checkpoint,
)
from minigan.training.checkpoint import newest

from .inside import SCRIPT, inside

BASE = [
    "--dataset",
    "strokes",
    "--device",
    "cpu",
    "--sample-interval",
    "10",
    "--batch-size",
    "16",
    "--quiet",
]


def run(folder, *options):
    return inside(*BASE, "--out", folder, *options)


def command(folder, *options):
    """A process of its own."""
    return [sys.executable, str(SCRIPT), *BASE, "--out", str(folder), *options]


def weights(folder):
    _, tree = newest(folder)
    return {
        f"{n}.{k}": v for n, player in tree["trainer"]["players"].items() for k, v in player.items()
    } | {"step": np.array(tree["step"])}


def rows(folder):
    return [json.loads(line) for line in (Path(folder) / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    result = run(folder, "--max-steps", 30)
    assert result.returncode == 0, result.stderr
    return folder, result.stdout


def test_a_run_leaves_all_that_the_readme_names(finished):
    folder, said = finished
    for name in (
        "config.json", "curves.png", "samples.gif", "samples/0000010.png", "samples/0000030.png",
        "samples/last_weights/0000030.png", "checkpoints/00000030.safetensors",
    ):  # fmt: skip
        assert (folder / name).stat().st_size > 0, name
    assert "429,921" in said and "410,417" in said and str(folder) in said
    config = json.loads((folder / "config.json").read_text())
    assert (
        config["dataset"] == "strokes"
        and config["seed"] == 0
        and len(config["checksum"]) == 64
        and config["minigan"]
    )
    assert [r["step"] for r in rows(folder)] == [10, 20, 30]
    for row in rows(folder):
        assert (
            row["d_value"] < 0
            and row["g_loss"] > 0
            and 0 < row["d_real"] < 1
            and 0 < row["d_fake"] < 1
            and row["it_s"] > 0
        )


def test_the_convolutional_model_runs_resumes_and_can_be_loaded(tmp_path):
    result = run(tmp_path / "r", "--model", "dcgan", "--max-steps", 1, "--sample-interval", 1)
    assert result.returncode == 0 and "759,681" in result.stdout and "138,689" in result.stdout, (
        result.stderr
    )
    assert run(tmp_path / "r", "--model", "dcgan", "--max-steps", 2, "--resume").returncode == 0
    assert run(tmp_path / "r", "--model", "mlp", "--max-steps", 3, "--resume").returncode == 2
    G, config = load_generator(tmp_path / "r")
    assert config["image_shape"] == [1, 28, 28] and generate(G, minigan.zeros(2, 100)).shape == (
        2,
        1,
        28,
        28,
    )


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(finished, tmp_path):
    again = command(tmp_path / "again", "--max-steps", "30")
    subprocess.run(again, check=True, capture_output=True)
    assert run(tmp_path / "other", "--max-steps", 30, "--seed", 1).returncode == 0
    first = weights(finished[0])
    again = weights(tmp_path / "again")
    other = weights(tmp_path / "other")
    assert all((first[k] == again[k]).all() for k in first)
    assert not all((first[k] == other[k]).all() for k in first)


def test_a_resumed_run_ends_in_bit_identical_weights_and_metrics(finished, tmp_path):
    folder = tmp_path / "halves"
    assert run(folder, "--max-steps", 13).returncode == 0
    result = run(folder, "--max-steps", 30, "--resume")
    assert result.returncode == 0, result.stderr
    whole, halves = weights(finished[0]), weights(folder)
    assert all((whole[k] == halves[k]).all() for k in whole)
    numbers = [
        {k: v for k, v in r.items() if k != "it_s"} for r in rows(folder) if r["step"] % 10 == 0
    ]
    assert numbers == [{k: v for k, v in r.items() if k != "it_s"} for r in rows(finished[0])]


def test_interrupt_saves_and_says_how_to_go_on(tmp_path):
    folder = tmp_path / "stopped"
    words = command(folder, "--max-steps", "100000")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 600
    while not (folder / "samples" / "0000010.png").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 130 and "--resume" in said and "saved" in said
    step = int(weights(folder)["step"])
    result = run(folder, "--max-steps", step + 5, "--resume")
    assert result.returncode == 0 and int(weights(folder)["step"]) == step + 5
    steps = [r["step"] for r in rows(folder)]
    assert steps == sorted(set(steps))


def test_resuming_with_other_mathematics_or_without_a_run_is_refused(finished, tmp_path):
    result = run(finished[0], "--resume", "--lr", 0.1, "--b1", 0.9)
    assert (
        result.returncode == 2
        and "lr was 0.001, now 0.1" in result.stderr
        and "b1" in result.stderr
    )
    result = run(tmp_path / "nothing", "--resume")
    assert (
        result.returncode == 2
        and "no checkpoint" in result.stderr
        and "Traceback" not in result.stderr
    )
    assert not (tmp_path / "nothing").exists()


def test_a_new_run_does_not_overwrite_an_old_one(tmp_path):
    assert run(tmp_path / "r", "--max-steps", 10).returncode == 0
    old = (tmp_path / "r" / "metrics.jsonl").read_text()
    result = run(tmp_path / "r", "--max-steps", 10)
    assert result.returncode == 0 and "r.1" in result.stdout
    assert (tmp_path / "r.1" / "metrics.jsonl").read_text() == old


@pytest.mark.parametrize("options", [["--epochs", "0"], ["--batch-size", "1"], ["--lr", "-1"],
    ["--b1", "1"], ["--device", "tpu"],
                                     ["--model", "x"],
                                     ["--data-dir", "/does/not/exist", "--dataset", "mnist"],
                                     ["--batch-size", "999999"]])  # fmt: skip
def test_nonsense_is_one_clear_sentence_and_exit_code_2(tmp_path, options):
    result = run(tmp_path / "x", *options)
    assert (
        result.returncode == 2
        and "Traceback" not in result.stderr
        and options[1].lstrip("-") in result.stderr
    )
    assert not (tmp_path / "x").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        result = run(folder, "--max-steps", 2)
        assert (
            result.returncode == 2 and "--out" in result.stderr and "Traceback" not in result.stderr
        )
    assert (tmp_path / "file").read_text() == "x"


def test_cuda_without_a_gpu_is_one_clear_sentence(tmp_path):
    from minigan.arrays import cuda_problem

    if cuda_problem() is None:
        pytest.skip("this machine has a usable GPU")
    result = run(tmp_path / "x", "--device", "cuda")
    assert (
        result.returncode == 2
        and "pip install" in result.stderr
        and "Traceback" not in result.stderr
    )


# --- checkpoints and batches ---


def test_checkpoint_round_trip(tmp_path):
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    tree = {
        "a": rows,
        "b": [1, 2.5, "x", None, {"c": np.array(3)}],
        "s": {0: {"m": np.zeros(2)}, 1: {}},
    }
    save_checkpoint(tmp_path / "c.safetensors", tree)
    back = load_checkpoint(tmp_path / "c.safetensors")
    assert (
        (back["a"] == tree["a"]).all()
        and back["b"][:4] == tree["b"][:4]
        and back["b"][4]["c"] == 3
        and back["b"][4]["c"].shape == ()
    )
    assert set(back["s"]) == {0, 1} and os.listdir(tmp_path) == ["c.safetensors"]


def test_damaged_checkpoints_are_one_error(tmp_path):
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {"a": np.arange(100.0)})
    whole = path.read_bytes()
    for content in (
        b"",
        whole[: len(whole) // 2],
        b"\xff" * 100,
        whole[:40] + b"\x00" * 20 + whole[60:],
    ):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="c.safetensors"):
            load_checkpoint(path)
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "none")


def test_batches_cover_an_epoch_once_scaled_and_in_a_repeatable_order():
    images = strokes(100, seed=0).images
    batches = Batches(images, 16, seed=5)
    assert len(batches) == 6
    epoch = [b.numpy() for (b,) in batches.epoch(0)]
    assert len(epoch) == 6 and epoch[0].shape == (16, 1, 28, 28) and epoch[0].dtype == np.float32
    order = batches.order(0)
    assert sorted(order) == list(range(100))
    np.testing.assert_allclose(
        np.concatenate(epoch), images[order[:96]].astype(np.float64) / 127.5 - 1, atol=1e-6
    )
    later = [b.numpy() for (b,) in batches.epoch(0, start=4)]
    assert (later[0] == epoch[4]).all() and len(later) == 2
    assert (batches.order(1) != order).any() and (
        Batches(images, 16, seed=6).order(0) != order
    ).any()
    np.testing.assert_array_equal(
        gather_scaled(np.array([[[0, 255]]], np.uint8), np.array([0])), [[[-1, 1]]]
    )
    for bad in (0, 101):
        with pytest.raises(ValueError, match="batch_size"):
            Batches(images, bad)


@pytest.mark.parametrize("model", ["mlp", "conv", "dcgan"])
def test_steps_repeated_as_a_function_are_the_steps(tmp_path, model):
    with_graph, without = tmp_path / "with", tmp_path / "without"
    more = ["--model", model, "--max-steps", 12, *(["--features", 4] if model == "dcgan" else [])]
    for folder, option in ((with_graph, []), (without, ["--no-graph"])):
        result = run(folder, *more, *option)
        assert result.returncode == 0 and "RuntimeWarning" not in result.stderr, result.stderr
    one, other = weights(with_graph), weights(without)
    assert (
        one.keys() == other.keys() and rows(with_graph)[0]["d_value"] == rows(without)[0]["d_value"]
    )
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
