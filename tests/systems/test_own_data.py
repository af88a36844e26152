"""Own pictures with classes, from the command line: trained on, resumed, drawn by name; what is
wrong with them is one line."""

import json
import shutil

import numpy as np
import platformdirs
import pytest
from PIL import Image

from minigan.systems import SYSTEMS, load_game, system
from minigan.systems.command import main

CONDITIONAL = [
    name for name in SYSTEMS
    if (module := system(name)).data_options.__func__.__qualname__ == "System.data_options"
    and "labels_of" in type(module).facts.__code__.co_names
]  # fmt: skip


# options for few pictures, and to be short
MORE = {
    "k-plus-1": ["--labels", "6"], "triple-gan": ["--labels", "6"],
    "lsro": ["--labels", "6", "--epochs", "9"],
    "camstyle": ["--labels", "6", "--style-steps", "2", "--steps", "2"],
    "replay": ["--tasks", "3", "--task-steps", "2"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda app: str(tmp_path / "cache" / app))


@pytest.fixture
def birds(tmp_path):
    """Twelve pictures of three classes in subfolders, and the same as lists."""
    folder, labels = tmp_path / "birds", {}
    for i in range(12):
        name = ("crow", "jay", "wren")[i % 3]
        path = folder / name / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((9, 9), 20 * i, np.uint8)).save(path)
        labels[f"{name}/{i:02d}.png"] = name
    (folder / "labels.csv").write_text("".join(f"{k},{v}\n" for k, v in labels.items()))
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


def train(name, data, out, steps, *more):
    words = ["--dataset", str(data), "--size", "8", "--batch-size", "4", "--max-steps", str(steps)]
    words += ["--device", "cpu", "--quiet", "--no-doctor", "--out", str(out), *more]
    if name == "lsro":  # it is about a finished run
        finished = out.parent / "finished"
        assert finished.exists() or train("gan", data, finished, 1) == 0
        words += ["--of", str(finished)]
    return main(["train", name, *words, *MORE.get(name, [])])


def test_which_are_conditional():
    assert "cgan" in CONDITIONAL and "gan" not in CONDITIONAL


@pytest.mark.parametrize("name", CONDITIONAL)
@pytest.mark.parametrize("source", ["folder", "labels.csv", "labels.json"])
def test_it_is_trained_resumed_and_drawn_by_name(name, source, birds, tmp_path, capsys):
    if source == "folder":  # which holds nothing but pictures
        (birds / "labels.csv").unlink(), (birds / "labels.json").unlink()
    data, run = birds if source == "folder" else birds / source, tmp_path / "run"
    assert train(name, data, run, 2) == 0, capsys.readouterr().err
    assert train(name, data, run, 4, "--resume") == 0, capsys.readouterr().err
    _, game, c, step = load_game(run)
    assert (c.class_names, c.classes, step) == (["crow", "jay", "wren"], 3, 4)
    if not game.classes:  # it learns labels, and does not draw by them
        return
    for label in ("jay", "1"):
        out = tmp_path / "some.npz"
        assert main(["draw", str(run), "--label", label, "--n", "3", "--out", str(out)]) == 0
        with np.load(out) as found:
            assert found["labels"].tolist() == [1] * 3 and found["images"].shape == (3, 8, 8)
    capsys.readouterr()
    assert main(["draw", str(run), "--label", "jya"]) == 2
    said = capsys.readouterr().err
    assert "there is no label 'jya' (did you mean 'jay'?): they are 'crow', 'jay', 'wren'" in said
    assert main(["draw", str(run), "--label", "3"]) == 2
    assert "there is no label 3: they are 0 to 2" in capsys.readouterr().err


def test_numbers_as_names_are_names(birds, tmp_path, capsys):
    text = (birds / "labels.csv").read_text()
    for word, number in (("crow", "7"), ("jay", "1"), ("wren", "10")):
        text = text.replace(f",{word}\n", f",{number}\n")
    (birds / "labels.csv").write_text(text)
    assert train("cgan", birds / "labels.csv", tmp_path / "run", 1) == 0
    out = tmp_path / "some.npz"
    assert main(["draw", str(tmp_path / "run"), "--label", "7", "--n", "2", "--out", str(out)]) == 0
    with np.load(out) as found:
        assert found["labels"].tolist() == [1, 1]  # of "1", "7", "10"
    capsys.readouterr()
    assert main(["draw", str(tmp_path / "run"), "--label", "4"]) == 2
    assert "there is no label '4': they are '1', '7', '10'" in capsys.readouterr().err


def test_labels_that_have_changed_are_other_data(birds, tmp_path, capsys):
    run, path = tmp_path / "run", birds / "labels.csv"
    assert train("cgan", path, run, 2) == 0
    assert train("gan", path, tmp_path / "plain", 2) == 0
    path.write_text(path.read_text().replace("00.png,crow", "00.png,jay"))
    capsys.readouterr()
    assert train("cgan", path, run, 4, "--resume") == 2
    assert "its data have changed" in capsys.readouterr().err
    assert train("gan", path, tmp_path / "plain", 4, "--resume") == 0
    assert train("cgan", path, run, 4, "--resume", "--new-data") == 0


@pytest.mark.parametrize("change, said", [
    (lambda b: (b / "owl").mkdir(), "birds: no picture of 'owl' can be read: add some, or"),
    (lambda b: [(b / f"owl{i}").mkdir() for i in range(10)], "more classes than pictures (13 and 12"
        "): add pictures"),
    (lambda b: [shutil.rmtree(b / n) for n in ("jay", "wren")], "cgan needs labels, and birds has "
        "one class only"),
])  # fmt: skip
def test_bad_folders_are_one_line(change, said, birds, tmp_path, capsys):
    (birds / "labels.csv").unlink(), (birds / "labels.json").unlink()
    change(birds)
    assert train("cgan", birds, tmp_path / "run", 2) == 2
    found = capsys.readouterr().err
    assert said in found and found.count("\n") == 1 and not (tmp_path / "run").exists()


def test_what_is_left_out_is_named(birds, tmp_path, capsys):
    path, run = birds / "labels.csv", tmp_path / "run"
    (birds / "bad.png").write_bytes(b"no picture")
    path.write_text(path.read_text() + "gone.png,jay\n,jay\nbad.png,jay\ncrow/00.png,crow\n")
    assert train("cgan", path, run, 2) == 0
    said = capsys.readouterr().out
    assert "3 entries are left out: gone.png (it is not there); line 14 (it names no file)" in said
    lines = (run / "left_out.txt").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        "gone.png", "line 14", "crow/00.png", "bad.png",
    ]  # fmt: skip
