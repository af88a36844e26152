#!/usr/bin/env python3
"""Train a DCGAN (Radford, Metz, Chintala 2016) on a folder of pictures, or MNIST; then let it draw.

    python examples/make_faces.py             # a data set to try it with
    python examples/dcgan.py --dataset faces --input-fname-pattern "*.jpg" --crop \\
        --input-height 96 --output-height 48 --train
    python examples/dcgan.py --generate 100   # without --train: use what was trained
    python examples/dcgan.py --dataset mnist --input-height 28 --output-height 28 --train

Words of options may be joined by "-" or "_".
"""

import argparse
import os
import re
import sys
from pathlib import Path

import numpy as np

import minigan
from minigan.arrays import DeviceError, Generator, resolve_device
from minigan.data import DATASETS, DataError, image_folder, load_dataset, mnist, resized
from minigan.data.batches import Batches
from minigan.gan import sample_inputs
from minigan.training import Run, generate, load_generator
from minigan.training.cli import about, add_run_options, number, perform, usual_callbacks
from minigan.training.memory import require_room, room_for_networks
from minigan.training.options import (
    augmentation,
    build_players,
    build_trainer,
    packed_shape,
    tables,
)
from minigan.training.switches import add_switches, chosen
from minigan.training.terminal import program
from minigan.training.walk import save_walk
from minigan.viz import save_grid, save_images


def parse_arguments(arguments=None):
    """The options, checked."""
    words = [re.sub("^--[^=]*", lambda name: name[0].replace("_", "-"), word) for word in arguments]
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--train",
        action="store_true",
        help="train; without it the model saved in --out draws pictures",
    )
    p.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")

    data = p.add_argument_group("data")
    data.add_argument(
        "--dataset",
        metavar="NAME",
        help=f"folder with the pictures, itself or as ./data/NAME; or {', '.join(DATASETS)}",
    )
    data.add_argument(
        "--data-dir",
        help="folder with the idx files of mnist and its like (default: $MINIGAN_DATA, ./data, the "
        "cache, or a download)",
    )
    data.add_argument(
        "--input-fname-pattern",
        default="*.jpg",
        metavar="GLOB",
        help="which files in it (default %(default)s)",
    )
    data.add_argument(
        "--crop",
        action="store_true",
        help="cut out the centre; without it pictures are squeezed into the output's shape",
    )
    data.add_argument(
        "--input-height",
        type=number(int, 1),
        help="size of the centre that --crop cuts out (default: as large as can be)",
    )
    data.add_argument("--input-width", type=number(int, 1), help="(default: the height)")
    data.add_argument(
        "--output-height",
        type=number(int, 8),
        default=64,
        help="size of the GAN's pictures (default %(default)s)",
    )
    data.add_argument("--output-width", type=number(int, 8), help="(default: the height)")
    data.add_argument(
        "--channels",
        type=int,
        choices=(1, 3),
        help="1: grey, 3: colour (default: 3 for folders, 1 for mnist and its like)",
    )
    data.add_argument(
        "--no-cache",
        action="store_true",
        help="do not keep the decoded pictures in the user's cache folder",
    )
    data.add_argument(
        "--workers",
        type=number(int, 1, 1000),
        help="threads that decode pictures (default: one per CPU)",
    )

    train = p.add_argument_group("training")
    train.add_argument(
        "--epochs",
        type=number(int, 1),
        default=25,
        help="passes through the data (default %(default)s)",
    )
    train.add_argument(
        "--batch-size", type=number(int, 2), default=64, help="(default %(default)s)"
    )
    train.add_argument(
        "--learning-rate",
        type=number(float, above=0),
        default=2e-4,
        help="Adam's (default %(default)s)",
    )
    train.add_argument(
        "--beta1",
        type=number(float, 0, below=1),
        default=0.5,
        help="Adam's decay of the mean (default %(default)s)",
    )
    train.add_argument(
        "--z-dim",
        type=number(int, 1),
        default=100,
        help="numbers in a latent vector (default %(default)s)",
    )
    train.add_argument(
        "--features",
        type=number(int, 1),
        default=64,
        help="channels of the widest maps, ngf = ndf (default %(default)s)",
    )
    train.add_argument(
        "--ema",
        type=number(float, 0, below=1),
        default=0.99,
        help="decay per step of the averaged weights that draw; 0: none (default %(default)s)",
    )

    add_run_options(p.add_argument_group("run"), "runs/dcgan", 200)
    add_switches(p)

    draw = p.add_argument_group("drawing")
    draw.add_argument(
        "--generate",
        type=number(int, 1),
        metavar="N",
        help="also write N pictures, each into a file of its own",
    )
    options = p.parse_args(words)
    if options.train and not options.dataset:
        p.error("--train needs --dataset NAME")
    return options


