"""The table of claims: sharpness by its definition, likelihoods from what was measured, a row of
each run."""

import json
import math
import pathlib

import numpy as np
import pytest
from load_script import load_script

from minigan.systems.command import main

PATH = pathlib.Path(__file__).parents[2] / "benchmarks" / "claims.py"
claims = load_script(PATH)


def test_sharpness_is_the_variance_of_the_laplacian():
    x = np.random.default_rng(0).uniform(-1, 1, (3, 2, 5, 6))
    variances = []
    for picture in (x + 1).reshape(6, 5, 6) / 2:
        found = [
            picture[i + 1, j] + picture[i - 1, j] + picture[i, j + 1] + picture[i, j - 1]
            - 4 * picture[i, j]
            for i in range(1, 4) for j in range(1, 5)
        ]  # fmt: skip
        variances.append(np.var(found))
    assert claims.sharpness(x) == pytest.approx(np.mean(variances))
    ramp = np.broadcast_to(np.linspace(-1, 1, 8), (1, 1, 8, 8))
    assert claims.sharpness(ramp) == pytest.approx(0, abs=1e-12)


def test_the_likelihood_is_what_was_measured(tmp_path):
    assert math.isnan(claims.likelihood(tmp_path))
    rows = [{"name": n, "value": v} for n, v in (("KL", 25.0), ("ELBO", -104.0),
                                                 ("weighted bound", -100.0))]  # fmt: skip
    (tmp_path / "measure.json").write_text(json.dumps({"rows": rows}))
    assert claims.likelihood(tmp_path) == -100
    (tmp_path / "measure.json").write_text(json.dumps({"rows": [{"name": "nats", "value": 88.0}]}))
    assert claims.likelihood(tmp_path) == -88


def test_a_row_for_each_run(tmp_path, capsys):
    runs = []
    for name, *more in (("gan",), ("pixelcnn", "--shrink", "4", "--width", "2", "--blocks", "1")):
        runs.append(str(tmp_path / name))
        words = ["--dataset", "strokes", "--batch-size", "8", "--max-steps", "2", "--quiet"]
        words += ["--device", "cpu", "--no-doctor", "--out", runs[-1], *more]
        assert main(["train", name, *words]) == 0
    out = tmp_path / "claims.json"
    capsys.readouterr()
    assert claims.main([*runs, "--samples", "100", "--out", str(out)]) == 0
    said = capsys.readouterr().out.splitlines()
    gan, pixels = json.loads(out.read_text())
    assert said[2].startswith("| gan | ") and said[3].startswith("| pixelcnn | ")
    assert gan["ms"] > 0 and gan["nats"] is None and 0 <= gan["recall"] <= 1
    assert gan["recall_real"] > 0.5 and gan["sharpness_real"] > 0
    assert "recall" not in pixels and " - / - " in said[3]  # 7x7: no classifier knows them
    # black and white alone: more than the grey ones
    assert pixels["sharpness_real"] > gan["sharpness_real"]
