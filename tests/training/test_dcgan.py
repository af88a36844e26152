"""examples/dcgan.py from a folder of pictures to what the saved model draws, load_generator, and
the walk."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from load_script import load_script
from PIL import Image

from minigan.arrays import Generator
from minigan.data import image_folder, resized, strokes
from minigan.data.batches import Batches
from minigan.gan import GAN, NonSaturating, Trainer, build_networks, interpolate
from minigan.optim import Adam
from minigan.training import (
    CheckpointError,
    Run,
    RunError,
    generate,
    load_generator,
    save_checkpoint,
    usual,
    walk,
)
from minigan.training.checkpoint import newest
from minigan.viz import image_grid

dcgan = load_script(Path(__file__).parents[2] / "examples" / "dcgan.py")

TINY = (
    "--output-height 12 --output-width 8 --z-dim 5 --features 3 --batch-size 4 --device cpu --quiet"
).split()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """14 pictures: three batches of 4, and a rest of 2."""
    folder = tmp_path_factory.mktemp("data") / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(14):
        Image.fromarray(rng.integers(0, 256, (20, 16, 3), np.uint8)).save(folder / f"{i}.png")
    return folder


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda app: str(tmp_path / "cache"))


def train(pictures, out, *options):
    return dcgan.main(
        [
            "--train",
            "--dataset",
            str(pictures),
            "--input-fname-pattern",
            "*.png",
            "--out",
            str(out),
            *TINY,
            *options,
        ]
    )


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    assert (
        train(
            pictures,
            out,
            "--epochs",
            "8",
            "--crop",
            "--input-height",
            "18",
            "--sample-interval",
            "10",
            "--no-cache",
        )
        == 0
    )
    return out


def weights(folder):
    players = newest(folder)[1]["trainer"]["players"]
    return {
        f"{player}.{name}": value
        for player, state in players.items()
        for name, value in state.items()
    }


def test_training_leaves_a_run(trained):
    for name in (
        "config.json", "curves.png", "samples.gif", "samples/0000010.png", "samples/0000024.png",
        "checkpoints/00000024.safetensors",
    ):  # fmt: skip
        assert (trained / name).stat().st_size > 0, name
    rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    # 3 steps an epoch: the rest of 2 pictures fills no batch
    assert rows[-1]["step"] == 24 and rows[-1]["epoch"] == 8
    assert json.loads((trained / "config.json").read_text())["image_shape"] == [3, 12, 8]
    with Image.open(trained / "samples" / "0000024.png") as grid:
        assert grid.mode == "RGB" and grid.size == (2 * (5 * 9 + 1), 2 * (5 * 13 + 1))
    assert all(np.isfinite(w).all() for w in weights(trained).values())


def test_stopped_and_resumed_ends_in_the_same_bits(pictures, trained, tmp_path):
    options = ["--epochs", "8", "--crop", "--input-height", "18", "--sample-interval", "10"]
    assert train(pictures, tmp_path / "r", *options, "--max-steps", "11") == 0
    assert train(pictures, tmp_path / "r", *options, "--resume") == 0
    whole, halves = weights(trained), weights(tmp_path / "r")
    assert whole.keys() == halves.keys() and all((whole[k] == halves[k]).all() for k in whole)


def test_the_saved_model_draws(trained, tmp_path, capsys):
    out = tmp_path / "copy"
    shutil.copytree(trained, out)
    assert dcgan.main(["--out", str(out), "--generate", "3", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    for name in ("generated.png", "walk.png", "walk.gif", "generated"):
        assert str(out / name) in said and (out / name).exists()
    assert sorted(os.listdir(out / "generated")) == ["00000.png", "00001.png", "00002.png"]
    first = {i: (out / "generated" / f"0000{i}.png").read_bytes() for i in range(3)}
    assert len(set(first.values())) == 3
    with Image.open(out / "generated" / "00000.png") as picture:
        assert picture.size == (8, 12) and picture.mode == "RGB"
    # more of the same
    assert dcgan.main(["--out", str(out), "--generate", "7", "--device", "cpu"]) == 0
    assert all(
        (out / "generated" / f"0000{i}.png").read_bytes() == content for i, content in first.items()
    )
    assert dcgan.main(["--out", str(out), "--generate", "1", "--device", "cpu", "--seed", "1"]) == 0
    assert (out / "generated" / "00000.png").read_bytes() != first[0]


def test_options_in_the_other_spelling_and_grey(pictures, tmp_path):
    options = [
        "--max_steps",
        "2",
        "--channels",
        "1",
        "--crop",
        "--input_height=10",
        "--sample_interval=1",
        "--ema",
        "0",
    ]
    assert train(pictures, tmp_path / "r", *options) == 0
    assert json.loads((tmp_path / "r" / "config.json").read_text())["image_shape"] == [1, 12, 8]
    assert len(os.listdir(tmp_path / "r" / "samples")) == 2


def test_fewer_pictures_than_a_batch_make_a_smaller_one(pictures, tmp_path, capsys):
    assert train(pictures, tmp_path / "r", "--batch-size", "64", "--epochs", "2") == 0
    assert "all 14 make one batch" in capsys.readouterr().out
    assert json.loads((tmp_path / "r" / "config.json").read_text())["batch_size"] == 14
    assert newest(tmp_path / "r")[1]["step"] == 2


@pytest.mark.parametrize(
    "options, says",
    [(["--output-height", "30"], "multiples of 4"), (["--input-fname-pattern", "*.jpg"], "14 .png"),
        (["--dataset", "/absent"], "/absent"),
     (["--resume"], "no checkpoint"), (["--device", "tpu"], "tpu")],
)  # fmt: skip
def test_wrong_options_are_one_sentence(pictures, tmp_path, capsys, options, says):
    assert train(pictures, tmp_path / "r", *options) == 2
    assert says in capsys.readouterr().err and not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "options",
    [["--train"], ["--epochs", "0"], ["--channels", "2"], ["--generate", "0"], ["--beta1", "1"]],
)
def test_nonsense_is_refused_by_the_parser(capsys, options):
    with pytest.raises(SystemExit) as e:
        dcgan.main(options)
    assert e.value.code == 2 and options[0] in capsys.readouterr().err


def test_ctrl_c_while_pictures_are_read(pictures, tmp_path, capsys, monkeypatch):
    def interrupted(*args, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(dcgan, "image_folder", interrupted)
    assert (
        train(pictures, tmp_path / "r") == 130 and "before the training" in capsys.readouterr().out
    )


def test_without_a_saved_model_nothing_is_drawn(tmp_path, capsys):
    for command in (dcgan.main, lambda words: walk.main(words[1:2])):
        assert command(["--out", str(tmp_path / "none"), "--device", "cpu"]) == 2
        assert "no saved model" in capsys.readouterr().err and not (tmp_path / "none").exists()


# --- data sets by name ---


def idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """./data/mnist with eight digits; no other MNIST."""
    data = strokes(8, seed=0)
    idx(tmp_path / "data" / "mnist" / "train-images-idx3-ubyte", data.images[:, 0])
    idx(tmp_path / "data" / "mnist" / "train-labels-idx1-ubyte", data.labels)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    return data


SMALL = "--z-dim 5 --features 3 --batch-size 4 --device cpu --quiet --epochs 1".split()


def test_mnist_as_in_the_tensorflow_program(digits, tmp_path, capsys):
    words = "--dataset mnist --input-height 28 --output-height 28 --train --out r".split()
    assert dcgan.main([*words, *SMALL]) == 0
    said = capsys.readouterr().out
    assert f"data: 8 pictures from {Path('data') / 'mnist'}" in said and "1x28x28" in said
    config = json.loads((tmp_path / "r" / "config.json").read_text())
    assert config["image_shape"] == [1, 28, 28] and config["dataset"] == "mnist"
    assert config["checksum"] == digits.checksum
    assert dcgan.main(["--out", "r", "--device", "cpu", "--generate", "2"]) == 0
    assert np.asarray(Image.open(tmp_path / "r" / "generated" / "00001.png")).shape == (28, 28)


def test_a_named_set_in_another_size_and_with_colours(digits, tmp_path):
    words = "--dataset mnist --output-height 16 --channels 3 --train --out r".split()
    assert dcgan.main([*words, *SMALL]) == 0
    config = json.loads((tmp_path / "r" / "config.json").read_text())
    assert config["image_shape"] == [3, 16, 16] and config["dataset"] == "mnist-3x16x16"


def test_resized_is_what_image_folder_does(tmp_path):
    data = strokes(5, seed=0)
    for i, picture in enumerate(data.images):
        Image.fromarray(picture[0]).save(tmp_path / f"{i}.png")
    for options in (
        (True, (20, 20), (16, 12), 1),
        (False, None, (16, 12), 3),
        (True, None, (8, 8), 1),
    ):
        folder = image_folder(tmp_path, "*.png", *options, cache=False, quiet=True)
        np.testing.assert_array_equal(resized(data, *options).images, folder.images)
    assert resized(data, True, (28, 28), (28, 28), 1) is data
    assert resized(data, True, (20, 20), (28, 28), 1) is not data


def test_a_name_is_looked_for_in_data(pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(pictures, tmp_path / "data" / "anime")
    assert train("anime", tmp_path / "r", "--epochs", "1") == 0
    assert f"14 pictures from {Path('data') / 'anime'}" in capsys.readouterr().out
    assert train("manga", tmp_path / "s") == 2
    said = capsys.readouterr().err
    assert "manga" in said and "mnist, fashion-mnist, strokes" in said


# --- the saved generator ---


def small_run(folder, model, ema, steps=20):
    """A run of the package's own, without an example."""
    config = {"model": model, "latent_dim": 6, "image_shape": [1, 28, 28]} | (
        {"features": 2} if model == "dcgan" else {}
    )
    G, D = build_networks(config)
    trainer = Trainer(
        GAN(G, D, NonSaturating(), 6),
        {"G": Adam(G.parameters(), 2e-4), "D": Adam(D.parameters(), 2e-4)},
    )
    callbacks = usual(G, ema=0.93 if ema else 0, seed=3, sample_interval=10, quiet=True)
    run = Run(
        trainer,
        Batches(strokes(60).images, 10),
        folder,
        config,
        epochs=99,
        max_steps=steps,
        callbacks=callbacks,
    )
    run.train()
    return run


