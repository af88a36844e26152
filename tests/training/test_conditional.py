"""A game with labels, from a script through a run: what is trained, drawn, kept, resumed and looked
at; on the CPU and on CUDA."""

import pathlib

import fakecuda
import numpy as np
import pytest
from load_script import load_script
from PIL import Image

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.data import DATASETS, ImageSet, load_dataset, strokes
from minigan.data.batches import Batches
from minigan.gan import (
    CGAN,
    GAMES,
    Given,
    GradientPenalty,
    Joined,
    NonSaturating,
    Pack,
    Trainer,
    Wasserstein,
    scores,
)
from minigan.ops import cat
from minigan.optim import SGD
from minigan.training import generate, inputs_of, load_checkpoint, load_generator, walk
from minigan.training.plane import Players

ROOT = pathlib.Path(__file__).parents[2]
BRIEF = "--dataset strokes --conditional --batch-size 20 --sample-interval 6 --quiet".split()


def main(*arguments):
    """examples/mnist_gan.py, in this process."""
    module = load_script(ROOT / "examples" / "mnist_gan.py")
    assert module.main([*BRIEF, *map(str, arguments)]) == 0


def arrays(folder, step):
    state = load_checkpoint(folder / "checkpoints" / f"{step:08d}.safetensors")["trainer"]
    return {
        (who, name): np.asarray(v) for who, s in state["players"].items() for name, v in s.items()
    }


def equal(a, b):
    assert a.keys() == b.keys() and len(a) > 10
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name], err_msg=str(name))


@pytest.mark.parametrize("more", [(), ("--model", "dcgan", "--features", 4)], ids=["conv", "dcgan"])
def test_a_run_draws_a_row_for_each_class_and_resumes_bit_for_bit(tmp_path, capsys, more):
    more = (*more, "--device", "cpu", "--no-doctor")
    main(*more, "--max-steps", 8, "--out", tmp_path / "whole")
    main(*more, "--max-steps", 5, "--out", tmp_path / "parts")
    main(*more, "--max-steps", 8, "--out", tmp_path / "parts", "--resume")
    main(*more, "--max-steps", 8, "--out", tmp_path / "plain", "--no-graph")
    equal(arrays(tmp_path / "whole", 8), arrays(tmp_path / "parts", 8))
    equal(arrays(tmp_path / "whole", 8), arrays(tmp_path / "plain", 8))  # replayed or not
    width, height = Image.open(tmp_path / "whole" / "samples" / "0000008.png").size
    assert height / width == pytest.approx(10 / 8, abs=0.03)
    G, config = load_generator(tmp_path / "whole")
    latents, labels = inputs_of(config, 20)
    assert config["classes"] == 10 and labels.tolist() == [i // 2 for i in range(20)]
    ones = generate(G, latents, np.ones(20, int))
    # G sees its labels
    assert ones.shape == (20, 1, 28, 28) and not np.allclose(ones, generate(G, latents, labels))
    assert walk.main([str(tmp_path / "whole"), "--rows", "3", "--steps", "4"]) == 0
    assert "rounds are repeated as one function" in capsys.readouterr().out


@pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))
def test_on_cuda_a_round_with_labels_is_one_launch(tmp_path, capsys):
    """The weights of a run by graphs are those of one without, and of one that was resumed."""
    with fakecuda.with_kernels():
        cuda = ("--device", "cuda", "--batch-size", 4, "--no-doctor")
        main(*cuda, "--max-steps", 4, "--out", tmp_path / "whole")
        assert "without a CUDA graph" not in capsys.readouterr().out
        main(*cuda, "--max-steps", 4, "--out", tmp_path / "plain", "--no-graph")
        main(*cuda, "--max-steps", 2, "--out", tmp_path / "parts")
        main(*cuda, "--max-steps", 4, "--out", tmp_path / "parts", "--resume")
    equal(arrays(tmp_path / "whole", 4), arrays(tmp_path / "plain", 4))
    equal(arrays(tmp_path / "whole", 4), arrays(tmp_path / "parts", 4))


