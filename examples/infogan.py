#!/usr/bin/env python3
"""Digits whose class, slant and width are found without labels.
Chen et al. 2016, InfoGAN: Interpretable Representation Learning by Information Maximizing
Generative Adversarial Nets, arXiv:1606.03657

    python examples/infogan.py                  # as python -m minigan train infogan
    python -m minigan measure runs/infogan

What to look at: samples/*.png have a row for each value of the label code; to the right the two
continuous codes move from -2 to 2. `python -m minigan draw runs/infogan --label 3` draws one row.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "infogan", *sys.argv[1:]]))
