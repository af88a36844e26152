"""torch.utils' names: `minigan.utils.data` is `minigan.data`'s loaders and data sets."""

from . import data

__all__ = ["data"]
