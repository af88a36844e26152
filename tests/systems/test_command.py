"""`python -m minigan`: every system trains, resumes to the bit, is loaded, draws and is measured;
bad input gets one line."""

import html
import json
import pathlib
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from load_script import load_script
from PIL import Image
from small_runs import CLIPS, NO_LATENTS, PAIRS, PLAYED, TEXTS, state, train

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.data import strokes
from minigan.gan import GAMES, conv_discriminator
from minigan.gan.networks import ImageAndNumbers
from minigan.systems import SYSTEMS, load_game, system
from minigan.systems.command import main, parse, with_given
from minigan.systems.export import parts_of
from minigan.systems.parts import Images
from minigan.systems.system import facts_of
from minigan.training import Run, save_checkpoint
from minigan.training.checkpoint import path_of
from minigan.training.cli import own_command
from minigan.training.options import augmentation
from minigan.training.switches import FEW, FEW_POLICY
from minigan.viz import save_images

ROOT = pathlib.Path(__file__).parents[2]
IMAGES = [name for name in SYSTEMS if system(name).data_options.__func__.__qualname__
          == "System.data_options"]  # fmt: skip


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """name -> (a run of six steps, what it has said), made once."""
    made = {}

    def of(name, capsys):
        if name not in made:
            out = tmp_path_factory.mktemp(name) / "run"
            assert train(name, out, 6) == 0
            made[name] = out, capsys.readouterr().out
        return made[name]

    return of


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_trains_resumes_to_the_bit_and_is_loaded(name, whole_run, tmp_path, capsys):
    (whole, said), parts = whole_run(name, capsys), tmp_path / "parts"
    assert ("rounds are repeated" in said) == (name not in PLAYED)
    assert train(name, parts, 3, described=False) == 0
    assert train(name, parts, 6, "--resume", described=False) == 0
    first, second = state(whole), state(parts)
    assert first.keys() == second.keys()
    for key, value in first.items():
        np.testing.assert_array_equal(value, second[key], err_msg=key)
    kind, game, c, step = load_game(parts)
    assert (kind.name, c.system, step) == (name, name, 6)
    for player, network in game.players.items():
        saved = {k: v for k, v in first.items() if k.startswith(f".trainer.players.{player}.")}
        assert len(saved) == len(network.state_dict()) > 0
        assert not network.training
    assert list((whole / "samples").glob("0000006.*"))


@pytest.mark.parametrize("name", ["began", "veegan", "madgan", "mdgan"])
def test_a_game_of_several_players_has_convolutions(name, tmp_path):
    """--model conv, which chooses the main job's defaults; the flags still win."""
    assert train(name, tmp_path / "run", 2, "--model", "conv", "--b2", "0.9", described=False) == 0
    kind, game, c, _ = load_game(tmp_path / "run")
    assert (c.model, c.latent_dim, c.lr, c.ema, c.b2) == (
        "conv", 64, 1e-3, 0.9995 if kind.averaged else 0.0, 0.9,
    )  # fmt: skip
    seeing = [p for k, p in game.players.items() if not k.startswith("G")]
    assert all(any(isinstance(m, nn.Conv2d) for m in p.modules()) for p in seeing)
    plain = parse(system(name), [])
    assert (plain.model, plain.latent_dim, plain.lr, plain.batch_size) == ("mlp", 100, 2e-4, 64)
    with minigan.no_grad():
        assert game.sample(*game.inputs(2, Generator(0))).shape == (2, 1, 28, 28)


def test_a_d_of_an_image_and_numbers_sees_both():
    shape, more = (3, 8, 12), 5
    D = ImageAndNumbers(conv_discriminator(*shape, 2, outputs=4, hidden=7), shape, more)
    x = minigan.randn(6, 3 * 8 * 12 + more)
    out = D(x)
    assert out.shape == (6, 4)
    for column in (0, 100, 3 * 8 * 12 - 1, 3 * 8 * 12, -1):
        other = x.clone()
        other[2, column] += 1.0
        changed = (D(other) != out).any(1).numpy()
        assert changed.tolist() == [False, False, True, False, False, False]


