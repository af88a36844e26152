"""Kernels for CuPy's float32 and float64 arrays: importing this registers them on the cards."""

from . import (
    activation as activation,
)
from . import (
    columns as columns,
)
from . import (
    convolution as convolution,
)
from . import (
    elementary as elementary,
)
from . import (
    embedding as embedding,
)
from . import (
    fused as fused,
)
from . import (
    group_normalization as group_normalization,
)
from . import (
    indexing as indexing,
)
from . import (
    loss as loss,
)
from . import (
    normalization as normalization,
)
from . import (
    philox as philox,
)
from . import (
    pooling as pooling,
)
from . import (
    product as product,
)
from . import (
    recorder as recorder,
)
