#!/usr/bin/env python3
"""The reward that an expert acts for.
Fu, Luo, Levine 2018, Learning Robust Rewards with Adversarial Inverse Reinforcement Learning,
arXiv:1710.11248

    python examples/airl.py             # as python -m minigan train airl
    python examples/airl.py --dataset cartpole --hidden 64 --episodes 10
    python -m minigan measure runs/airl --control

What to look at: samples/*.png, the true reward of each cell beside the one that was found.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "airl", *sys.argv[1:]]))
