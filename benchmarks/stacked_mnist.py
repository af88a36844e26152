#!/usr/bin/env python3
"""Stacked MNIST: how many of 1,000 modes (a digit in each of three colour channels) does a
generator reach?

    # the published protocol; hours on two cores, minutes on a GPU
    python benchmarks/stacked_mnist.py --preset full --pack 1
    # two channels, 100 modes, small networks: runs here
    python benchmarks/stacked_mnist.py --preset twin --pack 1 2
    python benchmarks/stacked_mnist.py --page   # only write docs/stacked_mnist.md

Call it again to go on: unfinished runs resume to the bit, finished ones are not repeated. A
finished run is a line in benchmarks/results/stacked_mnist.jsonl.

Protocol of "full", from the program of PacGAN (Lin et al. 2018, section 4.2, the setting of
VEEGAN): 128,000 images of three random digits of the 70,000, always in the same order; DCGAN with
5x5 kernels, D 64-128-256-512 and G its mirror image; batch 64, z ~ U(-1, 1)^100, Adam 2e-4 with
beta1 0.5; each round D moves once, then G twice with the same latents; 50 epochs; 26,000 samples,
each channel named by a digit classifier; 10 runs. PacDCGAN-m: D judges m images at once, stacked as
channels. The classifier is ours. "twin" differs in: two channels, a quarter of the features, 25,600
images, 5 epochs, 2,600 samples (26 for each mode, as there).
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import minigan
from minigan import nn
from minigan.arrays import CPU, Generator, default_generator, resolve_device, to_device, to_numpy
from minigan.data import mnist
from minigan.data.batches import Batches
from minigan.data.files import write_atomic
from minigan.gan import Ascend, Descend, Game, Trainer, scores
from minigan.metrics import load_classifier, modes_covered, stacked_labels
from minigan.nn import init
from minigan.ops.loss import mean_logsigmoid
from minigan.optim import Adam
from minigan.training import load_checkpoint, save_checkpoint
from minigan.training.cli import number
from minigan.training.run import round_of
from minigan.viz import save_grid

ROOT = Path(__file__).parents[1]
LINES = ROOT / "benchmarks" / "results" / "stacked_mnist.jsonl"
PAGE = ROOT / "docs" / "stacked_mnist.md"
LATENT = 100
BATCH = 64
SAVE_SECONDS = 60


@dataclass(frozen=True)
class Preset:
    channels: int
    features: int
    images: int
    epochs: int
    samples: int


PRESETS = {"full": Preset(3, 64, 128_000, 50, 26_000), "twin": Preset(2, 16, 25_600, 5, 2_600)}
# Lin et al. 2018, table 2 (10 runs, standard error); VEEGAN, ALI, Unrolled: Srivastava et al. 2017,
# table 1
PUBLISHED = [
    ("DCGAN (Srivastava et al.)", "99.0", "3.40"), ("ALI", "16.0", "5.40"),
    ("Unrolled GAN", "48.7", "4.32"), ("VEEGAN", "150.0", "2.95"),
    ("DCGAN (Lin et al.)", "78.9 ± 6.46", "4.50 ± 0.127"), ("PacDCGAN2", "1000.0 ± 0.00", "0.06"),
    ("PacDCGAN3", "1000.0 ± 0.00", "0.06"), ("PacDCGAN4", "1000.0 ± 0.00", "0.07"),
]  # fmt: skip


def networks(channels, features, pack):
    """G (N, 100) -> (N, channels, 28, 28) in [-1, 1], sizes 2, 4, 7, 14, 28; D (N, channels * pack,
    28, 28) -> logits (N, 1)."""
    f = features
    widths = [8 * f, 4 * f, 2 * f, f]
    layers = [
        nn.Linear(LATENT, 8 * f * 4),
        nn.Unflatten(1, (8 * f, 2, 2)),
        nn.BatchNorm2d(8 * f),
        nn.ReLU(),
    ]
    for n_in, n_out, extra in zip(widths, widths[1:], (1, 0, 1)):
        layers += [
            nn.ConvTranspose2d(n_in, n_out, 5, 2, 2, extra),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
        ]
    G = nn.Sequential(*layers, nn.ConvTranspose2d(f, channels, 5, 2, 2, 1), nn.Tanh())
    layers = [nn.Conv2d(channels * pack, f, 5, 2, 2), nn.LeakyReLU(0.2)]
    for n_in, n_out in zip(widths[::-1], widths[-2::-1]):
        layers += [nn.Conv2d(n_in, n_out, 5, 2, 2), nn.BatchNorm2d(n_out), nn.LeakyReLU(0.2)]
    D = nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * f * 4, 1))
    for module in (*G.modules(), *D.modules()):
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            init.normal_(module.weight, 0.0, 0.02)
            init.zeros_(module.bias)
    return G, D


class PacGAN(Game):
    """D once, then G twice, all three with the same latents; D sees `pack` images at once."""

    latent_dim = LATENT

    def __init__(self, G, D, pack):
        self.G = G
        self.D = D
        self.pack = pack
        self.players = {"D": D, "G": G}

    def packed_fakes(self, z):
        fake = self.G(z)
        return fake.reshape(len(z) // self.pack, -1, *fake.shape[2:])

    def moves(self, real):
        z = minigan.rand(len(real) * self.pack, LATENT, device=real.device) * 2 - 1
        with minigan.no_grad():
            fake = self.packed_fakes(z)
        on_real, on_fake = scores(self.D, real, fake)
        yield Ascend("D", mean_logsigmoid(on_real) + mean_logsigmoid(on_fake, -1))
        for _ in range(2):
            yield Descend("G", -mean_logsigmoid(self.D(self.packed_fakes(z))))


class Stacked(Batches):
    """Digits as images of several: numbers (N, channels) -> float32 (N, channels, 28, 28)."""

    def __getitem__(self, numbers):
        (digits,) = super().__getitem__(numbers.reshape(-1))
        return (digits.reshape(*numbers.shape, *digits.shape[2:]),)


class Experiment:
    """One run: a preset, a pack and a seed, in a folder.

    digits : uint8 (N, 1, 28, 28), which the images are made of
    """

    def __init__(self, digits, preset, pack, seed, folder, device=CPU):
        self.preset = preset
        self.folder = Path(folder)
        self.device = device
        minigan.manual_seed(seed)
        G, D = (network.to(device) for network in networks(preset.channels, preset.features, pack))
        self.game = PacGAN(G, D, pack)
        self.trainer = Trainer(
            self.game,
            {
                name: Adam(p.parameters(), 2e-4, (0.5, 0.999))
                for name, p in self.game.players.items()
            },
        )
        self.which = to_device(
            Generator(seed + 1).integers(0, len(digits), (preset.images, pack * preset.channels)),
            device,
        )
        self.batches = Stacked(digits, BATCH, device=device)
        self.step = 0
        self.total = preset.epochs * (preset.images // BATCH)
        self.seconds = 0.0
        if (self.folder / "last.safetensors").exists():
            state = load_checkpoint(self.folder / "last.safetensors")
            self.trainer.load_state_dict(state["trainer"])
            default_generator.set_state(state["random"])
            self.step, self.seconds = state["step"], state["seconds"]

    def numbers(self, step):
        """Which digits the real images of a step are made of, int64 (64, channels * pack)."""
        start = step % (len(self.which) // BATCH) * BATCH
        return self.which[start : start + BATCH]

    def train(self, until=None):
        """Play to the end, or to step `until`, and save now and then."""
        until, play = min(self.total, until or self.total), round_of(self.trainer, self.batches)
        start = saved = time.perf_counter()
        while self.step < until:
            d, *_, g = play(self.numbers(self.step))
            self.step += 1
            if self.step % 100 and self.step < until:
                continue
            value, loss, now = d.value.item(), g.value.item(), time.perf_counter()
            self.seconds += now - start
            start = now
            left = self.seconds / self.step * (self.total - self.step) / 60
            print(
                f"step {self.step}/{self.total}: V {value:.3f}, G loss {loss:.3f}, "
                f"{left:.0f} min left",
                flush=True,
            )
            if now - saved > SAVE_SECONDS:
                self.save()
                start = saved = time.perf_counter()
        self.save()

    def save(self):
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "random": default_generator.get_state(),
            "trainer": self.trainer.state_dict(),
        }
        save_checkpoint(self.folder / "last.safetensors", state)

    def draw(self, n, seed=7):
        """n samples in [-1, 1] of G in evaluation mode, from latents of their own."""
        self.game.G.eval()
        z, parts = Generator(seed).uniform((n, LATENT)) * np.float32(2) - 1, []
        with minigan.no_grad():
            for start in range(0, n, 500):
                parts.append(
                    to_numpy(
                        self.game.G(
                            minigan.as_tensor(to_device(z[start : start + 500], self.device))
                        ).array
                    )
                )
        self.game.G.train()
        return np.concatenate(parts)


def picture(images):
    """Stacked digits as colours (N, 3, 28, 28); two channels become red and green."""
    return (
        images
        if images.shape[1] == 3
        else np.concatenate([images, np.full_like(images[:, :1], -1)], 1)
    )


def read_lines():
    return [json.loads(text) for text in LINES.read_text().splitlines()] if LINES.exists() else []


def add_line(**line):
    LINES.parent.mkdir(parents=True, exist_ok=True)
    with open(LINES, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def run_all(arguments):
    """Every pack and seed that has no line yet."""
    digits = np.concatenate(
        [mnist.load("mnist", split, arguments.data_dir).images for split in ("train", "test")]
    )
    preset = PRESETS[arguments.preset]
    classifier = load_classifier()
    device = resolve_device(arguments.device)
    common = {"preset": arguments.preset, "classifier": classifier.digest}
    modes = 10**preset.channels
    made = {
        (line["pack"], line["seed"])
        for line in read_lines()
        if all(line[k] == v for k, v in common.items())
    }
    if (0, 0) not in made:  # real images in place of samples
        real = digits[Generator(99).integers(0, len(digits), (preset.samples, preset.channels)), 0]
        found = modes_covered(stacked_labels(real, classifier), modes)
        add_line(
            **common,
            pack=0,
            seed=0,
            seconds=0,
            covered=found.covered,
            kl=found.kl,
            floor=found.floor,
        )
    for seed in arguments.seeds:
        for pack in arguments.pack:
            if (pack, seed) in made:
                continue
            print(f"== {arguments.preset}, pack {pack}, seed {seed}", flush=True)
            folder = arguments.runs / f"{arguments.preset}-pack{pack}-{seed}"
            experiment = Experiment(digits, preset, pack, seed, folder, device)
            try:
                experiment.train()
            except KeyboardInterrupt:
                print("stopped; the same command goes on from the last save")
                return 130
            images = experiment.draw(preset.samples)
            save_grid(folder / "grid.png", picture(images[:60]), 6)
            found = modes_covered(stacked_labels(images, classifier), modes)
            print(
                f"{found.covered} of {modes} modes, KL {found.kl:.3f} (floor {found.floor:.3f})",
                flush=True,
            )
            seconds = round(experiment.seconds, 1)
            add_line(
                **common,
                pack=pack,
                seed=seed,
                seconds=seconds,
                covered=found.covered,
                kl=found.kl,
                floor=found.floor,
            )
    return 0


def spread(values, digits):
    """mean ± standard error."""
    error = (
        f" ± {np.std(values, ddof=1) / len(values) ** 0.5:.{digits}f}" if len(values) > 1 else ""
    )
    return f"{np.mean(values):.{digits}f}{error}"


def table(lines, preset):
    """Rows of a preset's runs, by pack."""
    rows = []
    for pack in sorted({line["pack"] for line in lines if line["preset"] == preset}):
        own = list(
            {
                line["seed"]: line
                for line in lines
                if (line["preset"], line["pack"]) == (preset, pack)
            }.values()
        )
        name = {0: "*real images*", 1: "DCGAN"}.get(pack, f"PacDCGAN{pack}")
        minutes = spread([line["seconds"] / 60 for line in own], 0) if pack else ""
        covered = spread([line["covered"] for line in own], 1)
        kl = spread([line["kl"] for line in own], 3)
        each = ", ".join(str(line["covered"]) for line in own)
        rows.append(f"| {name} | {covered} | {each} | {kl} | {minutes} |")
    return (
        "| | modes | of each run | KL to uniform | minutes |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
    )


