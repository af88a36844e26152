#!/usr/bin/env python3
"""Networks that learn small pictures first, and grow layers for larger ones.
Karras et al. 2018, Progressive Growing of GANs for Improved Quality, Stability, and Variation,
arXiv:1710.10196

    python examples/progan.py                  # as python -m minigan train progan
    python -m minigan measure runs/progan --control

What to look at: samples/*.png, the growth strip: in each row the same latents at one size, from 4x4
pixels on.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "progan", *sys.argv[1:]]))
