"""Games between networks: who ascends what, the trainer that performs the moves, and how a run is run."""

from .autoencoding import BEGAN, EBGAN, MAGAN, AutoEncoder
from .callbacks import Average, Callback, Checkpoints, Doctor, Evaluate, Metrics, Progress, Samples, Schedule, TensorBoard, usual
from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .constraints import CONSTRAINTS, Constraint, SpectralNorm, WeightClip
from .faults import Diverged
from .games import GAN, Ascend, Descend, FeatureMatching, Game, Move, scores
from .inference import MDGAN, MRGAN, VEEGAN
from .latents import interpolate, lerp, slerp
from .multiple import MADGAN, SimilarityMADGAN
from .networks import NETWORKS, dcgan_discriminator, dcgan_generator, mlp_discriminator, mlp_generator
from .objectives import *
from .objectives import __all__ as _objectives
from .penalties import DRAGAN, PENALTIES, R1, R2, GradientPenalty, HistoricalAveraging, Orthogonal, Penalty, WassersteinDivergence
from .run import Interrupted, Run
from .runfolder import RunError
from .saved import build_networks, generate, load_generator
from .statistics import settle
from .trainer import Trainer
from .unrolled import Unrolled
from .views import VIEWS, DiffAugment, InstanceNoise, Pack

__all__ = [
    *_objectives, "BEGAN", "EBGAN", "MADGAN", "MAGAN", "MDGAN", "MRGAN", "VEEGAN", "AutoEncoder", "SimilarityMADGAN", "Unrolled",
    "CONSTRAINTS", "DRAGAN", "GAN", "NETWORKS", "PENALTIES", "R1", "R2", "VIEWS", "Ascend", "Average", "Callback",
    "CheckpointError", "Checkpoints", "Constraint", "Descend", "DiffAugment", "Diverged", "Doctor", "Evaluate", "FeatureMatching", "Game",
    "GradientPenalty", "HistoricalAveraging", "InstanceNoise", "Interrupted", "Metrics", "Move", "Orthogonal", "Pack", "Penalty",
    "Progress", "Run", "RunError", "Samples", "Schedule", "SpectralNorm", "TensorBoard", "Trainer", "WassersteinDivergence", "WeightClip",
    "build_networks", "dcgan_discriminator", "dcgan_generator", "generate", "interpolate", "lerp", "load_checkpoint", "load_generator",
    "mlp_discriminator", "mlp_generator", "save_checkpoint", "scores", "settle", "slerp", "usual",
]  # fmt: skip
