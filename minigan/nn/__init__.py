"""Modules: layers, containers and losses under torch.nn's names. No kernels here: they compute with
the ops."""

import sys
from typing import TYPE_CHECKING

from . import functional as functional, init as init, utils as utils
from .activation import *
from .adversarial import *
from .attention import *
from .batchnorm import *
from .container import *
from .conv import *
from .distance import *
from .dropout import *
from .embedding import *
from .linear import *
from .loss import *
from .margin import *
from .module import *
from .normalization import *
from .padding import *
from .parameter import *
from .pooling import *
from .recurrent import *
from .resample import *
from .summary import *
from .syncbatchnorm import *

if not TYPE_CHECKING:  # checkers read the imports above
    __all__ = ["functional", "init", "utils"]
    for _name in """
        activation adversarial attention batchnorm container conv distance dropout embedding linear
        loss margin module normalization padding parameter pooling recurrent resample summary
        syncbatchnorm
    """.split():
        __all__ += sys.modules[f"{__name__}.{_name}"].__all__
