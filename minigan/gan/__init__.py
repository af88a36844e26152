"""Games between networks: who ascends what, the trainer that performs the moves, and how a run is run."""

from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .games import GAN, Ascend, Descend, Game, Move, scores
from .latents import interpolate, lerp, slerp
from .networks import NETWORKS, dcgan_discriminator, dcgan_generator, mlp_discriminator, mlp_generator
from .objectives import OBJECTIVES, Minimax, NonSaturating
from .run import Interrupted, Run, RunError
from .saved import build_networks, generate, load_generator
from .statistics import settle
from .trainer import Trainer

__all__ = [
    "GAN", "NETWORKS", "OBJECTIVES", "Ascend", "CheckpointError", "Descend", "Game", "Interrupted", "Minimax", "Move", "NonSaturating",
    "Run", "RunError", "Trainer", "build_networks", "dcgan_discriminator", "dcgan_generator", "generate", "interpolate", "lerp",
    "load_checkpoint", "load_generator", "mlp_discriminator", "mlp_generator", "save_checkpoint", "scores", "settle", "slerp",
]  # fmt: skip
