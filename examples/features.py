#!/usr/bin/env python3
"""A classifier from a hundred labels, by the features that a finished D has learnt without labels.
Radford, Metz, Chintala 2016, Unsupervised Representation Learning with DCGANs, arXiv:1511.06434

    python -m minigan train dcgan
    python examples/features.py --of runs/dcgan    # as python -m minigan train features
    python -m minigan measure runs/features --control

What to look at: the errors among 10,000 test images, beside those by pixels and by an untrained D.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "features", *sys.argv[1:]]))