def test_few_pictures_are_augmented(tmp_path, capsys):
    """Where nothing else was asked for; D sees them so."""
    folder, policies = tmp_path / "few", {}
    save_images(folder, np.random.default_rng(0).uniform(-1, 1, (20, 1, 8, 8)))
    for given in ([], ["--augment", "none"], ["--augment", "color"]):
        out = tmp_path / f"run{len(policies)}"
        words = ["--dataset", str(folder), "--size", "8", "--model", "conv", *given]
        assert train("gan", out, 1, *words, described=False) == 0
        _, game, c, _ = load_game(out)
        changes = [change.__name__ for view in game.views for change in view.changes]
        policies[tuple(given)] = c.augment, changes, "pictures are few" in capsys.readouterr().out
    assert list(policies.values()) == [
        (FEW_POLICY, FEW_POLICY.split(","), True),
        ("none", [], False),
        ("color", ["color"], False),
    ]
    assert augmentation(None, strokes(FEW)) == {}


@pytest.mark.parametrize("name", SYSTEMS)
def test_report(name, whole_run, tmp_path, capsys):
    """Each run leaves one; the command writes it anew."""
    pytest.importorskip("jinja2")
    run, _ = whole_run(name, capsys)
    out = tmp_path / "page.html"
    assert main(["report", str(run), "--out", str(out)]) == 0
    assert f"written: {out}" in capsys.readouterr().out
    text = out.read_text()
    assert text == (run / "report.html").read_text() and len(text) < 5_000_000
    assert html.escape(system(name).paper) in text.replace("&#39;", "&#x27;")
    assert f"<strong>{next(iter(load_game(run).game.players))}</strong>" in text
    assert 'id="frame"' in text and "<svg" in text


def test_a_run_whose_networks_are_constrained_is_loaded(tmp_path):
    """Spectral normalisation gives D's layers other parameters."""
    assert train("gan", tmp_path / "r", 2, "--constraint", "spectral", described=False) == 0
    D = load_game(tmp_path / "r").game.players["D"]
    assert any(name.endswith("weight_orig") for name, _ in D.named_parameters())
    saved = state(tmp_path / "r")
    for name, value in D.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), saved[f".trainer.players.D.{name}"])
    assert main(["draw", str(tmp_path / "r"), "--out", str(tmp_path / "a.png")]) == 0


@pytest.mark.parametrize("name", SYSTEMS)
def test_report_to_explore(name, whole_run, tmp_path, capsys):
    """G of every system can be in its page."""
    pytest.importorskip("jinja2")
    run, _ = whole_run(name, capsys)
    out = tmp_path / "page.html"
    code = main(["report", str(run), "--explore", "--out", str(out)])
    if name in NO_LATENTS or system(name).writes:
        said = "makes of latents in one go" if name in NO_LATENTS else "shows pictures"
        assert code == 2 and said in capsys.readouterr().err
        return
    assert code == 0
    assert "of them G's weights" in capsys.readouterr().out
    assert 'id="sliders"' in out.read_text()


@pytest.mark.parametrize("name", SYSTEMS)
def test_export(name, whole_run, tmp_path, capsys):
    """Every part of every system, and G first: what `draw` shows, by another program."""
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    run, _ = whole_run(name, capsys)
    kind, game, c, _ = load_game(run)
    parts = list(parts_of(game, c))
    if name in NO_LATENTS and system(name).writes:
        assert not parts and main(["export", str(run), "--onnx", str(tmp_path / "x.onnx")]) == 2
        assert "has no network that takes pictures" in capsys.readouterr().err
        return
    first = {"madgan": "G0", "dann": "C", "arda": "C"}.get(name, "G")
    assert parts[0] == first and set(ENCODERS.get(name, [])) <= set(parts)
    for part in parts:
        file = tmp_path / f"{part}.onnx"
        assert main(["export", str(run), "--onnx", str(file), "--part", part]) == 0, part
    said = capsys.readouterr().out
    takes = "latents"
    if name in NO_LATENTS:
        takes = "images" if name in ("dann", "arda", "pixelcnn", "pixelrnn") else "pictures"
    assert f"{first}.onnx, {first} of {takes} float32[" in said
    if name not in [*NO_LATENTS, "madgan"]:
        inputs = game.inputs(9, Generator(4))
        session = runtime.InferenceSession(str(tmp_path / "G.onnx"))
        given = {i.name: x.numpy() for i, x in zip(session.get_inputs(), inputs)}
        drawn = game.sample(*inputs).numpy()
        np.testing.assert_allclose(session.run(["out"], given)[0], drawn, atol=3e-5)


