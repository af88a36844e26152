#!/usr/bin/env python3
"""A classifier and a generator that learn classes one after the other and forget none.
Shin, Lee, Kim, Kim 2017, Continual Learning with Deep Generative Replay, arXiv:1705.08690

    python examples/replay.py                    # as python -m minigan train replay
    python -m minigan measure runs/replay --control

What to look at: samples/*.png: in each stage two digits come, and those of before stay.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "replay", *sys.argv[1:]]))
