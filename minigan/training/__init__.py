"""How a run is run: the loop, its folder, checkpoints, what is done beside playing, and what a
saved run draws."""

from .callbacks import *
from .callbacks import __all__ as _callbacks
from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .divergence import Diverged
from .pretrained import generate, inputs_of, load_generator
from .run import Interrupted, Run
from .runfolder import RunError
from .stages import Stage

__all__ = [
    *_callbacks, "CheckpointError", "Diverged", "Interrupted", "Run", "RunError", "Stage",
    "generate", "inputs_of", "load_checkpoint", "load_generator", "save_checkpoint",
]  # fmt: skip