# players that tell something of pictures
ENCODERS = {
    "vae": ["E"], "vaegan": ["E"], "inference": ["E"], "veegan": ["F"], "mrgan": ["E"],
    "mdgan": ["E"], "triple-gan": ["C"], "features": ["P"],
    "dann": ["C"], "arda": ["C"], "cogan": ["C"], "lsro": ["C"], "segan": ["S"], "camstyle": ["C"],
    "replay": ["C"], "vaw-gan": ["E", "D"],
}  # fmt: skip


def test_export_of_what_is_not_there(whole_run, tmp_path, capsys, monkeypatch):
    run, _ = whole_run("gan", capsys)
    file = str(tmp_path / "x.onnx")
    assert main(["export", str(run), "--onnx", file, "--part", "E"]) == 2
    assert capsys.readouterr().err == "error: --part E: gan has the parts G, D\n"
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["export", str(run), "--onnx", file]) == 2
    assert "pip install 'minigan[onnx]'" in capsys.readouterr().err


@pytest.mark.parametrize("name", IMAGES)
def test_draw(name, whole_run, tmp_path, capsys):
    run, _ = whole_run(name, capsys)
    out = tmp_path / "some.npz"
    assert main(["draw", str(run), "--n", "5", "--out", str(out)]) == 0
    with np.load(out) as found:
        size = load_game(run).c.image_shape[1:]
        assert found["images"].shape == (5, *size) and found["images"].dtype == np.uint8
        conditional = "labels" in found
    assert main(["draw", str(run), "--n", "3", "--out", str(tmp_path / "folder")]) == 0
    assert len(list((tmp_path / "folder").glob("*.png"))) == 3
    capsys.readouterr()
    code = main(["draw", str(run), "--label", "1", "--n", "4", "--out", str(out)])
    if conditional:
        with np.load(out) as found:
            assert code == 0 and found["labels"].tolist() == [1] * 4
        assert main(["draw", str(run), "--label", "10"]) == 2
        assert "there is no label 10: they are 0 to 9" in capsys.readouterr().err
    else:
        assert code == 2 and "samples have no labels" in capsys.readouterr().err


@pytest.mark.parametrize("name", TEXTS)
def test_draw_texts(name, whole_run, tmp_path, capsys):
    run, _ = whole_run(name, capsys)
    out = tmp_path / "some.txt"
    assert main(["draw", str(run), "--n", "5", "--seed", "2", "--out", str(out)]) == 0
    game = load_game(run).game
    expected = game.lines(game.sample(*game.inputs(5, Generator(2))).numpy())
    assert out.read_text("utf-8").splitlines() == expected and len(expected) == 5


@pytest.mark.parametrize("name", CLIPS)
def test_draw_clips(name, whole_run, tmp_path, capsys):
    run, _ = whole_run(name, capsys)
    drawn = lambda out: main(["draw", str(run), "--n", "3", "--seed", "2", "--out", str(out)])
    assert drawn(tmp_path / "some.npz") == drawn(tmp_path / "some.gif") == 0
    assert drawn(tmp_path / "some") == drawn(tmp_path / "some.png") == 0
    kind, game, c, _ = load_game(run)
    kind.ready(game, with_given(c, run), "cpu")
    expected = game.sample(*game.inputs(3, Generator(2))).numpy()
    with np.load(tmp_path / "some.npz") as found:
        np.testing.assert_array_equal(found["samples"], expected)
    frames, side = expected.shape[2:4]
    assert len(list((tmp_path / "some").glob("*.gif"))) == 3
    with Image.open(tmp_path / "some.gif") as picture:
        assert picture.size == (2 * (3 * side + 4), 2 * (side + 2))
        assert picture.n_frames <= frames
    with Image.open(tmp_path / "some.png") as picture:
        assert picture.size == (2 * (frames * (side + 1) + 1), 2 * (3 * (side + 1) + 1))


