"""Modules: layers, containers and losses under torch.nn's names. No kernels here: they compute with the ops."""

from . import functional, init, utils
from .activation import (
    ELU,
    GELU,
    SELU,
    Dropout,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from .adversarial import (
    EqualizedConv2d,
    EqualizedConvTranspose2d,
    EqualizedLinear,
    GaussianNoise,
    GradientReversal,
    MaskedConv2d,
    Maxout,
    MinibatchDiscrimination,
    MinibatchStdDev,
    PixelNorm,
)
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .container import ModuleDict, ModuleList, ParameterList, Sequential
from .conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .linear import Flatten, Identity, Linear, Unflatten
from .loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MarginRankingLoss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
    SoftMarginLoss,
)
from .module import Module
from .parameter import Parameter
from .recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from .summary import Summary, summary

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "Conv1d", "Conv2d", "Conv3d",
    "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "CrossEntropyLoss", "Dropout", "ELU", "Flatten",
    "GELU", "Hardtanh", "HingeEmbeddingLoss", "HuberLoss", "Identity", "KLDivLoss", "L1Loss", "LeakyReLU", "Linear", "LogSigmoid",
    "LogSoftmax", "MSELoss", "MarginRankingLoss", "Module", "ModuleDict", "ModuleList", "NLLLoss", "PReLU", "Parameter",
    "ParameterList", "ReLU", "ReLU6", "SELU", "Sequential", "SiLU", "Sigmoid", "SmoothL1Loss", "SoftMarginLoss", "Softmax",
    "Softplus", "Softsign", "Summary", "Tanh", "Unflatten", "functional", "init", "summary", "utils",
    "EqualizedConv2d", "EqualizedConvTranspose2d", "EqualizedLinear", "GaussianNoise", "GradientReversal", "MaskedConv2d", "Maxout",
    "MinibatchDiscrimination", "MinibatchStdDev", "PixelNorm",
    "GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNCell",
]  # fmt: skip
