"""Replay: a network learns one task after the other, and draws old ones so as not to forget them.

    python -m minigan train replay
    python -m minigan measure runs/replay --control

Algorithm (Shin et al. 2017, section 3; `minigan.gan.Replay`): the digits come two at a time, in
--tasks stages, and none comes again. At each stage the data are mixed with what the generator of
the stage before draws, with its averaged weights, labelled by the classifier of the stage before;
generator, discriminator and classifier go on learning from the mixture, in which each task has the
same share. The classifier must tell all digits, whatever their task.

What to look at: samples/*.png: at the end all ten digits, though the last stage saw 8 and 9 only;
and forgetting.png, which `measure` draws: how many images of each class are named rightly after
each stage.
What shows that it works: how many test images are named rightly, of all and of each task (the
authors of "Three scenarios for continual learning", arXiv:1904.07734, measured 90.8 % for this,
19.9 % without replay and 97.9 % for all data together). Control: nothing is replayed. Ceiling: the
old images themselves (--replay exact), for which they must be kept: 97.8 % here.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import numpy as np

from .. import nn
from ..data.batches import Batches
from ..gan import Replay as Game
from ..gan.latents import calibration_inputs
from ..gan.recalibrate import recalibrate_batch_norm
from ..training.cli import number
from ..training.stages import left_by, path_of_stage
from ..viz.pictures import Lines
from .evidence import digits_of
from .labelled import predicted
from .parts import Images, layers
from .system import Row, System, labels_of


class Replay(System):
    """A classifier and a generator that learn classes one after the other and forget none."""

    paper = (
        "Shin, Lee, Kim, Kim 2017, Continual Learning with Deep Generative Replay, arXiv:1705.08690"
    )
    control = "nothing is replayed"
    hands_on = True
    defaults = {"lr": 5e-4, "batch_size": 128, "ema": 0.998}

    def options(self, parser):
        super().options(parser)
        p = parser
        p.add_argument(
            "--tasks", type=number(int, 2), default=5,
            help="into how many the classes are parted, in order (default %(default)s)",
        )  # fmt: skip
        p.add_argument(
            "--task-steps", type=number(int, 1), default=2000,
            help="steps of each task; it replaces --epochs (default %(default)s)",
        )  # fmt: skip
        p.add_argument(
            "--replay", choices=("generated", "exact"), default="generated",
            help="exact: the old images themselves are kept (default %(default)s)",
        )  # fmt: skip

    def facts(self, data, c):
        found = super().facts(data, c) | labels_of(data, self.name)
        if c.tasks > found["classes"]:
            raise ValueError(f"--tasks {c.tasks}: {data.name} has {found['classes']} classes")
        return found

    def stages(self, c):
        return {f"task {n + 1}": c.task_steps for n in range(c.tasks)}

    def game(self, c):
        parts = Images(c)
        solver = nn.Sequential(
            nn.Flatten(),
            *layers(math.prod(c.image_shape), 400, 400, c.classes, activation=nn.ReLU),
        )
        return Game(parts.generator(), parts.critic(), solver, c.latent_dim)

    def game_after(self, players, c):
        G, D, C = (players[name] for name in "GDC")
        if c.control or c.replay == "exact":
            return Game(G, D, C, c.latent_dim)
        teacher = tuple(copy.deepcopy(p).requires_grad_(False).eval() for p in (G, C))
        place = next(G.parameters()).device
        recalibrate_batch_norm(teacher[0], calibration_inputs(c.latent_dim, device=place))
        return Game(G, D, C, c.latent_dim, teacher, 1 / task_of(c))

    def batches(self, game, data, c, device):
        first, last = classes_of(task_of(c), c)
        if c.replay == "exact" and not c.control:
            first = 0
        rows = np.flatnonzero((data.labels >= first) & (data.labels < last))
        task = dataclasses.replace(data, images=data.images[rows], labels=data.labels[rows])
        return Batches(task, min(c.batch_size, len(task)), c.seed, device, game.columns)

    def measure(self, game, c, samples, device):
        test = digits_of(c, "test")
        right = predicted(game.classifier, test.images, device) == test.labels
        rows = [Row("accuracy", float(right.mean()), target=0.88, note="of all test images")]
        for task in range(1, c.tasks + 1):
            first, last = classes_of(task, c)
            own = right[(test.labels >= first) & (test.labels < last)]
            rows.append(
                Row(f"task {task}", float(own.mean()), note=f"digits {first} to {last - 1}")
            )
        curve = forgetting(game, c, test, device)
        learnt = [classes_of(task, c) for task in range(1, curve.shape[1])]
        lost = [curve[a:b, k] - curve[a:b, -1] for k, (a, b) in enumerate(learnt)]
        names = getattr(c, "class_names", [str(k) for k in range(c.classes)])
        Lines(curve, names, "task", "share of test images named rightly").save(
            c.folder / "forgetting.png"
        )
        if lost:
            rows.append(Row("forgotten", float(np.concatenate(lost).mean()), better="down",
                            note="of a class, since its task was learnt: the mean of all but "
                            "the last task's; forgetting.png"))  # fmt: skip
        return rows


def forgetting(game: Any, c: Any, test: Any, device: Any) -> np.ndarray:
    """(classes, tasks so far): the share of a class's test images that the classifier named rightly
    at the end of each task, by what the stages have left, and now; NaN before it was learnt."""
    solver, done = copy.deepcopy(game.classifier), 1
    while path_of_stage(c.folder, done - 1).exists():
        done += 1
    found = np.full((c.classes, done), np.nan)
    for task in range(1, done + 1):
        if task < done:
            solver.load_state_dict(left_by(c.folder, task - 1)["players"]["C"])
        last = solver if task < done else game.classifier
        right = predicted(last, test.images, device) == test.labels
        for k in range(classes_of(task, c)[1]):
            found[k, task - 1] = right[test.labels == k].mean()
    return found


def task_of(c) -> int:
    """The number of the stage's task, from 1."""
    return int(c.stage.rpartition(" ")[2])


def classes_of(task: int, c) -> tuple[int, int]:
    """Of a task: its first class, and the one behind its last."""
    return (task - 1) * c.classes // c.tasks, task * c.classes // c.tasks