@pytest.mark.parametrize("name", PAIRS)
def test_draw_from_own_pictures(name, whole_run, tmp_path, capsys):
    """What --from names, in its order, under its names; without it, of pictures held out."""
    run, _ = whole_run(name, capsys)
    rng = np.random.default_rng(0)
    own = [tmp_path / "own" / f"{n}.png" for n in "ba"]
    for i, path in enumerate([*own, tmp_path / "a.jpg"]):
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 40 + i, 3), np.uint8)).save(path)
    given = [str(own[0]), str(tmp_path / "own"), str(tmp_path / "a.jpg")]
    out = tmp_path / "made"
    assert main(["draw", str(run), "--from", *given, "--out", str(out)]) == 0
    assert {p.name for p in out.iterdir()} == {"b.png", "a.png", "b-2.png", "a-2.png"}
    with Image.open(own[0]) as picture:
        grey = np.asarray(picture.convert("L").crop((4, 0, 36, 32)), np.float32)[None, None]
    game = load_game(run).game
    inputs = game.inputs_of(tensor_of(np.repeat(grey, 4, 0) / np.float32(127.5) - 1), Generator(0))
    made = (game.sample(*inputs).numpy()[0, 0] + 1) * 127.5
    with Image.open(out / "b.png") as picture:
        np.testing.assert_allclose(np.asarray(picture), made, atol=0.51)
    grid = tmp_path / "grid.png"
    assert main(["draw", str(run), "--from", *given, "--out", str(grid)]) == 0
    with Image.open(grid) as picture:  # four pairs, three of them in a row
        assert picture.size == (2 * (6 * 33 + 1), 2 * (2 * 33 + 1))
    assert main(["draw", str(run), "--n", "3", "--out", str(tmp_path / "some.npz")]) == 0
    with np.load(tmp_path / "some.npz") as found:
        assert found["images"].shape == (3, 32, 32)
    assert main(["draw", str(run), "--text", "Ox 7", "--out", str(tmp_path / "text.png")]) == 0
    capsys.readouterr()
    code = main(["draw", str(run), "--back", "--from", *given, "--out", str(tmp_path / "back")])
    assert code == (0 if name == "cyclegan" else 2)
    if code:
        assert "does not translate in both directions" in capsys.readouterr().err
    (tmp_path / "own" / "b.png").write_text("no picture")
    for wrong, said in ((str(own[0]), "cannot be read as a picture"), ("none.png", "no such file")):
        assert main(["draw", str(run), "--from", wrong]) == 2
        assert said in capsys.readouterr().err


def test_only_translators_draw_from_pictures(whole_run, capsys):
    run, _ = whole_run("gan", capsys)
    assert main(["draw", str(run), "--from", "a.png"]) == 2
    assert "--from: gan makes no pictures of pictures" in capsys.readouterr().err
    assert main(["draw", str(run), "--back"]) == 2 and main(["draw", str(run), "--text", "a"]) == 2
    said = capsys.readouterr().err
    assert "--back: gan: it does not translate in both directions" in said
    assert "gan makes nothing of texts" in said


def test_drawing_is_what_the_game_samples(whole_run, tmp_path, capsys):
    run, _ = whole_run("gan", capsys)
    main(["draw", str(run), "--n", "2", "--seed", "4", "--out", str(tmp_path / "a.npz")])
    game = load_game(run).game
    expected = game.sample(*game.inputs(2, Generator(4))).numpy()[:, 0]
    with np.load(tmp_path / "a.npz") as found:
        np.testing.assert_allclose(found["images"], (expected + 1) * 127.5, atol=0.51)


