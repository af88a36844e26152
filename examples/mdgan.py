#!/usr/bin/env python3
"""MRGAN in two phases: first the reconstructions become real, then the samples like those.
Che et al. 2017, Mode Regularized Generative Adversarial Networks, arXiv:1612.02136, section 3.3

    python examples/mdgan.py                  # as python -m minigan train mdgan
    python -m minigan measure runs/mdgan

What to look at: reconstructions become sharp first, samples after them.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "mdgan", *sys.argv[1:]]))