@pytest.mark.parametrize("ema", [False, True])
@pytest.mark.parametrize("model", ["mlp", "dcgan"])
def test_a_loaded_generator_draws_what_the_run_drew(tmp_path, model, ema):
    """The run's last grid, to the pixel: so the weights, their averages and the running statistics
    are the right ones."""
    run = small_run(tmp_path / "r", model, ema)
    G, config = load_generator(tmp_path / "r")
    assert config["model"] == model and not G.training
    images = generate(G, Generator(3 + 1).normal((25, 6)), batch_size=25)
    drawn = np.asarray(Image.open(tmp_path / "r" / "samples" / "0000020.png"))[::2, ::2]
    np.testing.assert_array_equal(image_grid(images, 5), drawn)
    plain = run.trainer.game.G.state_dict()
    differ = any(
        (value.numpy() != plain[name].numpy()).any() for name, value in G.state_dict().items()
    )
    assert differ == ema
    np.testing.assert_allclose(
        generate(G, Generator(4).normal((25, 6)), batch_size=4), images, atol=1e-5
    )


def test_no_generator_to_load(tmp_path):
    with pytest.raises(RunError, match="no saved model"):
        load_generator(tmp_path)
    small_run(tmp_path / "r", "dcgan", False, steps=1)
    path, state = newest(tmp_path / "r")
    for wrong in ({"model": "xxgan"}, {"features": 3}, {"latent_dim": None}):
        save_checkpoint(path, state | {"config": state["config"] | wrong})
        with pytest.raises(RunError, match="no generator that can be built"):
            load_generator(tmp_path / "r")
    path.write_bytes(path.read_bytes()[:1000])
    G, config = load_generator(tmp_path / "r")  # the checkpoint before it
    assert config == state["config"]
    (tmp_path / "r" / "checkpoints" / "00000000.safetensors").unlink()
    with pytest.raises(CheckpointError):
        load_generator(tmp_path / "r")


