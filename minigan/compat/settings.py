"""What scripts set and ask at their beginning, under torch's names: threads, precision,
determinism, and limits of number types."""

import math
import sys
from typing import Any

import numpy as np

from ..arrays import device as _device
from ..arrays import module_for
from ..arrays.defaults import FLOATS, default
from ..autograd.layouts import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    preserve_format,
    strided,
)
from ..autograd.printing import printed
from ..machine.precision import precision as _switches
from ..machine.threads import num_threads
from .tensor_types import NAMES

__all__ = [
    "are_deterministic_algorithms_enabled", "bfloat16", "channels_last", "channels_last_3d",
    "contiguous_format", "dtype", "e", "finfo",
    "get_default_device", "get_default_dtype", "get_float32_matmul_precision",
    "get_num_interop_threads", "get_num_threads", "iinfo",
    "inf", "is_complex", "nan", "newaxis", "pi", "preserve_format", "set_default_device",
    "set_default_dtype",
    "set_default_tensor_type",
    "set_float32_matmul_precision", "set_num_interop_threads", "set_num_threads",
    "set_printoptions", "strided",
    "use_deterministic_algorithms",
]  # fmt: skip

e = math.e
inf = math.inf
nan = math.nan
newaxis = None
pi = math.pi
dtype = np.dtype  # the class of minigan.float32: `def __init__(self, dtype: torch.dtype)`


class _BFloat16:
    """What `autocast(dtype=torch.bfloat16)` takes. NumPy asks for `dtype` where it stands for
    one."""

    @property
    def dtype(self) -> Any:
        raise TypeError(
            "no Tensor of minigan is bfloat16: under autocast('cuda', dtype=bfloat16) products "
            "round to it, and else there are float32, float64 and float16"
        )

    def __repr__(self):
        return "bfloat16"


bfloat16 = _BFloat16()


def get_default_dtype():
    """The dtype of floating-point numbers that are made without one: float32, unless
    `set_default_dtype` said another."""
    return default.dtype


def set_default_dtype(d):
    """Make floating-point numbers of dtype `d` (float16, float32 or float64) where none is given:
    in zeros, randn, tensor(0.5), Tensor(...), new layers, and in results of integers (3 / 2)."""
    dtype = np.dtype(d)
    if dtype not in FLOATS:
        raise TypeError(
            f"set_default_dtype: only floating-point dtypes can be the default, got {dtype}"
        )
    default.dtype = dtype


def get_default_device():
    """The device of tensors that are made without one: the CPU, unless `set_default_device` said
    another."""
    return default.device


def set_default_device(device):
    """Make tensors and layers on `device` where none is given; None: on the CPU."""
    place = _device("cpu" if device is None else device)
    module_for(place)  # DeviceError where it cannot be used
    default.device = place


def set_num_threads(num: int) -> None:
    """Let kernels and the BLAS use so many threads from here on."""
    if "minigan.fast" not in sys.modules:
        raise RuntimeError(
            "set_num_threads needs minigan's fast path: set OMP_NUM_THREADS before the start"
        )
    from ..fast.cpu.threads import set_num_threads

    set_num_threads(num)


def get_num_threads() -> int:
    """How many threads compute on the CPU: `set_num_threads`, else MINIGAN_NUM_THREADS, else the
    CPUs this process may run on, or a container's quota of them."""
    return num_threads()


def get_num_interop_threads() -> int:
    """1: ops follow each other."""
    return 1


def set_num_interop_threads(num: int) -> None:
    """Without effect: ops follow each other."""


def set_float32_matmul_precision(precision: str) -> None:
    """How CUDA multiplies float32 matrices: "highest" in float32; "high" and "medium" with TF32
    inputs."""
    if precision not in ("highest", "high", "medium"):
        raise ValueError(
            f"set_float32_matmul_precision: precision={precision!r}: expected 'highest', 'high' "
            "or 'medium'"
        )
    _Matmul.precision = precision
    _switches.matmul_tf32 = precision != "highest"


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` set: "highest" at first."""
    return _Matmul.precision if _switches.matmul_tf32 else "highest"


class _Matmul:
    precision = "high"


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Without effect: minigan's results are the same in every run."""


def are_deterministic_algorithms_enabled() -> bool:
    """True: minigan's results are the same in every run."""
    return True


def set_default_tensor_type(t: Any) -> None:
    """torch's old way to set the default dtype and device: by a class such as
    `minigan.DoubleTensor`, or its name."""
    if isinstance(t, str):
        dtype, place = NAMES[t.rpartition(".")[2]], "cuda" if ".cuda." in t else "cpu"
    else:
        dtype, place = t.dtype, t.device
    set_default_dtype(dtype)
    set_default_device(place)


def set_printoptions(
    precision: Any = None, threshold: Any = None, edgeitems: Any = None, linewidth: Any = None,
    profile: Any = None, sci_mode: Any = None,
) -> None:  # fmt: skip
    """How Tensors are printed: digits after the point, elements before some are left out, how many
    then remain at each end, and the width of a line. profile: "default", "short" (2 digits) or
    "full" (all elements). sci_mode: with an exponent, or not; None: where numbers are far apart."""
    names = ("precision", "threshold", "edgeitems", "linewidth")
    profiles = {"default": (4, 1000, 3, 80), "short": (2, 1000, 2, 80), "full": (4, 1 << 62, 3, 80)}
    if profile is not None:
        printed.update(zip(names, profiles[profile]))
    given = zip(names, (precision, threshold, edgeitems, linewidth))
    printed.update({k: v for k, v in given if v is not None})
    printed["sci_mode"] = sci_mode


def is_complex(input: Any) -> bool:
    """Are the elements complex numbers? There are none."""
    return False


class finfo:
    """Limits of a floating-point dtype (default: the default dtype), as Python numbers.

    eps : the distance from 1 to the next number
    max, min : the largest and the most negative number
    tiny, smallest_normal : the least positive number of full precision
    bits : of one number
    resolution : 10 ** -digits
    """

    def __init__(self, type: Any = None) -> None:
        info = np.finfo(default.dtype if type is None else np.dtype(type))
        self.bits, self.dtype = int(info.bits), str(info.dtype)
        for name in ("eps", "max", "min", "tiny", "smallest_normal", "resolution"):
            setattr(self, name, float(getattr(info, name)))

    def __getattr__(self, name: str) -> float:
        raise AttributeError(f"finfo has no attribute {name!r}")

    def __repr__(self):
        fields = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return (
            "finfo("
            + ", ".join(f"{n}={getattr(self, n):g}" for n in fields)
            + f", dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype: bits, min, max."""

    def __init__(self, type: Any) -> None:
        info = np.iinfo(np.dtype(type))
        self.bits = int(info.bits)
        self.min = int(info.min)
        self.max = int(info.max)
        self.dtype = str(info.dtype)

    def __repr__(self):
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
