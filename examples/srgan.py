#!/usr/bin/env python3
"""Small pictures made larger, with details that a discriminator finds plausible.
Ledig et al. 2017, Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
Network, arXiv:1609.04802

    python examples/srgan.py             # as python -m minigan train srgan
    python -m minigan measure runs/srgan --control

What to look at: samples/*.png: in each column the small picture, what bicubic interpolation, the
first stage and G make of it, and the truth.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "srgan", *sys.argv[1:]]))
