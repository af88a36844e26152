"""benchmarks/results_mnist.py: a run, going on, and the page."""

import json
from pathlib import Path

import pytest
from load_script import load_script

from minigan.data import ImageSet, load_dataset, mnist, strokes

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "results_mnist.py"


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    module = load_script(SCRIPT)
    for name, place in {
        "LINES": "results/lines.jsonl",
        "REMARKS": "results/remarks.md",
        "PAGE": "docs/results.md",
        "PICTURES": "docs/images",
    }.items():
        monkeypatch.setattr(module, name, tmp_path / place)
    drawn = {"train": strokes(1500, seed=0), "test": strokes(250, seed=1)}

    def load(name, split="train", data_dir=None, download=True, **options):
        return ImageSet(drawn[split].images, drawn[split].labels, name, "drawn for a test")

    monkeypatch.setattr(mnist, "load", load)
    for variable in ("MINIGAN_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")
    assert load_dataset("mnist").source == "drawn for a test"  # runs have the same data
    return module


def words(tmp_path, *more):
    return ["--samples", "200", "--quick", "--runs", str(tmp_path / "runs"), *more]


def lines(module):
    return [json.loads(text) for text in module.LINES.read_text().splitlines()]


def test_runs_are_measured_once_and_the_page_shows_them(results, tmp_path):
    asked = words(tmp_path, "--systems", "mlp", "--seeds", "0", "1", "--seconds", "0.2")
    assert results.main(asked) == 0
    first = lines(results)
    made = [(line["system"], line["seed"]) for line in first]
    assert made == [("real", 0), ("mlp", 0), ("real", 1), ("mlp", 1)]
    real, mlp, _, other = (line["metrics"]["frechet"] for line in first)
    assert mlp > 5 * real and mlp != other
    assert first[1]["steps"] > results.WARM and first[1]["words"] == "gan"
    assert results.main(asked) == 0 and lines(results) == first
    page = results.PAGE.read_text()
    assert f"| MLP GAN | 2 | {(first[1]['steps'] + first[3]['steps']) / 2:.0f} |" in page
    assert "* DCGAN: not run yet" in page and first[0]["classifier"] in page
    assert (results.PICTURES / "results_mlp.png").exists() and "images/results_mlp.png" in page


def test_runs_are_measured_again(results, tmp_path):
    asked = words(tmp_path, "--systems", "mlp", "--seeds", "0", "--seconds", "0.1")
    assert results.main(asked) == 0
    first = lines(results)
    other = [line | {"metrics": {"frechet": 1.0}} for line in first]
    results.LINES.write_text("".join(json.dumps(line) + "\n" for line in other))
    assert results.main([*asked, "--measure"]) == 0
    assert lines(results) == [other[0], first[1]]  # of real images there is no run


def test_a_budget_is_of_seconds_of_the_processor(results, monkeypatch):
    class Run:
        step, max_steps = 0, None

    clock, run, budget = [100.0], Run(), results.Budget(5.0)
    monkeypatch.setattr(results.time, "process_time", lambda: clock[0])
    for run.step in range(1, 100):
        clock[0] += 1.0
        budget.on_step(run)
        if run.max_steps is not None:
            break
    assert run.max_steps == run.step == results.WARM + 6  # the first steps are free


@pytest.mark.parametrize("system", ["began", "ebgan", "veegan"])
def test_systems_of_their_own(results, tmp_path, system):
    asked = words(tmp_path, "--systems", system, "--seeds", "0", "--seconds", "0.1")
    assert results.main(asked) == 0
    assert lines(results)[-1]["system"] == system and lines(results)[-1]["metrics"]["frechet"] > 0


def test_what_diverges_is_said_and_other_budgets_are_left_out(results, tmp_path, monkeypatch):
    steep = results.System("MLP", "gan --lr 1e30", results.NETWORKS)
    monkeypatch.setitem(results.SYSTEMS, "mlp", steep)
    asked = words(tmp_path, "--systems", "mlp", "--seeds", "0", "--seconds", "5")
    assert results.main(asked) == 0
    assert "* MLP: failed 1 times (Diverged" in results.PAGE.read_text()
    budget = {"seconds": 9, "samples": 1, "classifier": "x", "quick": True, "machine": "M"}
    results.add_line(system="dcgan", seed=0, steps=7, **budget, metrics={"frechet": 1.25})
    assert results.main(["--page"]) == 0
    page = results.PAGE.read_text()
    assert "| DCGAN | 1 | 7 | 1.2 |" in page
    assert "real training images*" not in page and "MLP: not run yet" in page


def test_a_cell(results):
    assert results.cell([1.0, 2.0, 3.0], 1) == "2.0 ± 1.0" and results.cell([5.25], 2) == "5.25"
