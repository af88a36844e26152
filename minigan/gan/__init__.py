"""Games between networks: who ascends what, and the trainer that performs the moves. How a run is
run is `minigan.training`."""

from .augmented import LSRO, Augmented, CamStyle
from .c_rnn_gan import CRNNGAN, Spoken
from .cgan import CGAN, Given, Joined
from .clips import MoCoGAN, VideoGAN
from .cogan import CoGAN, Coupled
from .completion import Completion
from .constraints import CONSTRAINTS, Constraint, SpectralNorm, WeightClip
from .domains import DANN, WDGRL
from .ebgan import BEGAN, EBGAN, MAGAN, AutoEncoder
from .feature_matching import FeatureMatching
from .games import GAN, Ascend, Descend, Game, Move, Parts, scores
from .gogan import GoGAN
from .heads import ACGAN, Beside, InfoGAN, SSInfoGAN
from .inference import Inference
from .k_plus_1 import KPlusOne
from .lapgan import LAPGAN
from .latents import interpolate, lerp, sample_inputs, slerp
from .madgan import MADGAN, SimilarityMADGAN
from .mrgan import MDGAN, MRGAN
from .networks import (
    NETWORKS,
    build_networks,
    conv_discriminator,
    conv_generator,
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
)
from .objectives import *
from .objectives import __all__ as _objectives
from .organ import ORGAN
from .penalties import (
    DRAGAN,
    PENALTIES,
    R1,
    R2,
    GradientPenalty,
    HistoricalAveraging,
    Orthogonal,
    Penalty,
    WassersteinDivergence,
)
from .pixels import PixelCNN, PixelRNN, Pixels
from .policies import AIRL, GAIL
from .pool import Pool
from .progan import ProGAN
from .recalibrate import recalibrate_batch_norm
from .replay import Replay
from .sequences import Likelihood, Policy, SeqGAN, TextCritic
from .steganography import Steganography
from .text import GANCLS, StackedGAN
from .trainer import Trainer
from .translate import PAN, CycleGAN, Pix2Pix, Translating
from .triple import TripleGAN
from .unrolled import Unrolled
from .vae import VAE, VAEGAN
from .vaw import VAWGAN, SpeakerVAE
from .veegan import VEEGAN
from .views import VIEWS, DiffAugment, InstanceNoise, Pack

# name -> class; `GAMES[name].of(parts)` is the game with networks for some data. One entry adds a
# game.
GAMES: dict[str, type[Game]] = {
    "gan": GAN, "cgan": CGAN, "acgan": ACGAN, "infogan": InfoGAN,
    "ebgan": EBGAN, "magan": MAGAN, "began": BEGAN, "unrolled": Unrolled,
    "feature-matching": FeatureMatching,
    "madgan": MADGAN, "madgan-sim": SimilarityMADGAN, "mrgan": MRGAN, "mdgan": MDGAN,
    "veegan": VEEGAN,
}  # fmt: skip

__all__ = [
    *_objectives, "ACGAN", "AIRL", "BEGAN", "CGAN", "CONSTRAINTS", "CRNNGAN", "DANN", "DRAGAN",
    "EBGAN", "GAIL", "GAMES", "GAN", "GANCLS", "LAPGAN", "LSRO", "MADGAN", "MAGAN", "MDGAN",
    "MRGAN", "NETWORKS", "ORGAN", "PAN", "PENALTIES", "R1", "R2", "VAE", "VAEGAN", "VAWGAN",
    "VEEGAN", "VIEWS", "WDGRL", "Ascend", "Augmented", "AutoEncoder", "Beside", "CamStyle",
    "CoGAN", "Completion", "Constraint", "Coupled", "CycleGAN", "Descend", "DiffAugment",
    "FeatureMatching", "Game", "Given", "GoGAN", "GradientPenalty", "HistoricalAveraging",
    "Inference", "InfoGAN", "InstanceNoise", "Joined", "KPlusOne", "Likelihood", "MoCoGAN",
    "Move", "Orthogonal", "Pack", "Parts", "Penalty", "Pix2Pix", "PixelCNN", "PixelRNN", "Pixels",
    "Policy", "Pool", "ProGAN", "Replay", "SSInfoGAN", "SeqGAN", "SimilarityMADGAN", "SpeakerVAE",
    "SpectralNorm", "Spoken", "StackedGAN", "Steganography", "TextCritic", "Trainer",
    "Translating", "TripleGAN", "Unrolled", "VideoGAN", "WassersteinDivergence", "WeightClip",
    "build_networks", "conv_discriminator", "conv_generator", "dcgan_discriminator",
    "dcgan_generator", "interpolate", "lerp",
    "mlp_discriminator", "mlp_generator", "recalibrate_batch_norm", "sample_inputs", "scores",
    "slerp",
]  # fmt: skip
