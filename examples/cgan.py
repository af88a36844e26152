#!/usr/bin/env python3
"""Digits, or other classes of pictures, that are asked for by a label.
Mirza and Osindero 2014, Conditional Generative Adversarial Nets, arXiv:1411.1784

    python examples/cgan.py                  # as python -m minigan train cgan
    python -m minigan measure runs/cgan

What to look at: samples/*.png have a row for each label; `python -m minigan draw runs/cgan
--label 7` draws sevens.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "cgan", *sys.argv[1:]]))
