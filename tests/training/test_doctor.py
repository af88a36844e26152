"""Each disease in a run that is made to have it, and silence on healthy ones."""

import json
import os

import numpy as np
import pytest

import minigan
from minigan import nn, optim
from minigan.arrays import default_generator
from minigan.data import load_dataset, strokes
from minigan.data.batches import Batches
from minigan.gan import GAN, Ascend, Descend, Game, Minimax, NonSaturating, Trainer, build_networks
from minigan.metrics import describe, load_classifier
from minigan.training import Doctor, Metrics, Run
from minigan.training.callbacks import doctor as doctors
from minigan.training.callbacks.doctor import DISEASES, Look, at_start, mean_distance, spread

DATA = strokes(600)


def small(hidden=nn.LeakyReLU, z=8):
    """A generator and a discriminator that are quick."""
    minigan.manual_seed(0)
    G = nn.Sequential(
        nn.Linear(z, 32), hidden(), nn.Linear(32, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))
    )
    D = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    return G, D


def diagnose(
    folder, game, optimizers, steps=200, every=10, batch_size=16, warm_up=0, classify=None
):
    doctor = Doctor(every, warm_up, classify)
    batches = Batches(DATA.images, batch_size)
    run = Run(
        Trainer(game, optimizers),
        batches,
        folder,
        {},
        epochs=10**6,
        max_steps=steps,
        callbacks=[doctor, Metrics(10**6)],
    )
    run.train()
    return doctor, [
        json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()
    ]


def adam(game, **rates):
    return {
        name: optim.Adam(player.parameters(), rates[name], (0.5, 0.999))
        for name, player in game.players.items()
    }


def test_a_saturated_discriminator(tmp_path, capsys):
    G, D = small()
    game = GAN(G, D, Minimax(), 8)
    doctor, rows = diagnose(tmp_path / "r", game, adam(game, D=1e-2, G=1e-5))
    assert "d_saturated" in doctor.findings and "learning_rates_apart" in doctor.findings
    assert any("d_saturated" in row.get("doctor", []) for row in rows)
    said = capsys.readouterr().out
    # when found, and in the summary
    assert said.count("--objective nonsaturating") == 2 and "doctor: d_saturated (steps" in said


def test_a_discriminator_that_always_wins(tmp_path):
    G, D = small()
    game = GAN(G, D, NonSaturating(), 8)
    doctor, _ = diagnose(tmp_path / "r", game, adam(game, D=1e-2, G=1e-4))
    # its gradient is strong: that is what it is for
    assert "d_wins" in doctor.findings and "d_saturated" not in doctor.findings


def test_a_collapsed_generator(tmp_path):
    """Against a discriminator that never learns, the best answer is always the same picture."""
    G, D = small()
    game = GAN(G, D, NonSaturating(), 8)
    doctor, _ = diagnose(tmp_path / "r", game, adam(game, D=1e-9, G=1e-2))
    assert "g_collapsed" in doctor.findings
    assert doctor.looks[-1].variety < 0.35


def test_a_generator_that_forgets_classes(tmp_path):
    """Samples that differ, but from some step on are of one class only; here told by a "classifier"
    that knows the step."""
    asked = []

    def classify(images):
        asked.append(len(images))
        return np.arange(len(images)) % (10 if len(asked) < 12 else 4)

    G, D = small()
    game = GAN(G, D, NonSaturating(), 8)
    doctor, _ = diagnose(tmp_path / "r", game, adam(game, D=1e-4, G=1e-4), classify=classify)
    assert doctor.findings["g_collapsed"] == [130, 200] and doctor.looks[-1].variety > 0.35


def test_few_classes_in_the_beginning_are_no_disease():
    def shown(classes, first):
        looks = [Look(first + 100 * i, {}, classes=c) for i, c in enumerate(classes)]
        return next(d for d in DISEASES if d.name == "g_collapsed").shows(looks)

    assert not shown([0.1, 0.1, 0.2, 0.5, 0.2, 0.2, 0.2], 600) and shown([0.1, 0.2, 0.1], 6000)
    assert shown([0.8, 0.4, 0.4, 0.3], 1000) and not shown([0.8, 0.4, 0.6, 0.3], 1000)