# --- walks ---


@pytest.mark.parametrize("model", ["mlp", "dcgan"])
@pytest.mark.parametrize("mode", ["slerp", "linear"])
def test_walk_of_any_saved_run(tmp_path, capsys, model, mode):
    small_run(tmp_path / "r", model, True, steps=1)
    assert (
        walk.main(
            [str(tmp_path / "r"), "--steps", "4", "--rows", "3", "--mode", mode, "--seed", "5"]
        )
        == 0
    )
    said = capsys.readouterr().out
    assert str(tmp_path / "r" / "walk.png") in said and str(tmp_path / "r" / "walk.gif") in said
    G, _ = load_generator(tmp_path / "r")
    a, b = Generator(5).normal((2, 3, 6))
    strip = np.asarray(Image.open(tmp_path / "r" / "walk.png"))[::2, ::2].astype(int)
    assert strip.shape == (3 * 29 + 1, 4 * 29 + 1)
    points = interpolate(a, b, 4, mode)
    for row in range(3):
        for column in range(4):
            expected = image_grid(generate(G, points[column, row][None]), 1, pad=0)
            shown = strip[1 + 29 * row :, 1 + 29 * column :][:28, :28]
            # one by one or in a batch: the same up to rounding
            assert np.abs(shown - expected).max() <= 1
    with Image.open(tmp_path / "r" / "walk.gif") as gif:
        assert (
            2 < gif.n_frames <= 2 * walk.FRAMES - 2
            and gif.info["loop"] == 0
            and gif.size == (2 * (3 * 29 + 1), 2 * 30)
        )


def test_walk_elsewhere_and_nonsense(tmp_path, capsys):
    small_run(tmp_path / "r", "mlp", False, steps=1)
    assert (
        walk.main(
            [
                str(tmp_path / "r"),
                "--out",
                str(tmp_path / "new" / "w"),
                "--rows",
                "1",
                "--steps",
                "2",
            ]
        )
        == 0
    )
    assert sorted(os.listdir(tmp_path / "new")) == ["w.gif", "w.png"]
    (tmp_path / "file").write_text("")
    assert walk.main([str(tmp_path / "r"), "--out", str(tmp_path / "file" / "w")]) == 2
    assert "--out" in capsys.readouterr().err
    for words in (["--steps", "1"], ["--rows", "0"], ["--mode", "bezier"]):
        with pytest.raises(SystemExit):
            walk.main([str(tmp_path / "r"), *words])
        assert words[0] in capsys.readouterr().err
