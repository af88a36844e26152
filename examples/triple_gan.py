#!/usr/bin/env python3
"""A classifier from a hundred labels and a generator asked by label, which help each other.
Li, Xu, Zhu, Zhang 2017, Triple Generative Adversarial Nets, arXiv:1703.02291

    python examples/triple_gan.py --labels 100    # as python -m minigan train triple-gan
    python -m minigan measure runs/triple-gan --control

What to look at: samples/*.png have a row for each label; the classifier's errors on test images.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "triple-gan", *sys.argv[1:]]))
