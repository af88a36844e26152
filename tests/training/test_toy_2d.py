"""examples/toy_2d.py and benchmarks/toy_modes.py as commands: what they leave, and that they go on
where they were stopped."""

import json
from unittest import mock

import numpy as np
import pytest
from load_script import load_script
from PIL import Image

from .inside import ROOT, inside


def run(script, *arguments):
    done = inside(*arguments, script=ROOT / script)
    assert not done.returncode, done.stderr
    return done.stdout


def weights(folder, step):
    from minigan.training import load_checkpoint

    players = load_checkpoint(folder / "checkpoints" / f"{step:08d}.safetensors")["trainer"][
        "players"
    ]
    return {
        (name, key): np.asarray(value)
        for name, state in players.items()
        for key, value in state.items()
    }


def test_toy_2d_leaves_pictures_and_resumes(tmp_path):
    """BEGAN, whose game has a state: 12 steps at once, and 5 then 7, end in the same bits."""
    options = (
        "--game",
        "began",
        "--data",
        "grid",
        "--sample-interval",
        5,
        "--device",
        "cpu",
        "--quiet",
        "--no-doctor",
    )
    run("examples/toy_2d.py", *options, "--steps", 12, "--anim", "--out", tmp_path / "whole")
    run("examples/toy_2d.py", *options, "--steps", 5, "--out", tmp_path / "parts")
    run("examples/toy_2d.py", *options, "--steps", 12, "--out", tmp_path / "parts", "--resume")
    whole, parts = (weights(tmp_path / name, 12) for name in ("whole", "parts"))
    assert whole.keys() == parts.keys() and all(
        whole[k].tobytes() == parts[k].tobytes() for k in whole
    )
    names = [f"{step:07d}.png" for step in (0, 5, 10, 12)]
    assert [p.name for p in sorted((tmp_path / "whole" / "samples").iterdir())] == names
    picture = np.asarray(Image.open(tmp_path / "whole" / "samples" / names[-1]))
    assert picture.ndim == 3 and (picture == [213, 94, 0]).all(-1).any(), "samples in G's colour"
    with Image.open(tmp_path / "whole" / "samples.gif") as gif:
        assert gif.n_frames == 4
    rows = [
        json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()
    ]
    assert {"modes", "high_quality", "convergence", "k"} <= set(rows[-1]) and rows[-1]["step"] == 12


def test_the_map_shows_which_z_goes_where(tmp_path):
    """A z has one colour, in its plane and where G carries it."""
    from minigan.training.plane import latent_colours, latent_picture

    z = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    red, cyan, *_ = colours = np.rint(latent_colours(z) * 255)
    assert len(np.unique(colours, axis=0)) == 4
    picture = latent_picture(z, z[:, ::-1] * [1, -1] / 2, limit=2).astype(int)  # a quarter turn
    middle = picture.shape[1] // 2

    def place(half, colour):
        rows, columns = np.nonzero(np.abs(half - colour).max(-1) <= 8)
        return columns.mean(), rows.mean()

    left, right = picture[:, :middle], picture[:, middle:]
    # on the left the first is at the right of the second; G turns them by 90 degrees: below it
    assert place(left, red)[0] > place(left, cyan)[0] + 100
    assert abs(place(left, red)[1] - place(left, cyan)[1]) < 2
    assert place(right, red)[1] > place(right, cyan)[1] + 50
    assert abs(place(right, red)[0] - place(right, cyan)[0]) < 2
    line = latent_colours(np.array([[0.0], [3.0], [-1.0]]))
    assert line[1].argmax() == 0 and line[2].argmax() == 2  # the largest red, the smallest blue

    options = "--steps", 2, "--device", "cpu", "--quiet", "--no-doctor"
    said = run("examples/toy_2d.py", *options, "--latent-dim", 1, "--out", tmp_path / "one")
    assert "which z goes where: " in said and "between them" in said
    assert np.asarray(Image.open(tmp_path / "one" / "map.png")).shape[2] == 3
    said = run("examples/toy_2d.py", *options, "--latent-dim", 3, "--out", tmp_path / "three")
    assert "no map.png: z has 3 numbers" in said
    assert not (tmp_path / "three" / "map.png").exists()


def test_the_list_names_every_game():
    from minigan.training.plane import GAMES

    lines = run("examples/toy_2d.py", "--list").splitlines()
    assert [line.split()[0] for line in lines] == list(GAMES) and all(
        len(line) > 40 for line in lines
    )