# --- the game itself ---


def test_labels_stay_with_their_images():
    """Image i is all of the grey of its label: so they are in every batch, and each example comes
    once an epoch."""
    labels = np.arange(12, dtype=np.uint8) % 4
    data = ImageSet(np.repeat(labels * 60, 4).reshape(12, 1, 2, 2), labels, "greys", "here")
    batches = Batches(data, 5, 1, columns=("images", "labels"))
    seen = list(batches.epoch(0))
    assert len(seen) == 2
    for images, given in seen:
        assert given.dtype == np.int64 and images.shape == (5, 1, 2, 2)
        np.testing.assert_allclose(
            (images.numpy()[:, 0, 0, 0] + 1) * 127.5, given.numpy() * 60, atol=1e-3
        )
    assert len(next(Batches(data, 5).epoch(0))) == 1
    with pytest.raises(ValueError, match="no labels"):
        Batches(data.images, 5, columns=("images", "labels"))


def test_joined_against_numpy():
    labels, maps = (
        tensor_of(np.array([2, 0])),
        np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32),
    )
    one_hot = np.eye(3, dtype=np.float32)[[2, 0]]
    seen = Joined(nn.Identity(), 3)(tensor_of(maps), labels).numpy()
    np.testing.assert_array_equal(
        seen, np.concatenate([maps, np.broadcast_to(one_hot[:, :, None, None], (2, 3, 4, 4))], 1)
    )
    vectors = maps[:, :, 0, 0]
    seen = Joined(nn.Identity(), 3)(tensor_of(vectors), labels).numpy()
    np.testing.assert_array_equal(seen, np.concatenate([vectors, one_hot], 1))
    flat = Joined(nn.Identity(), 3, flat=True)(tensor_of(maps), labels).numpy()
    np.testing.assert_array_equal(flat, np.concatenate([maps.reshape(2, -1), one_hot], 1))


def test_a_bound_critic_is_a_critic():
    minigan.manual_seed(0)
    D = Joined(nn.Linear(5, 1), 3)
    x = minigan.randn(4, 2)
    fake = minigan.randn(4, 2)
    labels = tensor_of(np.array([0, 1, 2, 1]))
    with minigan.no_grad():
        on_real, on_fake = scores(Given(D, labels), x, fake)  # in one pass
        np.testing.assert_allclose(on_real.numpy(), D(x, labels).numpy(), atol=1e-6)
        np.testing.assert_allclose(on_fake.numpy(), D(fake, labels).numpy(), atol=1e-6)
    w = D.network.weight.detach().numpy()[0, :2]  # of a linear D the slope is its weight
    assert GradientPenalty(10.0)(Given(D, labels), x, fake).item() == pytest.approx(
        10 * (np.linalg.norm(w) - 1) ** 2, rel=1e-4
    )
    with minigan.no_grad():  # a penalty may look at the first examples alone
        np.testing.assert_array_equal(Given(D, labels)(x[:3]).numpy(), D(x[:3], labels[:3]).numpy())
    with pytest.raises(ValueError, match="6 examples for 4 conditions"):
        Given(D, labels)(cat([x, x[:2]]))
    with pytest.raises(ValueError, match="Pack"):
        CGAN(D, D, NonSaturating(), 2, classes=3, views=Pack(2))


