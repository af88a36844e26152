"""What systems share that make a picture of a picture: their data, what is shown and measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Generator, to_device
from ..autograd import tensor_of
from ..data import Pairs, load_pairs
from ..data.glyphs import FONTS
from ..data.pairfolder import DIRECTIONS
from ..gan import Game
from ..metrics import grey_share, iou, psnr, retrieval, ssim
from ..training.cli import number
from ..viz import beside
from .evidence import BATCH, floats
from .system import Row, System, adam_options, add_decay, falling_rates
from .typeset import lines

ROWS, TRIPLES = 8, 3  # of what is shown: rows, and triples in each
SOURCES = 64  # pictures that samples are made of while it is trained


class Translating(System):
    """A system of two domains. Its game is a `minigan.gan.Translating`."""

    target = np.nan  # the share of characters that shall be recognised
    needs_pairs = True

    def options(self, parser):
        adam_options(parser)
        p = parser
        p.add_argument("--direction", choices=DIRECTIONS, default="AtoB", help="from which domain "
                       "to which (default %(default)s)")  # fmt: skip
        p.add_argument("--size", type=number(int, 8), default=32,
                       help="of pictures, pixels of a side (default %(default)s)")  # fmt: skip
        for domain, font in zip("ab", FONTS):
            p.add_argument(
                f"--font-{domain}", default=font,
                help=f"of glyphs: one of matplotlib's, or a file (default {font})",
            )  # fmt: skip
        p.add_argument("--features", type=number(int, 1), default=16,
                       help="channels next to the pictures (default %(default)s)")  # fmt: skip
        p.add_argument("--jitter", type=number(int, 0), default=2,
                       help="pixels by which pictures are shifted at most, while it learns "
                       "(default %(default)s)")  # fmt: skip
        add_decay(p)

    def data_options(self, parser):
        parser.add_argument(
            "--dataset", default="glyphs",
            help="glyphs; a folder with trainA and trainB (and testA, testB); or a folder of "
            "pictures of a pair side by side, A at the left (default %(default)s)",
        )  # fmt: skip

    def domains(self, c: Any, split: str) -> Pairs:
        """The two domains as they are, whatever of them is learnt from."""
        name = getattr(c, "pictures", c.dataset)
        found = load_pairs(name, split, c.size, c.direction, c.font_a, c.font_b)
        if self.needs_pairs and not found.paired:
            raise ValueError(
                f"{self.name} learns from pairs, and trainA and trainB of {found.source} hold "
                "files of different names: name the two of a pair alike, or train cyclegan"
            )
        return found

    def data(self, c, split="train"):
        return self.domains(c, split)

    def facts(self, data, c):
        shape = list(data.targets.shape[1:])
        return {"image_shape": list(data.images.shape[1:]), "target_shape": shape}

    def shown(self, data, options):
        return self.held_out(data, options)

    def held_out(self, data, options):
        return self.data(options, "test")

    def begin(self, game, data, c, device):
        # what the doctor looks at
        game.sources = tensor_of(to_device(floats(data.images[:SOURCES]), device))

    def ready(self, game, c, device):
        game.sources = tensor_of(to_device(floats(self.data(c, "test").images), device))

    def callbacks(self, trainer, c, steps):
        return falling_rates(trainer, c, steps)

    def exhibit(self, game, data, generator, device):
        n = min(ROWS * TRIPLES, len(data), *([] if data.paired else [len(data.targets)]))
        rows = np.linspace(0, len(data) - 1, n).round().astype(int)
        a = floats(data.images[rows])
        b = floats(data.targets[rows]) if data.paired else None
        inputs = game.inputs_of(tensor_of(to_device(a, device)), generator)

        def picture():
            made = game.sample(*inputs).cpu().numpy()
            third = self.again(game, made, device) if b is None else b
            return beside(a, made, third, most=TRIPLES)

        return picture

    def again(self, game: Any, made: np.ndarray, device: Any) -> np.ndarray:
        """Where no truth is known, what is shown at its place."""
        return made

    def of_text(self, game, c, text, device, n, random):
        """A line in the font that its pictures are of, over a line of what is made of them."""
        if c.dataset != "glyphs":
            raise ValueError(f"--text: {c.dataset} has no font, only runs on glyphs set text")
        to_b = (c.direction == "AtoB") != bool(getattr(game, "back", False))
        font = c.font_a if to_b else c.font_b
        return lines(text, font, c.size, lambda pictures: translated(game, pictures, device))

    def measure(self, game, c, samples, device):
        data = self.data(c, "test")
        if not data.paired:
            raise ValueError(
                f"the truth of {data.source} is not known: pictures of testA and testB are not "
                "named alike, so there is nothing to measure by"
            )
        rest = self.domains(c, "train")
        gallery = [data.targets] + ([rest.targets] if rest.checksum != data.checksum else [])
        made = translated(game, floats(data.images), device)
        return pair_rows(data, made, np.concatenate(gallery), self.target)


def translated(game: Game, pictures: np.ndarray, device: Any, seed: int = 0) -> np.ndarray:
    """What a game makes of pictures in [-1, 1]: float32."""
    random, parts = Generator(seed), []
    for i in range(0, len(pictures), BATCH):
        inputs = game.inputs_of(tensor_of(to_device(pictures[i : i + BATCH], device)), random)
        parts.append(game.sample(*inputs).cpu().numpy())
    return np.concatenate(parts)


def pair_rows(data: Pairs, made: np.ndarray, gallery: np.ndarray, target: float) -> list[Row]:
    """How near what was made of data.images is to data.targets, the first of the gallery; beside
    it, how near the images themselves are."""
    made, truth, everything, a = (
        x / 255.0 if x.dtype == np.uint8 else np.clip((x + 1) / 2, 0, 1)
        for x in (made, data.targets, gallery, data.images)
    )
    right = np.arange(len(truth))
    rows = [
        Row("retrieval", retrieval(made, everything, right), 1.0, target=target,
            note=f"the right one of {len(everything):,} is nearest, of {len(truth)} held out"),
        Row("L1", float(np.abs(made - truth).mean()), 0.0, "down", note="of pixels in [0, 1]"),
        Row("psnr", float(psnr(made, truth).mean()), note="dB"),
        Row("ssim", float(ssim(made, truth).mean()), 1.0),
        Row("iou", float(iou(made, truth).mean()), 1.0),
        Row("grey share", grey_share(made), grey_share(truth), "down",
            note="pixels neither black nor white: blur"),
    ]  # fmt: skip
    if a.shape == truth.shape:
        rows += [
            Row("nothing: retrieval", retrieval(a, everything, right), 1.0,
                note="of the pictures as they are"),
            Row("nothing: L1", float(np.abs(a - truth).mean()), 0.0, "down"),
            Row("nothing: iou", float(iou(a, truth).mean()), 1.0),
        ]  # fmt: skip
    return rows
