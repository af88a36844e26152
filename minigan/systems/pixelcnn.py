"""PixelCNN: a picture's likelihood, one pixel after the other, by masked convolutions.

    python -m minigan train pixelcnn
    python -m minigan draw runs/pixelcnn --n 9 --out drawn.gif      # row by row

Algorithm (van den Oord, Kalchbrenner and Kavukcuoglu 2016, section 3.4; `minigan.gan.pixels`):

    G descends  -E sum_i log p(x_i | x_1 .. x_(i-1))

by convolutions whose kernels are 0 for the pixels to come: the first one does not see its own pixel
(mask A), the others do (mask B), 1x1 ones between them. The paper's net for MNIST is larger. Pixels
are drawn once, white with their grey value as the probability (--shrink N: of the mean of NxN).

What to look at: samples/*.png: strokes, which often make no digit. What shows that it works: the
likelihood of test images in nats (published: 81.30 for this net at its size, 79.20 for the
diagonal BiLSTM of `pixelrnn`; a VAE's bound stands beside them); and what a sample costs.
Control: no pixel sees another, so that each has a probability of its own (206 nats).
"""

from __future__ import annotations

import time

import numpy as np

from ..arrays import Generator, to_device
from ..autograd import no_grad, tensor_of
from ..data import DataError, ImageSet
from ..gan.pixels import Marginals, PixelCNN, Pixels
from ..gan.vae import cross_entropy
from .system import Row, System, counts

BATCH = 250
TIMED = 25  # samples


class PixelCNNSystem(System):
    """Pictures drawn pixel by pixel, with their exact likelihood, by masked convolutions."""

    paper = (
        "van den Oord, Kalchbrenner, Kavukcuoglu 2016, Pixel Recurrent Neural Networks, "
        "arXiv:1601.06759"
    )
    control = "no pixel sees another"
    defaults = {"lr": 2e-3, "b1": 0.9, "epochs": 10, "ema": 0.999, "sample_interval": 1000}
    shrink = 1
    blocks = 7
    target = 90.0
    note = "nats, of test images; published: 81.30, static binarisation, a larger net"

    def options(self, parser):
        super().options(parser)
        counts(
            parser,
            ("shrink", self.shrink, "pixels are means of squares with this side"),
            ("width", 16, "half the channels"),
            ("blocks", self.blocks, "layers"),
        )

    def data(self, c, split="train"):
        return binarised(super().data(c, split), c.shrink)

    def network(self, c):
        return PixelCNN(c.width, c.blocks)

    def game(self, c):
        shape = tuple(c.image_shape)
        return Pixels(Marginals(shape) if c.control else self.network(c), shape)

    def measure(self, game, c, samples, device):
        test = self.data(c, "test").images[:samples]
        target = self.target if c.shrink == 1 else float("nan")
        seconds = time_to_draw(game, device)
        return [
            Row("nats", nats(game, test, device), better="down", target=target, note=self.note),
            Row("ms per sample", 1000 * seconds / TIMED, better="down", note=f"{TIMED} at once"),
        ]


def binarised(data: ImageSet, shrink: int = 1, seed: int = 0) -> ImageSet:
    """Each pixel, or mean of shrink x shrink, drawn white (255) with its grey value as probability,
    else black: always the same draws. DataError for colours, or where the side is no multiple."""
    n, channels, height, width = data.images.shape
    if channels != 1:
        raise DataError(f"{data.name} has {channels} channels: pixels are black or white here")
    if height % shrink or width % shrink:
        raise DataError(f"--shrink {shrink}: {height}x{width} pixels cannot be parted in such")
    rng, parts = np.random.default_rng(seed), []
    for part in np.array_split(data.images, max(1, n // 10_000)):
        squares = part.reshape(len(part), 1, height // shrink, shrink, width // shrink, shrink)
        grey = squares.mean((3, 5), dtype=np.float32)
        drawn = rng.random(grey.shape, np.float32) * 255 < grey
        parts.append(np.where(drawn, 255, 0).astype(np.uint8))
    return ImageSet(np.concatenate(parts), data.labels, data.name, data.source, data.left_out,
                    data.classes)  # fmt: skip


def nats(game: Pixels, images: np.ndarray, device) -> float:
    """-log p(x), the mean over uint8 images."""
    found = []
    game.G.eval()
    with no_grad():
        for i in range(0, len(images), BATCH):
            some = images[i : i + BATCH].astype(np.float32) / np.float32(127.5) - 1
            x = tensor_of(to_device(some, device))
            found.append(cross_entropy(game.G(x), x).cpu().numpy())
    return float(np.concatenate(found).mean(dtype=np.float64))


def time_to_draw(game, device) -> float:
    """Seconds that `TIMED` samples take, drawn together, after a first time."""
    inputs = game.inputs(TIMED, Generator(0), device)
    for _ in range(2):
        start = time.perf_counter()
        game.sample(*inputs).cpu()
        taken = time.perf_counter() - start
    return taken
