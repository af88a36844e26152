#!/usr/bin/env python3
"""Pictures of what a text says, first small, then large.
Zhang, Xu, Li, Zhang, Wang, Huang, Metaxas 2017, StackGAN: Text to Photo-realistic Image Synthesis
with Stacked Generative Adversarial Networks, arXiv:1612.03242

    python examples/stackgan.py                # as python -m minigan train stackgan
    python -m minigan draw runs/stackgan --text "a red seven at the left"
    python -m minigan measure runs/stackgan --control

What to look at: samples/*.png: a row of pictures beside the text that they are made of.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "stackgan", *sys.argv[1:]]))
