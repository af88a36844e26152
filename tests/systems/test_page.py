"""benchmarks/systems.py: the page of systems, from the files that measured runs leave."""

import json
import pathlib

import pytest
from load_script import load_script

from minigan.systems import SYSTEMS, system

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The program, which writes below tmp_path."""
    module = load_script(ROOT / "benchmarks" / "systems.py")
    (tmp_path / "docs").mkdir()
    for name, place in (("ROOT", "."), ("RESULTS", "results"), ("PICTURES", "pictures")):
        monkeypatch.setattr(module, name, tmp_path / place)
    return module


def run(folder, seed, value, options="", system="infogan"):
    """What a measured run has left."""
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "0000009.png").write_bytes(b"picture %d" % seed)
    command = f"python -m minigan train {system} --seed {seed} {options} --out /there --quiet"
    (folder / "config.json").write_text(json.dumps({"command": command, "seed": seed}))
    row = {"name": "error", "value": value, "control": 0.75, "ceiling": None, "target": 0.05}
    rows = [row, row | {"name": "frechet", "value": 8.0, "target": None}]
    result = {"system": system, "run": str(folder), "step": 9, "samples": 100, "rows": rows}
    (folder / "measure.json").write_text(json.dumps(result))
    return str(folder)


def test_a_row_of_several_seeds(page, tmp_path, monkeypatch):
    runs = [run(tmp_path / f"i{seed}", seed, value) for seed, value in ((2, 0.0312), (0, 0.5))]
    other = run(tmp_path / "s", 0, 0.25, system="ss-infogan")
    monkeypatch.setattr("sys.argv", ["systems.py", *runs, other])
    page.main()
    text = (tmp_path / "docs" / "systems.md").read_text()
    assert (
        "`python -m minigan train infogan --seed 2`, step 9<br>error 0.0312 / 0.7500 / - (target "
        "0.0500); of seeds 2, 0: 0.0312, 0.5000<br>frechet 8.00 / 0.75 / - |" in text
    )
    assert "train ss-infogan`, step 9<br>error 0.2500 / 0.7500 / - (target 0.0500)<br>" in text
    assert (tmp_path / "pictures" / "infogan.png").read_bytes() == b"picture 2"
    kept = json.loads((tmp_path / "results" / "infogan.json").read_text())
    assert kept["seeds"] == {"2": {"error": 0.0312, "frechet": 8.0},
                             "0": {"error": 0.5, "frechet": 8.0}}  # fmt: skip


def test_runs_that_differ_in_more_than_the_seed_are_refused(page, tmp_path):
    runs = [run(tmp_path / "a", 0, 0.1), run(tmp_path / "b", 1, 0.1, "--sd 0.5")]
    with pytest.raises(SystemExit, match="not runs that differ in the seed alone"):
        page.take([pathlib.Path(r) for r in runs])


def test_the_pages_are_what_the_program_writes(page, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "RESULTS", ROOT / "benchmarks" / "results" / "systems")
    monkeypatch.setattr(page, "PICTURES", ROOT / "docs" / "images" / "systems")
    monkeypatch.setattr("sys.argv", ["systems.py"])
    page.main()
    for name in ("systems.md", "systems.zh.md"):
        assert (tmp_path / "docs" / name).read_text() == (ROOT / "docs" / name).read_text(), name


def test_each_system_and_its_control_in_chinese(page):
    sentences = json.loads(page.SENTENCES.read_text())
    assert list(sentences) == list(SYSTEMS)
    for name, found in sentences.items():
        assert len(found) == 1 + bool(system(name).control), name
        assert all(any("\u4e00" <= c <= "\u9fff" for c in text) for text in found), name


def test_runs_with_other_options_stand_below(page, tmp_path, monkeypatch):
    first = run(tmp_path / "i", 0, 0.5)
    other = run(tmp_path / "infogan-wide", 0, 0.25, "--hidden 9")
    monkeypatch.setattr("sys.argv", ["systems.py", first, "--also", other])
    page.main()
    text = (tmp_path / "docs" / "systems.md").read_text()
    assert (
        "train infogan`, step 9<br>error 0.5000 / 0.7500 / - (target 0.0500)<br>frechet 8.00 / "
        "0.75 / -<br>`python -m minigan train infogan --hidden 9`, step 9<br>error 0.2500 /" in text
    )
    assert "## infogan+wide\n\n![](images/systems/infogan+wide.png)" in text
    assert text.index("## infogan\n") < text.index("## infogan+wide")
