#!/usr/bin/env python3
"""Digits, or other classes of pictures, that are asked for by a label; D says which class it sees.
Odena, Olah and Shlens 2017, Conditional Image Synthesis with Auxiliary Classifier GANs,
arXiv:1610.09585

    python examples/acgan.py                  # as python -m minigan train acgan
    python -m minigan measure runs/acgan

What to look at: samples/*.png have a row for each label; `python -m minigan draw runs/acgan
--label 7` draws sevens.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "acgan", *sys.argv[1:]]))
