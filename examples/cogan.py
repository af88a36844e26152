#!/usr/bin/env python3
"""Pairs of a digit and its negative (its outline, a digit of another source), learnt without a
pair. Liu and Tuzel 2016, Coupled Generative Adversarial Networks

    python examples/cogan.py                       # as python -m minigan train cogan
    python examples/cogan.py --target edges        # outlines
    python -m minigan measure runs/cogan --control

What to look at: samples/*.png, rows of the source, each above its row of the target.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "cogan", *sys.argv[1:]]))
