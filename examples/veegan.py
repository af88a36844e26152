#!/usr/bin/env python3
"""A reconstructor carries data to codes, and D judges pairs of data and code.
Srivastava et al. 2017, VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational
Learning, arXiv:1705.07761

    python examples/veegan.py                  # as python -m minigan train veegan
    python -m minigan measure runs/veegan

What to look at: samples of all ten digits; the reconstructor's error in metrics.jsonl falls.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "veegan", *sys.argv[1:]]))
