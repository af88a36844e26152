#!/usr/bin/env python3
"""Pictures that are made so that nobody sees whether a message is hidden in them.
Volkhonskiy, Nazarov, Burnaev 2017, Steganographic Generative Adversarial Networks, arXiv:1703.05502

    python examples/steganography.py         # as python -m minigan train steganography
    python -m minigan measure runs/steganography --control

What to look at: samples/*.png, digits on a grained ground; `hide` and `reveal` of
minigan.gan.steganography write and read messages.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "steganography", *sys.argv[1:]]))
