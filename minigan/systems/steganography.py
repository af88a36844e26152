"""Steganography: pictures that are made so that nobody sees whether something is hidden in them.

    python -m minigan train steganography
    python -m minigan measure runs/steganography --control

    >>> game = load_game("runs/steganography").game
    >>> covers = as_bytes(game.sample(*game.inputs(1, Generator(0))).numpy())
    >>> bits = np.unpackbits(np.frombuffer(b"meet me at noon", np.uint8))[None]
    >>> stego = hide(covers, bits, key=1234)                      # minigan.gan.steganography
    >>> np.packbits(reveal(stego, bits.shape[1], key=1234)).tobytes()
    b'meet me at noon'

Algorithm (Volkhonskiy et al. 2017, equation 3; `minigan.gan.Steganography` has it). D is that of a
GAN; S, a steganalyser, sees G's pictures with and without a message; G is judged by both. A message
changes the lowest bits of pixels by +-1 embedding, .4 bits for each pixel.

What to look at: samples/*.png, digits on a ground that is no longer black but grained. What shows
that it works: a new steganalyser, trained on half of G's finished pictures with and without
messages, tells the other half hardly better than a coin; every message is read back.
Control: alpha is 1, so that S has no part in what G learns.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Generator, default_generator, to_device
from ..autograd import no_grad, tensor_of
from ..gan import Steganography as Game
from ..gan.steganography import hide, reveal, steganalyser
from ..ops.loss import mean_logsigmoid
from ..optim import Adam
from ..training.cli import number
from ..viz import as_bytes
from .evidence import digits_of, drawn, image_rows
from .parts import Images
from .system import Row, System

EPOCHS, BATCH, LR = 12, 50, 5e-3  # of a new steganalyser; as many pictures have a message


class Steganography(System):
    """Pictures that hide messages, by a generator that a steganalyser has taught."""

    paper = (
        "Volkhonskiy, Nazarov, Burnaev 2017, Steganographic Generative Adversarial Networks, "
        "arXiv:1703.05502"
    )
    control = "the steganalyser has no part in what G learns"
    defaults = {"lr": 1e-3, "epochs": 4, "ema": 0.999}

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument(
            "--alpha",
            type=number(float, 0, 1),
            default=0.7,
            help="how much D counts for G; the rest is the steganalyser's (default %(default)s)",
        )
        p.add_argument(
            "--rate",
            type=number(float, 0, 1),
            default=0.4,
            help="bits of a message for each number of a picture (default %(default)s)",
        )
        p.add_argument(
            "--s-lr",
            type=number(float, above=0),
            default=1e-3,
            help="the steganalyser's learning rate (default %(default)s)",
        )

    def game(self, c):
        images, alpha = Images(c), 1.0 if c.control else c.alpha
        S = steganalyser(c.image_shape[0])
        return Game(images.generator(), images.critic(), S, c.latent_dim, alpha, c.rate)

    def optimizers(self, game, c):
        return super().optimizers(game, c) | {"S": Adam(game.S.parameters(), c.s_lr, (0.9, 0.999))}

    def measure(self, game, c, samples, device):
        images = drawn(game, samples, device)[0]
        covers, digits = as_bytes(images), digits_of(c, "test").images[:samples]
        n = int(c.rate * covers[0].size)
        bits = (Generator(2).uniform((len(covers), n)) < 0.5).astype(np.uint8)
        read = reveal(hide(covers, bits, key=3), n, key=3)
        return [
            Row("new steganalyser", detected(covers, c.rate, device),
                detected(digits, c.rate, device), "down", 0.6,
                note="its accuracy on pictures that it has not seen; a coin: 0.5"),
            Row("bits read back", float((read == bits).mean()), 1.0, target=1.0,
                note=f"of messages of {n} bits"),
            *image_rows(game, c, samples, device, ("frechet",), images),
        ]  # fmt: skip


def detected(covers: np.ndarray, rate: float, device, seed: int = 7) -> float:
    """The accuracy of a new steganalyser, trained on half of the covers with and without messages,
    on the other half; each picture hides its own bits in its own pixels. covers : uint8 (N, C, H,
    W)"""
    random, n = Generator(seed), int(rate * covers[0].size)
    bits = (random.uniform((len(covers), 1, n)) < 0.5).astype(np.uint8)
    keys = range(seed, seed + len(covers))
    stego = np.concatenate([hide(x[None], b, key) for x, b, key in zip(covers, bits, keys)])
    pairs = np.stack([covers, stego], 1).astype(np.float32) / np.float32(127.5) - 1
    half, before = len(covers) // 2, default_generator.get_state()
    try:
        default_generator.manual_seed(seed)
        S = steganalyser(covers.shape[1], 16).to(device)
    finally:
        default_generator.set_state(before)
    says = lambda x: S(tensor_of(to_device(np.ascontiguousarray(x), device)))
    optimizer = Adam(S.parameters(), LR)
    for _ in range(EPOCHS):
        order = random.permutation(half)
        for i in range(0, half - BATCH + 1, BATCH):
            pair = pairs[order[i : i + BATCH]]
            optimizer.zero_grad()
            (-mean_logsigmoid(says(pair[:, 0]), -1) - mean_logsigmoid(says(pair[:, 1]))).backward()
            optimizer.step()
    with no_grad():
        right = [
            ((says(x) > 0).cpu().numpy() == hidden).mean()
            for hidden in (False, True)
            for x in np.array_split(pairs[half:, int(hidden)], max(1, half // 500))
        ]
    return float(np.mean(right))