class Circles(Game):
    """A linear critic and a generator that only shifts its noise: gradient steps circle around the
    equilibrium for ever (Mescheder et al. 2018, "Which training methods for GANs do actually
    converge?", the Dirac GAN)."""

    latent_dim = 784

    def __init__(self):
        self.shift, self.critic = nn.Module(), nn.Module()
        self.shift.at = nn.Parameter(minigan.zeros(784))
        self.critic.direction = nn.Parameter(minigan.zeros(784))
        self.players = {"D": self.critic, "G": self.shift}

    def moves(self, real):
        x, y = real.flatten(1).mean(0), self.shift.at
        yield (
            Ascend("D", (self.critic.direction * (x - y.detach())).sum()),
            Descend("G", -(self.critic.direction.detach() * y).sum()),
        )

    def sample(self, latents):
        with minigan.no_grad():
            return (self.shift.at + 0.5 * latents).reshape(-1, 1, 28, 28)


def test_players_that_go_round_in_circles(tmp_path):
    game = Circles()
    optimizers = {
        name: optim.SGD(player.parameters(), 0.1) for name, player in game.players.items()
    }
    doctor, _ = diagnose(tmp_path / "r", game, optimizers, steps=400)
    assert "oscillation" in doctor.findings and "g_collapsed" not in doctor.findings


class Steep(Circles):
    """Its generator descends a hill that gets steeper."""

    def moves(self, real):
        yield Descend("G", -(self.shift.at - 0.01).pow(2).sum())


def test_a_gradient_that_explodes(tmp_path):
    game = Steep()
    optimizers = {
        name: optim.SGD(player.parameters(), 1.0) for name, player in game.players.items()
    }
    doctor, _ = diagnose(tmp_path / "r", game, optimizers, steps=14, every=1)
    assert "gradient_explosion" in doctor.findings


def test_activations_that_are_dead(tmp_path):
    G, D = small(nn.ReLU)
    with minigan.no_grad():
        G[0].bias[:20].fill_(-100)
    game = GAN(G, D, NonSaturating(), 8)
    doctor, _ = diagnose(tmp_path / "r", game, adam(game, D=2e-4, G=2e-4), steps=60)
    assert "dead_activations" in doctor.findings and doctor.looks[-1].dead["G.1"] == 20 / 32


def test_what_shows_before_the_first_step(tmp_path, capsys):
    G = nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1), nn.Tanh()
    )
    D = nn.Sequential(nn.Flatten(), nn.Linear(784, 1))
    game = GAN(G, D, NonSaturating(), 784)
    doctor, _ = diagnose(tmp_path / "r", game, adam(game, D=1e-4, G=2e-3), steps=3, batch_size=1)
    assert set(doctor.findings) == {"batch_norm_of_one", "learning_rates_apart"}
    said = capsys.readouterr().out
    assert "0.0001 for D, 0.002 for G" in said and "InstanceNorm" in said


def test_synchronised_statistics_are_not_of_one_example(monkeypatch):
    """Of several processes, where each may have a single one."""
    players = {"G": nn.Sequential(nn.Linear(2, 2), nn.SyncBatchNorm(2))}
    optimizers = {"G": optim.SGD(players["G"].parameters(), 0.1)}
    assert [d.name for d in at_start(players, optimizers, 1)] == ["batch_norm_of_one"]
    monkeypatch.setattr(doctors.group, "processes", lambda: 2)
    assert at_start(players, optimizers, 1) == []


def test_a_run_with_a_doctor_is_the_run_without_one(tmp_path):
    states = []
    for callbacks in ([Doctor(3, 0)], []):
        G, D = small()
        game = GAN(G, D, NonSaturating(), 8)
        run = Run(Trainer(game, adam(game, D=1e-3, G=1e-3)), Batches(DATA.images, 16),
            tmp_path / str(len(callbacks)), {}, epochs=1,
                  max_steps=20, callbacks=callbacks)  # fmt: skip
        run.train()
        states.append(
            (
                default_generator.get_state(),
                [p.detach().numpy().copy() for p in (*G.parameters(), *D.parameters())],
            )
        )
    assert states[0][0] == states[1][0] and all(
        (a == b).all() for a, b in zip(states[0][1], states[1][1])
    )


def test_its_memory_is_part_of_the_state(tmp_path):
    G, D = small()
    game = GAN(G, D, NonSaturating(), 8)
    doctor, _ = diagnose(tmp_path / "r", game, adam(game, D=1e-9, G=1e-2))
    other = Doctor()
    other.load_state_dict(json.loads(json.dumps(doctor.state_dict() | {"places": []})))
    assert other.looks == doctor.looks and other.findings == doctor.findings


