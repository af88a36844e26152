#!/usr/bin/env python3
"""Clips of digits that move: what is seen and what happens are made of different numbers.
Tulyakov, Liu, Yang, Kautz 2018, MoCoGAN: Decomposing Motion and Content for Video Generation,
arXiv:1707.04993

    python examples/mocogan.py             # as python -m minigan train mocogan
    python -m minigan draw runs/mocogan --n 16 --out clips.gif
    python -m minigan measure runs/mocogan --control

What to look at: samples/*.gif, in which each digit stays what it is while it moves.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "mocogan", *sys.argv[1:]]))
