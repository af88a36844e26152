#!/usr/bin/env python3
"""A picture of one kind is made of a picture of another, learnt from pairs.
Isola, Zhu, Zhou, Efros 2017, Image-to-Image Translation with Conditional Adversarial Networks,
arXiv:1611.07004

    python examples/pix2pix.py               # as python -m minigan train pix2pix
    python -m minigan draw runs/pix2pix --from FILES --out made

What to look at: samples/*.png have triples: a character in one font, what is made of it, and the
same character in the other font, all of letters that were not learnt from.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "pix2pix", *sys.argv[1:]]))
