#!/usr/bin/env python3
"""Train a GAN that draws handwritten digits.

    python examples/mnist_gan.py   # small convolutions; on CUDA where it is usable, else the CPU
    # the classic MLP GAN
    python examples/mnist_gan.py --model mlp
    # a conditional GAN: a row of the samples for each digit
    python examples/mnist_gan.py --conditional
    # the embedded data set: needs no files and no network
    python examples/mnist_gan.py --dataset strokes
    # a folder; with --conditional, its subfolders are the classes
    python examples/mnist_gan.py --dataset PICTURES
    python examples/mnist_gan.py --resume   # go on with an interrupted run

Any game (docs/games.md), such as WGAN-GP:

    python examples/mnist_gan.py --objective wasserstein --penalty gradient --k 5 --lr 1e-4 \\
        --b1 0 --b2 0.9
"""

import argparse
import sys

import minigan
from minigan.arrays import resolve_device
from minigan.data import DATASETS, load_dataset
from minigan.data.batches import Batches
from minigan.training import Run
from minigan.training.cli import about, add_run_options, number, perform, usual_callbacks
from minigan.training.memory import require_room, room_for_networks
from minigan.training.options import (
    augmentation,
    build_players,
    build_trainer,
    conditions,
    packed_shape,
    tables,
)
from minigan.training.switches import add_networks, add_switches, chosen, recipe
from minigan.training.terminal import program

MODEL = "conv"


def parse_arguments(arguments=None):
    """The options, checked."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    add_networks(p, MODEL)
    p.add_argument(
        "--dataset",
        default="mnist",
        help=f"{', '.join(DATASETS)}, or a folder of pictures (default %(default)s)",
    )
    p.add_argument(
        "--size",
        type=number(int, 8),
        help="pixels of a side, of own pictures (default 28) or glyphs (default 32)",
    )
    p.add_argument(
        "--data-dir",
        help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a download)",
    )
    p.add_argument(
        "--epochs",
        type=number(int, 1),
        help="passes through the data (default %(default)s)",
    )
    p.add_argument("--batch-size", type=number(int, 2), default=64, help="(default %(default)s)")
    p.add_argument(
        "--lr",
        type=number(float, above=0),
        default=1e-3,
        help="Adam's learning rate (default %(default)s)",
    )
    p.add_argument(
        "--b1",
        type=number(float, 0, below=1),
        default=0.5,
        help="Adam's decay of the mean (default %(default)s)",
    )
    p.add_argument(
        "--b2",
        type=number(float, 0, below=1),
        default=0.999,
        help="Adam's decay of the variance (default %(default)s)",
    )
    p.add_argument("--latent-dim", type=number(int, 1), default=100, help="(default %(default)s)")
    p.add_argument(
        "--ema",
        type=number(float, 0, below=1),
        help="decay per step of the averaged weights that draw; 0: none (default %(default)s)",
    )
    add_run_options(p, "runs/mnist_gan", 400)
    p.add_argument(
        "--conditional",
        action="store_true",
        help="G draws what a label asks for, and D knows the label (CGAN)",
    )
    add_switches(p)
    p.set_defaults(**recipe(arguments, MODEL))
    options = p.parse_args(arguments)
    if options.features and options.model == "mlp":
        p.error("--features is for networks with convolutions: --model mlp has no channels")
    return options


def build(options):
    """The run that the options describe."""
    device = resolve_device(options.device)
    print(f"device: {device}" + (" (chosen by --device auto)" if options.device == "auto" else ""))
    data = load_dataset(options.dataset, data_dir=options.data_dir, size=options.size)
    print(
        f"data: {data.name}, {len(data)} images of {data.images.shape[2]}x{data.images.shape[3]} "
        f"({data.source})"
    )

    minigan.manual_seed(options.seed)
    config = {
        k: getattr(options, k)
        for k in ("model", "batch_size", "lr", "b1", "b2", "latent_dim", "ema", "seed")
    } | chosen(options)
    config |= {"image_shape": list(data.images.shape[1:])} | conditions(options, data)
    config |= augmentation(options.augment, data)
    if options.features:
        config["features"] = options.features
    lower = "--latent-dim" if options.model == "mlp" else "--features or --latent-dim"
    with room_for_networks(lower, options.optimizer, device):
        G, D = build_players(config)
    require_room(G, D, config, packed_shape(config), lower, device)
    G, D = G.to(device), D.to(device)
    print(tables(G, D, config))

    trainer = build_trainer(G, D, config)
    config |= {"dataset": data.name, "checksum": data.checksum}
    batches = Batches(data, options.batch_size, options.seed, device, trainer.game.columns)
    return Run(
        trainer, batches, options.out, config, epochs=options.epochs, max_steps=options.max_steps,
        callbacks=usual_callbacks(options, G, data, device), resume=options.resume,
        new_data=options.new_data, about=about(options),
        graph=not options.no_graph, sync_bn=options.sync_bn,
    )  # fmt: skip


@program
def main(arguments=None):
    options = parse_arguments(arguments)
    return perform(lambda: build(options))


if __name__ == "__main__":
    sys.exit(main())
