"""examples/goodfellow_table1.py: the protocol's numbers, simultaneous updates, resuming."""

import math
from pathlib import Path

import fakecuda
import numpy as np
import pytest
from load_script import load_script

import minigan
from minigan import nn
from minigan.data import strokes
from minigan.training import load_checkpoint
from minigan.training.run import round_of

SCRIPT = Path(__file__).parents[2] / "examples" / "goodfellow_table1.py"


@pytest.fixture(scope="module")
def table1():
    return load_script(SCRIPT)


@pytest.fixture(scope="module")
def images():
    return strokes(300, seed=0).images


def test_networks(table1):
    minigan.manual_seed(0)
    mean = np.linspace(0, 1, 784)
    G, D = table1.networks(mean)
    sizes = [tuple(p.shape) for p in [*G.parameters(), *D.parameters()] if p.ndim == 2]
    assert sizes == [(1200, 100), (1200, 1200), (784, 1200), (1200, 784), (1200, 240), (1, 240)]
    for network, width in ((G, 0.05), (D, 0.005)):
        for p in network.parameters():
            if p.ndim == 2:
                assert (
                    0.95 * width < abs(p.array).max() <= width
                    and abs(p.array.std() / width - 1 / math.sqrt(3)) < 0.05
                )
    biases = [p.array for p in [*G.parameters(), *D.parameters()] if p.ndim == 1]
    assert all((b == 0).all() for i, b in enumerate(biases) if i != 2)
    assert np.allclose(1 / (1 + np.exp(-biases[2].astype(float))), mean, atol=1e-6)
    assert [m.p for m in D.modules() if isinstance(m, minigan.nn.Dropout)] == [0.2, 0.5, 0.5]


def test_schedules(table1):
    assert table1.learning_rate(0) == 0.1 and math.isclose(
        table1.learning_rate(250_000), 0.1 / 1.000004**250_000
    )
    assert table1.learning_rate(10**7) == 1e-6
    assert [table1.momentum(e) for e in (1, 250, 400)] == [0.5, 0.7, 0.7] and math.isclose(
        table1.momentum(125.5), 0.6
    )


def test_latents(table1):
    game = table1.Simultaneous(*table1.networks(np.full(784, 0.5)))
    z = game.latents(500, "cpu").numpy()
    assert (
        z.shape == (500, 100)
        and abs(z).max() < math.sqrt(3)
        and abs(z.mean()) < 0.02
        and abs(z.var() - 1) < 0.02
    )


def test_both_gradients_are_taken_at_one_point_with_one_dropout_mask(table1, images, tmp_path):
    """One update by hand from the same random numbers: velocities 0, so p +- lr gradient."""
    e = table1.Experiment(images, images[:50], tmp_path)
    (real,), state = next(e.batches.epoch(0)), minigan.get_rng_state()
    before = {
        n: [p.array.copy() for p in player.parameters()] for n, player in e.game.players.items()
    }
    e.trainer.play(real)
    after = {
        n: [p.array.copy() for p in player.parameters()] for n, player in e.game.players.items()
    }

    for name, player in e.game.players.items():
        for p, value in zip(player.parameters(), before[name]):
            p.data = minigan.tensor(value)
    minigan.set_rng_state(state)
    G, D = e.game.G, e.game.D
    fake = G((minigan.rand(100, 100) * 2 - 1) * math.sqrt(3))
    both = D(minigan.cat([(real.reshape(100, 784) + 1) / 2, fake]))
    on_real, on_fake = both[:100], both[100:]
    chance = on_real.sigmoid(), on_fake.sigmoid()
    value = 0.5 * (chance[0].log().mean() + (1 - chance[1]).log().mean())
    for name, goal in (("D", value), ("G", chance[1].log().mean())):
        gradients = minigan.grad(goal, list(e.game.players[name].parameters()), retain_graph=True)
        for old, new, g in zip(before[name], after[name], gradients):
            assert np.allclose(new - old, 0.1 * g.numpy(), atol=1e-7 + 1e-4 * abs(new - old).max())
            assert abs(new - old).max() > 0


@pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))
@pytest.mark.skipif(not hasattr(minigan, "fast"), reason="graphs are the fast path's")
def test_a_step_on_cuda_is_one_launch(table1, images, tmp_path, monkeypatch, capsys):
    """Rates and the momentum change from step to step, and no capture is made anew for it; values
    are those without a graph."""

    def networks(mean):
        G = nn.Sequential(nn.Linear(100, 5), nn.ReLU(), nn.Linear(5, 784), nn.Sigmoid())
        return G, nn.Sequential(
            nn.Dropout(0.2), nn.Maxout(784, 4, 2), nn.Dropout(0.5), nn.Linear(4, 1)
        )

    monkeypatch.setattr(table1, "networks", networks)
    monkeypatch.setattr(table1, "BATCH", 10)
    rows = []
    for captured in (True, False):
        with fakecuda.with_kernels():
            e = table1.Experiment(images[:30], images[:60], tmp_path / str(captured), device="cuda")
            if not captured:
                e.play = round_of(e.trainer, e.batches, graph=False)
            rows.append([e.run_epoch() for _ in range(2)])
            if captured:
                assert e.play.graph.launches == 6 and not capsys.readouterr().out
    assert rows[0] == rows[1]


def test_a_resumed_run_ends_in_the_same_bits(table1, images, tmp_path):
    whole = table1.Experiment(images, images[:60], tmp_path / "whole")
    for _ in range(2):
        row = whole.look(*whole.run_epoch(), samples=120)
    half = table1.Experiment(images, images[:60], tmp_path / "half")
    half.look(*half.run_epoch(), samples=120)
    half = table1.Experiment(images, images[:60], tmp_path / "half", resume=True)
    assert {**half.look(*half.run_epoch(), samples=120), "seconds": 0} == {**row, "seconds": 0}
    one, two = (load_checkpoint(tmp_path / name / "last.safetensors") for name in ("whole", "half"))
    for player in "DG":
        for key, value in one["trainer"]["players"][player].items():
            assert (value == two["trainer"]["players"][player][key]).all()
    with pytest.raises(ValueError, match="seed 0"):
        table1.Experiment(images, images[:60], tmp_path / "half", seed=1, resume=True)
    result = half.report(images, images[200:], samples=150, draws=2)
    best = max(half.rows, key=lambda r: r["validation"])
    assert (
        result["epoch"] == best["epoch"]
        and len(result["test"]) == 2
        and (tmp_path / "half" / "samples.png").exists()
    )
    assert result["training_images_as_samples"][0]["value"] > result["test"][0]["value"]
    table1.show(result)