def pictures(options, input_size, shape):
    """The data that --dataset names, as (N, *shape)."""
    name, channels, output_size = options.dataset, shape[0], shape[1:]
    if name in DATASETS:
        here = Path("data")  # where the TensorFlow program has them
        if not (options.data_dir or os.environ.get("MINIGAN_DATA")) and here.is_dir():
            if name in mnist.FILES and mnist.find(here, name, "train"):
                options.data_dir = str(here)
        found = load_dataset(name, data_dir=options.data_dir)
        return resized(found, options.crop, input_size, output_size, channels)
    places = Path(name).expanduser(), Path("data") / name
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        raise DataError(
            f"--dataset {name}: no such folder, here or in ./data, and no data set of that name "
            f"(there are {', '.join(DATASETS)})"
        )
    return image_folder(
        folder, options.input_fname_pattern, options.crop, input_size, output_size, channels,
        options.workers, not options.no_cache, quiet=options.quiet,
    )  # fmt: skip


def build(options):
    """The run that the options describe."""
    device = resolve_device(options.device)
    print(f"device: {device}" + (" (chosen by --device auto)" if options.device == "auto" else ""))
    height = options.input_height or options.input_width
    width = options.input_width or options.input_height
    output_size = options.output_height, options.output_width or options.output_height
    shape = options.channels or (1 if options.dataset in DATASETS else 3), *output_size
    minigan.manual_seed(options.seed)
    config = {
        "model": "dcgan", "latent_dim": options.z_dim,
        "image_shape": [*shape], "features": options.features,
        "lr": options.learning_rate, "b1": options.beta1, "ema": options.ema, "seed": options.seed,
    } | chosen(options)  # fmt: skip
    lower = "--features, --output-height or --z-dim"
    with room_for_networks(lower, options.optimizer, device):
        G, D = build_players(config)
    # before the pictures are read
    require_room(G, D, config | {"batch_size": 1}, packed_shape(config), lower, device)

    data = pictures(options, (height, width) if height else None, shape)
    print(f"data: {len(data)} pictures from {data.source}, {'x'.join(map(str, shape))}")
    batch_size = min(options.batch_size, len(data))
    if batch_size < options.batch_size:
        print(
            f"there are fewer pictures than --batch-size {options.batch_size}: all {batch_size} "
            "make one batch"
        )

    config |= {"batch_size": batch_size} | augmentation(options.augment, data)
    require_room(G, D, config, packed_shape(config), lower, device)
    G, D = G.to(device), D.to(device)
    config |= {"dataset": data.name, "checksum": data.checksum}
    print(tables(G, D, config))

    trainer = build_trainer(G, D, config)
    return Run(
        trainer, Batches(data, batch_size, options.seed, device), options.out, config,
        epochs=options.epochs,
        max_steps=options.max_steps, callbacks=usual_callbacks(options, G, data, device),
        resume=options.resume,
        new_data=options.new_data, about=about(options), graph=not options.no_graph,
        sync_bn=options.sync_bn,
    )  # fmt: skip


def draw(options):
    """Pictures by the saved model: a grid, a walk through its latent space, and --generate
    files."""
    G, config = load_generator(options.out, resolve_device(options.device))
    random = Generator(options.seed)
    latent_dim = config["latent_dim"]
    classes = config.get("classes", 0)
    out = Path(options.out)
    save_grid(
        out / "generated.png", generate(G, *sample_inputs(64, random, latent_dim, classes)), 8
    )
    written = [
        out / "generated.png",
        *save_walk(G, latent_dim, out / "walk", seed=options.seed, classes=classes),
    ]
    if options.generate:
        # One after the other, so that picture i is the same for every N.
        latents = np.stack([random.normal((latent_dim,)) for _ in range(options.generate)])
        labels = [np.arange(options.generate) % classes] if classes else []
        save_images(out / "generated", generate(G, latents, *labels))
        written.append(f"{options.generate} pictures in {out / 'generated'}")
    print("written:", *written, sep="\n  ")


@program
def main(arguments=None):
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    if options.train:
        return perform(lambda: build(options))
    try:
        draw(options)
    except (DeviceError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
