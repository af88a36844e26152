#!/usr/bin/env python3
"""What is hidden of a picture is drawn, given what is known, by one network for every mask.
Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, section 6, point 3

    python examples/completion.py            # as python -m minigan train completion
    python -m minigan measure runs/completion --control

What to look at: samples/*.png have in each row what is known of a test image, four completions, and
the image.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "completion", *sys.argv[1:]]))
