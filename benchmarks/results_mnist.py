#!/usr/bin/env python3
"""The results page: many GANs on MNIST with the same budget of seconds, measures and classifier.

    python benchmarks/results_mnist.py          # every system, 3 seeds: a hundred minutes
    python benchmarks/results_mnist.py --systems mlp dcgan --seeds 0 --seconds 10
    python benchmarks/results_mnist.py --page   # only write docs/results.md from what is measured
    python benchmarks/results_mnist.py --measure    # finished runs, whose folders are kept, anew

A run has so many seconds of the processor, of one thread, from its 20th step on, when all kernels
are compiled: what other programs do meanwhile does not count. Call it again to go on: finished runs
are not repeated, stopped ones are begun anew. A finished run is a line in
benchmarks/results/results_mnist.jsonl; the page shows those that were made with the same seconds,
samples and classifier. To add a system, add a line to SYSTEMS.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

import harness

from minigan.arrays import CPU
from minigan.data import mnist
from minigan.data.files import write_atomic
from minigan.metrics import Reference, evaluate, parzen
from minigan.metrics.evaluate import unit_pixels
from minigan.metrics.rows import subset
from minigan.systems import load_game, system
from minigan.systems.command import build, parse
from minigan.systems.evidence import drawn, floats
from minigan.training import Interrupted
from minigan.training.callbacks import Callback
from minigan.training.cli import number
from minigan.viz import save_grid

ROOT = Path(__file__).parents[1]
LINES = ROOT / "benchmarks" / "results" / "results_mnist.jsonl"
PAGE, PICTURES = ROOT / "docs" / "results.md", ROOT / "docs" / "images"
REMARKS = ROOT / "benchmarks" / "results" / "results_mnist.md"  # by people, and what claims.py says
WINDOW = 1000  # training images on which Parzen's window is chosen
THREADS = "MINIGAN_NUM_THREADS", "OPENBLAS_NUM_THREADS"
WARM = 20  # steps in which kernels are compiled, and the step is recorded


class System(NamedTuple):
    """title : for the table;  words : of `python -m minigan train`;  group : of the table."""

    title: str
    words: str
    group: str


NETWORKS = "networks, their own recipes"
OBJECTIVES = "what D and G want: small convolutions, R1"
HELD = "how D is held back: small convolutions"
GAMES = "other games: small convolutions, no penalty"
CONV = "gan --model conv --batch-size 16 --d-features 8"  # in a minute as far as the main job
SYSTEMS = {
    "mlp": System("MLP GAN", "gan", NETWORKS),
    "dcgan": System("DCGAN", "dcgan", NETWORKS),
    "nonsaturating": System("non-saturating", CONV, OBJECTIVES),
    "minimax": System("minimax", f"{CONV} --objective minimax", OBJECTIVES),
    "lsgan": System("LSGAN", f"{CONV} --objective lsgan", OBJECTIVES),
    "hinge": System("hinge", f"{CONV} --objective hinge", OBJECTIVES),
    "relativistic": System("relativistic", f"{CONV} --objective relativistic", OBJECTIVES),
    "relativistic-average": System(
        "relativistic average", f"{CONV} --objective relativistic-average", OBJECTIVES
    ),
    "wasserstein": System("Wasserstein", f"{CONV} --objective wasserstein", OBJECTIVES),
    "reverse-kl": System("f-GAN, reverse KL", f"{CONV} --objective reverse-kl", OBJECTIVES),
    "plain": System("not at all, non-saturating", f"{CONV} --penalty", HELD),
    "wgan": System(
        "WGAN, clipped",
        f"{CONV} --objective wasserstein --penalty --constraint clip --k 5 --optimizer rmsprop "
        "--lr 5e-4",
        HELD,
    ),
    "wgan-gp": System(
        "WGAN-GP",
        f"{CONV} --objective wasserstein --penalty gradient --k 5 --lr 5e-4 --b1 0 --b2 0.9",
        HELD,
    ),
    "dragan": System("DRAGAN", f"{CONV} --penalty dragan", HELD),
    "sn-hinge": System(
        "spectral norm, hinge", f"{CONV} --objective hinge --penalty --constraint spectral", HELD
    ),
    "feature-matching": System(
        "feature matching", f"{CONV} --penalty --feature-matching", GAMES
    ),
    "pacgan": System("PacGAN, 2", f"{CONV} --penalty --pack 2", GAMES),
    "unrolled": System("Unrolled, 5", "unrolled --model conv", GAMES),
    "madgan": System("MAD-GAN, 4", "madgan --model conv", GAMES),
    "mrgan": System("MRGAN", "mrgan --model conv", GAMES),
    "veegan": System("VEEGAN", "veegan --model conv", GAMES),
    "ebgan": System("EBGAN, pulling away", "ebgan --model conv --pull-away 0.1", GAMES),
    "began": System("BEGAN", "began --model conv", GAMES),
    "magan": System("MAGAN", "magan --model conv", GAMES),
}  # fmt: skip


# --- one run ---


class Budget(Callback):
    """A run ends after so many seconds of the processor."""

    def __init__(self, seconds):
        self.seconds, self.began = seconds, 0.0

    def on_step(self, run):
        now = time.process_time()
        if run.step == WARM:
            self.began = now
        elif run.step > WARM and now - self.began > self.seconds:
            run.max_steps = run.step


def train(words, seed, folder, arguments):
    """The steps that a run makes in its seconds. Interrupted when stopped."""
    shutil.rmtree(folder, ignore_errors=True)
    name, *options = words.split()
    options += ["--seed", seed, "--epochs", 10**6, "--out", folder, "--device", "cpu", "--quiet"]
    options += ["--no-doctor", "--sample-interval", 10**9, "--checkpoint-seconds", 10**9]
    options += ["--data-dir", arguments.data_dir] if arguments.data_dir else []
    kind = system(name)
    run = build(kind, parse(kind, [str(word) for word in options]))
    run.callbacks.append(Budget(arguments.seconds))
    run.train()
    return run.step


def measure(folder, seed, arguments, reference, data):
    """The metrics of a finished run, and a grid of its samples."""
    game = load_game(folder).game
    images = drawn(game, arguments.samples, CPU, 10_000 + seed)[0]
    save_grid(folder / "grid.png", images[:60], 6)
    return numbers(images, arguments, reference, data)


def floor(arguments, reference, data, seed):
    """The same numbers for real training images."""
    real = floats(subset(data["train"].images[WINDOW:], arguments.samples, seed))
    return numbers(real, arguments, reference, data)


def numbers(images, arguments, reference, data):
    """By name, of images (N, 1, 28, 28) in [-1, 1]; without --quick Parzen's likelihood, too, its
    window chosen on the first training images."""
    found = evaluate(images, reference)
    if not arguments.quick:
        pixels = [unit_pixels(x) for x in (images, data["test"].images, data["train"].images)]
        found["parzen"] = parzen(*pixels[:2], pixels[2][:WINDOW]).value
    return found


def key(line):
    """What must agree between lines of one table."""
    return line["seconds"], line["samples"], line["classifier"], line["quick"]


def read_lines():
    return [json.loads(text) for text in LINES.read_text().splitlines()] if LINES.exists() else []


def add_line(**line):
    LINES.parent.mkdir(parents=True, exist_ok=True)
    with open(LINES, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def folder_of(name, seed, arguments):
    """Where a run is kept."""
    return arguments.runs / f"{name}-{arguments.seconds:g}-{seed}"


def keep_grid(folder, name, seed, arguments):
    """Put the samples of the first seed on the page."""
    if seed == min(arguments.seeds):
        PICTURES.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "grid.png", PICTURES / f"results_{name}.png")


def measure_all(arguments, common, reference, data):
    """Measure the finished runs again, as when minigan measures otherwise than it did."""
    for line in (lines := read_lines()):
        name, seed = line["system"], line["seed"]
        folder = folder_of(name, seed, arguments)
        if key(line) != key(common) or seed not in arguments.seeds or not folder.exists():
            continue
        if name in arguments.systems and "failed" not in line:
            print(f"== {name}, seed {seed}", flush=True)
            line["metrics"] = measure(folder, seed, arguments, reference, data)
            write_atomic(LINES, "".join(json.dumps(x) + "\n" for x in lines).encode())
            keep_grid(folder, name, seed, arguments)
    return 0


def run_all(arguments):
    """Every system with every seed that has no line yet; the exit code."""
    data = {split: mnist.load("mnist", split, arguments.data_dir) for split in ("train", "test")}
    reference = Reference(data["test"].images)
    common = {k: getattr(arguments, k) for k in ("seconds", "samples", "quick")}
    common |= {"classifier": reference.classifier.digest}
    if arguments.measure:
        return measure_all(arguments, common, reference, data)
    for seed in arguments.seeds:
        for name in ("real", *arguments.systems):
            made = {(x["system"], x["seed"]) for x in read_lines() if key(x) == key(common)}
            if (name, seed) in made:
                continue
            print(f"== {name}, seed {seed}", flush=True)
            line = {"system": name, "seed": seed, **common, "machine": harness.machine()}
            if name == "real":
                add_line(**line, metrics=floor(arguments, reference, data, seed))
                continue
            folder = folder_of(name, seed, arguments)
            words = SYSTEMS[name].words
            try:
                steps = train(words, seed, folder, arguments)
            except (Interrupted, KeyboardInterrupt):
                print("stopped; the same command goes on")
                return 130
            except ArithmeticError as error:  # Diverged: it would do so again
                print(f"{name}, seed {seed}: {error}", file=sys.stderr)
                add_line(**line, words=words, failed=f"{type(error).__name__}: {error}")
                continue
            found = measure(folder, seed, arguments, reference, data)
            add_line(**line, words=words, steps=steps, metrics=found)
            keep_grid(folder, name, seed, arguments)
    return 0


# --- the page ---

COLUMNS = {  # heading -> (metric, digits)
    "Frechet ↓": ("frechet", 1), "KID ↓": ("kid", 1), "MMD² ↓": ("mmd2", 4),
    "score ↑": ("score", 2), "1-NN → .5": ("nn", 3),
    "… real": ("nn_real", 3), "… fake": ("nn_fake", 3), "density ↑": ("density", 2),
    "coverage ↑": ("coverage", 2), "modes": ("modes", 1),
    "KL ↓": ("kl_uniform", 3), "Parzen ↑": ("parzen", 0),
}  # fmt: skip
HEAD = """# Results on MNIST

