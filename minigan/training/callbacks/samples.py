"""What the generator draws, at intervals; an animation of it at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...arrays import Generator
from ...gan.recalibrate import BATCHES, FEW
from ...viz import save_gif
from .average import Average
from .callback import Callback


class Samples(Callback):
    """The game's picture (a grid of samples), of inputs that stay the same, every `every` steps and
    at the end, as samples/<step>.png.

    seed : of the inputs
    average : averaged weights; they draw then, and the last weights beside them, in
        samples/last_weights/<step>.png
    exhibit : (game, random numbers, device) -> a function that makes the picture; by default the
        game's own
    """

    def __init__(
        self,
        every: int = 400,
        seed: int = 0,
        average: Average | None = None,
        exhibit: Callable | None = None,
    ):
        self.every = every
        self.seed = seed
        self.average = average
        self.exhibit = exhibit

    def on_start(self, run):
        self.folder = run.folder / "samples"
        game, random = run.trainer.game, Generator(self.seed + 1)
        device = run.batches.device
        self.draw = (
            game.exhibit(random, device)
            if self.exhibit is None
            else self.exhibit(game, random, device)
        )

    def on_stage(self, run):
        self.on_start(run)

    def on_step(self, run):
        if run.step % self.every and run.step < run.total:
            return
        if self.average is None or not self.average.updates:
            return self._save(run, self.folder)
        self._save(run, self.folder / "last_weights")
        # the last ones are what a program draws that loads the run
        batches = FEW if run.step < run.total else BATCHES
        with self.average.applied(run.trainer.game, batches):
            self._save(run, self.folder)

    def _save(self, run, folder: Path) -> None:
        picture = self.draw()
        picture.save(folder / f"{run.step:07d}{picture.suffix}")

    def on_end(self, run):
        made = sorted(p for p in self.folder.glob("*.*") if p.is_file())
        if made:
            pictures = [p for p in made if p.suffix == ".png"]
            history = ", their history samples.gif" if pictures else ""
            if pictures:
                # stages may show more or less than those before
                save_gif(run.folder / "samples.gif", pictures, pad=True)
            run.left(f"{made[-1].relative_to(run.folder)}{history}")