def test_measure_beside_a_control(tmp_path, capsys):
    run = tmp_path / "run"
    assert train("cgan", run, 3, described=False) == 0
    assert main(["measure", str(run), "--samples", "200", "--control"]) == 0
    said = capsys.readouterr().out
    assert "training the control (labels are shuffled among the images)" in said
    found = json.loads((run / "measure.json").read_text())
    rows = {row["name"]: row for row in found["rows"]}
    assert found["system"] == "cgan" and found["step"] == 3 and found["samples"] == 200
    assert 0 <= rows["label accuracy"]["value"] <= 1
    assert rows["label accuracy"]["control"] is not None and rows["frechet"]["better"] == "down"
    assert rows["label accuracy"]["ceiling"] > 0.5  # drawn digits are not those it has learnt
    assert load_game(f"{run}-control").c.control is True and load_game(run).c.control is False
    assert main(["measure", str(run), "--samples", "200", "--control", str(run)]) == 0


def test_a_control_that_was_stopped_goes_on(tmp_path, capsys, monkeypatch):
    run, control = str(tmp_path / "run"), str(tmp_path / "run-control")
    assert train("cgan", run, 4, described=False) == 0
    play = Run.play  # as it is after a process's first step (see fast/cpu/ahead.py)

    def interrupted(self, numbers):
        play(self, numbers)
        if self.step == 2:
            signal.raise_signal(signal.SIGINT)

    words = ["measure", run, "--samples", "200", "--control"]
    with monkeypatch.context() as patch:
        patch.setattr(Run, "play", interrupted)
        assert main(words) == 130
    assert f"to go on: {own_command()}" in capsys.readouterr().out.splitlines()
    assert main([*words, control]) == 0  # named, it is taken as it is
    assert f"{control} is at step 2 of 4" in capsys.readouterr().out
    assert main([*words, "zoo:cgan"]) == 2
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "going on with the control" in said and "is at step" not in said
    assert load_game(control).step == 4
    assert main(words) == 0 and "the control (" not in capsys.readouterr().out


def test_the_control_of_cgan_knows_nothing_of_labels(tmp_path):
    kind = system("cgan")
    from argparse import Namespace

    c = Namespace(dataset="strokes", size=28, seed=0, control=False)
    plain, shuffled = kind.data(c), kind.data(Namespace(**vars(c) | {"control": True}))
    assert (plain.images == shuffled.images).all()
    same = (plain.labels == shuffled.labels).mean()
    assert 0.08 < same < 0.12
    assert sorted(plain.labels) == sorted(shuffled.labels)


def test_runs_of_before_are_loaded(tmp_path):
    """Those of examples/mnist_gan.py, whose configs name no system."""
    module = load_script(ROOT / "examples" / "mnist_gan.py")
    for words in (["--conditional"], []):
        out = tmp_path / f"run{len(words)}"
        assert 0 == module.main(
            ["--dataset", "strokes", "--batch-size", "8", "--max-steps", "2", "--device", "cpu",
                "--out", str(out), "--quiet", "--no-doctor", *words]
        )  # fmt: skip
        kind, game, c, step = load_game(out)
        assert (kind.name, step) == ("gan", 2)
        assert game.sample(*game.inputs(2, Generator(0))).shape == (2, 1, 28, 28)


