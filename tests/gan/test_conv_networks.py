"""The small convolutional networks of the main job, and its recipe."""

import argparse

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.gan import (
    GAN,
    R1,
    GoGAN,
    NonSaturating,
    build_networks,
    conv_discriminator,
    conv_generator,
)
from minigan.training.switches import RECIPES, add_switches, recipe


def layers(network, size):
    """(type, output shape without N) of each layer."""
    return [(kind, shape[1:]) for _, kind, shape, _ in minigan.summary(network, size).rows]


@pytest.mark.parametrize("height, width", [(8, 8), (28, 28), (12, 36), (48, 48), (64, 64)])
def test_sizes(height, width):
    """From latents to pictures to logits; no bias where batch normalisation takes it away; D judges
    each example by itself."""
    G, D = conv_generator(5, 3, height, width, 4, 6), conv_discriminator(3, height, width, 4)
    assert layers(G, (5,))[-1] == ("Tanh", (3, height, width))
    assert layers(D, (3, height, width))[-1] == ("Linear", (1,)) and D.per_example
    for layer, after in zip(G, list(G)[1:]):
        if isinstance(after, (nn.BatchNorm1d, nn.BatchNorm2d)):
            assert layer.bias is None
    with pytest.raises(ValueError, match="multiples of 4"):
        conv_generator(5, 3, 30, 28)


def test_weights_keep_the_size_of_activations():
    """He's: through D's layers, and through G's before its normalisation, second moments stay near
    those of the input."""
    minigan.manual_seed(0)
    x = minigan.randn(64, 1, 28, 28)
    for layer in conv_discriminator(features=32)[:7]:
        x = layer(x)
    assert 0.6 < (x.detach().numpy() ** 2).mean() < 1.6
    G = conv_generator(features=32)
    layer = next(m for m in G.modules() if isinstance(m, nn.ConvTranspose2d))
    x = minigan.nn.functional.leaky_relu(minigan.randn(64, layer.in_channels, 7, 7), 0.2)
    y = layer(x).detach().numpy()[..., 1:-1, 1:-1]
    assert 0.9 < (y**2).mean() < 1.1


def test_a_penalty_may_look_at_a_few_examples():
    minigan.manual_seed(0)
    _, D = build_networks({"model": "conv", "latent_dim": 4, "image_shape": [1, 8, 8]})
    G = nn.Sequential(nn.Linear(4, 64), nn.Unflatten(1, (1, 8, 8)))
    real, fake = minigan.randn(6, 1, 8, 8), minigan.randn(6, 1, 8, 8)

    def penalty(n):
        game = GAN(G, D, NonSaturating(), 4, penalties=R1(3.0), penalty_examples=n)
        return game.ascent(real, fake).report["penalty"].item()

    assert penalty(2) == pytest.approx(R1(3.0)(D, real[:2], fake[:2]).item(), rel=1e-5)
    each = [R1(3.0)(D, real[i : i + 1], fake[i : i + 1]).item() for i in range(6)]
    assert penalty(None) == pytest.approx(np.mean(each), rel=1e-5)
    assert penalty(2) == pytest.approx(np.mean(each[:2]), rel=1e-5)
    game = GoGAN(G, D, 4)  # another value of D, the same penalties
    game.penalties, game.penalty_examples = (R1(3.0),), 2
    assert game.ascent(real, fake).report["penalty"].item() == pytest.approx(penalty(2), rel=1e-5)


def test_the_model_chooses_the_defaults_and_words_of_the_command_line_win():
    def parsed(*words):
        p = argparse.ArgumentParser()
        add_switches(p)
        p.add_argument("--model", default="conv")
        p.add_argument("--ema", type=float)
        p.set_defaults(**recipe(words, "conv"))
        return p.parse_args(words)

    own = RECIPES["conv"]
    assert parsed().penalty == ["r1"] and parsed().penalty_weight == own["penalty_weight"]
    assert parsed().penalty_examples == own["penalty_examples"] and parsed().ema == own["ema"]
    assert parsed("--ema", "0.5").ema == 0.5 and parsed("--ema", "0.5").penalty == ["r1"]
    mlp = parsed("--model", "mlp")
    assert (mlp.penalty, mlp.penalty_examples, mlp.ema) == ([], None, RECIPES["mlp"]["ema"])
    other = parsed("--penalty", "gradient")  # with the weight of its paper, at all examples
    assert (other.penalty, other.penalty_weight, other.penalty_examples) == (["gradient"], [], None)
    assert parsed("--penalty").penalty == []
