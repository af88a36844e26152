"""minigan: generative adversarial networks on an autodiff engine written from scratch over NumPy
and CuPy.

Read it top to bottom: arrays (devices, random numbers), autograd (Tensor, ops, the tape), ops, nn,
optim, data, metrics, viz, gan, training. The names are PyTorch's. Behind doors, and not needed:
fast (the same, sooner) and compat (torch's other names for things).

The functions of `minigan.ops` and the names of `minigan.autograd` that users need are here too:
`minigan.tanh`, `minigan.grad`. The packages that computing does not need (`minigan.nn`,
`minigan.data`, `minigan.gan`, ...) are imported when they are first used.
"""

import os as _os
from importlib.util import find_spec as _find_spec
from typing import TYPE_CHECKING

from . import arrays as arrays, autograd as autograd, ops as ops
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
    draw_tape as draw_tape,
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    op as op,
    raw as raw,
    set_grad_enabled as set_grad_enabled,
)
from .arrays import (
    DeviceError as DeviceError,
    Generator as Generator,
    device as device,
    manual_seed as manual_seed,
)
from .ops import *
from .ops.seeding import (
    get_rng_state as get_rng_state,
    initial_seed as initial_seed,
    seed as seed,
    set_rng_state as set_rng_state,
)

__version__ = "0.1.0"


def _there(room):
    """Is this folder of the package there? (Import hooks may know another copy of it.)"""
    return _os.path.exists(_os.path.join(_os.path.dirname(__file__), room, "__init__.py"))


if not _os.environ.get("MINIGAN_PLAIN") and _find_spec("numba") and _there("fast"):
    from . import fast as fast  # what is above computes everything by itself, only slower
if _there("compat"):
    from . import compat as compat  # torch's other names for things

if TYPE_CHECKING:
    from . import (
        cpu as cpu,
        data as data,
        distributed as distributed,
        func as func,
        gan as gan,
        linalg as linalg,
        metrics as metrics,
        nn as nn,
        optim as optim,
    )
    from . import training as training, viz as viz
    from .compat import (
        accelerator as accelerator,
        amp as amp,
        backends as backends,
        cuda as cuda,
        utils as utils,
    )
    from .compat import version as version, vision as vision
    from .compat.amp import GradScaler as GradScaler, autocast as autocast
    from .compat.amp import is_autocast_enabled as is_autocast_enabled
    from .compat.settings import *
    from .compat.tensor_types import *
    from .data import load as load, save as save
    from .nn.summary import summary as summary
else:
    # name -> the module that it is, or that holds it
    _MODULES = {
        n: f"minigan.{n}"
        for n in "cpu data distributed func gan linalg metrics nn optim training viz".split()
    }
    _NAMES = {"load": "minigan.data.saving", "save": "minigan.data.saving", "summary": "minigan.nn"}
    if "compat" in globals():
        _MODULES |= {n: f"minigan.{n}" for n in compat.MODULES}
        _NAMES |= compat.NAMES
    __all__ = sorted(
        n for n in {*globals(), *_MODULES, *_NAMES} - {"TYPE_CHECKING"} if not n.startswith("_")
    )

    def __getattr__(name):
        from importlib import import_module

        if name in _MODULES:
            return import_module(_MODULES[name])
        if name in _NAMES:
            return getattr(import_module(_NAMES[name]), name)
        if "compat" in globals():
            return compat.places.elsewhere("")(name)
        raise AttributeError(f"module 'minigan' has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *_MODULES, *_NAMES})
