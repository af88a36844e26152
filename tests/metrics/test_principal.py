"""Frechet distance of principal components of pixels: against the formula, the floor, order of
what is nearer and farther; by `--evaluate` and `measure` on own pictures."""

import json

import numpy as np
import platformdirs
import pytest
from PIL import Image

from minigan.arrays import Generator
from minigan.metrics import Principal
from minigan.systems.command import main

RNG = np.random.default_rng(3)


def pictures(n, shift=0.0, seed=0, shape=(3, 6, 5)):
    """Mixtures of three patterns, with noise, in [-1, 1]."""
    rng, patterns = np.random.default_rng(seed), np.random.default_rng(99).normal(size=(3, *shape))
    x = np.einsum("nk,kchw->nchw", rng.normal(size=(n, 3)), patterns) * 0.2
    return np.clip(x + shift + rng.normal(size=x.shape) * 0.02, -1, 1).astype(np.float32)


def frechet(a, b):
    """Of (N, D) and (M, D), by a root of a matrix."""
    s, t = np.cov(a.T), np.cov(b.T)
    values = np.linalg.eigvals(s @ t)
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s + t) - 2 * np.sqrt(values).real.sum()


def test_it_is_the_distance_along_the_directions_of_most_variance():
    real, others = pictures(200), pictures(80, 0.1, seed=1)
    found = Principal(real, numbers=3)
    np.testing.assert_allclose(found.directions.T @ found.directions, np.eye(3), atol=1e-4)
    # all that varies, but for the noise, lies in three directions
    rows = (real - real.mean(0)).reshape(200, -1)
    rest = rows - rows @ found.directions @ found.directions.T
    assert (rest**2).sum() < 0.03 * (rows**2).sum()
    order = np.sort(Generator(0).permutation(200)[:100])
    first = real[order].reshape(100, -1)
    a = (first - first.mean(0)) @ found.directions
    b = (others.reshape(80, -1) - first.mean(0)) @ found.directions
    told = found(others)
    np.testing.assert_allclose(told["frechet"], frechet(a, b), rtol=1e-4)
    assert told["samples"] == 80


def test_what_is_farther_has_more():
    found = Principal(pictures(400))
    values = [found(pictures(200, shift, seed=5))["frechet"] for shift in (0, 0.1, 0.3)]
    floor = found(pictures(200))["frechet_real"]
    assert values == sorted(values) and values[2] > 10 * floor
    assert values[0] < 2 * floor  # others of the same kind
    flat = np.zeros((200, 3, 6, 5), np.float32)
    assert found(flat + RNG.normal(size=flat.shape).astype(np.float32) * 1e-3)["frechet"] > floor


def test_the_same_every_time_and_for_bytes():
    x = ((pictures(120) + 1) * 127.5).round().astype(np.uint8)
    first, second = Principal(x)(x[:50]), Principal(x)(x[:50])
    assert first == second
    floats = x / np.float32(127.5) - 1
    assert Principal(floats)(floats[:50])["frechet"] == pytest.approx(first["frechet"], rel=1e-4)


def test_bad_input():
    with pytest.raises(ValueError, match="at least 40"):
        Principal(pictures(30))
    with pytest.raises(ValueError, match=r"\(1, 2, 2\) cannot be compared with .* \(3, 6, 5\)"):
        Principal(pictures(60))(np.zeros((60, 1, 2, 2), np.float32))


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda app: str(tmp_path / "cache" / app))
    for i, x in enumerate(((pictures(120, shape=(3, 8, 8)) + 1) * 127.5).astype(np.uint8)):
        path = tmp_path / "own" / ("some" if i % 2 else "others") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(x.transpose(1, 2, 0)).save(path)
    return tmp_path / "own"


@pytest.mark.parametrize("name", ["gan", "cgan"])
def test_own_pictures_are_evaluated_and_measured(name, own, tmp_path, capsys):
    run = tmp_path / "run"
    words = ["--dataset", str(own), "--size", "8", "--batch-size", "40", "--epochs", "2", "--quiet"]
    words += ["--device", "cpu", "--no-doctor", "--out", str(run), "--evaluate", "1"]
    assert main(["train", name, *words]) == 0
    said = capsys.readouterr().out
    assert "principal components of pixels (no FID)" in said and "of real pictures" in said
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    noted = [row for row in rows if "frechet" in row]
    assert [row["step"] for row in noted] == [3, 6] and noted[0]["frechet_real"] > 0
    assert (run / "checkpoints" / "best.safetensors").exists()
    assert main(["measure", str(run), "--samples", "100", "--best"]) == 0
    assert "no FID" in capsys.readouterr().out
    (row,) = json.loads((run / "measure.json").read_text())["rows"]
    assert row["name"] == "frechet of pixels" and row["value"] > row["ceiling"] > 0
