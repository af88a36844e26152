#!/usr/bin/env python3
"""D is told 1 for real and 0 for fake, and both are far from it by the square: fakes that are right
but far from the data are pulled, too.
Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv:1611.04076

    python examples/lsgan.py                  # as python -m minigan train lsgan
    python -m minigan measure runs/lsgan

What to look at: samples/*.png; D's outputs near 1 for real and 0 for fake images at the start
only.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "lsgan", *sys.argv[1:]]))