def test_toy_modes_goes_on_after_a_kill(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- toy_modes.py: begin -->\nold\n<!-- toy_modes.py: end -->\nafter\n"
    )
    files = (
        "--page",
        page,
        "--results",
        tmp_path / "r.jsonl",
        "--runs",
        tmp_path / "s",
        "--figure",
        tmp_path / "f.png",
    )
    options = ("--games", "gan", "pacgan2", "--data", "ring", "--seeds", 1, "--epochs", 1, *files)
    said = run("benchmarks/toy_modes.py", *options)
    assert "98.89%" in said and "| gan | 1 |" in said and "6.3±.5" in said
    text = page.read_text()
    assert (
        text.startswith("before\n")
        and text.endswith("after\n")
        and "| pacgan2 | 1 |" in text
        and "old" not in text
    )
    rows = (tmp_path / "r.jsonl").read_text().splitlines()
    assert [json.loads(r)["batch"] for r in rows] == [100, 200]
    last = json.loads(rows[-1])
    assert (
        len(last["history"]) == 10
        and last["history"][-1][0] == 1000
        and last["modes"] == sum(c > 0 for c in last["counts"])
    )
    (tmp_path / "r.jsonl").write_text(rows[0] + "\n" + rows[1][:50])  # killed while writing
    again = run("benchmarks/toy_modes.py", *options)
    assert "ring pacgan2 0: step 1000" in again and "ring gan 0" not in again
    repeated = json.loads((tmp_path / "r.jsonl").read_text().splitlines()[-1])
    assert repeated["history"] == last["history"], "a seed gives the same run"
    assert (tmp_path / "f.png").stat().st_size > 5000


@pytest.fixture
def modes():
    return load_script(ROOT / "benchmarks" / "toy_modes.py")


def test_toy_modes_stopped_and_resumed_ends_in_the_same_bits(modes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(modes, "SAVE_SECONDS", 0)  # a save every 100 steps
    saves, save = [], modes.save_checkpoint

    def save_and_stop(path, state):
        save(path, state)
        saves.append(state["step"])
        if len(saves) == 2:
            raise KeyboardInterrupt

    def train(name):
        options = ["--games", "dragan", "--data", "grid", "--seeds", "1", "--epochs", "1"]
        results = tmp_path / f"{name}.jsonl"
        code = modes.main([*options, "--results", str(results), "--runs", str(tmp_path / name)])
        return code, json.loads(results.read_text()) if results.exists() else None

    code, whole = train("whole")
    assert code == 0 and not list((tmp_path / "whole").glob("*.safetensors"))
    assert (tmp_path / "whole" / "toy_modes.png").exists()
    monkeypatch.setattr(modes, "save_checkpoint", save_and_stop)
    assert train("parts") == (130, None) and saves == [100, 200]
    assert "goes on from the last save" in capsys.readouterr().out
    code, parts = train("parts")
    assert code == 0 and "goes on at step 201 of 1000" in capsys.readouterr().out
    for row in (whole, parts):
        assert row.pop("steps_per_cpu_second") > 0
    assert parts == whole
    made = [np.load(next((tmp_path / name).glob("*.npy"))) for name in ("whole", "parts")]
    assert np.array_equal(*made)


def test_toy_modes_killed_after_its_last_step(modes, tmp_path, monkeypatch):
    """Before the line of its results is written; then it plays from the last save on."""
    monkeypatch.setattr(modes, "SAVE_SECONDS", 0)
    options = ["--games", "gan", "--data", "ring", "--seeds", "1", "--epochs", "1"]
    options += ["--results", str(tmp_path / "r.jsonl"), "--runs", str(tmp_path)]
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(modes.np, "save", mock.Mock(side_effect=OSError("the disk is full")))
        modes.main(options)
    assert next(tmp_path.glob("*.safetensors")) and not (tmp_path / "r.jsonl").exists()
    assert modes.main(options) == 0
    assert json.loads((tmp_path / "r.jsonl").read_text())["history"][-1][0] == 1000


def test_tables_of_several_networks_stand_side_by_side(modes):
    row = {"data": "ring", "game": "gan", "modes": 7, "reverse_kl": 0.5, "high_quality": 0.9}
    row |= {"steps_per_cpu_second": 50.0}
    rows = [row | {"networks": n, "epochs": e} for n, e in (("pacgan", 400), ("small", 20))]
    text = modes.report(rows, ["ring"])
    assert text.count("| gan | 1 |") == 2
    assert text.index("small networks, 20 epochs") < text.index("pacgan networks, 400 epochs")
