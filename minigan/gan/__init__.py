"""Games between networks: who ascends what, and the trainer that performs the moves. How a run is run is `minigan.training`."""

from .constraints import CONSTRAINTS, Constraint, SpectralNorm, WeightClip
from .ebgan import BEGAN, EBGAN, MAGAN, AutoEncoder
from .games import GAN, Ascend, Descend, FeatureMatching, Game, Move, scores
from .latents import interpolate, lerp, slerp
from .madgan import MADGAN, SimilarityMADGAN
from .mrgan import MDGAN, MRGAN
from .networks import NETWORKS, dcgan_discriminator, dcgan_generator, mlp_discriminator, mlp_generator
from .objectives import *
from .objectives import __all__ as _objectives
from .penalties import DRAGAN, PENALTIES, R1, R2, GradientPenalty, HistoricalAveraging, Orthogonal, Penalty, WassersteinDivergence
from .recalibrate import recalibrate_batch_norm
from .trainer import Trainer
from .unrolled import Unrolled
from .veegan import VEEGAN
from .views import VIEWS, DiffAugment, InstanceNoise, Pack

__all__ = [
    *_objectives, "BEGAN", "EBGAN", "MADGAN", "MAGAN", "MDGAN", "MRGAN", "VEEGAN", "AutoEncoder", "SimilarityMADGAN", "Unrolled",
    "CONSTRAINTS", "DRAGAN", "GAN", "NETWORKS", "PENALTIES", "R1", "R2", "VIEWS", "Ascend", "Constraint", "Descend", "DiffAugment",
    "FeatureMatching", "Game", "GradientPenalty", "HistoricalAveraging", "InstanceNoise", "Move", "Orthogonal", "Pack", "Penalty",
    "SpectralNorm", "Trainer", "WassersteinDivergence", "WeightClip", "dcgan_discriminator", "dcgan_generator", "interpolate", "lerp",
    "mlp_discriminator", "mlp_generator", "recalibrate_batch_norm", "scores", "slerp",
]  # fmt: skip
