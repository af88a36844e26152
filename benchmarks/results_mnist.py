#!/usr/bin/env python3
"""The results page: many GANs on MNIST with the same budget, seeds, measures and classifier.

    python benchmarks/results_mnist.py          # every system, 3 seeds: two hours of one core
    python benchmarks/results_mnist.py --systems mlp dcgan --seeds 0 --steps 1000
    python benchmarks/results_mnist.py --page   # only write docs/results.md from what is measured

Call it again to go on: runs that were stopped are resumed, finished ones are not repeated. A
finished run is a line in benchmarks/results/results_mnist.jsonl; the page shows those lines that
were made with the same steps, samples and classifier. To add a system, add a line to SYSTEMS.
"""

import argparse
import functools
import importlib.util
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import minigan
from minigan import nn
from minigan.arrays import Generator, resolve_device
from minigan.data import mnist
from minigan.data.batches import Batches
from minigan.data.files import write_atomic
from minigan.gan import GAMES, AutoEncoder, Trainer, build_networks
from minigan.metrics import Reference, evaluate, evaluate_pixels
from minigan.optim import Adam
from minigan.training import Interrupted, Run, generate, load_generator
from minigan.training.cli import about, number, usual_callbacks
from minigan.viz import save_grid

ROOT = Path(__file__).parents[1]
LINES = ROOT / "benchmarks" / "results" / "results_mnist.jsonl"
PAGE, PICTURES = ROOT / "docs" / "results.md", ROOT / "docs" / "images"


