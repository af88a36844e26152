"""The page about a run: what it says, that it needs nothing else, and how large it is."""

import base64
import html.parser
import json
import re
import sys

import numpy as np
import pytest
from report_folder import run_folder

from minigan.training import RunError, usual
from minigan.training.callbacks.doctor import KNOWN
from minigan.training.report import MissingJinja, facts, pictures, write_report
from minigan.viz import save_grid
from minigan.viz.svg import line_chart, ticks

from .test_callbacks import make


class Page(html.parser.HTMLParser):
    """Its tags, ids, words, and what stands open at the end."""

    VOID = {"meta", "img", "input", "br", "link", "line", "polyline", "polygon", "circle"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        assert self.open == []
        self.ids = [a["id"] for _, a in self.tags if "id" in a]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def said(self, *without):
        return " ".join(" ".join(self.words).split())

    def of(self, tag):
        return [a for t, a in self.tags if t == tag]


def test_what_the_page_says(tmp_path):
    pytest.importorskip("jinja2")
    folder = run_folder(tmp_path / "run")
    about = {"title": "cgan", "text": "Digits & <more>", "paper": "Mirza 2014", "control": "none"}
    text = write_report(folder, about).read_text()
    page = Page(text)
    said = page.said()
    for words in ("Digits & <more>", "Mirza 2014", "20 steps, 1 epoch", "1 × 28 × 28", "<b>&",
                  "0.98 0.1 0.99 0.97 reached more of <samples>", "Control: shuffled",
                  "d_wins , steps 5 to 9", KNOWN["d_wins"].advice, "in 10 seconds of training",
                  "python -m minigan train cgan --out x --resume", "frechet: 20", "minigan 0.1.0",
                  f"python -m minigan draw {folder} --label 9 --n 20"):  # fmt: skip
        assert words in said, (words, said)
    assert "kl" not in [h for h in page.words]  # without a number there is no curve
    frames = json.loads(re.search(r'id="frames"[^>]*>(.*?)</script>', text, re.S)[1])
    assert [f["step"] for f in frames] == [5, 10, 15, 20]
    shown = base64.b64decode(frames[1]["image"].partition("base64,")[2])
    assert shown == (folder / "samples" / "0000010.png").read_bytes()


def test_the_page_can_be_used_by_all_and_needs_nothing(tmp_path):
    pytest.importorskip("jinja2")
    text = write_report(run_folder(tmp_path / "run")).read_text()
    page = Page(text)
    assert len(set(page.ids)) == len(page.ids)
    assert page.of("html") == [{"lang": "en"}] and "prefers-color-scheme: dark" in text
    assert page.of("img") and all(a["alt"] for a in page.of("img"))
    assert all(a["role"] == "img" and a["aria-label"] for a in page.of("svg"))
    for a in page.of("input"):
        assert a["id"] in [label.get("for") for label in page.of("label")]
    for tag in ("a", "section", "label"):
        for a in page.of(tag):
            for name in ("href", "aria-labelledby", "for"):
                assert a.get(name, page.ids[0]).lstrip("#") in page.ids, (tag, a)
    assert all(a["src"].startswith("data:") for a in page.of("img"))
    assert not page.of("link") and not any("src" in a for a in page.of("script"))
    policy = next(a for a in page.of("meta") if "http-equiv" in a)["content"]
    assert policy.startswith("default-src 'none'")


def test_pages_of_long_runs_stay_below_5_mb(tmp_path):
    """Three hundred noisy grids of colour, 0.4 MB each."""
    pytest.importorskip("jinja2")
    folder = run_folder(tmp_path / "run")
    noise = np.random.default_rng(0).integers(0, 256, (36, 3, 64, 64), np.uint8)
    save_grid(folder / "samples" / "0000001.png", noise, 6, 6, scale=1)
    content = (folder / "samples" / "0000001.png").read_bytes()
    assert len(content) > 400_000
    for step in range(2, 300):
        (folder / "samples" / f"{step:07d}.png").write_bytes(content)
    (folder / "drawn.png").write_bytes(content)
    path = write_report(folder)
    assert 1_000_000 < path.stat().st_size < 5_000_000
    frames = pictures.frames_of(folder, 2_000_000)
    assert [f["step"] for f in frames][0] == 1 and frames[-1]["step"] == 299
    assert len(frames) == 12 and sum(len(f["image"]) for f in frames) < 2_000_000
    assert all(f["image"].startswith("data:image/jpeg") for f in frames)


def test_text_is_shown_as_text(tmp_path):
    pytest.importorskip("jinja2")
    folder = run_folder(tmp_path / "run")
    for path in (folder / "samples").glob("*.png"):
        path.with_suffix(".txt").write_text(f"<i>{path.stem}</i>\nab")
        path.unlink()
    page = Page(write_report(folder).read_text())
    assert "<i>0000020</i>" in page.said() and not page.of("i")


def test_runs_that_have_just_begun_or_are_damaged(tmp_path):
    pytest.importorskip("jinja2")
    (tmp_path / "run").mkdir()
    with pytest.raises(RunError, match="there is no run in"):
        write_report(tmp_path / "run")
    (tmp_path / "run" / "config.json").write_text("{}")
    assert "0 steps" in Page(write_report(tmp_path / "run").read_text()).said()
    for name in ("config.json", "measure.json"):
        (tmp_path / "run" / name).write_text('["')
    checkpoint = tmp_path / "run" / "checkpoints" / "00000004.safetensors"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"\xff" * 100)
    Page(write_report(tmp_path / "run").read_text())


