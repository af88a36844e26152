#!/usr/bin/env python3
"""A GAN on a line: G learns N(4, 0.5) and D draws a boundary. After Glover's "gan-intro" (2016).

    python examples/gaussian_1d.py   # the published protocol; a figure of the end
    python examples/gaussian_1d.py --minibatch   # D also sees how close the samples of a batch are
    # the way there, too (.mp4 needs ffmpeg)
    python examples/gaussian_1d.py --minibatch --anim runs/g.gif
    python examples/gaussian_1d.py --minibatch --seeds 10   # one line for each of ten seeds

G is linear-softplus-linear, D three tanh layers and a logit. G's noise is stratified: a grid from
-8 to 8, each point moved by U(0, 0.01). D is first trained for 1,000 steps to say the data's
density at x. Then 1,200 rounds: batch 12, SGD, rate 0.005, times 0.95 every 150 steps. What is
shown is made by averages of G's weights: a batch of 12 pushes G about (--ema 0: its last weights).
"""

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np

import minigan
from minigan import as_tensor, nn
from minigan.gan import GAN, NonSaturating, Trainer
from minigan.optim import EMA, SGD
from minigan.optim.lr_scheduler import StepLR
from minigan.training.cli import SEED, number
from minigan.training.memory import room_for_networks
from minigan.training.terminal import program
from minigan.viz import save_gif

MEAN = 4.0
STD = 0.5
RANGE = 8.0
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREY = "#777777"


def data(n):
    """(n, 1) samples of N(4, 0.5)."""
    return minigan.randn(n, 1) * STD + MEAN


def density(x):
    return minigan.exp(((x - MEAN) * (1 / STD)) ** 2 * -0.5) * (1 / (STD * np.sqrt(2 * np.pi)))


class Line(GAN):
    """The game with stratified noise."""

    def latents(self, n, like):
        return minigan.linspace(-RANGE, RANGE, n)[:, None] + minigan.rand(n, 1) * 0.01


def networks(options):
    """(G, D)."""
    width = options.hidden
    G = nn.Sequential(nn.Linear(1, width), nn.Softplus(), nn.Linear(width, 1))
    layers = [
        nn.Linear(1, 2 * width),
        nn.Tanh(),
        nn.Linear(2 * width, 2 * width),
        nn.Tanh(),
        nn.Linear(2 * width, 2 * width),
        nn.Tanh(),
    ]
    kernels = options.kernels if options.minibatch else 0
    if kernels:
        layers.append(nn.MinibatchDiscrimination(2 * width, kernels, 3))
        # with less D hardly sees distances: samples then lie too close (seeds 1000 to 1031)
        nn.init.normal_(layers[-1].T, 0.0, 1.0)
    return G, nn.Sequential(*layers, nn.Linear(2 * width + kernels, 1))


def pretrain(D, options):
    """D(x) becomes the data's density, by least squares at points U(-8, 8)."""
    parameters, optimizer = list(D.parameters()), SGD(D.parameters(), options.lr)
    schedule = StepLR(optimizer, 150, 0.95)
    for _ in range(options.pretrain):
        x = (minigan.rand(options.batch_size, 1) * 2 - 1) * RANGE
        loss = ((D(x).sigmoid() - density(x)) ** 2).mean()
        optimizer.step_with(minigan.grad(loss, parameters))
        schedule.step()


def state(game):
    """What a figure shows: D on a grid, and 10,000 samples of G. The run's random numbers go on as
    if nobody had looked."""
    random, grid = minigan.get_rng_state(), np.linspace(-RANGE, RANGE, 400)
    with minigan.no_grad():
        column = as_tensor(grid[:, None].astype(np.float32))
        # D judges each point in a batch of real ones
        if any(isinstance(m, nn.MinibatchDiscrimination) for m in game.D):
            others = data(11)
            boundary = np.array(
                [game.D(minigan.cat([x[None], others]))[0].sigmoid().item() for x in column]
            )
        else:
            boundary = game.D(column).sigmoid().numpy()[:, 0]
        samples = game.G(game.latents(10_000, column)).numpy()[:, 0]
    minigan.set_rng_state(random)
    return grid, boundary, samples


def train(options, seed, every=None):
    """(game, frames): the game at its end, its G with averaged weights, and its state every so many
    steps."""
    minigan.manual_seed(seed)
    with room_for_networks("--hidden or --kernels", "sgd"):
        G, D = networks(options)
    pretrain(D, options)
    game = Line(G, D, NonSaturating(), latent_dim=1)
    optimizers = {
        name: SGD(player.parameters(), options.lr) for name, player in game.players.items()
    }
    schedules = [StepLR(o, 150, 0.95) for o in optimizers.values()]
    trainer, average = Trainer(game, optimizers), EMA(G, options.ema)
    play, frames = minigan.cpu.graph(trainer.play), []
    for step in range(options.steps):
        if every and step % every == 0:
            with average.applied():
                frames.append((step, *state(game)))
        play(data(options.batch_size))
        average.update()
        for schedule in schedules:
            schedule.step()
    average.copy_to()
    return game, [*frames, (options.steps, *state(game))]


