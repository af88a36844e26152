#!/usr/bin/env python3
"""An encoder; what G makes of codes of data shall be the data, and look real.
Che et al. 2017, Mode Regularized Generative Adversarial Networks, arXiv:1612.02136

    python examples/mrgan.py                  # as python -m minigan train mrgan
    python -m minigan measure runs/mrgan

What to look at: all ten digits; `measure` counts them (modes), beside --control.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "mrgan", *sys.argv[1:]]))
