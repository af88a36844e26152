#!/usr/bin/env python3
"""A classifier for digits on photographs that has seen labels of plain digits only: the domains'
features are brought together by their Wasserstein distance. Shen et al. 2017 (ARDA, WDGRL)

    python examples/arda.py                      # as python -m minigan train arda
    python -m minigan measure runs/arda --control

What to look at: samples/*.png, both domains in the plane of their pixels and of their features.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "arda", *sys.argv[1:]]))
