#!/usr/bin/env python3
"""A classifier from a hundred labels: D says which digit an image shows, or that it is a fake.
Salimans et al. 2016, Improved Techniques for Training GANs, arXiv:1606.03498

    python examples/k_plus_1.py --labels 100    # as python -m minigan train k-plus-1
    python -m minigan measure runs/k-plus-1 --control

What to look at: the errors among 10,000 test images, beside those of the labels alone.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "k-plus-1", *sys.argv[1:]]))
