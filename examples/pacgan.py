#!/usr/bin/env python3
"""D judges two examples at once, so that it sees when G repeats itself.
Lin et al. 2018, PacGAN: The power of two samples in generative adversarial networks

    python examples/pacgan.py                  # as python -m minigan train pacgan
    python -m minigan measure runs/pacgan

What to look at: the digits in samples/*.png should be of all ten kinds; `measure` counts them
(modes).
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "pacgan", *sys.argv[1:]]))
