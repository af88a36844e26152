#!/usr/bin/env python3
"""Pictures drawn pixel by pixel, with their exact likelihood, by masked convolutions.
van den Oord, Kalchbrenner, Kavukcuoglu 2016, Pixel Recurrent Neural Networks, arXiv:1601.06759

    python examples/pixelcnn.py                  # as python -m minigan train pixelcnn
    python -m minigan draw runs/pixelcnn --n 9 --out drawn.gif
    python -m minigan measure runs/pixelcnn --control

What to look at: samples/*.png: strokes, which often make no digit; drawn.gif, row by row.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "pixelcnn", *sys.argv[1:]]))
