#!/usr/bin/env python3
"""A small picture is drawn, then details into it, size by size, each by a GAN of its own.
Denton et al. 2015, Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks,
arXiv:1506.05751

    python examples/lapgan.py                  # as python -m minigan train lapgan
    python -m minigan measure runs/lapgan --control

What to look at: samples/*.png, in each column a sample at 7x7, 14x14 and 28x28 pixels.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "lapgan", *sys.argv[1:]]))
