"""benchmarks/stacked_mnist.py: networks of the protocol, packing, resuming, the page."""

import json
from pathlib import Path

import numpy as np
import pytest
from load_script import load_script

import minigan
from minigan.data import ImageSet, mnist, strokes
from minigan.training import load_checkpoint

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "stacked_mnist.py"


@pytest.fixture
def stacked(tmp_path, monkeypatch):
    module = load_script(SCRIPT)
    monkeypatch.setattr(module, "LINES", tmp_path / "lines.jsonl")
    monkeypatch.setattr(module, "PAGE", tmp_path / "page.md")
    monkeypatch.setitem(module.PRESETS, "twin", module.Preset(2, 2, 192, 1, 200))
    return module


def test_networks_of_the_protocol(stacked):
    for pack in (1, 3):
        G, D = stacked.networks(3, 64, pack)
        sizes = []
        for module in (*G, *D):
            module.register_forward_hook(
                lambda m, i, o: sizes.append(tuple(o.shape[1:])) if o.ndim == 4 else None
            )
        with minigan.no_grad():
            image = G(minigan.zeros(2, 100))
            assert image.shape == (2, 3, 28, 28) and D(
                minigan.zeros(2, 3 * pack, 28, 28)
            ).shape == (2, 1)
        for size in ((512, 2, 2), (256, 4, 4), (128, 7, 7), (64, 14, 14)):
            assert sizes.count(size) >= 4, size


def test_fakes_are_packed_like_real_images(stacked):
    G, D = stacked.networks(2, 2, 3)
    game = stacked.PacGAN(G, D, 3)
    G.eval()
    z = minigan.rand(6, 100)
    single, packed = G(z).detach().numpy(), game.packed_fakes(z).detach().numpy()
    assert packed.shape == (2, 6, 28, 28)
    assert np.allclose(packed[1, 2:4], single[4], atol=1e-5) and np.allclose(
        packed[0, :2], single[0], atol=1e-5
    )
    assert [m.player for m in game.moves(minigan.zeros(2, 6, 28, 28))] == ["D", "G", "G"]


def test_real_images_are_stacked_digits_and_a_resumed_run_ends_in_the_same_bits(stacked, tmp_path):
    digits, preset = strokes(100, seed=0).images, stacked.PRESETS["twin"]
    whole = stacked.Experiment(digits, preset, 2, 0, tmp_path / "whole")
    numbers = whole.numbers(1)
    (batch,) = (images.numpy() for images in whole.batches[numbers])
    assert numbers.shape == (64, 4) and batch.shape == (64, 4, 28, 28)
    assert (
        batch[5, 3] == digits[whole.which[69, 3], 0].astype(np.float32) / np.float32(127.5) - 1
    ).all()
    # the next epoch, in the same order
    assert (whole.numbers(0) == whole.numbers(3)).all()
    whole.train()
    assert whole.step == whole.total == 3
    stacked.Experiment(digits, preset, 2, 0, tmp_path / "half").train(until=1)
    half = stacked.Experiment(digits, preset, 2, 0, tmp_path / "half")
    assert half.step == 1
    half.train()
    one, two = (
        load_checkpoint(tmp_path / name / "last.safetensors")["trainer"]["players"]
        for name in ("whole", "half")
    )
    for player in "DG":
        assert all((one[player][k] == two[player][k]).all() for k in one[player])
    assert (half.draw(30) == whole.draw(30)).all() and half.draw(30).shape == (30, 2, 28, 28)


def test_the_command_and_its_page(stacked, tmp_path, monkeypatch):
    monkeypatch.setattr(
        mnist,
        "load",
        lambda name, split, *rest: ImageSet(
            *(lambda d: (d.images, d.labels))(strokes(150, seed=1)), name, "test"
        ),
    )
    words = [
        "--preset",
        "twin",
        "--pack",
        "1",
        "--seeds",
        "0",
        "--device",
        "cpu",
        "--runs",
        str(tmp_path / "runs"),
    ]
    assert stacked.main(words) == 0
    lines = [json.loads(text) for text in stacked.LINES.read_text().splitlines()]
    assert [line["pack"] for line in lines] == [0, 1]
    assert (
        lines[0]["covered"] > 60
        and lines[0]["kl"] < 1
        and lines[1]["covered"] < 60
        and lines[1]["kl"] > 1.5
    )
    page = stacked.PAGE.read_text()
    modes = lines[1]["covered"]
    assert (
        "**Not run yet.**" in page
        and f"| DCGAN | {modes:.1f} | {modes} |" in page
        and "PacDCGAN2 | 1000.0" in page
    )
    assert lines[0]["classifier"] in page
    assert stacked.main(words) == 0 and len(stacked.LINES.read_text().splitlines()) == 2