def test_it_learns_which_class_lies_where():
    """Classes at -1 and 1 on a line: after some rounds G(z, 0) is left of G(z, 1)."""
    minigan.manual_seed(0)
    G = Joined(nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1)), 2)
    D = Joined(nn.Sequential(nn.Linear(3, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)), 2)
    game = CGAN(G, D, Wasserstein(), 1, 2, penalties=GradientPenalty(1.0), classes=2)
    trainer = Trainer(game, {"G": SGD(G.parameters(), 0.05), "D": SGD(D.parameters(), 0.05)})
    for _ in range(400):
        labels = minigan.randint(0, 2, (32,))
        trainer.play(((labels * 2 - 1).float() + minigan.randn(32) * 0.1)[:, None], labels)
    latents, labels = game.inputs(200, minigan.Generator(0))
    made = game.sample(latents, labels).numpy()[:, 0]
    assert abs(made[:100].mean() + 1) < 0.4 and abs(made[100:].mean() - 1) < 0.4


def test_the_doctor_sees_d_with_its_labels(tmp_path):
    """A unit of D that is dead for every picture and label is found."""
    from minigan.training import Doctor, Run

    minigan.manual_seed(0)
    G = Joined(
        nn.Sequential(
            nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 784), nn.Unflatten(1, (1, 28, 28))
        ),
        3,
    )
    D = Joined(
        nn.Sequential(nn.Linear(787, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)),
        3,
        flat=True,
    )
    with minigan.no_grad():
        D.network[0].bias[:6] = -1e3
        D.network[0].bias[6:] = 1e2
    drawn = strokes(60)
    data = ImageSet(drawn.images, drawn.labels % 3, "three", "here")
    game = CGAN(G, D, NonSaturating(), 3, classes=3)
    trainer = Trainer(game, {"G": SGD(G.parameters(), 1e-3), "D": SGD(D.parameters(), 1e-3)})
    doctor = Doctor(every=1, warm_up=0)
    Run(
        trainer,
        Batches(data, 20, columns=game.columns),
        tmp_path / "r",
        {},
        epochs=2,
        callbacks=[doctor],
    ).train()
    assert doctor.looks[-1].dead == {"D.network.1": 0.75} and "dead_activations" in doctor.findings


