#!/usr/bin/env python3
"""Clips of made stick figures: how they move on is imagined as poses, then drawn.
Walker, Marino, Gupta, Hebert 2017, The Pose Knows: Video Forecasting by Generating Pose Futures,
arXiv:1705.00053

    python examples/posegan.py             # as python -m minigan train posegan
    python -m minigan draw runs/posegan --n 16 --out clips.gif
    python -m minigan measure runs/posegan --control

What to look at: samples/*.gif, true clips above, below them three imagined of the same past.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "posegan", *sys.argv[1:]]))
