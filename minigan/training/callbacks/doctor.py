"""Looks at the training from time to time, and says what is wrong with it and what helps.

A `Look` is what is measured of a run at one step; a diagnosis of a `Disease` is a function of the
looks so far.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ... import nn
from ...arrays import Generator, to_numpy
from ...autograd import Tensor, no_grad
from ...distributed import group
from ...gan.recalibrate import evaluating
from ...nn.activation import _Activation
from ...nn.syncbatchnorm import BATCH_NORMS, SyncBatchNorm
from .callback import Callback

# samples, and pictures of the data, that are compared. Of 64, narrow convolutions would choose
# kernels for large batches (`fast.cpu.convolution`), which a first run would compile for them alone
EXAMPLES = 50
LONG = 5000  # steps after which a generator of digits has some of each
KEPT = 30  # looks that are remembered


@dataclass
class Look:
    """What the doctor sees at one step. Norms are over all parameters of a player."""

    step: int
    gradients: dict[str, float]  # norm of each player's last gradient
    weights: float = 1.0  # norm of G's weights
    d_real: float | None = None  # means of D(x) and D(G(z)), where the game measures probabilities
    d_fake: float | None = None
    variety: float = (
        1.0  # mean distance of two samples, as a share of that of two pictures of the data
    )
    classes: float | None = (
        None  # share of the data's classes among samples, where a classifier knows the data
    )
    moved: float = (
        0.0  # how far the mean sample moved since the last look, as a share of the data's spread
    )
    strayed: float = 0.0  # how far it is from where it was REACH looks ago, likewise
    # layer -> share of its units that give the same for every example
    dead: dict[str, float] = field(default_factory=dict)

    state_dict = asdict


@dataclass(frozen=True)
class Disease:
    """name: in metrics.jsonl; shows(looks): is it there now? (not of those that show before the
    first step); advice: what helps.

    at_once(looks): is it there beyond doubt, also among the first steps, in which healthy players
    may look ill?
    """

    name: str
    what: str
    advice: str
    shows: Callable[[list[Look]], bool] = lambda looks: False
    at_once: Callable[[list[Look]], bool] = lambda looks: False


NEEDED = 3  # looks that most diagnoses rest on
REACH = 8  # looks over which a player that goes round in circles comes back


def _lasting(test: Callable[[Look], bool], times: int = NEEDED) -> Callable[[list[Look]], bool]:
    """Has the test held at each of the last `times` looks?"""
    return lambda looks: len(looks) >= times and all(test(look) for look in looks[-times:])


def _saturated(look: Look, doubt: float = 0.01) -> bool:
    return _sure(look, doubt) and look.gradients.get("G", np.inf) < 1e-3 * look.weights


def _sure(look: Look, doubt: float = 0.01) -> bool:
    return (
        look.d_real is not None
        and look.d_fake is not None
        and look.d_real > 1 - doubt
        and look.d_fake < doubt
    )


def _collapsed(looks: list[Look]) -> bool:
    """Too alike; or half of the classes that the samples had are gone; or there are few after a
    long time. Before the samples look like anything, what the classifier takes them for says
    nothing."""
    peak = max((look.classes or 0.0) for look in looks)

    def poor(look: Look) -> bool:
        if look.classes is None:
            return look.variety < 0.35
        return (
            look.variety < 0.35
            or (peak >= 0.7 and look.classes <= peak / 2)
            or (look.step > LONG and look.classes <= 0.3)
        )

    return _lasting(poor)(looks)


def _exploding(looks: list[Look]) -> bool:
    if len(looks) < 5:
        return False
    *before, now = looks
    return any(
        norm > 100 * max(float(np.median([b.gradients.get(p, 0.0) for b in before])), 1e-2)
        for p, norm in now.gradients.items()
    )


def _oscillating(looks: list[Look]) -> bool:
    if len(looks) < REACH + 2:
        return False
    recent = looks[-REACH:]
    path = sum(look.moved for look in recent)
    return path > 0.9 * REACH and recent[-1].strayed < 0.5 * path


DISEASES = [
    Disease("d_saturated", "D rejects all samples with certainty, and G's gradient has vanished",
            "use --objective nonsaturating (or another that does not saturate), a smaller D or a "
            "lower learning rate for it",
            _lasting(_saturated), _lasting(lambda look: _saturated(look, 1e-3), 1)),
    Disease("d_wins", "D tells every sample from the data with certainty: G learns little",
            "lower D's learning rate or its size, smooth its labels, add instance noise or a "
            "gradient penalty",
            _lasting(_sure), _lasting(lambda look: _sure(look, 1e-5), 2)),
    Disease("g_collapsed",
        "G's samples are much alike, much more than the data's pictures: its mode has collapsed",
            "lower the learning rates, let D see several samples at once (minibatch "
            "discrimination, packing), try another objective or a gradient penalty",
            _collapsed),
    Disease("oscillation",
        "the samples as a whole move far back and forth: the players go round in circles",
            "lower the learning rates and Adam's b1, draw with averaged weights (--ema), add a "
            "gradient penalty",
            _oscillating),
    Disease("gradient_explosion", "a player's gradient is more than a hundred times what it was",
            "lower the learning rate, clip gradients, check the weight of penalties",
            _exploding),
    Disease("dead_activations",
        "more than half of the units of a layer give the same for every example: they learn no "
        "more",
            "lower the learning rate, use LeakyReLU instead of ReLU, normalise before it",
            _lasting(lambda look: any(share > 0.5 for share in look.dead.values()), 2)),
]  # fmt: skip

BATCH_OF_ONE = Disease(
    "batch_norm_of_one",
    "batch normalisation with one example per batch sees no variance between examples",
    "raise --batch-size, or use InstanceNorm, LayerNorm or no normalisation",
)
RATES_APART = Disease(
    "learning_rates_apart",
    "learning rates are far apart",
    "bring them within a factor of ten (two time scales usually differ by 2 to 5)",
)
KNOWN = {d.name: d for d in (*DISEASES, BATCH_OF_ONE, RATES_APART)}


def at_start(
    players: dict[str, nn.Module], optimizers: dict[str, Any], batch_size: int
) -> list[Disease]:
    """What can be seen before the first step."""
    found = []
    norms = [
        m
        for p in players.values()
        for m in p.modules()
        if isinstance(m, BATCH_NORMS)
        and not (isinstance(m, SyncBatchNorm) and group.processes() > 1)  # others have examples
    ]
    if norms and batch_size == 1:
        found.append(BATCH_OF_ONE)
    rates = {name: max(group["lr"] for group in o.param_groups) for name, o in optimizers.items()}
    low, high = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
    if rates[high] > 10 * rates[low]:
        what = f"learning rates are far apart: {rates[low]:g} for {low}, {rates[high]:g} for {high}"
        found.append(replace(RATES_APART, what=what))
    return found


def norm(tensors: Iterable[Tensor | None]) -> float:
    """The Euclidean norm of all of them together."""
    squares = [
        float((t.array.astype(np.float32, copy=False) ** 2).sum()) for t in tensors if t is not None
    ]
    return float(np.sqrt(sum(squares)))


def spread(images: np.ndarray) -> float:
    """The root mean square distance of examples (N, D) from their mean."""
    return float(np.sqrt(((images - images.mean(0)) ** 2).sum(1).mean()))


def mean_distance(images: np.ndarray) -> float:
    """The mean Euclidean distance of two different examples of (N, D)."""
    squares = (images**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * images @ images.T, 0))
    n = len(images)
    return float(distances.sum() / (n * (n - 1)))


def dead_units(player: nn.Module, forward: Callable[[], Any]) -> dict[str, float]:
    """For each hidden activation layer: the share of units (features, channels) that are the same
    for all examples in `forward()`."""
    layers = [(name, m) for name, m in player.named_modules() if isinstance(m, _Activation)][:-1]
    shares: dict[str, float] = {}

    def measure(name):
        def hook(module, inputs, output):
            y = to_numpy(output.array)
            if y.ndim > 1:
                rows = np.moveaxis(y, 1, 0).reshape(y.shape[1], -1)
                shares[name] = float((rows.max(1) == rows.min(1)).mean())

        return hook

    handles = [m.register_forward_hook(measure(name)) for name, m in layers]
    try:
        with evaluating(player), no_grad():
            forward()
    finally:
        for handle in handles:
            handle.remove()
    return shares


class Doctor(Callback):
    """Diagnoses the run every `every` steps, from the gradients, D's answers and samples from
    inputs that stay the same.

    In a short run it looks more often: ten times. A D that is sure beyond doubt is told at the
    first look; all else needs some looks after `warm_up`, and a run that ends before is told to be
    too short to judge.

    What it finds is in the progress line, in metrics.jsonl ("doctor": names), once with advice as a
    line of its own, and in a summary at the end. `findings` : name -> [first step, last step]. See
    `minigan.training.callbacks.doctor` for what it looks for.

    classify : images (N, C, H, W) -> labels (N,): how many classes the samples have is then
        compared with the data's
    warm_up : steps at the beginning when a generator's samples are still alike, and a discriminator
        is easily sure
    """

    def __init__(
        self,
        every: int = 100,
        warm_up: int = 500,
        classify: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self.every = every
        self.warm_up = warm_up
        self.classify = classify
        self.classes = 0  # of the data, when they are known
        self.looks: list[Look] = []
        self.places: list[np.ndarray] = []  # the mean samples of the last looks
        self.findings: dict[str, list[int]] = {}
        self.known: dict[str, Disease] = dict(KNOWN)

    def on_start(self, run):
        game, batches = run.trainer.game, run.batches
        self.interval = max(1, min(self.every, run.total // 10))
        self.batch = batches[next(iter(batches.numbers(0)))]
        self.real = self.batch[0].cpu().numpy()[:EXAMPLES]
        rows = self.real.reshape(len(self.real), -1)
        self.distance = mean_distance(rows) if len(rows) > 1 else 0.0
        self.spread = max(spread(rows), 1e-12)  # a batch of one has none
        self.inputs = game.inputs(EXAMPLES, Generator(0), batches.device)
        self._watch(run)
        for disease in at_start(game.players, run.trainer.optimizers, len(self.real)):
            self.known[disease.name] = disease
            if disease.name not in self.findings:
                self._found(run, disease)
            else:
                run.warnings.append(disease.name)

    def on_stage(self, run):
        self.looks, self.places = [], []
        run.warnings.clear()
        self.on_start(run)

    def on_step(self, run):
        if run.trainer.watched:
            self._examine(run)
        self._watch(run)

    def _watch(self, run):
        """Are the next step's gradients to be kept?"""
        run.trainer.watched = {} if (run.step + 1) % self.interval == 0 else None

    def _examine(self, run):
        if "G" in run.trainer.game.players and "G" not in run.trainer.watched:
            return  # it does not learn yet: a stage in which other players are alone
        self.looks = [*self.looks, self.look(run)][-KEPT:]
        run.warnings[:] = [name for name in run.warnings if name not in {d.name for d in DISEASES}]
        later = [k for k in self.looks if k.step > self.warm_up]
        for disease in DISEASES:
            if disease.at_once(self.looks) or (later and disease.shows(later)):
                self._found(run, disease)
        if run.warnings:
            run.note(doctor=list(run.warnings))

    def look(self, run) -> Look:
        """Measure the run as it is now."""
        game, row = run.trainer.game, run.row()
        gradients = {name: norm(g) for name, g in run.trainer.watched.items()}
        images: list[np.ndarray] = []
        generators = nn.ModuleDict(
            {name: player for name, player in game.players.items() if name != "D"}
        )
        dead = dead_units(
            generators, lambda: images.append(game.sample(*self.inputs).cpu().numpy())
        )
        drawn = images[0].reshape(EXAMPLES, -1)
        if (critic := game.players.get("D")) is not None:
            # the discriminator of this game takes something else
            with contextlib.suppress(Exception):
                dead |= {
                    f"D.{layer}": share
                    for layer, share in dead_units(critic, lambda: game.judge(*self.batch)).items()
                }
        self.places = [*self.places, drawn.mean(0)][-(REACH + 1) :]
        look = Look(
            run.step,
            gradients,
            norm(generators.parameters()),
            row.get("d_real"),
            row.get("d_fake"),
            dead=dead,
        )
        look.variety = mean_distance(drawn) / max(self.distance, 1e-12)
        # before, nobody asks, and a first run would compile the classifier's kernels
        if self.classify and run.step > self.warm_up:
            found = len(np.unique(self.classify(images[0])))
            self.classes = self.classes or len(np.unique(self.classify(self.real)))
            look.classes = found / self.classes
        if len(self.places) > 1:
            look.moved = float(np.linalg.norm(self.places[-1] - self.places[-2]) / self.spread)
        look.strayed = float(np.linalg.norm(self.places[-1] - self.places[0]) / self.spread)
        return look

    def _found(self, run, disease: Disease) -> None:
        run.warnings.append(disease.name)
        if disease.name not in self.findings:
            run.say(f"doctor, step {run.step}: {disease.what}. What helps: {disease.advice}")
            self.findings[disease.name] = [run.step, run.step]
        self.findings[disease.name][1] = run.step

    def on_end(self, run):
        self._sum_up(run)

    def on_stop(self, run):
        self._sum_up(run)

    def _sum_up(self, run):
        judged = self.warm_up + NEEDED * self.interval
        if run.step < judged:
            run.say(
                f"doctor: {run.step} steps are too few to judge most of what may go wrong; it "
                f"takes {judged}"
            )
        elif not self.findings:
            run.say("doctor: nothing found")
        for name, (first, last) in self.findings.items():
            disease = self.known[name]
            run.say(
                f"doctor: {name} (steps {first} to {last}): {disease.what}. What helps: "
                f"{disease.advice}"
            )

    def state_dict(self) -> dict[str, Any]:
        return {
            "looks": [look.state_dict() for look in self.looks],
            "places": list(self.places),
            "findings": dict(self.findings),
        }

    def load_state_dict(self, state):
        self.looks = [Look(**look) for look in state["looks"]]
        self.places = list(state["places"])
        self.findings = {k: list(v) for k, v in state["findings"].items()}
