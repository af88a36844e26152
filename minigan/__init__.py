"""minigan: generative adversarial networks on an autodiff engine written from scratch over NumPy and CuPy.

Read it top to bottom: backend (arrays, devices, random numbers), autograd (Tensor, ops, the tape), ops, nn, optim, data,
metrics, viz, gan. The names are PyTorch's.

The functions of `minigan.ops` and the names of `minigan.autograd` that users need are here too: `minigan.tanh`,
`minigan.grad`. The packages that training needs but computing does not (`minigan.data`, `minigan.gan`, ...) are imported
when they are first used.
"""

from typing import TYPE_CHECKING

from . import autograd as autograd, backend as backend, func as func, nn as nn, ops as ops, optim as optim
from .autograd import (
    OPS as OPS,
    AnomalyError as AnomalyError,
    GradcheckError as GradcheckError,
    NonSmoothError as NonSmoothError,
    OpError as OpError,
    Size as Size,
    Tensor as Tensor,
    backward as backward,
    detect_anomaly as detect_anomaly,
    enable_grad as enable_grad,
    grad as grad,
    gradcheck as gradcheck,
    gradgradcheck as gradgradcheck,
    graph as graph,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    op as op,
    raw as raw,
    set_grad_enabled as set_grad_enabled,
)
from .backend import DeviceError as DeviceError, Generator as Generator, device as device, manual_seed as manual_seed
from .nn import summary as summary
from .ops import *

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import data as data, gan as gan, viz as viz
else:
    _LATER = {"data", "gan", "viz"}
    __all__ = sorted(n for n in {*globals(), *_LATER} - {"TYPE_CHECKING"} if not n.startswith("_"))

    def __getattr__(name):
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib

        return importlib.import_module(f"{__name__}.{name}")

    def __dir__():
        return sorted({*globals(), *_LATER})
