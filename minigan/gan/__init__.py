"""Games between networks: who ascends what, the trainer that performs the moves, and how a run is run."""

from .callbacks import Average, Callback, Checkpoints, Doctor, Metrics, Progress, Samples, Schedule, TensorBoard, usual
from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .faults import Diverged
from .games import GAN, Ascend, Descend, Game, Move, scores
from .latents import interpolate, lerp, slerp
from .networks import NETWORKS, dcgan_discriminator, dcgan_generator, mlp_discriminator, mlp_generator
from .objectives import OBJECTIVES, Minimax, NonSaturating
from .run import Interrupted, Run
from .runfolder import RunError
from .saved import build_networks, generate, load_generator
from .statistics import settle
from .trainer import Trainer

__all__ = [
    "GAN", "NETWORKS", "OBJECTIVES", "Ascend", "Average", "Callback", "CheckpointError", "Checkpoints", "Descend", "Diverged", "Doctor",
    "Game", "Interrupted", "Metrics", "Minimax", "Move", "NonSaturating", "Progress", "Run", "RunError", "Samples", "Schedule",
    "TensorBoard", "Trainer", "build_networks", "dcgan_discriminator", "dcgan_generator", "generate", "interpolate", "lerp",
    "load_checkpoint", "load_generator", "mlp_discriminator", "mlp_generator", "save_checkpoint", "scores", "settle", "slerp", "usual",
]  # fmt: skip
