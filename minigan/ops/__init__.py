"""Op cards by family. Their names, arguments and defaults are torch's; they are functions of Tensors, or of bare arrays."""

from ..autograd.primitives import expand, identity, sum_to
from .activation import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .elementary import *  # noqa: F403
from .product import *  # noqa: F403
from .methods import install

install()
