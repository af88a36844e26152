#!/usr/bin/env python3
"""Repeat the founding result: Goodfellow et al. 2014, table 1, MNIST: Parzen log-likelihood 225 +-
2 (standard error over images).

    python examples/goodfellow_table1.py   # train; Ctrl-C at any time
    # go on; the weights are those of an uninterrupted run, to the bit
    python examples/goodfellow_table1.py --resume
    python examples/goodfellow_table1.py --resume --minutes 30
    python examples/goodfellow_table1.py --report   # only measure the epoch that was chosen so far

Protocol, from the authors' configuration (mnist.yaml), cost (AdversaryCost2) and estimator
(parzen_ll.py):
  G  z ~ U(-sqrt 3, sqrt 3)^100 -> 1200 ReLU -> 1200 ReLU -> 784 sigmoid; weights U(-.05, .05),
     biases 0, those of the output such that it starts with the mean image
  D  maxout 240 x 5 -> maxout 240 x 5 -> 1 sigmoid; weights U(-.005, .005), biases 0; dropout: of
     pixels 0.2, before the others 0.5
  batches of 100 of the first 50,000 training images with pixels in [0, 1]; each update takes both
     gradients at the same point, with the same fakes and the same dropout masks on them: D ascends
     (E log D(x) + E log(1 - D(G(z)))) / 2, G ascends E log D(G(z))
  rate .1 / 1.000004^update, at least 1e-6; momentum .5 in the first epoch, growing linearly to .7
     in epoch 250
  estimate: 10,000 samples; sigma of ten, 10^-1 ... 10^0, by the mean log-likelihood of the first
     1,000 validation images (training images 50,000 on); mean over the 10,000 test images, its
     error std / 100
Ours: how long to train is not stated there. We take the epoch with the highest validation
log-likelihood (those 1,000 images, new samples each time), looking every --every epochs. Our
momentum sums gradients and not steps, which at this decay of the rate differs by less than 1e-5 of
a step.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path

import numpy as np

import minigan
from minigan import nn
from minigan.arrays import Generator, default_generator, resolve_device, to_numpy
from minigan.data import mnist
from minigan.data.batches import Batches
from minigan.data.files import write_atomic
from minigan.gan import Ascend, Descend, Game, Trainer
from minigan.metrics import parzen, unit_pixels
from minigan.nn import init
from minigan.ops.loss import mean_logsigmoid
from minigan.optim import SGD
from minigan.training import load_checkpoint, save_checkpoint
from minigan.training.cli import number
from minigan.training.run import round_of
from minigan.viz import save_grid

LATENT = 100
BATCH = 100
SAMPLES = 10_000
PUBLISHED = {
    "DBN (Bengio et al. 2013)": (138, 2), "stacked CAE (Bengio et al. 2013)": (121, 1.6),
    "Deep GSN (Bengio et al. 2014)": (214, 1.1),
    "adversarial nets (Goodfellow et al. 2014)": (225, 2),
}  # fmt: skip


def networks(mean_image):
    """G (N, 100) -> pixels (N, 784) in [0, 1] and D (N, 784) -> logits (N, 1); mean_image (784,) in
    [0, 1]."""
    G = nn.Sequential(
        nn.Linear(LATENT, 1200),
        nn.ReLU(),
        nn.Linear(1200, 1200),
        nn.ReLU(),
        nn.Linear(1200, 784),
        nn.Sigmoid(),
    )
    D = nn.Sequential(
        nn.Dropout(0.2),
        nn.Maxout(784, 240, 5),
        nn.Dropout(0.5),
        nn.Maxout(240, 240, 5),
        nn.Dropout(0.5),
        nn.Linear(240, 1),
    )
    for network, width in ((G, 0.05), (D, 0.005)):
        for module in network.modules():
            if isinstance(module, nn.Linear):  # Maxout is one, too
                init.uniform_(module.weight, -width, width)
                init.zeros_(module.bias)
    chance = np.clip(mean_image, 1e-7, 1 - 1e-7)
    G[4].bias.data = minigan.tensor(np.log(chance / (1 - chance)).astype(np.float32))
    return G, D


class Simultaneous(Game):
    """Both players move at once: from the same point, on the same fakes and with the same
    dropout."""

    latent_dim = LATENT

    def __init__(self, G, D):
        self.G = G
        self.D = D
        self.players = {"D": D, "G": G}

    def latents(self, n, device):
        """z uniform with mean 0 and variance 1."""
        return (minigan.rand(n, LATENT, device=device) * 2 - 1) * math.sqrt(3)

    def moves(self, real):
        fake = self.G(self.latents(len(real), real.device))
        # nothing in D joins examples: real ones and fakes go through it together
        on_real, on_fake = self.D(minigan.cat([(real.flatten(1) + 1) / 2, fake])).chunk(2)
        value = (mean_logsigmoid(on_real) + mean_logsigmoid(on_fake, -1)) / 2
        yield (
            Ascend("D", value, d_real=on_real, d_fake=on_fake),
            Descend("G", -mean_logsigmoid(on_fake)),
        )


def learning_rate(update):
    """Of update 0, 1, ..."""
    return max(0.1 / 1.000004**update, 1e-6)


def momentum(epoch):
    """In epoch 1, 2, ..."""
    return 0.5 + 0.2 * min(1, (epoch - 1) / 249)


class Experiment:
    """The training, epoch by epoch, and what is known of each.

    training, validation : uint8 images (N, 1, 28, 28)
    folder : of log.jsonl, last.safetensors (everything), best.safetensors (the chosen G)
    """

    def __init__(self, training, validation, folder, seed=0, device="cpu", resume=False):
        self.folder = Path(folder)
        self.seed = seed
        minigan.manual_seed(seed)
        G, D = (
            network.to(device)
            for network in networks(unit_pixels(training).mean(0, dtype=np.float64))
        )
        self.game, self.device = Simultaneous(G, D), G[0].weight.device
        self.validation = self._here(unit_pixels(validation))
        optimizers = {
            name: SGD(player.parameters(), 0.1, 0.5) for name, player in self.game.players.items()
        }
        self.trainer = Trainer(self.game, optimizers)
        self.batches = Batches(training, BATCH, seed, self.device)
        # there a step is one launch
        self.play = round_of(self.trainer, self.batches, graph=self.device.type == "cuda")
        self.epoch = 0
        self.rows = []
        self.seconds = 0.0
        if resume:
            self._load()

    def run_epoch(self):
        """One pass over the training images."""
        start = time.perf_counter()
        values = None
        for i, numbers in enumerate(self.batches.numbers(self.epoch)):
            for optimizer in self.trainer.optimizers.values():
                for group in optimizer.param_groups:
                    group.update(
                        lr=learning_rate(self.epoch * len(self.batches) + i),
                        momentum=momentum(self.epoch + 1),
                    )
            found = [move.value.array.astype(np.float64) for move in self.play(numbers)]
            # on CUDA nobody waits for them
            values = found if values is None else [v + f for v, f in zip(values, found)]
        self.epoch += 1
        values = [float(v) / len(self.batches) for v in values]
        self.seconds += time.perf_counter() - start
        return values

    def _here(self, array):
        return minigan.as_tensor(array).to(self.device).array

    def draw(self, n, seed):
        """n samples, rows of pixels in [0, 1], on the device; nothing is drawn from the default
        generator."""
        random, parts = Generator(seed), []
        for start in range(0, n, 1000):
            z = (
                random.uniform((min(1000, n - start), LATENT), device=self.device) * 2 - 1
            ) * np.float32(math.sqrt(3))
            with minigan.no_grad():
                parts.append(self.game.G(minigan.as_tensor(z)))
        return minigan.cat(parts).array

    def look(self, d_value, g_loss, samples=SAMPLES):
        """Measure this epoch on validation images, keep G if it is the best so far, and save
        everything."""
        likelihood = parzen(
            self.draw(samples, 10_000 + self.epoch), self.validation, self.validation
        )
        row = {
            "epoch": self.epoch, "validation": round(likelihood.value, 3),
            "sigma": round(likelihood.sigma, 4),
            "d_value": round(d_value, 4), "g_loss": round(g_loss, 4),
            "seconds": round(self.seconds, 1),
        }  # fmt: skip
        self.rows.append(row)
        if row["validation"] == max(r["validation"] for r in self.rows):
            save_checkpoint(
                self.folder / "best.safetensors",
                {"epoch": self.epoch, "G": dict(self.game.G.state_dict())},
            )
        state = {"epoch": self.epoch, "rows": self.rows, "seconds": self.seconds,
            "random": default_generator.get_state(),
                 "trainer": self.trainer.state_dict(), "seed": self.seed}  # fmt: skip
        save_checkpoint(self.folder / "last.safetensors", state)
        write_atomic(
            self.folder / "log.jsonl", "".join(json.dumps(r) + "\n" for r in self.rows).encode()
        )
        return row

    def _load(self):
        state = load_checkpoint(self.folder / "last.safetensors")
        if state["seed"] != self.seed:
            raise ValueError(
                f"--resume: the run in {self.folder} has seed {state['seed']}, not {self.seed}"
            )
        self.trainer.load_state_dict(state["trainer"])
        default_generator.set_state(state["random"])
        self.epoch = state["epoch"]
        self.rows = state["rows"]
        self.seconds = state["seconds"]

    def report(self, training, test, samples=SAMPLES, draws=3):
        """Test log-likelihood of the chosen epoch, for several draws of the samples, and of real
        training images as samples."""
        best = load_checkpoint(self.folder / "best.safetensors")
        self.game.G.load_state_dict(best["G"])
        real, test = unit_pixels(training), self._here(unit_pixels(test))
        chosen = [parzen(self.draw(samples, seed), test, self.validation) for seed in range(draws)]
        order = Generator(self.seed).permutation(len(real))
        floor = [
            parzen(self._here(real[order[i * samples : (i + 1) * samples]]), test, self.validation)
            for i in range(min(draws, len(real) // samples))
        ]
        images = to_numpy(self.draw(100, 0)).reshape(100, 1, 28, 28) * 2 - 1
        save_grid(self.folder / "samples.png", images, 10)
        return {
            "epoch": best["epoch"], "epochs": self.epoch, "seconds": round(self.seconds),
            "samples": samples, "seed": self.seed,
            "test": [c._asdict() for c in chosen],
            "training_images_as_samples": [c._asdict() for c in floor], "log": self.rows,
        }  # fmt: skip


def show(result):
    """Print the table."""
    first, others = result["test"][0], [round(t["value"], 1) for t in result["test"][1:]]
    print(f"{'Parzen log-likelihood of the MNIST test images, nats':60}{'mean':>7}   se")
    for name, (value, se) in PUBLISHED.items():
        print(f"  published: {name:47}{value:9.1f}{se:5.1f}")
    print(
        f"  here: adversarial nets, epoch {result['epoch']:<3} of "
        f"{result['epochs']:<23}{first['value']:9.1f}{first['se']:5.1f}"
    )
    floor = result["training_images_as_samples"]
    if floor:
        print(
            "  here: real training images as "
            f"samples{'':20}{floor[0]['value']:9.1f}{floor[0]['se']:5.1f}"
        )
    print(
        f"sigma {first['sigma']:.3f}; with other samples of the same G: {others}; "
        f"{result['seconds'] / 3600:.1f} hours of training"
    )


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--epochs", type=number(int, 1), default=500, help="(default %(default)s)")
    p.add_argument(
        "--every",
        type=number(int, 1),
        default=5,
        help="epochs between looks at the validation images, and between saves",
    )
    p.add_argument(
        "--minutes",
        type=number(float, 0),
        default=float("inf"),
        help="stop after the epoch in which these are over",
    )
    p.add_argument("--seed", type=int, default=0, help="(default %(default)s)")
    p.add_argument(
        "--data-dir",
        help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a download)",
    )
    p.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    p.add_argument("--out", default="runs/goodfellow_table1", help="folder (default %(default)s)")
    p.add_argument("--resume", action="store_true", help="go on with the run in --out")
    p.add_argument(
        "--report",
        action="store_true",
        help="train nothing: measure the run in --out, as far as it is",
    )
    options = p.parse_args(arguments)
    began = time.perf_counter()
    try:
        images = mnist.load("mnist", "train", options.data_dir).images
        test = mnist.load("mnist", "test", options.data_dir).images
        training = images[:50_000]
        validation = images[50_000:51_000]
        folder = Path(options.out)
        go_on = options.resume or options.report
        if go_on != (folder / "last.safetensors").exists():
            raise ValueError(
                f"there is {'no' if go_on else 'already a'} run in {folder}: "
                f"{'leave out' if go_on else 'add'} --resume"
            )
        experiment = Experiment(
            training, validation, folder, options.seed, resolve_device(options.device), go_on
        )
    except (minigan.DeviceError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        while (
            not options.report
            and experiment.epoch < options.epochs
            and time.perf_counter() - began < 60 * options.minutes
        ):
            for _ in range(options.every):
                values = experiment.run_epoch()
            print(json.dumps(experiment.look(*values)), flush=True)
    except KeyboardInterrupt:
        print(
            "\nstopped; --resume goes on after epoch "
            f"{experiment.rows[-1]['epoch'] if experiment.rows else 0}"
        )
        return 130
    result = experiment.report(training, test)
    write_atomic(folder / "result.json", json.dumps(result, indent=1).encode())
    show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
