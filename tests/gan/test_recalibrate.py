"""recalibrate_batch_norm: running statistics that belong to the weights, and what averaged weights
draw without it."""

import numpy as np

import minigan
from minigan import nn
from minigan.arrays import Generator, default_generator
from minigan.autograd import tensor_of
from minigan.gan import GAN, NonSaturating, Trainer, build_networks, recalibrate_batch_norm
from minigan.gan.latents import calibration_inputs
from minigan.optim import EMA, Adam


def network():
    minigan.manual_seed(0)
    return nn.Sequential(
        nn.Linear(3, 5),
        nn.BatchNorm1d(5),
        nn.Dropout(0.5),
        nn.Tanh(),
        nn.Linear(5, 2),
        nn.BatchNorm1d(2, momentum=0.3),
    )


def test_statistics_are_those_of_the_latents():
    """Against NumPy, for both layers, the second of which sees the first in training mode."""
    G = network()
    recalibrate_batch_norm(G, calibration_inputs(3))
    w0, b0, w1, b1 = (
        t.detach().numpy().astype(float) for t in (G[0].weight, G[0].bias, G[4].weight, G[4].bias)
    )
    means, variances = [], []
    for z in Generator(0).normal((64, 64, 3)).astype(float):
        h = z @ w0.T + b0
        y = np.tanh((h - h.mean(0)) / np.sqrt(h.var(0) + 1e-5)) @ w1.T + b1
        (
            means.append(np.concatenate([h.mean(0), y.mean(0)])),
            variances.append(np.concatenate([h.var(0), y.var(0)])),
        )
    for layer, part in ((G[1], slice(0, 5)), (G[5], slice(5, 7))):
        np.testing.assert_allclose(
            layer.running_mean.numpy(), np.mean(means, 0)[part], rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(
            layer.running_var.numpy(), np.mean(variances, 0)[part], rtol=1e-4
        )
        assert layer.num_batches_tracked.item() == 64


def test_a_running_variance_is_that_which_training_divides_by():
    """The mean of the squares of batches of 16, though it is seen with batches of 64; a plane's
    positions count as numbers of the batch."""
    minigan.manual_seed(0)
    G = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Unflatten(1, (1, 2, 2)),
                      nn.Upsample(scale_factor=2), nn.BatchNorm2d(1))  # fmt: skip
    recalibrate_batch_norm(G, calibration_inputs(3, batches=400), 16)
    h = G[0](tensor_of(Generator(0).normal((400 * 64, 3)))).detach().numpy().astype(float)
    divided_by = h.reshape(-1, 16, 4).var(1).mean(0)
    np.testing.assert_allclose(G[1].running_var.numpy(), divided_by, rtol=2e-3)
    # of standardised numbers: 1 - 1 / (16 * 16), less what one batch has of the other's mean
    assert abs(G[4].running_var.item() - (1 - 1 / 256)) < 2e-3


def test_nothing_else_changes():
    G = network()
    G[2].eval()
    before, random = (
        {k: v.numpy().copy() for k, v in G.state_dict().items()},
        default_generator.get_state(),
    )
    recalibrate_batch_norm(G, calibration_inputs(3))
    assert [m.training for m in G] == [True, True, False, True, True, True] and (
        G[1].momentum,
        G[5].momentum,
    ) == (0.1, 0.3)
    assert default_generator.get_state() == random
    for name, value in G.state_dict().items():
        changed = (value.numpy() != before[name]).any()
        assert changed == any(word in name for word in ("running", "tracked")), name
    once = {k: v.numpy().copy() for k, v in G.state_dict().items()}
    # the same latents again, whatever was there before
    recalibrate_batch_norm(G, calibration_inputs(3))
    assert all((v.numpy() == once[k]).all() for k, v in G.state_dict().items())
    recalibrate_batch_norm(nn.Sequential(nn.Linear(3, 2)), calibration_inputs(3))  # nothing to do
    recalibrate_batch_norm(
        nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2, track_running_stats=False)),
        calibration_inputs(3),
    )


def test_averaged_weights_draw_with_full_contrast():
    """A generator whose weights wander: with the statistics of the last weights the averaged ones
    draw pale pictures."""
    minigan.manual_seed(0)
    G, D = build_networks(
        {"model": "dcgan", "latent_dim": 4, "image_shape": [1, 8, 8], "features": 4}
    )
    game = GAN(G, D, NonSaturating(), 4)
    trainer = Trainer(
        game,
        {
            name: Adam(player.parameters(), 2e-2, (0.5, 0.999))
            for name, player in game.players.items()
        },
    )
    ema = EMA(G, 0.99)
    real = tensor_of(np.random.default_rng(0).choice([-1, 1], (16, 1, 8, 8)).astype(np.float32))
    for _ in range(60):
        trainer.play(real)
        ema.update()
    z, plain = minigan.randn(200, 4), {k: v.numpy().copy() for k, v in G.state_dict().items()}

    def contrast():
        return game.sample(z).numpy().std(0).mean()

    with ema.applied():
        pale = contrast()
        game.recalibrate()
        full = contrast()
    assert pale < 0.7 * full and full > 0.5 * contrast()
    assert all((v.numpy() == plain[k]).all() for k, v in G.state_dict().items())