def test_the_measures():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    assert mean_distance(points) == pytest.approx(10 / 3)
    assert spread(np.array([[-1.0], [1.0]])) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("model, steps", [("mlp", 3000), ("dcgan", 1500)])
def test_silence_on_healthy_runs(tmp_path, model, steps, seed):
    if not os.environ.get("MINIGAN_DATA"):
        pytest.skip("needs MNIST: set MINIGAN_DATA")
    minigan.manual_seed(seed)
    config = {"model": model, "latent_dim": 100, "image_shape": [1, 28, 28]}
    G, D = build_networks(config)
    game = GAN(G, D, NonSaturating(), 100)
    classifier = load_classifier()
    doctor = Doctor(classify=lambda images: describe(images, classifier).digits)
    run = Run(Trainer(game, adam(game, D=2e-4, G=2e-4)),
        Batches(load_dataset("mnist").images, 64, seed), tmp_path / "r", config,
              epochs=99, max_steps=steps, callbacks=[doctor])  # fmt: skip
    run.train()
    print([(k.step, k.variety, k.classes, k.moved) for k in doctor.looks])
    assert doctor.findings == {} and len(doctor.looks) >= 15


# --- short runs ---


def sunk(folder, objective, **options):
    """The report of a user: D(x) = 1, D(G(z)) = 0 and both losses 0, in a run of 400 steps with the
    doctor's usual settings."""
    G, D = small()
    with minigan.no_grad():
        D[1].weight.mul_(50)
    game = GAN(G, D, objective(), 8)
    return diagnose(
        folder,
        game,
        adam(game, D=5e-2, G=1e-6),
        **{"steps": 400, "every": 100, "warm_up": 500} | options,
    )


def test_saturation_is_told_at_once(tmp_path, capsys):
    doctor, rows = sunk(tmp_path / "r", Minimax)
    assert (
        doctor.looks[-1].d_real > 0.999
        and doctor.looks[-1].d_fake < 1e-3
        and abs(rows[-1]["d_value"]) < 1e-3
    )
    assert doctor.findings["d_saturated"][0] == 40  # the first of ten looks
    said = capsys.readouterr().out
    assert "nothing found" not in said and "400 steps are too few to judge" in said


def test_saturation_is_told_in_a_run_of_thirty_steps(tmp_path, capsys):
    doctor, _ = sunk(tmp_path / "r", Minimax, steps=30)
    assert "d_saturated" in doctor.findings and "30 steps are too few" in capsys.readouterr().out


def test_a_d_that_is_sure_beyond_doubt_is_told_early_also_where_g_has_a_gradient(tmp_path):
    doctor, _ = sunk(tmp_path / "r", NonSaturating)
    assert "d_wins" in doctor.findings and "d_saturated" not in doctor.findings


def test_a_healthy_short_run_is_too_short_to_judge(tmp_path, capsys):
    G, D = small()
    game = GAN(G, D, NonSaturating(), 8)
    doctor, _ = diagnose(
        tmp_path / "r", game, adam(game, D=1e-4, G=1e-4), steps=400, every=100, warm_up=500
    )
    said = capsys.readouterr().out
    assert (
        doctor.findings == {}
        and "400 steps are too few to judge" in said
        and "nothing found" not in said
    )


def test_a_sure_d_in_the_beginning_is_no_disease():
    """What healthy convolutional runs show in their first steps."""
    looks = [Look(40 * i, {"D": 0.1, "G": 1.0}, d_real=0.9995, d_fake=5e-4) for i in range(1, 5)]
    assert not [d.name for d in DISEASES if d.at_once(looks)]
    vanished = [Look(40, {"D": 0.0, "G": 1e-9}, d_real=1.0, d_fake=0.0)]
    assert [d.name for d in DISEASES if d.at_once(vanished)] == ["d_saturated"]


class Alone(GAN):
    """G's turn has not come."""

    def moves(self, real):
        yield next(super().moves(real))


def test_a_generator_that_does_not_move_yet_is_not_judged(tmp_path):
    G, D = small()
    with minigan.no_grad():
        G[0].weight.zero_()  # its samples are alike
    doctor, _ = diagnose(tmp_path / "r", Alone(G, D, NonSaturating(), 8), adam(
        GAN(G, D, NonSaturating(), 8), D=1e-4, G=1e-4))  # fmt: skip
    assert not doctor.findings
