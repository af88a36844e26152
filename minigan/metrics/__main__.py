"""Measure the generator of a saved run, beside real images in its place.

python -m minigan.metrics runs/mnist_gan
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

from .. import nn
from ..arrays import DeviceError, resolve_device, to_device
from ..data import load_dataset
from ..data.files import write_atomic
from ..training.cli import SEED, number
from ..training.pretrained import generate, inputs_of, load_generator
from ..training.terminal import program
from .ais import ais_log_likelihood
from .evaluate import BETTER, Reference, evaluate, evaluate_pixels, unit_pixels
from .rows import subset

KNOWN = ("mnist", "strokes")


class _Pixels(nn.Module):
    """A generator of images in [-1, 1] as one of pixels in [0, 1]."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z):
        return (self.generator(z) + 1) / 2


def annealed(generator: nn.Module, test, latent_dim: int, options) -> dict:
    """AIS of some test images: mean, its error, and how far it can be trusted."""
    rows = unit_pixels(subset(test, options.ais, options.seed))
    found = ais_log_likelihood(
        _Pixels(generator),
        to_device(rows, options.place),
        options.ais_sigma,
        latent_dim,
        steps=options.ais_steps,
    )
    values = found.log_likelihood
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.inf
    return {
        "ais": float(values.mean()), "ais_se": error, "ais_sigma": options.ais_sigma,
        "ais_images": len(values), "ais_effective": float(found.effective.mean()),
        "ais_acceptance": found.acceptance,
    }  # fmt: skip


def measure(options) -> dict:
    """The numbers of the run's samples and of real images in their place."""
    device = options.place = resolve_device(options.device)
    generator, config = load_generator(options.run, device, best=options.best)
    if options.ais and config.get("classes"):
        raise ValueError(
            f"--ais: the samples of {options.run} depend on labels, too, and it knows latents "
            "alone: leave it out"
        )
    dataset, shape = config.get("dataset"), tuple(config["image_shape"])
    if dataset not in KNOWN or shape != (1, 28, 28):
        raise ValueError(
            f"{options.run} was trained on {dataset!r} images of shape {shape}: the metrics here "
            "know digits of 28x28 only"
        )
    data = {split: load_dataset(dataset, split, options.data_dir) for split in ("train", "test")}
    if data["train"].name != dataset:
        raise ValueError(
            f"the run was trained on {dataset!r}, which cannot be found; say where with "
            "--data-dir or MINIGAN_DATA"
        )
    images = generate(generator, *inputs_of(config, options.samples, options.seed), batch_size=500)
    training, test = data["train"].images, data["test"].images
    reference = Reference(test, device=device)
    right = float((reference.described.digits == data["test"].labels).mean())
    real = subset(training, options.samples, options.seed)
    found, floor = evaluate(images, reference), evaluate(real, reference)
    if not options.quick:
        found |= evaluate_pixels(images, training, test)
        # Real images as samples must not be looked for among themselves: one half of the training
        # data stands for the other.
        half = len(training) // 2
        floor |= evaluate_pixels(
            subset(training[:half], options.samples, options.seed), training[half:], test
        )
    if options.ais:
        found |= annealed(generator, test, config["latent_dim"], options)
    return {
        "run": str(options.run), "dataset": dataset, "samples": options.samples,
        "seed": options.seed,
        "classifier": reference.classifier.digest, "classifier_accuracy": right, "metrics": found,
        "real": floor,
    }  # fmt: skip


def table(result: dict) -> str:
    """The numbers for people to read."""
    found, real = result["metrics"], result["real"]
    lines = [
        f"{result['run']}: {result['samples']} samples (seed {result['seed']}) against the test "
        f"images of {result['dataset']}",
        f"classifier {result['classifier']}, right on {100 * result['classifier_accuracy']:.2f} % "
        "of them; values of other classifiers or numbers of samples cannot be compared",
        f"{'':20}{'samples':>12}{'real images':>14}   better",
    ]
    for name, value in found.items():
        if name in BETTER:
            error = f" +- {found[name + '_se']:.2g}" if name + "_se" in found else ""
            lines.append(f"{name:20}{value:12.4f}{real[name]:14.4f}   {BETTER[name]:10}{error}")
    if "parzen_sigma" in found:
        lines.append(
            f"Parzen windows: sigma {found['parzen_sigma']:.3f} (real: "
            f"{real['parzen_sigma']:.3f}), chosen on training images"
        )
        lines.append(f"nearest_training of unseen images: {found['nearest_training_unseen']:.4f}")
    if "ais" in found:
        lines.append(
            f"annealed importance sampling, sigma {found['ais_sigma']}, {found['ais_images']} "
            f"test images: {found['ais']:.1f} +- "
            f"{found['ais_se']:.1f} nats ({found['ais_effective']:.1f} effective chains of 16, "
            f"{found['ais_acceptance']:.2f} accepted)"
        )
    return "\n".join(lines)


@program
def main(arguments=None) -> int:
    p = argparse.ArgumentParser(
        prog="python -m minigan.metrics", description=__doc__.splitlines()[0]
    )
    p.add_argument("run", help="folder of a run, such as runs/mnist_gan")
    p.add_argument("--samples", type=number(int, 100), default=10_000, help="(default %(default)s)")
    p.add_argument(
        "--best",
        action="store_true",
        help="the state that the run's own evaluations found best, not the newest",
    )
    p.add_argument("--seed", type=SEED, default=0, help="of the latents (default %(default)s)")
    p.add_argument(
        "--ais",
        type=number(int, 0),
        default=0,
        metavar="N",
        help="also annealed importance sampling of N test images: slow",
    )
    p.add_argument(
        "--ais-sigma",
        type=number(float, 1e-3),
        default=0.1,
        help="of the noise on pixels in [0, 1] (default %(default)s)",
    )
    p.add_argument(
        "--ais-steps", type=number(int, 2), default=500, help="temperatures (default %(default)s)"
    )
    p.add_argument(
        "--quick",
        action="store_true",
        help="only what rests on the classifier: some seconds instead of a minute",
    )
    p.add_argument(
        "--data-dir",
        help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a download)",
    )
    p.add_argument(
        "--device",
        default="cpu",
        help="where generator and classifier compute: cpu (default), cuda, cuda:N or auto",
    )
    p.add_argument("--out", help="file for the numbers as JSON (default: RUN/evaluation.json)")
    options = p.parse_args(arguments)
    out = Path(options.out or Path(options.run) / "evaluation.json")
    try:
        result = measure(options)
    except (DeviceError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table(result))
    try:
        write_atomic(out, json.dumps(result, indent=1).encode())
    except OSError as error:
        print(
            f"error: cannot write {out} ({error.strerror}): name another file with --out",
            file=sys.stderr,
        )
        return 2
    print(f"written: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
