#!/usr/bin/env python3
"""Pictures drawn pixel by pixel, by LSTMs that go along rows or diagonals.
van den Oord, Kalchbrenner, Kavukcuoglu 2016, Pixel Recurrent Neural Networks, arXiv:1601.06759

    python examples/pixelrnn.py                  # as python -m minigan train pixelrnn
    python -m minigan draw runs/pixelrnn --n 9 --out drawn.gif
    python -m minigan measure runs/pixelrnn --control

What to look at: samples/*.png; the nats of measure, beside those of pixelcnn --shrink 2.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "pixelrnn", *sys.argv[1:]]))
