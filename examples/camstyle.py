#!/usr/bin/env python3
"""A classifier that has labels of one camera only, and learns another by translated pictures.
Zhong, Zheng, Zheng, Li, Yang 2018, Camera Style Adaptation for Person Re-identification,
arXiv:1711.10295

    python examples/camstyle.py          # as python -m minigan train camstyle
    python -m minigan measure runs/camstyle --control

What to look at: samples/*.png, triples of a picture, its translation, and what the second camera
sees.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "camstyle", *sys.argv[1:]]))
