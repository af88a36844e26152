#!/usr/bin/env python3
"""A VAE whose reconstructions shall be near their images in the features of a discriminator.
Larsen et al. 2016, Autoencoding beyond pixels using a learned similarity metric, arXiv:1512.09300

    python examples/vaegan.py                # as python -m minigan train vaegan
    python -m minigan measure runs/vaegan --control

What to look at: samples/*.png have two rows of test images over what is made of them again, then
samples: sharp, where those of examples/vae.py are blurred.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "vaegan", *sys.argv[1:]]))
