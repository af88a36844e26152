"""`python -m minigan`: see `minigan.systems.command`."""

import sys

from .systems.command import main

if __name__ == "__main__":
    sys.exit(main())
