#!/usr/bin/env python3
"""One GAN after the other, each of which must be nearer to the data than the one before.
Juefei-Xu et al. 2017, Gang of GANs: Generative Adversarial Networks with Maximum Margin Ranking,
arXiv:1704.04865

    python examples/gogan.py                   # as python -m minigan train gogan
    python examples/gogan.py --dataset line    # points, whose distance W1 is measured exactly
    python -m minigan measure runs/gogan --control

What to look at: samples/*.png have a row, or a panel of points, for each stage, of the same
latents.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "gogan", *sys.argv[1:]]))
