#!/usr/bin/env python3
"""Play any two-player game (and some with more players) in the plane, and watch: samples, D's
surface, the field of G's gradient; at the end also which z goes where (map.png).

    python examples/toy_2d.py   # the plain GAN on eight Gaussians in a ring
    python examples/toy_2d.py --game unrolled --anim   # and an animation
    python examples/toy_2d.py --game wgan-gp --data swiss_roll
    python examples/toy_2d.py --list   # the games
"""

import argparse
import inspect
import os
import sys

# matrices this small gain nothing from threads, and on a busy machine lose much
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import minigan
from minigan import as_tensor
from minigan.arrays import Generator, resolve_device
from minigan.data.toy import TOYS, PointBatches
from minigan.metrics.modes import mode_coverage, true_quality
from minigan.training import Callback, Checkpoints, Doctor, Metrics, Progress, Run
from minigan.training.cli import about, add_run_options, number, perform
from minigan.training.memory import room_for_networks
from minigan.training.plane import (
    GAMES,
    NETWORKS_OF_THE_PLANE,
    Players,
    latent_picture,
    looked,
    plane_picture,
    points_per_example,
)
from minigan.training.terminal import program
from minigan.viz import save_gif, save_images

SURFACE = 96
ARROWS = 17
SAMPLES = 2500


class Watch(Callback):
    """A picture every `every` steps and at the end, with the modes that are covered; an animation
    of them if `anim`."""

    def __init__(self, plane, every, seed, anim, title):
        self.plane = plane
        self.every = every
        self.seed = seed
        self.anim = anim
        self.title = title

    def on_start(self, run):
        device, generator = run.batches.device, Generator(self.seed + 1)
        self.folder = run.folder / "samples"
        self.inputs = run.trainer.game.inputs(SAMPLES, generator, device)
        self.real = as_tensor(self.plane.draw(2000, generator)).to(device)
        if run.step == 0:
            self.draw(run)

    def on_step(self, run):
        if run.step % self.every == 0 or run.step == run.total:
            self.draw(run)

    def draw(self, run):
        game = run.trainer.game
        made = game.sample(*self.inputs).cpu().numpy()
        note = ""
        if self.plane.means is not None:
            found = mode_coverage(made, self.plane.means, self.plane.std)
            numbers = {
                "modes": found.modes,
                "high_quality": found.high_quality,
                "reverse_kl": found.reverse_kl,
            }
            if run.step:
                run.note(**{k: v for k, v in numbers.items() if v == v})
            note = (
                f"modes {found.modes} of {len(self.plane.means)},  within 3 std "
                f"{found.high_quality:.1%} (data: {true_quality():.1%})"
            )
        surface, field = (looked(game, self.real, self.plane.limit, n) for n in (SURFACE, ARROWS))
        several = len(getattr(game, "generators", ())) or None
        picture = plane_picture(
            self.plane.limit, self.real.cpu().numpy(), made, surface[0], field[1],
            f"{self.title}, step {run.step}", note,
            None if several is None else np.arange(len(made)) % several, self.plane.means,
        )  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True)
        self.keep(picture, self.folder / f"{run.step:07d}.png")

    def keep(self, picture, path):
        """Write a picture (H, W, 3) into a file that is there whole or not at all."""
        save_images(self.folder / "new", picture.transpose(2, 0, 1)[None])[0].replace(path)

    def draw_map(self, run):
        """map.png: which z goes where."""
        game, z = run.trainer.game, self.inputs[0].cpu().numpy()
        if z.shape[1] > 2:
            run.say(f"no map.png: z has {z.shape[1]} numbers, it draws --latent-dim 1 or 2")
            return
        made, note = game.sample(*self.inputs).cpu().numpy(), ""
        if self.plane.means is not None:
            found = mode_coverage(made, self.plane.means, self.plane.std)
            shares = found.counts / len(made)
            note = (
                f"{shares.min():.1%} to {shares.max():.1%} of the z's go to a mode, "
                f"{1 - shares.sum():.1%} between them"
            )
            run.say(f"which z goes where: {note}")
        picture = latent_picture(z, made, self.plane.limit, f"{self.title}, step {run.step}", note)
        self.keep(picture, run.folder / "map.png")
        run.left("map.png")

    def on_end(self, run):
        self.draw_map(run)
        (self.folder / "new").rmdir()
        pictures = sorted(self.folder.glob("*.png"))
        if self.anim:
            save_gif(run.folder / "samples.gif", pictures, ms_per_frame=100)
        run.left(f"{pictures[-1].relative_to(run.folder)}" + (", samples.gif" if self.anim else ""))


