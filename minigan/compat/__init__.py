"""torch's other names for what minigan has, behind a door of their own: the rest neither knows nor
needs them.

places.py : torch's module paths (`minigan.utils.data`, `minigan.nn.modules`), and the sentence
    about what is not there
settings.py, version.py : what scripts set and ask first;  compiling.py : torch.compile
cuda.py, accelerator.py, amp.py, backends/ : devices and precision
tensor_types.py, variable.py : FloatTensor, Variable;  parallel.py : DataParallel
utils/ : torch.utils;  vision/ : torchvision
"""

from typing import TYPE_CHECKING

from ..autograd import Tensor
from . import places, tensor_types
from .variable import Variable as Variable

if TYPE_CHECKING:
    from . import accelerator as accelerator, amp as amp, backends as backends, cuda as cuda
    from . import distributions as distributions, parallel as parallel
    from . import settings as settings, utils as utils, version as version, vision as vision

# What `minigan` itself has, too: modules, and names with the modules that hold them. They are
# imported when they are first used.
MODULES = ["accelerator", "amp", "backends", "cuda", "distributions", "utils", "version", "vision"]
NAMES = dict.fromkeys(tensor_types.__all__, f"{__name__}.tensor_types") | {
    "autocast": f"{__name__}.amp",
    "GradScaler": f"{__name__}.amp",
    "is_autocast_enabled": f"{__name__}.amp",
    "compile": f"{__name__}.compiling",
}
NAMES |= dict.fromkeys(
    """
    are_deterministic_algorithms_enabled bfloat16 channels_last channels_last_3d
    contiguous_format dtype e finfo get_default_device get_default_dtype
    get_float32_matmul_precision get_num_interop_threads get_num_threads iinfo inf is_complex nan
    newaxis pi preserve_format set_default_device set_default_dtype
    set_default_tensor_type set_float32_matmul_precision set_num_interop_threads set_num_threads
    set_printoptions strided use_deterministic_algorithms
    """.split(),
    f"{__name__}.settings",
)
NAMES["vmap"] = f"{__name__.partition('.')[0]}.func"
# functions that torch has in two places
NAMES |= dict.fromkeys(
    """
    adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d cosine_similarity max_pool1d max_pool2d
    max_pool3d pairwise_distance pixel_shuffle pixel_unshuffle
    """.split(),
    f"{__name__.partition('.')[0]}.nn.functional",
)


def _missing(self, name):
    """Tensor.__getattr__: called only where there is no such attribute."""
    where = "" if name.startswith("_") else places.not_there(name)
    raise AttributeError(f"'Tensor' object has no attribute {name!r}{where}")


for _name, _method in {"type": tensor_types.type, "__getattr__": _missing}.items():
    setattr(Tensor, _name, _method)
places.install()
