"""CycleGAN: pictures of one domain become pictures of another, and nobody says which is which.

    python -m minigan train cyclegan
    python -m minigan draw runs/cyclegan --from photo.png --out made        # --back: from B to A
    python -m minigan train cyclegan --dataset horse2zebra --size 64

Algorithm (Zhu et al. 2017; `minigan.gan.CycleGAN`). AB and BA translate, DA and DB judge:

    AB, BA descend  LSGAN(DB(AB(a))) + LSGAN(DA(BA(b)))
                    + cycle (E |BA(AB(a)) - a|_1 + E |AB(BA(b)) - b|_1)
                    + identity (E |AB(b) - b|_1 + E |BA(a) - a|_1)
    DA, DB          LSGAN on data and on pools of the last 50 fakes

Rates fall to 0 along a line in the second half. Own pictures: trainA, trainB (and testA, testB).
Glyphs: half of the letters are A, in one font, the other half B, in another: no letter is in both.

What to look at: samples/*.png, triples (a, AB(a), b) of letters that are neither in A nor in B; of
own pictures, whose b is not known, (a, AB(a), BA(AB(a))). What shows that it works: the truth of
those letters, as for `pix2pix`. That a comes back, BA(AB(a)) = a, shows nothing: AB can hide a in
what looks right.
Control: without the cycle term (and without identity): any character of B will do.
"""

from __future__ import annotations

from ..arrays import to_device
from ..autograd import tensor_of
from ..data.batches import Batches, Together
from ..gan import CycleGAN as Game
from ..training.cli import number
from .translating import Translating
from .unet import PatchGAN, residual_translator


class CycleGAN(Translating):
    """Pictures of one domain become pictures of another, learnt from two sets that do not belong
    together."""

    paper = (
        "Zhu, Park, Isola, Efros 2017, Unpaired Image-to-Image Translation using Cycle-Consistent "
        "Adversarial Networks, arXiv:1703.10593"
    )
    control = "no cycle term, no identity term"
    defaults = {"epochs": 20, "batch_size": 8, "lr": 5e-4, "ema": 0.99}
    target = 0.4
    needs_pairs = False

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument("--cycle", type=number(float, 0), default=10.0,
                       help="weight of what comes back (default %(default)s)")  # fmt: skip
        p.add_argument("--identity", type=number(float, 0), default=5.0,
                       help="weight of what is in the right domain already "
                       "(default %(default)s)")  # fmt: skip
        p.add_argument("--pool", type=number(int, 0), default=50,
                       help="how many fakes are kept for critics "
                       "(default %(default)s)")  # fmt: skip
        p.add_argument("--blocks", type=number(int, 1), default=3,
                       help="residual blocks (default %(default)s)")  # fmt: skip
        p.add_argument("--halvings", type=number(int, 1), default=1,
                       help="of the critics: 1, 2, 3: they look at patches of 16, 34, 70 pixels of "
                       "a side (default %(default)s)")  # fmt: skip

    def data(self, c, split="train"):
        data = super().data(c, split)
        return data.apart(c.seed) if split == "train" else data

    def game(self, c):
        a, b = tuple(c.image_shape), tuple(c.target_shape)
        translator = lambda x, y: residual_translator(x[0], y[0], c.features, c.blocks)
        critic = lambda x: PatchGAN(x[0], c.features, c.halvings, x[1])
        cycle, identity = (0.0, 0.0) if c.control else (c.cycle, c.identity)
        return Game(
            (translator(a, b), translator(b, a)), (critic(a), critic(b)), (a, b), c.pool, cycle,
            identity if a == b else 0.0, jitter=c.jitter,
        )  # fmt: skip

    def batches(self, game, data, c, device):
        a, b = (Batches(x, c.batch_size, s, device)
                for x, s in ((data.images, c.seed), (data.targets, c.seed + 1)))  # fmt: skip
        return Together(a, b)

    def again(self, game, made, device):
        return game.translated(tensor_of(to_device(made, device)), not game.back).cpu().numpy()
