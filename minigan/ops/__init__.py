"""Op cards by family. Their names, arguments and defaults are torch's; they are functions of Tensors, or of bare arrays."""

from ..autograd.primitives import identity, sum_to
from .activation import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .creation import *  # noqa: F403
from .dtypes import *  # noqa: F403
from .elementary import *  # noqa: F403
from .fused import linear_activation  # noqa: F401
from .indexing import *  # noqa: F403
from .methods import install
from .normalization import batch_norm
from .product import *  # noqa: F403
from .reduction import *  # noqa: F403
from .sampling import *  # noqa: F403
from .shape import *  # noqa: F403
from .sorting import *  # noqa: F403

install()