@functools.cache
def mnist_gan():
    """The program examples/mnist_gan.py as a module."""
    spec = importlib.util.spec_from_file_location("mnist_gan", ROOT / "examples" / "mnist_gan.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- the systems ---


@dataclass
class System:
    """title : for the table;
    options : of mnist_gan.py;
    make_run(options) : the run, None: mnist_gan.py's own;
    steps : for each step of the other systems, of one whose steps are that much cheaper."""

    title: str
    options: str = ""
    make_run: Callable | None = None
    steps: int = 1


def autoencoder(features, code=64):
    """Images -> images (N, 1, 28, 28): as D a mirror image of the DCGAN's networks, without batch
    normalisation (BEGAN has none)."""

    encoder = nn.Sequential(
        nn.Conv2d(1, features, 4, 2, 1), nn.ELU(), nn.Conv2d(features, 2 * features, 4, 2, 1),
        nn.ELU(), nn.Flatten(),
        nn.Linear(2 * features * 49, code),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(code, 2 * features * 49), nn.Unflatten(1, (2 * features, 7, 7)), nn.ELU(),
        nn.ConvTranspose2d(2 * features, features, 4, 2, 1), nn.ELU(),
        nn.ConvTranspose2d(features, 1, 4, 2, 1),
    )  # fmt: skip
    return AutoEncoder(encoder, decoder)


def energy_run(name, **arguments):
    """A maker of runs of a game of `GAMES`, with the DCGAN's generator."""

    def make(options):
        data = mnist.load("mnist", "train", options.data_dir)
        minigan.manual_seed(options.seed)
        config = {
            k: getattr(options, k)
            for k in (
                "model",
                "batch_size",
                "lr",
                "b1",
                "b2",
                "latent_dim",
                "ema",
                "seed",
                "features",
            )
        }
        config |= {
            "image_shape": [1, 28, 28],
            "dataset": data.name,
            "checksum": data.checksum,
            "game": name,
        } | arguments
        device = resolve_device(options.device)
        G, D = build_networks(config)[0].to(device), autoencoder(options.features).to(device)
        game = GAMES[name](G, D, options.latent_dim, **arguments)
        trainer = Trainer(
            game,
            {
                k: Adam(p.parameters(), options.lr, (options.b1, options.b2))
                for k, p in game.players.items()
            },
        )
        return Run(
            trainer, Batches(data.images, options.batch_size, options.seed, device), options.out,
            config, epochs=options.epochs,
            max_steps=options.max_steps, callbacks=usual_callbacks(options, G, data, device),
            resume=options.resume, about=about(options),
        )  # fmt: skip

    return make


DCGAN = "--model dcgan"
NO_BN = f"{DCGAN} --d-norm layer"
# Rates are for few steps: with those of the papers (WGAN 5e-5, WGAN-GP 1e-4) a critic has hardly
# begun after two epochs.
SYSTEMS = {
    "mlp": System("MLP GAN (non-saturating)", "--model mlp", steps=3),
    "dcgan": System("DCGAN", DCGAN),
    "lsgan": System("LSGAN", f"{DCGAN} --objective lsgan"),
    "wgan": System(
        "WGAN, clipped",
        f"{DCGAN} --objective wasserstein --constraint clip --k 5 --optimizer rmsprop --lr 5e-4",
    ),
    "wgan-gp": System(
        "WGAN-GP",
        f"{NO_BN} --objective wasserstein --penalty gradient --k 5 --lr 5e-4 --b1 0 --b2 0.9",
    ),
    "sn-hinge": System(
        "spectral norm, hinge", f"{DCGAN} --d-norm none --objective hinge --constraint spectral"
    ),
    "dragan": System("DRAGAN", f"{NO_BN} --penalty dragan"),
    "r1": System("non-saturating, R1", f"{NO_BN} --penalty r1"),
    "relativistic": System("relativistic average", f"{DCGAN} --objective relativistic-average"),
    "began": System("BEGAN", DCGAN, energy_run("began", gamma=0.5)),
    "ebgan": System("EBGAN, pulling away", DCGAN, energy_run("ebgan", margin=10.0, pull_away=0.1)),
}


# --- one run ---


def train(system, seed, folder, arguments):
    """Train, or go on, until --steps; seconds spent in training so far. Interrupted when
    stopped."""
    steps = arguments.steps * system.steps
    words = [
        *system.options.split(),
        "--seed",
        seed,
        "--max-steps",
        steps,
        "--epochs",
        10**6,
        "--out",
        folder,
    ]
    words += ["--features", arguments.features] if DCGAN in system.options else []
    words += ["--device", arguments.device, "--sample-interval", max(1, steps // 10), "--no-doctor"]
    words += ["--data-dir", arguments.data_dir] if arguments.data_dir else []
    clock, folder = folder / "seconds.json", Path(folder)
    before = json.loads(clock.read_text()) if clock.exists() else 0.0
    if any((folder / "checkpoints").glob("*.safetensors")):
        words.append("--resume")
    module = mnist_gan()
    options = module.parse_arguments(list(map(str, words)))
    run = (system.make_run or module.build)(options)
    start = time.perf_counter()
    try:
        run.train()
    finally:
        spent = before + time.perf_counter() - start
        write_atomic(clock, json.dumps(spent).encode())
    return spent


def measure(folder, seed, arguments, reference, data):
    """The metrics of a finished run, and a grid of its samples."""
    G, config = load_generator(folder)
    images = generate(
        G,
        Generator(10_000 + seed).normal((arguments.samples, config["latent_dim"])),
        batch_size=500,
    )
    save_grid(folder / "grid.png", images[:60], 6)
    found = evaluate(images, reference)
    if not arguments.quick:
        found |= evaluate_pixels(images, data["train"].images, data["test"].images)
    return found


def floors(arguments, reference, data):
    """The same numbers for real training images, three disjoint draws of them."""
    images, rows = data["train"].images, []
    n = arguments.samples
    order = Generator(0).permutation(len(images))
    for i in range(3):
        own = order[i * n : (i + 1) * n]
        others = order[[*range(0, i * n), *range((i + 1) * n, len(order))]]
        found = evaluate(images[own], reference)
        if not arguments.quick:
            found |= evaluate_pixels(images[own], images[others], data["test"].images)
        rows.append(found)
    return rows


def key(line):
    """What must agree between lines of one table."""
    return line["steps"], line["features"], line["samples"], line["classifier"], line["quick"]


def read_lines():
    return [json.loads(text) for text in LINES.read_text().splitlines()] if LINES.exists() else []


def add_line(**line):
    LINES.parent.mkdir(parents=True, exist_ok=True)
    with open(LINES, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def run_all(arguments):
    """Every system with every seed that has no line yet; the exit code."""
    data = {split: mnist.load("mnist", split, arguments.data_dir) for split in ("train", "test")}
    reference = Reference(data["test"].images)
    common = {k: getattr(arguments, k) for k in ("steps", "features", "samples", "quick")} | {
        "classifier": reference.classifier.digest
    }
    # A run that diverged would do so again; other failures (a system that this version lacks) are
    # tried again.
    done = [
        line
        for line in read_lines()
        if key(line) == key(common) and line.get("failed", "Diverged").startswith("Diverged")
    ]
    made = {(line["system"], line["seed"]) for line in done}
    if ("real", 0) not in made:
        for seed, found in enumerate(floors(arguments, reference, data)):
            add_line(system="real", seed=seed, seconds=0.0, **common, metrics=found)
    for seed in arguments.seeds:
        for name in arguments.systems:
            if (name, seed) in made:
                continue
            folder = arguments.runs / f"{name}-{arguments.features}-{arguments.steps}-{seed}"
            print(f"== {name}, seed {seed}", flush=True)
            try:
                seconds = train(SYSTEMS[name], seed, folder, arguments)
                found = measure(folder, seed, arguments, reference, data)
            except (Interrupted, KeyboardInterrupt):
                print("stopped; the same command goes on")
                return 130
            except (
                SystemExit,
                ImportError,
                AttributeError,
                ValueError,
                RuntimeError,
                ArithmeticError,
            ) as error:
                print(
                    f"{name}, seed {seed}, failed: {type(error).__name__}: {error}", file=sys.stderr
                )
                add_line(
                    system=name, seed=seed, failed=f"{type(error).__name__}: {error}", **common
                )
                continue
            add_line(
                system=name,
                seed=seed,
                options=SYSTEMS[name].options,
                seconds=round(seconds, 1),
                **common,
                metrics=found,
            )
            if seed == min(arguments.seeds):
                PICTURES.mkdir(parents=True, exist_ok=True)
                shutil.copy(folder / "grid.png", PICTURES / f"results_{name}.png")
            shutil.rmtree(folder / "samples", ignore_errors=True)
    return 0


# --- the page ---

COLUMNS = {  # heading -> (metric, digits)
    "Frechet ↓": ("frechet", 1), "KID ↓": ("kid", 1), "MMD² ↓": ("mmd2", 4),
    "score ↑": ("score", 2), "1-NN → .5": ("nn", 3),
    "… real": ("nn_real", 3), "… fake": ("nn_fake", 3), "density ↑": ("density", 2),
    "coverage ↑": ("coverage", 2), "modes": ("modes", 1),
    "KL ↓": ("kl_uniform", 3), "Parzen ↑": ("parzen", 0), "copying z": ("copying_z", 1),
}  # fmt: skip


def cell(values, digits):
    """mean ± deviation over seeds, of one seed the value."""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.{digits}f}"
    return (
        f"{mean:.{digits}f} ± "
        f"{(sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5:.{digits}f}"
    )


# Written by people, about the lines that are committed with it.
REMARKS = """## What it shows

* At this budget the MLP GAN is best in nearly every column, though some of its samples have \
speckle. Convolutions cost more per step than
  they gain in two epochs; with more epochs and 64 features the DCGAN comes nearer (README), but \
not past it.
* WGAN-GP is the best of the convolutional systems, at some five times the time; LSGAN, DRAGAN, R1 \
and the relativistic game are about as
  good as the plain DCGAN; spectral normalisation with the hinge and WGAN with clipping are behind.
* EBGAN's samples have more of the data's variety (coverage, 1-NN test) than the other \
convolutional systems', at a like Frechet distance.
* **A miss: BEGAN** collapses to one kind of picture. D's auto-encoder, with absolute errors, \
needs longer than this to learn digits (0.17
  on average after one epoch), its balance k stays near 0 meanwhile, and nothing keeps G from the \
picture that is easiest to reconstruct.
  A rate of 2e-4 with gamma 0.7, or with gamma 1 and lambda_k 0.05, did the same in 900 steps.
"""


def write_page(arguments):
    """docs/results.md from the lines that go together with the newest one; its text around the
    table is in this function."""
    lines = read_lines()
    if not lines:
        print(f"there is nothing in {LINES} yet", file=sys.stderr)
        return 2
    lines = [line for line in lines if key(line) == key(lines[-1])]
    steps, features, samples, classifier, _ = key(lines[-1])
    more = ", ".join(
        f"{s.title}: {s.steps} times as many steps, which are that much cheaper"
        for s in SYSTEMS.values()
        if s.steps > 1
    )
    # a repeated run counts once
    latest = {(line["system"], line["seed"]): line for line in lines if "metrics" in line}
    columns = {
        h: c for h, c in COLUMNS.items() if any(c[0] in line["metrics"] for line in latest.values())
    }
    rows = []
    pictures = []
    missing = []
    for name, title in {
        "real": "*real training images*",
        **{n: s.title for n, s in SYSTEMS.items()},
    }.items():
        own = [line for (system, _), line in sorted(latest.items()) if system == name]
        if not own:
            failed = [
                line["failed"] for line in lines if line["system"] == name and "failed" in line
            ]
            missing.append(f"* {title}: " + (f"failed ({failed[-1]})" if failed else "not run yet"))
            continue
        cells = [
            cell([line["metrics"][m] for line in own if m in line["metrics"]], digits)
            for m, digits in columns.values()
        ]
        seconds = cell([line["seconds"] for line in own], 0) if name != "real" else ""
        rows.append(f"| {title} | {len(own)} | {seconds} | {' | '.join(cells)} |")
        if (PICTURES / f"results_{name}.png").exists():
            pictures.append(
                f"**{title}**: `{SYSTEMS[name].options or '(defaults)'}`\n\n"
                f"![samples](images/results_{name}.png)\n"
            )
    head = ["system", "seeds", "seconds", *columns]
    text = f"""# Results on MNIST

Made by `python benchmarks/results_mnist.py` (lines of numbers: \
`benchmarks/results/results_mnist.jsonl`); do not edit by hand.

Every system: {steps} steps of G with batches of 64, convolutions with {features} channels next to \
the image; systems with k = 5 move D five
times a step. {more}.
{samples} samples, drawn with averaged weights, are compared with the 10,000 test images.
Mean ± standard deviation over seeds. Features and classes are those of the classifier \
`{classifier}` that comes with minigan: values of
other classifiers, numbers of samples or budgets cannot be compared with these. The first row, \
real training images in place of samples, is
what each column can be at best. Seconds are of a shared machine, and say little.

| {" | ".join(head)} |
|{"---|" * len(head)}
{chr(10).join(rows)}

What the columns are: `minigan/metrics/`, each function's docstring. Published figures that use \
the same measure: Parzen log-likelihood,
{samples} samples: adversarial nets 225 ± 2 (Goodfellow et al. 2014, with the protocol of \
`examples/goodfellow_table1.py`, which is not the
one of this table: here the window is chosen on training images and G saw all 60,000). For the \
other columns there are none: they need
the same classifier.

{"Missing:" if missing else ""}

{chr(10).join(missing)}

{REMARKS}
## Samples

60 each, not chosen, of the first seed.

{chr(10).join(pictures)}"""
    write_atomic(PAGE, text.encode())
    print(f"written: {PAGE}")
    return 0


def main(words=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="(default: all)"
    )
    p.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="(default 0 1 2)")
    p.add_argument(
        "--steps",
        type=number(int, 1),
        default=1874,
        help="updates of G (default %(default)s: 2 epochs)",
    )
    p.add_argument(
        "--features",
        type=number(int, 1),
        default=32,
        help="of the DCGAN's networks (default %(default)s)",
    )
    p.add_argument("--samples", type=number(int, 200), default=10_000, help="(default %(default)s)")
    p.add_argument(
        "--quick", action="store_true", help="only the metrics that rest on the classifier"
    )
    p.add_argument(
        "--data-dir",
        help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a download)",
    )
    p.add_argument(
        "--device", default="auto", help="for training: auto (default), cpu, cuda or cuda:N"
    )
    p.add_argument(
        "--runs",
        type=Path,
        default=ROOT / "runs" / "results",
        help="folder for the runs (default runs/results)",
    )
    p.add_argument("--page", action="store_true", help="train nothing, write the page")
    arguments = p.parse_args(words)
    if not arguments.page:
        try:
            code = run_all(arguments)
        except (OSError, ValueError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        if code:
            return code
    return write_page(arguments)


if __name__ == "__main__":
    sys.exit(main())