Made by `python benchmarks/results_mnist.py` (lines of numbers:
`benchmarks/results/results_mnist.jsonl`); do not edit by hand.

What a GAN learns in {seconds:g} seconds of one core ({machine}). Each of these systems has its own
options under *Samples*; everything that is not said there is the default of `python -m minigan
train`: Adam 1e-3 (.5, .99) and averaged weights, as in the main job, whose batches are twice as
large and whose D is twice as wide: in a minute it comes as far, later further. Published rates are
for many more steps. The machine had other work, which made steps slower: alone on it the
non-saturating GAN made 8,263 steps in 30 seconds.

{samples} samples are compared with the 10,000 test images. Mean ± standard deviation over seeds.
Features and classes are those of the classifier `{classifier}` that comes with minigan: values of
other classifiers, numbers of samples or budgets cannot be compared with these. The first row, real
training images in place of samples, is what each column can be at best.
"""
FOOT = """
What the columns are: `minigan/metrics/`, each function's docstring. Published figures that use the
same measure: Parzen log-likelihood, 10000 samples: adversarial nets 225 ± 2 (Goodfellow et al.
2014, with the protocol of `examples/goodfellow_table1.py`, which is not the one of this table: here
the window is chosen on training images and G saw all 60,000). For the other columns there are none:
they need the same classifier.
"""


def cell(values, digits):
    """mean ± deviation over seeds, of one seed the value."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return f"{mean:.{digits}f}"
    deviation = (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"


def row(title, own, columns):
    """A line of the table, of the lines of one system."""
    cells = [
        cell([line["metrics"][m] for line in own if m in line["metrics"]], digits)
        if any(m in line["metrics"] for line in own) else ""
        for m, digits in columns.values()
    ]  # fmt: skip
    steps = f"{sum(x['steps'] for x in own) / len(own):.0f}" if "steps" in own[0] else ""
    return f"| {title} | {len(own)} | {steps} | {' | '.join(cells)} |"


def write_page(arguments):
    """docs/results.md from the lines that go together with the newest one."""
    lines = read_lines()
    if not lines:
        print(f"there is nothing in {LINES} yet", file=sys.stderr)
        return 2
    lines = [line for line in lines if key(line) == key(lines[-1])]
    seconds, samples, classifier, _ = key(lines[-1])
    measured = [line for line in lines if "metrics" in line]
    columns = {h: c for h, c in COLUMNS.items() if any(c[0] in x["metrics"] for x in measured)}
    of = lambda name: [line for line in measured if line["system"] == name]
    head = ["system", "seeds", "steps", *columns]
    rows = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    rows += [row("*real training images*", of("real"), columns)] if of("real") else []
    missing, pictures, group = [], [], ""
    for name, (title, words, kind) in SYSTEMS.items():
        failed = [x["failed"] for x in lines if x["system"] == name and "failed" in x]
        if failed or not of(name):
            times = f"failed {len(failed)} times ({failed[-1]})" if failed else "not run yet"
            missing.append(f"* {title}: {times}")
        if not of(name):
            continue
        rows += [f"| **{kind}** |{' |' * (len(head) - 1)}"] if kind != group else []
        rows.append(row(title, of(name), columns))
        group = kind
        pictures.append(f"**{title}**: `{words}`\n\n![samples](images/results_{name}.png)\n")
    if missing:
        missing = ["", "Missing:", "", *missing]
    remarks = REMARKS.read_text() if REMARKS.exists() else ""
    parts = [
        HEAD.format(
            seconds=seconds, samples=samples, classifier=classifier, machine=lines[-1]["machine"]
        ),
        *rows, FOOT, *missing, remarks,
        "## Samples\n\n60 each, not chosen, of the first seed, and the words after "
        "`python -m minigan train`.\n",
        *pictures,
    ]  # fmt: skip
    write_atomic(PAGE, "\n".join(parts).encode())
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
        "--seconds", type=number(float, above=0), default=60.0,
        help="of the processor, for each run (default %(default)s)",
    )  # fmt: skip
    p.add_argument("--samples", type=number(int, 200), default=10_000, help="(default %(default)s)")
    p.add_argument(
        "--quick", action="store_true", help="only the metrics that rest on the classifier"
    )
    p.add_argument(
        "--data-dir",
        help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a download)",
    )
    p.add_argument(
        "--runs", type=Path, default=ROOT / "runs" / "results",
        help="folder for the runs (default runs/results)",
    )  # fmt: skip
    p.add_argument(
        "--measure", action="store_true", help="train nothing, measure the runs of --runs again"
    )
    p.add_argument("--page", action="store_true", help="train nothing, write the page")
    arguments = p.parse_args(words)
    if not arguments.page:
        # one thread each: what a second one of the BLAS spends on waiting would count
        missing = [name for name in THREADS if not os.environ.get(name)]
        if missing:
            os.environ.update(dict.fromkeys(missing, "1"))
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
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