def test_the_doctor_looks_at_a_game_without_g(tmp_path):
    """A game whose samples come from elsewhere says how; samples, metrics, doctor and checkpoints
    work with it."""
    from minigan.gan import Ascend, Game
    from minigan.training import Run, usual

    class Templates(Game):
        """One learned picture for each label; no latents, no networks, no D."""

        columns, grid = ("images", "labels"), (10, 2)

        def __init__(self):
            self.table = nn.Embedding(10, 28 * 28)
            self.players = {"table": self.table}

        def moves(self, images, labels):
            far = self.table(labels) - images.flatten(1)
            yield Ascend("table", -(far * far).mean())

        def inputs(self, n, generator, device="cpu"):
            return (tensor_of(np.arange(n) * 10 // n),)

        def sample(self, labels):
            with minigan.no_grad():
                return self.table(labels).reshape(-1, 1, 28, 28)

    data = strokes(200)
    minigan.manual_seed(0)
    game = Templates()
    batches = Batches(data, 50, columns=game.columns)
    trainer = Trainer(game, {"table": SGD(game.table.parameters(), 100.0)})
    Run(
        trainer,
        batches,
        tmp_path / "r",
        {},
        epochs=30,
        callbacks=usual(game.table, sample_interval=60, quiet=True),
    ).train()
    mean = np.stack([data.images[data.labels == k].mean(0) for k in range(10)]) / 127.5 - 1
    made = game.sample(*game.inputs(10, None)).numpy()
    nearest = ((made[:, None] - mean[None]) ** 2).sum((2, 3, 4)).argmin(1)
    assert nearest.tolist() == list(range(10))
    assert (tmp_path / "r" / "samples" / "0000120.png").exists()
    saved, _ = load_generator(
        tmp_path / "r",
        averaged=False,
        build=lambda config: nn.Embedding(10, 28 * 28),
        player="table",
    )
    np.testing.assert_array_equal(generate(saved, np.arange(10)), made.reshape(10, -1))
    averaged, _ = load_generator(
        tmp_path / "r", build=lambda config: nn.Embedding(10, 28 * 28), player="table"
    )
    assert not np.array_equal(averaged.weight.detach().numpy(), saved.weight.detach().numpy())


# --- folders ---


def test_a_folder_of_pictures_with_classes_below_it(tmp_path, monkeypatch):
    """`--dataset PATH`: two kinds of colours in two subfolders; an unconditional run takes them,
    too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for k, name in enumerate(("dark", "light")):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(12):
            Image.new("RGB", (20, 16), (100 * k + i, 50, 200 * k)).save(
                tmp_path / "pictures" / name / f"{i}.png"
            )
    common = (
        "--dataset",
        tmp_path / "pictures",
        "--size",
        8,
        "--batch-size",
        8,
        "--max-steps",
        2,
        "--device",
        "cpu",
        "--quiet",
    )
    main(*common, "--out", tmp_path / "conditional")
    G, config = load_generator(tmp_path / "conditional")
    assert (
        config["classes"] == 2
        and config["image_shape"] == [3, 8, 8]
        and config["dataset"] == "pictures"
    )
    assert generate(G, *inputs_of(config, 4)).shape == (4, 3, 8, 8)
    data = load_dataset(tmp_path / "pictures", size=8)
    assert data.labels.tolist() == [0] * 12 + [1] * 12
    with pytest.raises(ValueError, match="no data set .*'nowhere'.*mnist"):
        load_dataset("nowhere")


def test_conditions_need_classes(tmp_path, capsys):
    (tmp_path / "flat").mkdir()
    for i in range(4):
        Image.new("L", (8, 8), 60 * i).save(tmp_path / "flat" / f"{i}.png")
    module = load_script(ROOT / "examples" / "mnist_gan.py")
    assert (
        module.main(
            [
                "--conditional",
                "--dataset",
                str(tmp_path / "flat"),
                "--out",
                str(tmp_path / "r"),
                "--device",
                "cpu",
            ]
        )
        == 2
    )
    assert "a subfolder for each class" in capsys.readouterr().err


def test_one_entry_adds_a_data_set_and_a_game(monkeypatch, tmp_path):
    monkeypatch.setitem(
        DATASETS, "squares", lambda split, data_dir, on_notice: strokes(40, seed=split == "test")
    )
    assert len(load_dataset("squares")) == 40

    class Twice(CGAN):
        """Nothing but another name."""

    monkeypatch.setitem(GAMES, "twice", Twice)

    class Line:
        latent_dim = 2

        def generator(self, more=0):
            return nn.Linear(2 + more, 1)

        def critic(self, n_out=1, more=0):
            return nn.Linear(1 + more, n_out)

    game = GAMES["twice"].of(Line(), classes=3)
    assert isinstance(game, Twice) and game.sample(*game.inputs(6, minigan.Generator(0))).shape == (
        6,
        1,
    )


@pytest.mark.parametrize("name", GAMES)
def test_every_game_is_made_by_its_name(name):
    """With the networks of the plane each game plays a round and says how it samples."""
    minigan.manual_seed(0)
    more = {
        "cgan": {"classes": 3},
        "madgan-sim": {"objective": NonSaturating(), "features": nn.Identity()},
    }
    parts = Players()
    game = GAMES[name].of(parts, **more.get(name, {}))
    optimizers = {n: SGD(p.parameters(), 0.1) for n, p in game.players.items()}
    if name == "unrolled":
        optimizers["D"] = game.optimizer
    batch = (minigan.randn(6, 2), minigan.tensor([0, 1, 2, 0, 1, 2]))[: len(game.columns)]
    assert Trainer(game, optimizers).play(*batch)
    state = minigan.get_rng_state()
    inputs = game.inputs(9, minigan.Generator(1))
    assert game.sample(*inputs).shape == (9, 2) and all(len(x) == 9 for x in inputs)
    game.recalibrate()
    assert minigan.get_rng_state() == state
