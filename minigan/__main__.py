"""`python -m minigan`: see `minigan.systems.command`."""

import sys

from .live.command import live
from .systems.command import VERBS, main

VERBS["live"] = live

if __name__ == "__main__":
    sys.exit(main())
