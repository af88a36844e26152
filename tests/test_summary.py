"""benchmarks/summary.py: the table of all benchmarks."""

import json
import sys
from pathlib import Path

import pytest
from load_script import load_script

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def summary(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.delitem(sys.modules, "harness", raising=False)
    return load_script(BENCHMARKS / "summary.py")


def test_a_benchmark_that_met_a_slow_spell_is_named(summary, tmp_path, monkeypatch, capsys):
    rates = iter([100e9, 95e9, 120e9, 101e9])  # of each benchmark before and after
    monkeypatch.setattr(summary, "rate", lambda: next(rates))
    for name in ("a", "a", "b", "b"):
        assert summary.main([str(tmp_path), "--gemm", name]) == 0
    ms = lambda x, ratio: {"ms": x, "ms_min": x, "ms_max": x, "ratio": ratio}
    of_one = {"results": {"torch eager": ms(2.0, 1.0), "minigan": ms(0.5, 0.25)}, "gemm": 1e9}
    of_more = {"x": {"x: torch": ms(30.0, 1.0)}, "memory": {"minigan": 500.4}, "machine": "M"}
    (tmp_path / "a.json").write_text(json.dumps(of_one))
    (tmp_path / "b.json").write_text(json.dumps(of_more))
    assert summary.main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.rstrip().splitlines()[4:] == [
        "| a | results | torch eager | 2 | 1.00 | slow spell (79%) |",  # 95 of 120
        "| a | results | minigan | 0.5 | 0.25 | slow spell (79%) |",
        "| b | x | torch | 30 | 1.00 | slow spell (84%) |",
        "| b | peak of dcgan64 | minigan | 500 MB | | |",
    ]
    assert "120 GFLOP/s" in said and (tmp_path / "table.md").read_text() + "\n" == said


def test_a_steady_machine_is_not_called_slow(summary, tmp_path, monkeypatch, capsys):
    rates = iter([100e9, 86e9])
    monkeypatch.setattr(summary, "rate", lambda: next(rates))
    for _ in range(2):
        summary.main([str(tmp_path), "--gemm", "a"])
    (tmp_path / "a.json").write_text(json.dumps({"gan": {"minigan": {"ms": 0.5}}}))
    assert summary.main([str(tmp_path)]) == 0
    assert "| a | gan | minigan | 0.5 |  |  |" in capsys.readouterr().out


def test_a_folder_without_figures(summary, tmp_path, capsys):
    assert summary.main([str(tmp_path)]) == 2
    assert "no benchmark has left its .json" in capsys.readouterr().err


def test_a_rate_is_measured(summary):
    assert 1e8 < summary.rate() < 1e14