def test_every_run_leaves_a_page(tmp_path, capsys):
    pytest.importorskip("jinja2")
    make(tmp_path / "r", lambda t: usual(t.game.G, quiet=True, sample_interval=10)).train()
    assert "report.html" in capsys.readouterr().out.splitlines()[-1]
    page = Page((tmp_path / "r" / "report.html").read_text())
    said = page.said()
    assert "20 steps are too few to judge" in said and "G : 1,498,256 parameters" in said
    assert "0.weight" in said and "128 × 8" in said and "running_mean" not in said


def test_without_jinja2_a_line_says_so_and_the_run_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    make(tmp_path / "r", lambda t: usual(t.game.G, quiet=True)).train()
    said = capsys.readouterr().out
    assert said.count("no report.html: a report needs jinja2: pip install jinja2\n") == 1
    assert "done: 20 steps" in said and not (tmp_path / "r" / "report.html").exists()
    with pytest.raises(MissingJinja, match="pip install jinja2"):
        write_report(tmp_path / "r")


def test_the_doctor_is_quoted_from_the_rows():
    rows = [
        {"step": s, "doctor": names}
        for s, names in (
            (100, ["d_wins"]),
            (200, ["d_wins", "oscillation"]),
            (900, []),
            (1000, ["d_wins"]),
        )
    ]
    notes = facts.notes_of({}, rows)
    assert [(n["name"], n["steps"]) for n in notes["found"]] == [
        ("d_wins", [100, 1000]), ("oscillation", [200, 200])]  # fmt: skip
    assert notes["said"] == ""
    assert facts.notes_of({"options": {"no_doctor": True}}, [])["said"].startswith("Nobody looked")
    assert facts.notes_of({}, [{"step": 600}])["said"].endswith("it takes 680.")
    assert facts.notes_of({}, [{"step": 800}])["said"] == "Nothing found."


def test_line_chart():
    """Two points of known places; many become means and a range; gaps are gaps."""
    text = line_chart([0, 10], {"a": [0.0, 1.0]}, "A & b")
    assert 'aria-label="A &amp; b"' in text
    # x from 58 to 632, y from 196 (0) to 8 (1)
    assert '<polyline class="c0" points="58.0,196.0 632.0,8.0"/>' in text
    many = line_chart(range(1600), {"a": [1, 3] * 800}, "t")
    points = re.search(r'<polyline[^>]*points="([^"]*)"', many)[1].split()
    assert len(points) == 160 and {p.split(",")[1] for p in points} == {"102.0"}
    band = re.search(r'<polygon[^>]*points="([^"]*)"', many)[1].split()
    assert {p.split(",")[1] for p in band} == {"196.0", "8.0"} and len(band) == 320
    gaps = line_chart([1, 2, 3], {"a": [1, np.nan, 2], "b": [np.inf, 1.5, None or np.nan]}, "t")
    assert gaps.count("<circle") == 3
    with pytest.raises(ValueError, match="no finite value"):
        line_chart([1], {"a": [np.nan]}, "t")


@pytest.mark.parametrize("low, high, expected", [
    (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (-1.3, 2.1, [-2, -1, 0, 1, 2, 3]),
    (0, 18740, [0, 5000, 10000, 15000, 20000]), (3, 3, [3]), (0.001, 0.0012, None),
])  # fmt: skip
def test_ticks(low, high, expected):
    found = ticks(low, high)
    assert expected is None or found == expected
    assert found[0] <= low and found[-1] >= high and len(found) <= 8