def picture(frame, png=None):
    """The figure of one frame: an array (H, W, 3), also written to `png`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    step, grid, boundary, samples = frame
    figure = Figure(figsize=(7, 4), layout="constrained", dpi=100)
    canvas, ax = FigureCanvasAgg(figure), figure.add_subplot()
    bins = np.linspace(-RANGE, RANGE, 101)
    shown, _ = np.histogram(samples, bins)
    ax.plot(grid, boundary, color=BLUE, label="D(x)")
    ax.fill_between(
        grid, density(as_tensor(grid)).numpy(), color=GREY, alpha=0.4, lw=0, label="data: N(4, 0.5)"
    )
    ax.stairs(
        shown / (len(samples) * (bins[1] - bins[0])),
        bins,
        color=ORANGE,
        label=f"G: {samples.mean():.2f} +- {samples.std():.2f}",
    )
    ax.axhline(0.5, color="k", lw=0.5, ls=":")
    ax.set(xlim=(-RANGE, RANGE), ylim=(0, 1.5), xlabel="x", title=f"step {step}")
    ax.legend(frameon=False, loc="upper left")
    ax.spines[["top", "right"]].set_visible(False)
    canvas.draw()
    if png:
        canvas.print_png(png)
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_animation(path, frames):
    """A GIF, or an MP4 where ffmpeg is installed."""
    pictures = [picture(frame) for frame in frames]
    if path.suffix == ".gif":
        save_gif(path, pictures, ms_per_frame=80)
        return
    from matplotlib.animation import FFMpegWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = pictures[0].shape[:2]
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    FigureCanvasAgg(figure)
    image = figure.figimage(pictures[0])
    writer = FFMpegWriter(fps=12)
    with writer.saving(figure, str(path), 100):
        for array in pictures:
            image.set_data(array)
            writer.grab_frame()


def parse_arguments(arguments=None):
    """The options, checked."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--minibatch",
        action="store_true",
        help="minibatch discrimination in D (Salimans et al. 2016)",
    )
    p.add_argument(
        "--kernels",
        type=number(int, 1),
        default=2,
        help="of it, each in 3 dimensions (default %(default)s)",
    )
    p.add_argument(
        "--steps",
        type=number(int, 1),
        default=1200,
        help="rounds of the game (default %(default)s)",
    )
    p.add_argument(
        "--pretrain",
        type=number(int, 0),
        default=1000,
        help="steps of D alone before (default %(default)s)",
    )
    p.add_argument("--batch-size", type=number(int, 2), default=12, help="(default %(default)s)")
    p.add_argument(
        "--lr",
        type=number(float, above=0),
        default=0.005,
        help="rate at the start (default %(default)s)",
    )
    p.add_argument(
        "--hidden",
        type=number(int, 1),
        default=32,
        help="units of G; D's layers have twice as many (default %(default)s)",
    )
    p.add_argument(
        "--ema",
        type=number(float, 0, below=1),
        default=0.99,
        help="decay per step of the averaged weights of G, which are shown; 0: the last ones "
        "(default %(default)s)",
    )
    p.add_argument("--seed", type=SEED, default=0)
    p.add_argument(
        "--seeds",
        type=number(int, 1),
        default=1,
        help="how many runs, with the seeds from --seed on",
    )
    p.add_argument(
        "--out",
        default="runs/gaussian_1d.png",
        help="the figure of the last run's end (default %(default)s)",
    )
    p.add_argument("--anim", type=Path, metavar="FILE", help="its animation, .gif or .mp4")
    p.add_argument(
        "--anim-every",
        type=number(int, 1),
        default=10,
        help="steps between frames (default %(default)s)",
    )
    options = p.parse_args(arguments)
    if options.anim and options.anim.suffix not in (".gif", ".mp4"):
        p.error(f"--anim {options.anim}: expected a name that ends in .gif or .mp4")
    if options.anim and options.anim.suffix == ".mp4" and not shutil.which("ffmpeg"):
        p.error(
            "--anim: an .mp4 needs the program ffmpeg, which is not installed: install it, or "
            "name a .gif"
        )
    return options


@program
def main(arguments=None):
    options = parse_arguments(arguments)
    # before the training, not after it
    for file in [Path(options.out), *filter(None, [options.anim])]:
        file.parent.mkdir(parents=True, exist_ok=True)
    for seed in range(options.seed, options.seed + options.seeds):
        game, frames = train(options, seed, options.anim_every if options.anim else None)
        samples = frames[-1][-1]
        with minigan.no_grad():
            trained = np.concatenate(
                [game.G(game.latents(options.batch_size, None)).numpy() for _ in range(100)]
            )
        print(f"seed {seed}: mean {trained.mean():.3f}, standard deviation {trained.std():.3f} on "
              "the noise of its batches; "
              f"{samples.mean():.3f}, {samples.std():.3f} on a fine grid (data: 4, 0.5)",
              flush=True)  # fmt: skip
    if not np.isfinite(samples).all():
        print("error: the numbers have run away to infinity: lower --lr", file=sys.stderr)
        return 1
    picture(frames[-1], options.out)
    written = [options.out]
    if options.anim:
        save_animation(options.anim, frames)
        written.append(str(options.anim))
    print("written: " + ", ".join(written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
