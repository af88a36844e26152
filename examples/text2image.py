#!/usr/bin/env python3
"""Pictures of what a text says.
Reed, Akata, Yan, Logeswaran, Schiele, Lee 2016, Generative Adversarial Text to Image Synthesis,
arXiv:1605.05396

    python examples/text2image.py                # as python -m minigan train text2image
    python -m minigan draw runs/text2image --text "a red seven at the left"
    python -m minigan measure runs/text2image --control

What to look at: samples/*.png: a row of pictures beside the text that they are made of.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "text2image", *sys.argv[1:]]))
