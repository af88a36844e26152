#!/usr/bin/env python3
"""A picture is made of a picture, by the distance that D's layers learn to see.
Wang, Xu, Wang, Tao 2017, Perceptual Adversarial Networks for Image-to-Image Transformation,
arXiv:1706.09138

    python examples/pan.py                   # as python -m minigan train pan
    python -m minigan draw runs/pan --from FILES --out made

What to look at: samples/*.png have triples: a character in one font, what is made of it, and the
same character in the other font, all of letters that were not learnt from.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "pan", *sys.argv[1:]]))
