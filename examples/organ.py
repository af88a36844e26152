#!/usr/bin/env python3
"""Tunes in ABC notation, by a policy that a discriminator and an objective reward.
Guimaraes, Sanchez-Lengeling, Outeiral, Farias, Aspuru-Guzik 2017, Objective-Reinforced Generative
Adversarial Networks (ORGAN) for Sequence Generation Models, arXiv:1705.10843

    pip install 'minigan[music]'
    python examples/organ.py             # as python -m minigan train organ
    python -m minigan measure runs/organ --control
    python -m minigan draw runs/organ --n 8 --out tunes.mid

What to look at: samples/*.png, piano rolls under what was said, and the .mid files beside them.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "organ", *sys.argv[1:]]))
