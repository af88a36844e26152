"""benchmarks/judges.py: the damages are what they are called, the judges see what theory says."""

import json
from pathlib import Path

import numpy as np
import pytest
from load_script import load_script

from minigan.arrays import Generator
from minigan.data import ImageSet, strokes

judges = load_script(Path(__file__).parents[2] / "benchmarks" / "judges.py")

N = 240


@pytest.fixture(scope="module")
def data():
    return strokes(3000, seed=0), strokes(500, seed=1)


@pytest.fixture(scope="module")
def sets(data):
    return judges.draw(*data, N, seed=0)


@pytest.fixture(scope="module")
def judge(sets):
    return judges.Judges(sets, judges.load_classifier()).judge


def rows(images):
    return {image.tobytes() for image in images}


def test_the_sets_have_no_image_in_common(sets):
    assert not rows(sets.training) & rows(sets.samples)
    assert not rows(sets.spare) & (rows(sets.training) | rows(sets.samples))


def test_each_damage_is_what_it_is_called(sets):
    make = lambda damage: judges.DAMAGES[damage](sets, 0.5, Generator(3))
    labels = {
        image.tobytes(): label
        for images, of in ((sets.samples, sets.labels), (sets.spare, sets.spare_labels))
        for image, label in zip(images, of)
    }
    same = lambda images: sum((a == b).all() for a, b in zip(images, sets.samples))
    noisy, dropped, collapsed, copied = (make(damage) for damage in judges.DAMAGES)
    assert same(noisy) == same(copied) == N // 2
    assert len({labels[image.tobytes()] for image in dropped}) == 5 and len(rows(dropped)) == N
    assert len(rows(collapsed)) <= N // 2 + 10
    assert [labels[image.tobytes()] for image in collapsed] == list(sets.labels)
    assert len(rows(copied) & rows(sets.training)) == N // 2


def test_the_judges_see_what_theory_says(sets, judge):
    clean = judge(sets.samples)
    noisy, dropped, collapsed, copied = (
        judge(make(sets, 0.5, Generator(3))) for make in judges.DAMAGES.values()
    )
    # a copy is at distance 0, nearer than any unseen image; the others are as near: s + (1 - s) / 2
    assert copied["copying"] == pytest.approx(0.75, abs=0.06)
    assert copied["nn"] == pytest.approx(0.25, abs=0.06)  # a pair of copies is wrong twice
    assert copied["frechet"] < clean["frechet"]
    assert noisy["precision"] == pytest.approx(clean["precision"] / 2, abs=0.05)
    assert dropped["score"] == pytest.approx(clean["score"] / 2, rel=0.25)
    assert dropped["recall"] < 0.7 < clean["recall"]
    assert collapsed["score"] == pytest.approx(clean["score"], rel=0.1)  # blind within a class
    assert collapsed["nn"] > clean["nn"] + 0.1


def test_too_few_images_to_fill_the_places(sets):
    few = sets._replace(spare=sets.spare[:5], spare_labels=sets.spare_labels[:5])
    with pytest.raises(ValueError, match="too few images"):
        judges.dropping(few, 0.9, Generator(1))


def test_verdicts_follow_from_the_numbers():
    values = {
        "none": {"0": {"kid": [0.9, 1.0, 1.1], "nn": [0.48, 0.5, 0.52]}},
        "noise": {"0.1": {"kid": [1.2], "nn": [0.5]}, "0.5": {"kid": [9.0], "nn": [0.1]}},
        "copying": {"0.1": {"kid": [5.0], "nn": [0.5]}, "0.5": {"kid": [0.0], "nn": [0.5]}},
    }
    found = {
        (damage, name): judges.verdict({"values": values}, damage, name)
        for damage in ("noise", "copying")
        for name in ("kid", "nn")
    }
    assert found == {
        ("noise", "kid"): "50%",
        ("noise", "nn"): "50%",
        ("copying", "kid"): "10%, taken for better",
        ("copying", "nn"): "-",
    }


def test_the_command_writes_numbers_page_and_figure(data, tmp_path, monkeypatch, capsys):
    few = [ImageSet(d.images[:1500], d.labels[:1500], d.name, d.source) for d in data]
    monkeypatch.setattr(judges, "load_dataset", lambda name, split, folder: few[split == "test"])
    monkeypatch.setattr(judges, "SHARES", (0.5,))
    monkeypatch.setattr(judges, "DROPPED", (0.5,))
    files = [tmp_path / name for name in ("r.json", "page.md", "f.png")]
    words = ["--results", str(files[0]), "--page", str(files[1]), "--figure", str(files[2])]
    assert judges.main(["--data", "strokes", "--n", "100", "--draws", "1", *words]) == 0
    result = json.loads(files[0].read_text())
    assert len(result["values"]["none"]["0"]["frechet"]) == 3
    assert len(result["values"]["copying"]["0.5"]["copying"]) == 1
    text = files[1].read_text()
    assert text.count("\n| `") == 10 and "100 images in each set" in text
    assert files[2].read_bytes()[:4] == b"\x89PNG"
    files[1].write_text("old")
    assert judges.main(["--report", *words]) == 0 and files[1].read_text() == text
    assert np.isfinite(judges.away(result, "noise", "0.5", "kid"))
