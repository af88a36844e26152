"""Games between networks: who ascends what, the trainer that performs the moves, and how a run is run."""

from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .games import GAN, Ascend, Descend, Game, Move, scores
from .networks import mlp_discriminator, mlp_generator
from .objectives import OBJECTIVES, Minimax, NonSaturating
from .run import Interrupted, Run, RunError
from .trainer import Trainer

__all__ = [
    "GAN", "OBJECTIVES", "Ascend", "CheckpointError", "Descend", "Game", "Interrupted", "Minimax", "Move", "NonSaturating", "Run",
    "RunError", "Trainer", "load_checkpoint", "mlp_discriminator", "mlp_generator", "save_checkpoint", "scores",
]  # fmt: skip
