#!/usr/bin/env python3
"""Pictures of one domain become pictures of another, without pairs.
Zhu, Park, Isola, Efros 2017, Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks, arXiv:1703.10593

    python examples/cyclegan.py              # as python -m minigan train cyclegan
    python -m minigan draw runs/cyclegan --from FILES --out made

What to look at: samples/*.png have triples: a character in one font, what is made of it, and the
same character in the other font, all of letters that were not learnt from.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "cyclegan", *sys.argv[1:]]))
