#!/usr/bin/env python3
"""Clips of digits that move before photographs that stand still.
Vondrick, Pirsiavash, Torralba 2016, Generating Videos with Scene Dynamics, arXiv:1609.02612

    python examples/videogan.py             # as python -m minigan train videogan
    python -m minigan draw runs/videogan --n 16 --out clips.gif
    python -m minigan measure runs/videogan --control

What to look at: samples/*.gif: digits move, what is behind them stands still.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "videogan", *sys.argv[1:]]))
