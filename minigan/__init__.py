"""minigan: generative adversarial networks on an autodiff engine written from scratch over NumPy and CuPy.

Read it top to bottom: backend (arrays, devices, random numbers), autograd (Tensor, ops, the tape), ops, nn, optim, data,
metrics, viz, gan. The names are PyTorch's.

The functions of `minigan.ops` and the names of `minigan.autograd` that users need are here too: `minigan.tanh`,
`minigan.grad`. The packages that computing does not need (`minigan.nn`, `minigan.data`, `minigan.gan`, ...) are imported when they
are first used.
"""

from typing import TYPE_CHECKING

from . import autograd as autograd, backend as backend, ops as ops
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
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    op as op,
    raw as raw,
    set_grad_enabled as set_grad_enabled,
)
from .backend import (
    DeviceError as DeviceError,
    Generator as Generator,
    device as device,
    get_rng_state as get_rng_state,
    initial_seed as initial_seed,
    manual_seed as manual_seed,
    seed as seed,
    set_rng_state as set_rng_state,
)
from .ops import *

from . import fast as fast

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import backends as backends, cpu as cpu, cuda as cuda, data as data, func as func, gan as gan, metrics as metrics, nn as nn
    from . import optim as optim, utils as utils, vision as vision, viz as viz
    from .data import load as load, save as save
    from .nn import summary as summary
else:
    _PARTS = "backends cpu cuda data func gan metrics nn optim utils vision viz"
    _LATER = {n: f"minigan.{n}" for n in _PARTS.split()}
    _FUNCTIONS = {"load": "minigan.data.saving", "save": "minigan.data.saving", "summary": "minigan.nn"}
    __all__ = sorted(n for n in {*globals(), *_LATER, *_FUNCTIONS} - {"TYPE_CHECKING"} if not n.startswith("_"))

    def __getattr__(name):
        if name not in _LATER and name not in _FUNCTIONS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib

        if name in _LATER:
            return importlib.import_module(_LATER[name])
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)

    def __dir__():
        return sorted({*globals(), *_LATER, *_FUNCTIONS})
