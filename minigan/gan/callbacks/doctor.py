"""Looks at the training from time to time, and says what is wrong with it and what helps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn
from ...arrays import Generator
from ...autograd import tensor_of
from ..doctor import DISEASES, KEPT, NEEDED, REACH, Disease, Look, at_start, dead_units, mean_distance, norm, spread
from .callback import Callback

EXAMPLES = 64  # samples, and pictures of the data, that are compared


class Doctor(Callback):
    """Diagnoses the run every `every` steps, from the gradients, D's answers and samples from latents that stay the same.

    In a short run it looks more often: ten times. A D that is sure beyond doubt is told at the first look; all else needs
    some looks after `warm_up`, and a run that ends before is told to be too short to judge.

    What it finds is in the progress line, in metrics.jsonl ("doctor": names), once with advice as a line of its own, and in a
    summary at the end. `findings` : name -> [first step, last step]. See `minigan.gan.doctor` for what it looks for.

    classify : images (N, C, H, W) -> labels (N,): how many classes the samples have is then compared with the data's
    warm_up : steps at the beginning when a generator's samples are still alike, and a discriminator is easily sure
    """

    def __init__(self, every: int = 100, warm_up: int = 500, classify: Callable[[np.ndarray], np.ndarray] | None = None):
        self.every, self.warm_up, self.classify = every, warm_up, classify
        self.classes = 0  # of the data, when they are known
        self.looks: list[Look] = []
        self.places: list[np.ndarray] = []  # the mean samples of the last looks
        self.findings: dict[str, list[int]] = {}
        self.known: dict[str, Disease] = {d.name: d for d in DISEASES}

    def on_start(self, run):
        game, batches = run.trainer.game, run.batches
        self.interval = max(1, min(self.every, run.total // 10))
        self.batch = next(iter(batches.epoch(0)))
        self.real = self.batch.cpu().numpy()[:EXAMPLES]
        rows = self.real.reshape(len(self.real), -1)
        self.distance = mean_distance(rows) if len(rows) > 1 else 0.0
        self.spread = max(spread(rows), 1e-12)  # a batch of one has none
        self.latents = tensor_of(Generator(0).normal((EXAMPLES, game.latent_dim), device=batches.device))
        self._watch(run)
        for disease in at_start(game.players, run.trainer.optimizers, len(self.batch)):
            self.known[disease.name] = disease
            if disease.name not in self.findings:
                self._found(run, disease)
            else:
                run.warnings.append(disease.name)

    def on_step(self, run):
        if run.trainer.watched:
            self._examine(run)
        self._watch(run)

    def _watch(self, run):
        """Are the next step's gradients to be kept?"""
        run.trainer.watched = {} if (run.step + 1) % self.interval == 0 else None

    def _examine(self, run):
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
        generators = nn.ModuleDict({name: player for name, player in game.players.items() if name != "D"})
        dead = dead_units(generators, lambda: images.append(game.sample(self.latents).cpu().numpy()))
        drawn = images[0].reshape(EXAMPLES, -1)
        with contextlib.suppress(Exception):  # the discriminator of this game takes something else
            dead |= {f"D.{layer}": share for layer, share in dead_units(game.players["D"], lambda: game.players["D"](self.batch)).items()}
        self.places = [*self.places, drawn.mean(0)][-(REACH + 1) :]
        look = Look(run.step, gradients, norm(generators.parameters()), row.get("d_real"), row.get("d_fake"), dead=dead)
        look.variety = mean_distance(drawn) / max(self.distance, 1e-12)
        if self.classify and run.step > self.warm_up:  # before, nobody asks, and a first run would compile the classifier's kernels
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
            run.say(f"doctor: {run.step} steps are too few to judge most of what may go wrong; it takes {judged}")
        elif not self.findings:
            run.say("doctor: nothing found")
        for name, (first, last) in self.findings.items():
            disease = self.known[name]
            run.say(f"doctor: {name} (steps {first} to {last}): {disease.what}. What helps: {disease.advice}")

    def state_dict(self) -> dict[str, Any]:
        return {"looks": [look.state_dict() for look in self.looks], "places": list(self.places), "findings": dict(self.findings)}

    def load_state_dict(self, state):
        self.looks = [Look(**look) for look in state["looks"]]
        self.places, self.findings = list(state["places"]), {k: list(v) for k, v in state["findings"].items()}
