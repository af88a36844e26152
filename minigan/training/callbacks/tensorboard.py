"""The run's numbers and pictures for TensorBoard."""

from __future__ import annotations

from .callback import Callback


class TensorBoard(Callback):
    """Writes the numbers of every `every`th step, and the pictures in samples/, to
    <run>/tensorboard.

    Needs tensorboardX (pip install 'minigan[tensorboard]'). To look at them: tensorboard --logdir
    runs
    """

    def __init__(self, every: int = 50):
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "TensorBoard needs the package tensorboardX: pip install 'minigan[tensorboard]'"
            ) from error
        self.every, self._writer = every, SummaryWriter

    def on_start(self, run):
        # What a killed run had written after its last checkpoint is hidden by purge_step.
        self.writer = self._writer(
            str(run.folder / "tensorboard"), purge_step=run.step + 1 if run.step else None
        )

    def on_step(self, run):
        if run.step % self.every == 0 or run.step == run.total or run.noted:
            for name, value in run.row().items():
                if isinstance(value, (int, float)) and name not in ("step", "epoch"):
                    self.writer.add_scalar(name, value, run.step)
        picture = run.folder / "samples" / f"{run.step:07d}.png"
        if picture.exists():
            self.writer.add_image("samples", self._pixels(picture), run.step, dataformats="HWC")

    @staticmethod
    def _pixels(picture):
        import numpy as np
        from PIL import Image

        return np.asarray(Image.open(picture).convert("RGB"))

    def on_save(self, run):
        self.writer.flush()

    def on_end(self, run):
        run.left("tensorboard/")

    def on_close(self, run):
        if hasattr(self, "writer"):
            self.writer.close()
