#!/usr/bin/env python3
"""A policy that does as an expert does, who has shown a few episodes.
Ho and Ermon 2016, Generative Adversarial Imitation Learning, arXiv:1606.03476

    python examples/gail.py             # as python -m minigan train gail
    python examples/gail.py --rewards positive
    python -m minigan measure runs/gail --control

What to look at: samples/*.gif, four poles on carts, and `draw runs/gail --out pole.gif`.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "gail", *sys.argv[1:]]))
