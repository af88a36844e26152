#!/usr/bin/env python3
"""An encoder that tells the z of a picture, for the generator of a finished run.
Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, section 6, point 2

    python -m minigan train gan --latent-dim 10 --out runs/gan10
    python examples/inference.py --of runs/gan10     # as python -m minigan train inference
    python -m minigan measure runs/inference --control

What to look at: samples/*.png have two rows of test images over what G makes of their codes, then
samples.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "inference", *sys.argv[1:]]))
