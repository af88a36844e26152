"""What the generator draws, at intervals; an animation of it at the end."""

from __future__ import annotations

from pathlib import Path

from ...arrays import Generator
from ...viz import save_gif, save_grid
from .average import Average
from .callback import Callback


class Samples(Callback):
    """The game's grid of pictures, from inputs that stay the same, every `every` steps and at the
    end, as samples/<step>.png.

    seed : of the inputs
    average : averaged weights; they draw then, and the last weights beside them, in
        samples/last_weights/<step>.png
    """

    def __init__(self, every: int = 400, seed: int = 0, average: Average | None = None):
        self.every = every
        self.seed = seed
        self.average = average

    def on_start(self, run):
        self.folder = run.folder / "samples"
        rows, columns = run.trainer.game.grid
        self.inputs = run.trainer.game.inputs(
            rows * columns, Generator(self.seed + 1), run.batches.device
        )

    def on_step(self, run):
        if run.step % self.every and run.step < run.total:
            return
        game = run.trainer.game
        if self.average is None or not self.average.ema.updates:
            return self._draw(run, self.folder)
        self._draw(run, self.folder / "last_weights")
        with self.average.applied(game):
            self._draw(run, self.folder)

    def _draw(self, run, folder: Path) -> None:
        game = run.trainer.game
        save_grid(
            folder / f"{run.step:07d}.png", game.sample(*self.inputs).cpu().numpy(), *game.grid
        )

    def on_end(self, run):
        pictures = sorted(self.folder.glob("*.png"))
        if pictures:
            save_gif(run.folder / "samples.gif", pictures)
            run.left(f"{pictures[-1].relative_to(run.folder)}, their history samples.gif")
