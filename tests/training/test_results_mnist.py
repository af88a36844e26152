"""benchmarks/results_mnist.py: a run, going on, and the page."""

import importlib.util
import json
from pathlib import Path

import pytest

from minigan.data import ImageSet, mnist, strokes

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "results_mnist.py"


@pytest.fixture
def results(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("results_mnist", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, place in {
        "LINES": "results/lines.jsonl",
        "PAGE": "docs/results.md",
        "PICTURES": "docs/images",
    }.items():
        monkeypatch.setattr(module, name, tmp_path / place)
    drawn = {"train": strokes(700, seed=0), "test": strokes(250, seed=1)}

    def load(name, split="train", data_dir=None, download=True):
        return ImageSet(drawn[split].images, drawn[split].labels, name, "drawn for a test")

    monkeypatch.setattr(mnist, "load", load)
    return module


def lines(module):
    return [json.loads(text) for text in module.LINES.read_text().splitlines()]


def test_runs_are_measured_once_and_the_page_shows_them(results, tmp_path):
    words = [
        "--systems",
        "mlp",
        "--seeds",
        "0",
        "1",
        "--steps",
        "2",
        "--samples",
        "200",
        "--quick",
        "--device",
        "cpu",
    ]
    words += ["--runs", str(tmp_path / "runs")]
    assert results.main(words) == 0
    first = lines(results)
    assert [(line["system"], line["seed"]) for line in first] == [
        ("real", 0),
        ("real", 1),
        ("real", 2),
        ("mlp", 0),
        ("mlp", 1),
    ]
    assert (
        first[3]["metrics"]["frechet"] > 5 * first[0]["metrics"]["frechet"]
        and first[3]["seconds"] > 0
    )
    assert first[3]["metrics"]["frechet"] != first[4]["metrics"]["frechet"]
    assert results.main(words) == 0 and lines(results) == first
    page = results.PAGE.read_text()
    assert (
        "| MLP GAN (non-saturating) | 2 |" in page
        and "* DCGAN: not run yet" in page
        and first[0]["classifier"] in page
    )
    assert (
        tmp_path / "docs" / "images" / "results_mlp.png"
    ).exists() and "images/results_mlp.png" in page


@pytest.mark.parametrize("system", ["began", "ebgan"])
def test_systems_of_their_own(results, tmp_path, system):
    words = [
        "--systems",
        system,
        "--seeds",
        "0",
        "--steps",
        "2",
        "--samples",
        "200",
        "--quick",
        "--features",
        "4",
        "--device",
        "cpu",
    ]
    assert results.main([*words, "--runs", str(tmp_path / "runs")]) == 0
    assert lines(results)[-1]["system"] == system and lines(results)[-1]["metrics"]["frechet"] > 0


def test_what_fails_is_said_and_other_budgets_are_left_out(results, tmp_path, monkeypatch):
    monkeypatch.setitem(results.SYSTEMS, "mlp", results.System("MLP", "--no-such-option"))
    words = [
        "--systems",
        "mlp",
        "--seeds",
        "0",
        "--samples",
        "200",
        "--quick",
        "--runs",
        str(tmp_path / "runs"),
    ]
    assert results.main([*words, "--steps", "2"]) == 0
    assert "MLP: failed (SystemExit" in results.PAGE.read_text()
    budget = {"steps": 9, "features": 4, "samples": 1, "classifier": "x", "quick": True}
    results.add_line(system="dcgan", seed=0, seconds=1.0, **budget, metrics={"frechet": 1.25})
    assert results.main(["--page"]) == 0
    page = results.PAGE.read_text()
    assert (
        "| DCGAN | 1 | 1 | 1.2 |" in page
        and "real training images" in page
        and "not run yet" in page
    )


def test_a_cell():
    spec = importlib.util.spec_from_file_location("results_mnist", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.cell([1.0, 2.0, 3.0], 1) == "2.0 ± 1.0" and module.cell([5.25], 2) == "5.25"
