#!/usr/bin/env python3
"""A critic of the Wasserstein distance whose gradient is kept near length 1 by a penalty; five
ascents for a descent.
Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028, algorithm 1

    python examples/wgan_gp.py                  # as python -m minigan train wgan-gp
    python -m minigan measure runs/wgan-gp

What to look at: samples/*.png get sharper while critic_real - critic_fake in metrics.jsonl, an
estimate of the Wasserstein distance, falls.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "wgan-gp", *sys.argv[1:]]))
