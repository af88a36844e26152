#!/usr/bin/env python3
"""G descends what D would say after some more steps of its own.
Metz et al. 2017, Unrolled Generative Adversarial Networks, arXiv:1611.02163

    python examples/unrolled.py                  # as python -m minigan train unrolled
    python -m minigan measure runs/unrolled

What to look at: all ten digits from early on; --unroll 0 (or --control) is the GAN that it
improves.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "unrolled", *sys.argv[1:]]))
