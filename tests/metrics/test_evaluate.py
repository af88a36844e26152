"""evaluate, the command, and all metrics on device arrays."""

import json
import os
import subprocess
import sys
from pathlib import Path

import fakecuda
import numpy as np
import pytest
from training.inside import inside

import minigan
from minigan import metrics
from minigan.data import strokes
from minigan.metrics import Reference, evaluate, evaluate_pixels, load_classifier, rows
from minigan.metrics.__main__ import main

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(7)


@pytest.fixture(scope="module")
def reference():
    return Reference(strokes(600, seed=1).images)


def test_real_against_real_noise_and_collapse(reference):
    real = evaluate(strokes(600, seed=2).images, reference)
    noise = evaluate(RNG.uniform(-1, 1, (600, 1, 28, 28)), reference)
    one_digit = strokes(1500, seed=3)
    collapsed = evaluate(one_digit.images[one_digit.labels == 3], reference)
    assert (
        real["modes"] == 10
        and 0.4 < real["nn"] < 0.6
        and real["score"] > 7
        and abs(real["kid"]) < 5 * real["kid_se"]
    )
    assert real["density"] > 0.8 and real["coverage"] > 0.85
    assert collapsed["modes"] < 10 and collapsed["kl_uniform"] > 1 and collapsed["coverage"] < 0.5
    for bad in (noise, collapsed):
        assert (
            bad["frechet"] > 5 * real["frechet"]
            and bad["kid"] > 5 * bad["kid_se"]
            and bad["nn"] > 0.65
        )
        assert (
            bad["score"] < 0.6 * real["score"]
            and bad["mode_score"] < 0.6 * real["mode_score"]
            and bad["mmd2"] > 10 * abs(real["mmd2"])
        )
        assert all(isinstance(v, (int, float)) for v in bad.values())


def test_the_same_seed_gives_the_same_numbers(reference):
    images = strokes(150, seed=4).images
    assert evaluate(images, reference) == evaluate(images, reference)
    floats = images.astype(np.float32) / 127.5 - 1
    assert evaluate(minigan.tensor(floats), reference)["frechet"] == pytest.approx(
        evaluate(images, reference)["frechet"], rel=1e-5
    )


def test_too_few_or_foreign_images_are_refused(reference):
    with pytest.raises(ValueError, match="at least 100"):
        evaluate(np.zeros((99, 1, 28, 28), np.uint8), reference)
    with pytest.raises(ValueError, match="digits"):
        evaluate(np.zeros((200, 3, 32, 32), np.uint8), reference)


def test_pixels_know_what_was_learnt_by_heart():
    training, test = strokes(400, seed=5).images, strokes(300, seed=6).images
    fresh, learnt = (
        evaluate_pixels(strokes(200, seed=8).images, training, test),
        evaluate_pixels(training[:200], training, test),
    )
    assert (
        abs(fresh["copying_z"]) < 3.5
        and learnt["copying_z"] > 10
        and learnt["nearest_training"] == 0
    )
    noise = evaluate_pixels(RNG.uniform(-1, 1, (200, 1, 28, 28)), training, test)
    assert (
        noise["parzen"] < fresh["parzen"]
        and noise["sliced_wasserstein"] > 2 * fresh["sliced_wasserstein"]
    )
    assert noise["wasserstein"] > fresh["wasserstein"]


def test_all_metrics_compute_on_the_device_what_they_compute_here(monkeypatch):
    monkeypatch.setattr(
        "minigan.arrays.random.module_for", lambda place: np if place.type == "cpu" else fakecuda
    )
    monkeypatch.setattr(
        rows, "to_device", lambda a, place: a if place.type == "cpu" else fakecuda.asarray(a)
    )
    x, y = RNG.normal(size=(30, 4)), RNG.normal(size=(30, 4)) + 0.3
    training = RNG.normal(size=(20, 4))

    def every(x, y, training):
        yield metrics.parzen(x, y, training)
        yield metrics.mmd2(x, y)
        yield metrics.mmd2_subsets(x, y, subsets=3)
        yield metrics.kid(x, y, subsets=3)
        yield metrics.frechet_distance(x, y)
        yield metrics.wasserstein(x, y)
        yield metrics.sliced_wasserstein(x, y)
        yield metrics.sliced_wasserstein(x, training)
        yield metrics.nearest_neighbour_test(x, y)
        yield metrics.precision_recall(x, training, 3)
        yield metrics.nearest_images(x, training, 2)
        yield metrics.copying(x, training, y)
        yield metrics.ais_log_likelihood(
            minigan.nn.Identity(), x, 0.5, 4, chains=2, steps=4
        ).log_likelihood

    here = [np.asarray(v, float) for v in every(x, y, training)]
    with fakecuda.installed():
        there = [
            np.asarray(v, float) for v in every(*(fakecuda.asarray(a) for a in (x, y, training)))
        ]
    for a, b in zip(here, there, strict=True):
        assert np.allclose(a, b, rtol=1e-6)


def test_arrays_on_two_devices_are_refused():
    with fakecuda.installed(), pytest.raises(TypeError, match="different devices"):
        metrics.mmd2(np.zeros((3, 2)), fakecuda.asarray(np.zeros((3, 2))))


def command(*words):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    environment.pop("MINIGAN_DATA", None)
    return subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, env=environment
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "r"
    train = "--dataset strokes --device cpu --max-steps 20 --sample-interval 20 --quiet".split()
    assert inside(*train, "--out", folder).returncode == 0
    return folder


def test_the_command_measures_a_run(run, monkeypatch):
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    done = command("-m", "minigan.metrics", run, "--samples", 300)
    assert done.returncode == 0, done.stderr
    result = json.loads((run / "evaluation.json").read_text())
    assert result["classifier"] == load_classifier().digest and result["classifier"] in done.stdout
    assert (
        result["metrics"]["frechet"] > 5 * result["real"]["frechet"]
        and result["metrics"]["parzen"] < result["real"]["parzen"]
    )
    assert result["metrics"]["samples"] == result["real"]["samples"] == 300
    for name in metrics.BETTER:
        assert name in done.stdout, name
    words = ["--samples", 300, "--quick", "--ais", 2, "--ais-steps", 3, "--out", run / "quick.json"]
    quick = inside(run, *words, main=main)
    assert (
        quick.returncode == 0 and "parzen" not in quick.stdout and "2 test images" in quick.stdout
    ), quick.stderr
    assert (
        json.loads((run / "quick.json").read_text())["metrics"]["frechet"]
        == result["metrics"]["frechet"]
    )


def test_the_command_says_what_is_wrong(run, tmp_path, monkeypatch):
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    for words, said in (
        ([tmp_path / "none"], "no saved model"),
        (
            [run, "--samples", "5"],
            "argument --samples: expected a whole number, at least 100, not '5'",
        ),
        ([run, "--samples", "100", "--quick", "--out", "/proc/none/x.json"], "cannot write"),
    ):
        done = inside(*words, main=main)
        assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr, (
            done.stderr
        )
