#!/usr/bin/env python3
"""Several generators, and a D that also says which one a fake is from.
Ghosh et al. 2018, Multi-Agent Diverse Generative Adversarial Networks, arXiv:1704.02906

    python examples/madgan.py                  # as python -m minigan train madgan
    python -m minigan measure runs/madgan

What to look at: each generator's samples lie in rows of their own.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "madgan", *sys.argv[1:]]))
