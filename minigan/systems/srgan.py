"""SRGAN: small pictures made larger, with details that are plausible, not blurred.

    python -m minigan train srgan
    python -m minigan measure runs/srgan --control

Algorithm (Ledig et al. 2017, equations 3 to 6; `minigan.gan.SRGAN` has it), in two stages. First G
(SRResNet) descends the squared error of its pixels, and a classifier F learns the data's classes.
Then F is frozen; G descends the squared error of F's features, and what D says of its pictures.
The paper's features are VGG's, for photographs; here F's last maps. With --task G also descends F's
cross entropy: large pictures that a classifier shall know, as of small objects. Where the data have
no classes, such as a folder of pictures, pixels are compared (the paper's SRGAN-MSE). Small
pictures are means of squares of --factor x --factor pixels.

What to look at: samples/*.png, in each column a small picture, what bicubic interpolation, the
first stage and G make of it, and the truth. What shows that it works: the first stage is nearer to
the truth by its pixels (PSNR), but G's pictures are nearer to the data (Frechet distance), and a
classifier that never saw the run knows more of them.
Control: D and its weight are switched off; G descends the distance in features alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays import to_device
from ..autograd import tensor_of
from ..data import DataError
from ..gan.networks import dcgan_discriminator
from ..gan.srgan import SRGAN as Game
from ..gan.srgan import SRResNet, enlarger
from ..metrics import Principal, describe, evaluate, psnr
from ..metrics.rows import subset
from ..training.cli import number
from ..viz import Grid
from .evidence import NoClassifier, reference, some_images
from .reconstruct import in_batches
from .system import Row, System, adam_options, counts, labels_of, weights
from .triple_gan import convolutional

LAYER = -3  # phi ends here: F's last maps, after their ReLU
COLUMNS, SOURCES = 10, 64  # of what is shown; pictures that samples are made of


class SRGAN(System):
    """Small pictures made larger by a network that a discriminator has taught what details look
    like."""

    paper = (
        "Ledig et al. 2017, Photo-Realistic Single Image Super-Resolution Using a Generative "
        "Adversarial Network, arXiv:1609.04802"
    )
    control = "D weighs nothing: the distance in features alone"
    averaged = None
    defaults = {"lr": 1e-3, "b1": 0.9, "batch_size": 32, "sample_interval": 200}

    def options(self, parser):
        p = parser
        adam_options(p)
        p.add_argument(
            "--factor",
            type=number(int, 2),
            default=4,
            help="how many times larger, a power of 2 (default %(default)s)",
        )
        counts(
            p,
            ("content-steps", 1500, "steps of the first stage"),
            ("steps", 1500, "steps of the second"),
            ("width", 24, "G's channels where pictures are small"),
            ("blocks", 3, "G's residual blocks"),
            ("features", 12, "D's channels next to the pictures"),
        )
        weights(
            p,
            (
                "adversarial",
                1e-2,
                "weight of what D says, beside the distance in features; a tenth of it "
                "beside that of pixels, which is smaller",
            ),
            ("task", 0.0, "weight of F's cross entropy on G's pictures"),
        )

    def facts(self, data, c):
        height, width = data.images.shape[2:]
        if c.factor & (c.factor - 1) or height % c.factor or width % c.factor:
            raise DataError(
                f"--factor {c.factor}: expected a power of 2 that divides the pictures' sides "
                f"({height}x{width}): say --size for own pictures"
            )
        found = super().facts(data, c)
        if len(data.classes) > 1 or data.labels.max() > 0:
            return found | labels_of(data, self.name)
        if c.task:
            raise DataError(f"--task {c.task:g}: {data.name} has no classes for F to know")
        return found | {"classes": 0}

    def stages(self, c):
        return {"content": c.content_steps, "adversarial": c.steps}

    def game(self, c):
        G = enlarger(c.image_shape[0], c.factor, c.width, c.blocks)
        shape = tuple(c.image_shape)
        F = convolutional(shape, c.classes) if c.classes else None
        return SRResNet(G, F, shape, c.factor)

    def game_after(self, players, c):
        D = dcgan_discriminator(*c.image_shape, features=c.features)
        weight = c.adversarial if players.get("F") else c.adversarial / 10
        weight = 0.0 if c.control else weight
        shape, networks = tuple(c.image_shape), (players["G"], D, players.get("F"))
        return Game(*networks, LAYER, shape, c.factor, weight, c.task)

    def begin(self, game, data, c, device):
        game.sources = self.sources(game, data, device)

    def ready(self, game, c, device):
        game.sources = self.sources(game, self.test_of(c), device)

    def sources(self, game, data, device):
        """Small versions of some pictures."""
        return game.small(tensor_of(to_device(some_images(data, SOURCES), device)))

    def shown(self, data, options):
        return self.held_out(data, options)

    def exhibit(self, game, data, generator, device):
        images = some_images(data, COLUMNS)

        def picture():
            rows = [*made_larger(game, images, device).values(), images]
            return Grid(np.concatenate(rows), len(rows), COLUMNS)

        return picture

    def measure(self, game, c, samples, device):
        test = self.test_of(c)
        images = some_images(test, samples)
        judges = judges_of(images, subset(test.labels, samples), test, c, device)
        found = {
            name: {what: judge(made) for what, (judge, *_) in judges.items()}
            for name, made in made_larger(game, images, device).items()
        }
        first, bicubic = found.get("first stage"), found["bicubic"]
        rows = []
        for what, (_, better, ceiling) in judges.items():
            target, note = np.nan, "dB; the first stage's is higher"
            if what == "right digit":
                target, note = bicubic[what] + 0.05, "target: bicubic + 5 points"
            elif what != "PSNR" and first:
                target, note = first[what], "target: below the first stage's"
            rows.append(Row(what, found["G"][what], ceiling, better, target, note=note))
        for name, values in (("SRResNet", first), ("bicubic", bicubic)):
            rows += [
                Row(f"{name} {what}", value, better=judges[what][1])
                for what, value in (values or {}).items()
            ]
        return rows


def judges_of(images, labels, test, c, device) -> dict[str, tuple[Callable, str, float]]:
    """What is measured of pictures made of small images: name -> (function, better, of real
    ones)."""
    near = lambda made: float(psnr(made, images, 2.0).mean())
    found: dict[str, tuple[Callable, str, float]] = {"PSNR": (near, "up", np.nan)}
    try:
        known = reference(c, device)
    except NoClassifier:
        others = Principal(test.images)
        far = lambda made: others(made)["frechet"]
        return found | {"frechet of pixels": (far, "down", others(images)["frechet_real"])}
    right = lambda made: float((describe(made, known.classifier).digits == labels).mean())
    far = lambda made: evaluate(made, known)["frechet"]
    return found | {"right digit": (right, "up", right(images)), "frechet": (far, "down", np.nan)}


def made_larger(game, images: np.ndarray, device) -> dict[str, np.ndarray]:
    """What is made of the small versions of images: by repeating pixels, by interpolation, by the
    first stage's G where there is another, by G."""
    small = in_batches(game.small, images, device)
    found = {"small": small.repeat(game.factor, 2).repeat(game.factor, 3)}
    found["bicubic"] = in_batches(game.bicubic, small, device)
    if hasattr(game, "before"):
        found["first stage"] = in_batches(game.enlarge_before, small, device)
    found["G"] = in_batches(game.sample, small, device)
    return found
