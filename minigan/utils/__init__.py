"""torch.utils' names: `minigan.utils.data` is `minigan.data`'s loaders and data sets."""

from ..arrays.elsewhere import complete as _complete
from . import data

__all__ = ["data"]
_complete(__name__)
