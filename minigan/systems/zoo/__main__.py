"""`python -m minigan.systems.zoo RUN NAME` puts what draws in a run into the zoo."""

import sys

from . import put

if __name__ == "__main__":
    print(f"written: {put(*sys.argv[1:])}")