def parse_arguments(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--game",
        choices=GAMES,
        default="gan",
        help="(default %(default)s; --list says what they are)",
    )
    p.add_argument("--list", action="store_true", help="list the games and end")
    p.add_argument("--data", choices=TOYS, default="ring", help="(default %(default)s)")
    p.add_argument("--anim", action="store_true", help="write samples.gif, too")
    p.add_argument(
        "--networks",
        choices=NETWORKS_OF_THE_PLANE,
        default="small",
        help="two layers of 128, or those of PacGAN",
    )
    p.add_argument("--latent-dim", type=number(int, 1), default=2, help="(default %(default)s)")
    p.add_argument(
        "--batch-size",
        type=number(int, 2),
        default=100,
        help="(PacGAN: packs) (default %(default)s)",
    )
    p.add_argument(
        "--steps",
        type=number(int, 1),
        default=10_000,
        help="rounds of the game (default %(default)s)",
    )
    p.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    add_run_options(p, "runs/toy_2d", 500)
    return p.parse_args(arguments)


def build(options):
    """The run that the options describe."""
    device = resolve_device(options.device)
    minigan.manual_seed(options.seed)
    plane = TOYS[options.data]()
    with room_for_networks("--latent-dim", place=device):
        trainer = GAMES[options.game](Players(options.networks, options.latent_dim))
    for player in trainer.game.players.values():
        player.to(device)
    steps = min(options.steps, options.max_steps or options.steps)
    batches = PointBatches(
        plane,
        options.batch_size * points_per_example(trainer.game),
        seed=options.seed,
        device=device,
    )
    config = {
        k: getattr(options, k)
        for k in ("game", "data", "networks", "latent_dim", "batch_size", "seed")
    }
    callbacks = [] if options.quiet else [Progress()]
    callbacks.append(
        Watch(
            plane,
            options.sample_interval,
            options.seed,
            options.anim,
            f"{options.game}, {options.data}",
        )
    )
    callbacks += [] if options.no_doctor else [Doctor()]
    callbacks += [
        Metrics(min(50, options.sample_interval)),
        Checkpoints(options.checkpoint_seconds, options.keep),
    ]
    return Run(
        trainer, batches, options.out, config, epochs=-(-steps // len(batches)), max_steps=steps,
        callbacks=callbacks,
        resume=options.resume, new_data=options.new_data, about=about(options),
        graph=not options.no_graph, sync_bn=options.sync_bn,
    )  # fmt: skip


def listing():
    """Every game, with the first line of what its class says of itself."""
    for name, make in GAMES.items():
        game = make(Players()).game
        parts = [type(game.objective).__name__] if type(game).__name__ == "GAN" else []
        parts += [
            type(x).__name__ for x in (*getattr(game, "penalties", ()), *getattr(game, "views", ()))
        ]
        first = inspect.getdoc(type(game)).splitlines()[0]
        print(
            f"{name:12s} {type(game).__name__}{' with ' + ', '.join(parts) if parts else ''}: "
            f"{first}"
        )


@program
def main(arguments=None):
    options = parse_arguments(arguments)
    if options.list:
        listing()
        return 0
    return perform(lambda: build(options))


if __name__ == "__main__":
    sys.exit(main())
