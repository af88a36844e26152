#!/usr/bin/env python3
"""Melodies as series of real numbers, by two recurrent networks.
Mogren 2016, C-RNN-GAN: Continuous recurrent neural networks with adversarial training,
arXiv:1611.09904

    pip install 'minigan[music]'
    python examples/c_rnn_gan.py             # as python -m minigan train c-rnn-gan
    python -m minigan measure runs/c-rnn-gan --control
    python -m minigan draw runs/c-rnn-gan --n 8 --out tunes.mid

What to look at: samples/*.png, piano rolls, and the .mid files beside them, which can be heard.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "c-rnn-gan", *sys.argv[1:]]))