@pytest.mark.parametrize("named, expected", [
    ("ebgan-pt", "ebgan"), ("began", "began"), ("madgan", "madgan"), ("cgan", "cgan"),
])  # fmt: skip
def test_runs_that_name_a_game_are_loaded(named, expected, tmp_path):
    """Those of examples/mnist_games.py before it called systems: a config as it wrote them."""
    config = {
        "game": named, "batch_size": 8, "lr": 2e-4, "b1": 0.5, "latent_dim": 6, "ema": 0.99,
        "seed": 0, "margin": 10.0, "gamma": 0.5, "period": 900, "unroll": 5, "generators": 2,
        "model": "mlp", "image_shape": [1, 28, 28], "dataset": "strokes", "checksum": "",
    } | ({"classes": 10} if named == "cgan" else {})  # fmt: skip
    arguments = {"madgan": {"k": 2, "saturating": False}, "cgan": {"classes": 10}}
    game = GAMES[expected].of(Images(facts_of(config)), **arguments.get(named, {}))
    players = {name: dict(player.state_dict()) for name, player in game.players.items()}
    trainer = {"players": players, "game": game.state_dict()}
    state = {"step": 2, "config": config, "callbacks": {}, "trainer": trainer}
    save_checkpoint(path_of(tmp_path, 2), state)
    found = load_game(tmp_path)
    assert (found.system.name, found.step) == (expected, 2)
    if named == "ebgan-pt":
        assert found.game.pull_away == 0.1
    for name, player in found.game.players.items():
        for key, value in player.state_dict().items():
            np.testing.assert_array_equal(value.numpy(), players[name][key].numpy())
    inputs = found.game.inputs(2, Generator(0))
    assert found.game.sample(*inputs).shape == (2, 1, 28, 28)


@pytest.mark.parametrize("words, said", [
    (["train", "cgna"], "there is no system 'cgna'; did you mean 'cgan'?"),
    (["paint"], "there is no command 'paint'"),
    (["draw", "nowhere"], "there is no saved model in nowhere"),
    (["measure", "nowhere"], "there is no saved model in nowhere"),
    (["train", "gan", "--dataset", "nowhere"], "no data set 'nowhere'"),
    (["train", "gan", "--features", "4", "--dataset", "strokes"], "--features is for"),
])  # fmt: skip
def test_bad_input_is_one_line(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    found = capsys.readouterr().err
    assert said in found and found.count("\n") == 1 and not list(tmp_path.glob("runs/*/config*"))


def test_options_of_another_system_are_no_options(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "began", "--margin", "3"])
    assert stopped.value.code == 2 and "--margin" in capsys.readouterr().err


def test_a_run_of_another_system_is_not_resumed(tmp_path, capsys):
    train("gan", tmp_path / "run", 2, described=False)
    assert train("lsgan", tmp_path / "run", 4, "--resume") == 2
    assert "system was 'gan', now 'lsgan'" in capsys.readouterr().err


def test_list_and_help(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for name in SYSTEMS:
        kind = system(name)
        assert f"{name:12} " in said and kind.paper and kind.paper in said and type(kind).__doc__
    assert main([]) == 2 and main(["--help"]) == 0
    with pytest.raises(SystemExit):
        main(["train", "cgan", "--help"])
    said = capsys.readouterr().out
    assert "Mirza and Osindero 2014" in said and "--resume" in said and "--objective" in said


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_has_an_example(name):
    """examples/NAME.py: its paper, what to look at, and one call."""
    path = ROOT / "examples" / f"{name.replace('-', '_')}.py"
    if name in ("gan", "dcgan"):  # mnist_gan.py, and dcgan.py for folders
        return
    text = path.read_text()
    assert f'main(["train", "{name}", *sys.argv[1:]])' in text
    assert len(text.splitlines()) <= 25 and f"python examples/{path.name}" in text


@pytest.mark.parametrize("words, out", [
    ([], "runs/cgan"), (["--control"], "runs/cgan-control"),
    (["--control", "--out=x"], "x"), (["--control", "--out", "x"], "x"),
])  # fmt: skip
def test_where_a_control_goes(words, out):
    assert parse(system("cgan"), words).out == out


@pytest.mark.parametrize("name", ["completion", "pan", "pix2pix"])
def test_d_has_a_rate_of_its_own(name):
    game = SimpleNamespace(players={"D": nn.Linear(1, 1), "G": nn.Linear(1, 1)})
    optimizers = system(name).optimizers(game, SimpleNamespace(lr=0.25, d_lr=0.5, b1=0.5))
    rates = {player: o.param_groups[0]["lr"] for player, o in optimizers.items()}
    assert rates == {"D": 0.5, "G": 0.25}
