"""CamStyle: labelled pictures of one camera, put into the style of another, teach a classifier the
other one, too.

    python -m minigan train camstyle
    python -m minigan draw runs/camstyle --from digit.png --out other_camera
    python -m minigan measure runs/camstyle --control

Algorithm (Zhong et al. 2018), in two stages. First a CycleGAN learns, without labels and without
pairs, to translate between pictures of two cameras. Then it is frozen, and a classifier C descends

    E CE(C(x), y) + weight E CE_eps(C(AB(x)), y)

of the few labelled pictures x, all of the first camera; the labels of what was translated are
smoothed by eps (`minigan.gan.CamStyle`). Beside C two classifiers of its kind learn: B from x
alone, R from x and the very same pictures as the second camera sees them, which nobody has.
The cameras are made (`minigan.data.cameras`): the second sees dark on bright, blurred, in uneven
light.

What to look at: samples/*.png, triples of a picture, its translation, and what the second camera
sees. What shows that it works: C is right on test pictures of the second camera more often than B;
R is the ceiling. Control: nothing is translated, C sees each labelled picture twice.
"""

from __future__ import annotations

from types import SimpleNamespace

from .. import nn
from ..data import load_dataset
from ..data.batches import Batches, Together
from ..data.cameras import two_cameras
from ..gan import CamStyle as Game
from ..gan import CycleGAN
from .labelled import add_labels, predicted, rows_of_each, strided
from .system import Row, System, adam_options, counts, labels_of, weights
from .translating import Translating
from .unet import PatchGAN, residual_translator


class CamStyle(Translating):
    """A classifier that has labels of one camera only, and learns another by translated
    pictures."""

    paper = (
        "Zhong, Zheng, Zheng, Li, Yang 2018, Camera Style Adaptation for Person Re-identification, "
        "arXiv:1711.10295"
    )
    control = "nothing is translated"
    averaged = None
    defaults = {"lr": 2e-3, "b1": 0.5, "batch_size": 40}

    def options(self, parser):
        p = parser
        add_labels(p, 200)
        adam_options(p)
        counts(
            p,
            ("style-steps", 800, "steps of the translators"),
            ("steps", 600, "steps of the classifiers"),
            ("style-batch", 8, "pictures of each camera in a step of the translators"),
            ("features", 8, "the translators' channels next to the pictures"),
            ("blocks", 2, "their residual blocks"),
            ("width", 16, "channels of the classifiers' first layer"),
        )
        weights(
            p,
            ("weight", 1.0, "of the translated pictures' cross entropy"),
            ("cycle", 10.0, "weight of what comes back"),
        )
        weights(
            p,
            ("smoothing", 0.1, "eps of the translated pictures' labels"),
            ("style-lr", 5e-4, "the translators' and their critics' learning rate"),
            most=1,
        )

    data_options = System.data_options
    held_out = System.held_out

    def data(self, c, split="train"):
        name, folder = getattr(c, "pictures", c.dataset), getattr(c, "data_dir", None)
        return two_cameras(load_dataset(name, split, folder, size=c.size))

    def facts(self, data, c):
        return super().facts(data, c) | labels_of(data, self.name)

    def stages(self, c):
        return ({} if c.control else {"style": c.style_steps}) | {"classifiers": c.steps}

    def game(self, c):
        shape = tuple(c.image_shape)
        if c.control:
            return Game(classifiers(c), nn.Identity(), shape, c.smoothing, c.weight)
        translators = [residual_translator(shape[0], shape[0], c.features, c.blocks) for _ in "AB"]
        critics = [PatchGAN(shape[0], c.features) for _ in "AB"]
        # no identity term: what is black for one camera is bright for the other
        return CycleGAN(tuple(translators), tuple(critics), (shape, shape), 50, c.cycle, 0.0)

    def game_after(self, players, c):
        shape = tuple(c.image_shape)
        return Game(classifiers(c), players["G"]["AB"], shape, c.smoothing, c.weight)

    def ready(self, game, c, device):
        self.begin(game, self.test_of(c), c, device)

    def optimizers(self, game, c):
        rate = c.style_lr if c.stage == "style" else c.lr
        return super().optimizers(game, SimpleNamespace(**vars(c) | {"lr": rate}))

    def batches(self, game, data, c, device):
        if c.stage == "style":
            apart = data.apart(c.seed)
            size = min(c.style_batch, len(apart.images), len(apart.targets))
            return Together(*[
                Batches(x, size, seed, device)
                for x, seed in ((apart.images, c.seed), (apart.targets, c.seed + 1))
            ])  # fmt: skip
        few = data.some(rows_of_each(data, c.labels, c.seed))
        size = min(c.batch_size, len(few))
        return Batches(few, size, c.seed, device, ("images", "labels", "targets"))

    def measure(self, game, c, samples, device):
        data = self.test_of(c)
        rows = []
        for camera, images in (("second camera", data.targets), ("first camera", data.images)):
            right = {
                name: float((predicted(net, images, device) == data.labels).mean())
                for name, net in game.players.items()
            }
            rows += [
                Row(camera, right["C"], right["R"], target=right["B"] + 0.02, note="C is right on "
                    f"test pictures; {c.labels} labels, of the first camera"),
                Row(f"{camera}, B", right["B"], right["R"], note="labels alone, nothing else"),
            ]  # fmt: skip
        return rows


def classifiers(c):
    """C, R and B."""
    return tuple(strided(tuple(c.image_shape), c.classes, c.width) for _ in range(3))
