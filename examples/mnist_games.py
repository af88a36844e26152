#!/usr/bin/env python3
"""MNIST with games that need other players than a G and a D that gives one number: auto-encoders as
D, encoders, several generators.

    # an energy-based GAN with the pulling-away term
    python examples/mnist_games.py --game ebgan-pt
    # its k and measure of convergence are in metrics.jsonl
    python examples/mnist_games.py --game began --gamma 0.7
    python examples/mnist_games.py --game unrolled --unroll 5

All with networks of plain layers; G is that of mnist_gan.py, so that `python -m minigan.metrics`
and `minigan.training.walk` know the runs.
"""

import argparse
import math
import sys

import minigan
from minigan import nn
from minigan.arrays import resolve_device
from minigan.data import DATASETS, load_dataset
from minigan.data.batches import Batches
from minigan.gan import GAMES, AutoEncoder, Trainer, mlp_generator
from minigan.optim import Adam
from minigan.training import Run
from minigan.training.cli import about, add_run_options, number, perform, usual_callbacks
from minigan.training.memory import room_for_networks
from minigan.training.terminal import program


def layers(*sizes, activation=lambda: nn.LeakyReLU(0.2)):
    """Linear layers with activations between them."""
    parts = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), activation())]
    return parts[:-1]


class Images:
    """The networks: `minigan.gan.Parts` for images of a shape."""

    def __init__(self, shape, options, device):
        self.shape = shape
        self.options = options
        self.device = device
        self.latent_dim = options.latent_dim

    def generator(self, more=0):
        return mlp_generator(self.latent_dim + more, self.shape).to(self.device)

    def critic(self, n_out=1, more=0):
        """pixels-512-256-n_out"""
        first = [] if more else [nn.Flatten()]
        return nn.Sequential(*first, *layers(math.prod(self.shape) + more, 512, 256, n_out)).to(
            self.device
        )

    def coder(self, codes=None):
        """pixels-512-256-codes and back, tanh."""
        n, codes = math.prod(self.shape), codes or 64
        activation = nn.ELU if self.options.game == "began" else lambda: nn.LeakyReLU(0.2)
        encoder = nn.Sequential(nn.Flatten(), *layers(n, 512, 256, codes, activation=activation))
        decoder = nn.Sequential(
            *layers(codes, 256, 512, n, activation=activation),
            nn.Tanh(),
            nn.Unflatten(1, self.shape),
        )
        return AutoEncoder(encoder, decoder).to(self.device)

    def optimizer(self, player):
        return Adam(player.parameters(), self.options.lr, (self.options.b1, 0.999))


# --game -> (a game of `minigan.gan.GAMES`, its arguments)
KINDS = {
    "ebgan": ("ebgan", lambda o: {"margin": o.margin}),
    "ebgan-pt": ("ebgan", lambda o: {"margin": o.margin, "pull_away": 0.1}),
    "began": ("began", lambda o: {"gamma": o.gamma}),
    "magan": ("magan", lambda o: {"period": o.period, "pretraining": 2 * o.period}),
    "unrolled": ("unrolled", lambda o: {"unroll": o.unroll}),
    "madgan": ("madgan", lambda o: {"k": o.generators, "saturating": False}),
    "mrgan": ("mrgan", lambda o: {"lambda1": 0.005, "lambda2": 0.1}),
    "mdgan": ("mdgan", lambda o: {}),
    "veegan": ("veegan", lambda o: {}),
    "cgan": ("cgan", lambda o: {"classes": o.classes}),
}
MATHEMATICS = (
    "game",
    "batch_size",
    "lr",
    "b1",
    "latent_dim",
    "ema",
    "seed",
    "margin",
    "gamma",
    "period",
    "unroll",
    "generators",
)


def parse_arguments(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--game", choices=KINDS, default="ebgan-pt", help="(default %(default)s)")
    p.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    p.add_argument(
        "--dataset",
        default="mnist",
        help=f"{', '.join(DATASETS)}, or a folder of pictures (default %(default)s)",
    )
    p.add_argument(
        "--data-dir",
        help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a download)",
    )
    p.add_argument("--epochs", type=number(int, 1), default=10, help="(default %(default)s)")
    p.add_argument("--batch-size", type=number(int, 2), default=64, help="(default %(default)s)")
    p.add_argument(
        "--lr",
        type=number(float, above=0),
        default=2e-4,
        help="Adam's learning rate (default %(default)s)",
    )
    p.add_argument(
        "--b1",
        type=number(float, 0, below=1),
        default=0.5,
        help="Adam's decay of the mean (default %(default)s)",
    )
    p.add_argument("--latent-dim", type=number(int, 1), default=100, help="(default %(default)s)")
    p.add_argument(
        "--ema",
        type=number(float, 0, below=1),
        help="decay of the averaged weights that draw (default 0.99; madgan: 0)",
    )
    p.add_argument(
        "--margin", type=number(float, 0), default=10.0, help="of EBGAN (default %(default)s)"
    )
    p.add_argument(
        "--gamma", type=number(float, 0, 1), default=0.5, help="of BEGAN (default %(default)s)"
    )
    p.add_argument(
        "--period",
        type=number(int, 1),
        default=900,
        help="steps between MAGAN's margins; twice as many are pretraining",
    )
    p.add_argument(
        "--unroll",
        type=number(int, 0),
        default=5,
        help="steps that Unrolled looks ahead (default %(default)s)",
    )
    p.add_argument(
        "--generators", type=number(int, 1), default=4, help="of MAD-GAN (default %(default)s)"
    )
    add_run_options(p, "runs/mnist_games", 400)
    options = p.parse_args(arguments)
    if options.ema is None:
        options.ema = 0.0 if options.game == "madgan" else 0.99
    return options


def build(options):
    """The run that the options describe."""
    device = resolve_device(options.device)
    data = load_dataset(options.dataset, data_dir=options.data_dir)
    print(f"device: {device}; data: {data.name}, {len(data)} images ({data.source})")
    minigan.manual_seed(options.seed)
    shape = tuple(data.images.shape[1:])
    options.classes = int(data.labels.max()) + 1
    parts, (kind, arguments) = Images(shape, options, device), KINDS[options.game]
    with room_for_networks("--latent-dim or --generators", place=device):
        game = GAMES[kind].of(parts, **arguments(options))
    optimizers = {name: parts.optimizer(player) for name, player in game.players.items()}
    if kind == "unrolled":
        optimizers["D"] = game.optimizer
    config = {name: getattr(options, name) for name in MATHEMATICS}
    config |= {
        "model": "mlp",
        "image_shape": list(shape),
        "dataset": data.name,
        "checksum": data.checksum,
    }
    if game.classes:
        config["classes"] = game.classes
    G = game.players.get("G") or game.players["G0"]
    return Run(
        Trainer(game, optimizers), Batches(data, options.batch_size, options.seed, device,
            game.columns), options.out, config,
        epochs=options.epochs, max_steps=options.max_steps,
        callbacks=usual_callbacks(options, G, data, device), resume=options.resume,
        new_data=options.new_data, about=about(options), graph=not options.no_graph,
    )  # fmt: skip


@program
def main(arguments=None):
    options = parse_arguments(arguments)
    return perform(lambda: build(options))


if __name__ == "__main__":
    sys.exit(main())
