"""Optimisers, learning-rate schedules and averaged weights. Names, arguments and state are those of
torch.optim."""

from . import functional, lr_scheduler
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .ema import EMA
from .optimizer import Optimizer
from .relatives import Adadelta, Adamax, RAdam
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = [
    "EMA",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "functional",
    "lr_scheduler",
]
