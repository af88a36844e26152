#!/usr/bin/env python3
"""Sequences of words by a policy, which a discriminator rewards.
Yu, Zhang, Wang, Yu 2017, SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient,
arXiv:1609.05473

    python examples/airl.py             # as python -m minigan train airl
    python examples/airl.py --dataset quatrains
    python -m minigan measure runs/airl --control

What to look at: samples/*.txt, lines of the made language, or poems.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "airl", *sys.argv[1:]]))
