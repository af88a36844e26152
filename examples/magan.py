#!/usr/bin/env python3
"""EBGAN whose margin follows the energy of the data.
Wang et al. 2017, MAGAN: Margin Adaptation for Generative Adversarial Networks

    python examples/magan.py                  # as python -m minigan train magan
    python -m minigan measure runs/magan

What to look at: the margin in metrics.jsonl follows the data's energy down.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "magan", *sys.argv[1:]]))
