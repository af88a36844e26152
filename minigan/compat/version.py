"""torch.version's names."""

from .. import __version__

__all__ = ["__version__", "cuda", "debug", "git_version", "hip"]

cuda = hip = None  # minigan is not built for one version: see minigan.cuda
debug = False
git_version = "unknown"
