#!/usr/bin/env python3
"""Digits that are asked for by a label, which was told of 132 images only.
Spurr, Aksan and Hilliges 2017, Guiding InfoGAN with Semi-Supervision, arXiv:1707.04487

    python examples/ss_infogan.py                  # as python -m minigan train ss-infogan
    python -m minigan measure runs/ss-infogan

What to look at: samples/*.png as in infogan.py, where row 7 shows sevens;
`python -m minigan draw runs/ss-infogan --label 7` draws them.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "ss-infogan", *sys.argv[1:]]))
