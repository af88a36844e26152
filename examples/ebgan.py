#!/usr/bin/env python3
"""D is an energy: its reconstruction error, low for data, at least a margin for fakes.
Zhao, Mathieu, LeCun 2017, Energy-based Generative Adversarial Network, arXiv:1609.03126

    python examples/ebgan.py                  # as python -m minigan train ebgan
    python -m minigan measure runs/ebgan

What to look at: d_value and g_loss in curves.png are energies: those of fakes come down to those
of data.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "ebgan", *sys.argv[1:]]))