def write_page():
    """docs/stacked_mnist.md from what is measured."""
    lines = read_lines()
    parts = []
    for name, preset in PRESETS.items():
        floor = (10**preset.channels - 1) / (2 * preset.samples)
        head = (
            f"## {10**preset.channels} modes (`--preset {name}`)\n\n{preset}; the KL of "
            f"perfectly uniform samples is about {floor:.3f}.\n"
        )
        body = (
            table(lines, name)
            if any(line["preset"] == name and line["pack"] for line in lines)
            else "**Not run yet.**"
        )
        if name == "full":
            rows = "\n".join(f"| {n} | {m} | {k} |" for n, m, k in PUBLISHED)
            body += (
                "\n\nPublished, with other classifiers:\n\n| | modes | KL to uniform "
                f"|\n|---|---|---|\n{rows}"
            )
        else:
            body += (
                "\n\nThis is a smaller problem with smaller networks: its numbers are not "
                "comparable with published ones."
            )
            if any(line["preset"] == name and line["covered"] == 1 for line in lines):
                body += (
                    "\nA run with one mode has collapsed: its samples are all alike (a KL of "
                    "log 100 = 4.605)."
                )
        parts.append(f"{head}\n{body}\n")
    digest = lines[-1]["classifier"] if lines else "none"
    text = f"""# Stacked MNIST

Made by `python benchmarks/stacked_mnist.py`; its docstring states the protocol. Modes are named \
by the classifier `{digest}` that
comes with minigan, channel by channel. Mean ± standard error over runs.

{chr(10).join(parts)}"""
    write_atomic(PAGE, text.encode())
    print(f"written: {PAGE}")
    return 0


def main(words=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--preset", choices=PRESETS, default="twin", help="(default %(default)s)")
    p.add_argument(
        "--pack",
        nargs="+",
        type=number(int, 1),
        default=[1, 2],
        help="images that D judges at once (default 1 2)",
    )
    p.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="(default 0 1 2)")
    p.add_argument(
        "--data-dir",
        help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a download)",
    )
    p.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    p.add_argument(
        "--runs",
        type=Path,
        default=ROOT / "runs" / "stacked_mnist",
        help="folder for the runs (default runs/stacked_mnist)",
    )
    p.add_argument("--page", action="store_true", help="train nothing, write the page")
    arguments = p.parse_args(words)
    if not arguments.page:
        try:
            if code := run_all(arguments):
                return code
        except (minigan.DeviceError, OSError, ValueError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    return write_page()


if __name__ == "__main__":
    sys.exit(main())
