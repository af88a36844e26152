#!/usr/bin/env python3
"""Masks of what is in pictures, by a network that a critic of several scales has taught.
Xue, Xu, Zhang, Long, Huang 2018, SegAN: Adversarial Network with Multi-scale L1 Loss for Medical
Image Segmentation, arXiv:1706.01805

    python examples/segan.py             # as python -m minigan train segan
    python -m minigan measure runs/segan --control

What to look at: samples/*.png, triples of a picture, the mask that is found, and the true one.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "segan", *sys.argv[1:]]))
