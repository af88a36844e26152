"""The switches on command lines: each reaches the part that it names."""

import argparse

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.gan import (
    CONSTRAINTS,
    OBJECTIVES,
    PENALTIES,
    DiffAugment,
    FeatureMatching,
    HistoricalAveraging,
    InstanceNoise,
    Pack,
    SpectralNorm,
    WeightClip,
)
from minigan.optim import SGD, Adam, RMSprop
from minigan.systems import system
from minigan.training.options import build_players, build_trainer, packed_shape
from minigan.training.switches import add_switches, chosen


def config_of(words="", model="mlp", size=8):
    parser = argparse.ArgumentParser()
    add_switches(parser)
    options = parser.parse_args(words.split())
    assert chosen(options) == vars(options)
    more = {
        "model": model,
        "latent_dim": 3,
        "image_shape": [1, size, size],
        "features": 4 if model == "dcgan" else None,
    }
    return chosen(options) | more | {"batch_size": 8, "lr": 1e-3, "b1": 0.5}


def played(words="", model="mlp", steps=2):
    """The trainer after some steps on random images."""
    minigan.manual_seed(0)
    config = config_of(words, model)
    G, D = build_players(config)
    trainer = build_trainer(G, D, config)
    for _ in range(steps):
        moves = trainer.play(minigan.rand(8, 1, 8, 8) * 2 - 1)
    assert all(np.isfinite(v) for v in trainer.game.measure(moves).values())
    return trainer


@pytest.mark.parametrize("model", ["dcgan", "conv"])
def test_d_may_have_another_width(model):
    config = {"features": 4} | {"model": model}
    for words, channels in (("", 4), ("--d-features 3", 3)):
        G, D = build_players(config_of(words, model) | config)
        assert D[0].out_channels == channels
        assert next(m for m in reversed(G) if isinstance(m, nn.ConvTranspose2d)).in_channels == 4
    _, D = build_players(config_of("", "conv") | {"features": None})
    assert D[0].out_channels == 16
    with pytest.raises(ValueError, match="--d-features.*mlp has no channels"):
        build_players(config_of("--d-features 3"))


def test_a_run_from_before_there_was_a_width_of_d():
    kind = system("gan")
    assert kind.complete({"model": "conv", "features": 32})["d_features"] == 16
    assert kind.complete({"model": "conv"})["d_features"] == 8
    assert kind.complete({"model": "conv", "d_features": None})["d_features"] is None
    assert kind.complete({"model": "dcgan"})["d_features"] is None


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_can_be_chosen(name):
    assert type(played(f"--objective {name}").game.objective) is type(OBJECTIVES[name]())


@pytest.mark.parametrize("name", PENALTIES)
def test_every_penalty_can_be_chosen(name):
    (penalty,) = played(f"--penalty {name} --penalty-weight 0.5").game.penalties
    assert type(penalty) is PENALTIES[name] and penalty.weight == 0.5
    (penalty,) = played(f"--penalty {name} --d-norm none", "dcgan").game.penalties
    assert penalty.weight == PENALTIES[name]().weight


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_every_constraint_can_be_chosen(name):
    trainer = played(f"--constraint {name} --clip 0.02", "dcgan")
    (constraint,) = trainer.constraints["D"]
    assert type(constraint) is CONSTRAINTS[name]
    if isinstance(constraint, WeightClip):
        assert max(
            abs(p.detach().numpy()).max() for p in trainer.game.D.parameters()
        ) <= np.float32(0.02)
    else:
        assert isinstance(constraint, SpectralNorm) and any(
            n.endswith("weight_orig") for n, _ in trainer.game.D.named_parameters()
        )


def test_switches_reach_the_game():
    game = played("--objective alpha --alpha 2 --f-heuristic --historical-averaging 0.1 --k 2").game
    assert game.objective.alpha == 2 and game.objective.nonsaturating and game.k == 2
    assert [type(p) for p in (*game.penalties, *game.g_penalties)] == [
        HistoricalAveraging
    ] * 2 and game.penalties[0].steps == 5
    game = played("--real-label 0.8,1 --simultaneous --feature-matching").game
    assert (
        (game.objective.low, game.objective.high) == (0.8, 1)
        and game.simultaneous
        and isinstance(game, FeatureMatching)
    )
    assert played("--real-label 0.9").game.objective.low == 0.9
    game = played(
        "--augment cutout,color --instance-noise 0.2 --noise-steps 9 --pack 2", "dcgan"
    ).game
    assert [type(v) for v in game.views] == [DiffAugment, InstanceNoise, Pack] and game.views[
        1
    ].steps == 9
    assert game.D[0].in_channels == 2 and packed_shape(config_of("--pack 2")) == (2, 8, 8)


def test_switches_reach_the_layers_of_d():
    D = played("--minibatch-discrimination").game.D
    assert (
        isinstance(D[-2], nn.MinibatchDiscrimination)
        and D[-1].in_features == 256 + 50
        and not D.per_example
    )
    for kind, layer in (("layer", nn.GroupNorm), ("none", nn.Identity), ("batch", nn.BatchNorm2d)):
        config = config_of(f"--d-norm {kind}", "dcgan", 16)
        D = build_players(config)[1]
        assert any(isinstance(m, layer) for m in D) and any(
            isinstance(m, nn.BatchNorm2d) for m in D
        ) == (kind == "batch")


def test_switches_reach_the_optimizers():
    trainer = played("--optimizer rmsprop --d-lr 0.004")
    assert all(isinstance(o, RMSprop) for o in trainer.optimizers.values())
    assert {n: o.param_groups[0]["lr"] for n, o in trainer.optimizers.items()} == {
        "D": 0.004,
        "G": 1e-3,
    }
    assert isinstance(played("--optimizer sgd").optimizers["G"], SGD) and isinstance(
        played().optimizers["G"], Adam
    )


@pytest.mark.parametrize(
    ("words", "match"),
    [("--pack 3", "--pack 3"), ("--objective lsgan --real-label 0.9", "--real-label"),
        ("--f-heuristic", "--f-heuristic"),
     ("--penalty r1 --penalty-weight 1 2", "--penalty-weight"), ("--augment blur", "blur"),
     ("--k 2 --simultaneous", "simultaneous"),
     ("--real-label 1.5", "real_label")],
)  # fmt: skip
def test_what_does_not_fit_together_is_a_clear_error(words, match):
    with pytest.raises(ValueError, match=match):
        played(words)


def test_a_gradient_penalty_with_batch_normalisation_is_refused_before_the_run():
    config = config_of("--penalty gradient", "dcgan", 16)
    with pytest.raises(ValueError, match="--d-norm layer"):
        build_trainer(*build_players(config), config)
