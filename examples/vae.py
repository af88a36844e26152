#!/usr/bin/env python3
"""An encoder and a generator that together bound the likelihood of data from below.
Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114

    python examples/vae.py                   # as python -m minigan train vae
    python -m minigan measure runs/vae

What to look at: samples/*.png have two rows of test images over what is made of them again, then
samples: blurred, but of all kinds.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "vae", *sys.argv[1:]]))
