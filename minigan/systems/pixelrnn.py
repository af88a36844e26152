"""PixelRNN: a picture's likelihood, one pixel after the other, by LSTMs over its rows or diagonals.

    python -m minigan train pixelrnn
    python -m minigan train pixelrnn --kind row

Algorithm: that of `pixelcnn` (see there), with layers that remember in place of masked convolutions
(van den Oord et al. 2016, section 3.1 and 3.2). The row LSTM goes down the rows, and misses what
lies to the side above; the diagonal BiLSTM goes along the diagonals from both sides, and misses
nothing. A step costs as many passes in turn as there are rows, or diagonals: pictures are 14x14
here, unless --shrink 1 is given.

What to look at: samples/*.png. What shows that it works: nats of test images, beside those of
`python -m minigan train pixelcnn --shrink 2` (after three epochs 39.5, this 36.8, its row LSTM
38.2). Control: no pixel sees another (59.3).
"""

from __future__ import annotations

from ..gan.pixels import PixelRNN
from .pixelcnn import PixelCNNSystem


class PixelRNNSystem(PixelCNNSystem):
    """Pictures drawn pixel by pixel, by LSTMs that go along rows or diagonals."""

    shrink = 2
    blocks = 3
    note = "nats, of test images; published for 28x28: 79.20, diagonal BiLSTM of 7 layers"

    def options(self, parser):
        super().options(parser)
        parser.add_argument(
            "--kind", choices=tuple(PixelRNN.KINDS), default="diagonal", help="(default diagonal)"
        )

    def network(self, c):
        return PixelRNN(c.kind, c.width, c.blocks)
