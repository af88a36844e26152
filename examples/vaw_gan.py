#!/usr/bin/env python3
"""What one speaker says, in the voice of another, learnt without parallel speech.
Hsu et al. 2017, Voice Conversion from Unaligned Corpora using Variational Autoencoding Wasserstein
Generative Adversarial Networks, arXiv:1704.00849

    python examples/vaw_gan.py                # as python -m minigan train vaw-gan; needs aeon
    python examples/vaw_gan.py --dataset made-voices      # without it
    python -m minigan draw runs/vaw-gan --label 3 --n 4
    python -m minigan measure runs/vaw-gan --control

What to look at: samples/*.png, curves of utterances before and after, beside one that the target
has really said.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "vaw-gan", *sys.argv[1:]]))
