"""What was claimed of kinds of generators, as one table of finished runs: adversarial ones draw in
one pass, fast and sharp, and have no likelihood; PixelCNN and PixelRNN have one, and draw slowly; a
variational auto-encoder has a bound, blurs, and loses no modes.

    python -m minigan train gan && python -m minigan train vae && python -m minigan measure runs/vae
    python -m minigan train pixelcnn && python -m minigan measure runs/pixelcnn
    python -m minigan train pixelrnn --epochs 3 && python -m minigan measure runs/pixelrnn
    python benchmarks/claims.py runs/gan runs/vae runs/pixelcnn runs/pixelrnn

Of each run: milliseconds of a sample, 25 drawn at once and one alone; sharpness, the variance of
the Laplacian of pixels in [0, 1], and recall, the share of test pictures near samples in features
of the digit classifier (28x28 digits only), each beside its value for training pictures; nats, the
likelihood of test images or its bound, which `measure` has found. Pictures are those that the run
has learnt from: PixelCNN's are black or white, and sharp for that reason alone. Writes
benchmarks/results/claims.json.
"""

import argparse
import json
import math
import pathlib
import time

import numpy as np

from minigan.arrays import CPU, Generator
from minigan.machine.threads import num_threads
from minigan.metrics import Reference, evaluate
from minigan.metrics.rows import subset
from minigan.systems import load_game
from minigan.systems.command import with_given
from minigan.systems.evidence import drawn, floats
from minigan.training.cli import number
from minigan.training.terminal import program

OUT = pathlib.Path(__file__).parent / "results" / "claims.json"
TOGETHER, TIMES = 25, 5  # samples at once; how often, the median counts
LIKELIHOODS = {"nats": -1, "ELBO": 1, "weighted bound": 1}  # rows of measure.json, and their sign


def sharpness(images: np.ndarray) -> float:
    """The mean over images (N, C, H, W) in [-1, 1] of the variance of the Laplacian, the sum of
    four neighbours less four times a pixel, of pixels in [0, 1] that have four neighbours."""
    x = (np.clip(images, -1, 1) + 1) / 2
    around = x[..., 2:, 1:-1] + x[..., :-2, 1:-1] + x[..., 1:-1, 2:] + x[..., 1:-1, :-2]
    return float((around - 4 * x[..., 1:-1, 1:-1]).var((-2, -1)).mean())


def milliseconds(game, n: int) -> float:
    """Of one sample, where n are drawn at once."""
    inputs, taken = game.inputs(n, Generator(0)), []
    for _ in range(TIMES + 1):
        start = time.perf_counter()
        game.sample(*inputs).numpy()
        taken.append(time.perf_counter() - start)
    return 1000 * float(np.median(taken[1:])) / n


def likelihood(folder: pathlib.Path) -> float:
    """The best of what `measure` has found, in nats; NaN where it has found none."""
    path = folder / "measure.json"
    rows = json.loads(path.read_text())["rows"] if path.is_file() else []
    found = [row["value"] * LIKELIHOODS[row["name"]] for row in rows if row["name"] in LIKELIHOODS]
    return max(found, default=math.nan)


def claims(folder: str, samples: int, data_dir: str | None) -> dict:
    """The figures of a run."""
    kind, game, c, step = load_game(folder)
    c = with_given(c, folder)
    c.data_dir = data_dir
    images = drawn(game, samples, CPU)[0]
    training, test = (kind.data(c, split).images for split in ("train", "test"))
    real = floats(subset(training, samples))
    name = f"{kind.name}, {c.kind}" if hasattr(c, "kind") else kind.name
    found = {
        "system": name, "step": step, "samples": samples, "threads": num_threads(),
        "ms": milliseconds(game, TOGETHER), "ms_alone": milliseconds(game, 1),
        "sharpness": sharpness(images), "sharpness_real": sharpness(real),
        "nats": likelihood(pathlib.Path(folder)),
    }  # fmt: skip
    if images.shape[1:] == (1, 28, 28) and c.dataset in ("mnist", "strokes"):
        reference = Reference(test)
        told = [evaluate(x, reference) for x in (images, real)]
        found |= {
            f"{name}{end}": values[name]
            for name in ("recall", "precision") for end, values in zip(("", "_real"), told)
        }  # fmt: skip
    return found


def table(rows: list[dict]) -> str:
    """For people: value / real pictures."""
    shown = lambda x, form: "-" if x is None or math.isnan(x) else format(x, form)
    pair = lambda row, name, form: (
        f"{shown(row.get(name, math.nan), form)} / {shown(row.get(f'{name}_real', math.nan), form)}"
    )
    lines = ["| system | ms a sample, of 25 | alone | sharpness / real | recall / real | "
             "precision / real | log p(x), nats |", "|---" * 7 + "|"]  # fmt: skip
    for row in rows:
        cells = (
            row["system"], shown(row["ms"], ".2f"), shown(row["ms_alone"], ".2f"),
            pair(row, "sharpness", ".3f"), pair(row, "recall", ".3f"),
            pair(row, "precision", ".3f"), shown(row["nats"], ".1f"),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


@program
def main(arguments=None) -> int:
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("runs", nargs="+", help="folders of finished runs of any system that draws")
    p.add_argument("--samples", type=number(int, 100), default=2000, help="(default %(default)s)")
    p.add_argument("--data-dir", help="folder with the four idx files of MNIST")
    p.add_argument("--out", default=str(OUT), help="(default %(default)s)")
    options = p.parse_args(arguments)
    rows = [claims(run, options.samples, options.data_dir) for run in options.runs]
    finite = lambda x: None if isinstance(x, float) and math.isnan(x) else x
    path = pathlib.Path(options.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([{k: finite(v) for k, v in row.items()} for row in rows], indent=1))
    print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
