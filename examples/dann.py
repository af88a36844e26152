#!/usr/bin/env python3
"""A classifier for digits on photographs that has seen labels of plain digits only: its features do
not tell the two apart. Ganin et al. 2016, Domain-Adversarial Training of Neural Networks

    python examples/dann.py                      # as python -m minigan train dann
    python examples/dann.py --target uci         # digits of another source
    python -m minigan measure runs/dann --control

What to look at: samples/*.png, both domains in the plane of their pixels and of their features.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "dann", *sys.argv[1:]]))
