"""`walk --direction`: the direction from one digit to another in latent space, on a generator of
which it is known; and its errors."""

import numpy as np
import pytest
from PIL import Image

from minigan import nn
from minigan.autograd import raw, tensor_of
from minigan.data import strokes
from minigan.data.batches import Batches
from minigan.gan import GAN, NonSaturating, Trainer, build_networks
from minigan.optim import Adam
from minigan.training import Run, usual, walk
from minigan.training.direction import find_direction, try_direction


class OneOrSeven(nn.Module):
    """A one where z_0 < 0, a seven else: the direction is the first axis."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Linear(1, 1)
        data = strokes(200, seed=3)
        pictures = [data.images[np.argmax(data.labels == digit)] for digit in (1, 7)]
        self.images = np.stack(pictures).astype(np.float32) / 127.5 - 1

    def forward(self, z):
        return tensor_of(self.images[(raw(z)[:, 0] > 0).astype(int)])


def test_the_direction_is_the_difference_of_the_means():
    """E[z_0 | z_0 > 0] = sqrt(2 / pi), of a half normal: the means are 2 sqrt(2 / pi) apart."""
    G = OneOrSeven()
    found = find_direction(G, {"latent_dim": 4}, 1, 7, n=4000)
    np.testing.assert_allclose(found.vector, [2 * np.sqrt(2 / np.pi), 0, 0, 0], atol=0.1)
    assert sum(found.found) == 4000 and (found.starts[:, 0] < 0).all()
    ahead = try_direction(G, found.starts, found.vector, 7)
    # P(z_0 > -1.596 given z_0 < 0) = 0.889
    np.testing.assert_allclose(ahead.along.mean(), 0.889, atol=0.03)
    assert not try_direction(G, found.starts, -found.vector, 7).along.any()
    # a random direction goes less far along the axis, or back
    assert ahead.control.mean() < ahead.along.mean() - 0.05


def test_a_digit_that_does_not_occur_and_a_conditional_generator():
    with pytest.raises(ValueError, match="no 3 among 100 samples"):
        find_direction(OneOrSeven(), {"latent_dim": 4}, 1, 3, n=100)
    with pytest.raises(ValueError, match="no 3 among 100 samples"):
        find_direction(OneOrSeven(), {"latent_dim": 4}, 3, 1, n=100)
    with pytest.raises(ValueError, match="--label"):
        find_direction(OneOrSeven(), {"latent_dim": 4, "classes": 10}, 1, 7)


def run(folder, side=28):
    config = {"model": "mlp", "latent_dim": 6, "image_shape": [1, side, side]}
    G, D = build_networks(config)
    game = GAN(G, D, NonSaturating(), 6)
    trainer = Trainer(game, {name: Adam(p.parameters(), 2e-4) for name, p in game.players.items()})
    images = strokes(40).images[:, :, :side, :side]
    Run(
        trainer, Batches(images, 10), folder, config, epochs=1, max_steps=1,
        callbacks=usual(G, ema=0, seed=0, sample_interval=10, quiet=True),
    ).train()  # fmt: skip
    return str(folder)


def test_the_command_draws_rows_and_counts(tmp_path, capsys, monkeypatch):
    folder = run(tmp_path / "r")
    monkeypatch.setattr(walk, "load_generator", lambda *a: (OneOrSeven(), {"latent_dim": 4}))
    words = [folder, "--direction", "1:7", "--rows", "3", "--steps", "4"]
    assert walk.main([*words, "--length", "3"]) == 0
    said = capsys.readouterr().out
    assert "direction 1:7" in said and "times 3" in said
    assert "this direction: 3 of 3 rows end as 7" in said and "a random one as long:" in said
    strip = np.asarray(Image.open(tmp_path / "r" / "walk.png"))[::2, ::2]
    assert strip.shape == (3 * 29 + 1, 4 * 29 + 1)
    first, last = strip[1:29, 1:29], strip[1:29, 3 * 29 + 1 : 4 * 29]
    expected = np.rint((OneOrSeven().images[:, 0] + 1) * 127.5)
    np.testing.assert_array_equal(first, expected[0])
    np.testing.assert_array_equal(last, expected[1])


def test_wrong_directions_are_one_sentence(tmp_path, capsys):
    folder = run(tmp_path / "r", side=20)
    assert walk.main([folder, "--direction", "1:7"]) == 2
    assert "the classifier knows digits" in capsys.readouterr().err
    for wrong in ("3:3", "3", "a:b", "12:3", ":"):
        with pytest.raises(SystemExit):
            walk.main([folder, "--direction", wrong])
        assert "two different digits" in capsys.readouterr().err
