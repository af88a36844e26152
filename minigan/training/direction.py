"""Attribute directions in latent space: a vector v such that G(z) is one digit and G(z + v) another
(Radford, Metz, Chintala 2016, section 6.3.2: differences of mean latents)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import nn
from ..arrays import Generator
from .pretrained import generate, inputs_of

SAMPLES = 5000  # whose digits are looked at to find a direction, and as many again to try it


class Direction(NamedTuple):
    """From digit a to digit b."""

    vector: np.ndarray  # (latent_dim,): the mean z of samples of b less that of samples of a
    found: tuple[int, int]  # samples of a and of b that it is the difference of
    starts: np.ndarray  # (n, latent_dim): z of other samples of a


class Tried(NamedTuple):
    """Which of G(z + v) the classifier calls b."""

    along: np.ndarray  # (n,) bool
    control: np.ndarray  # the same with a random direction of the same length for v


def find_direction(
    generator: nn.Module, config: dict[str, Any], a: int, b: int, seed: int = 0, n: int = SAMPLES
) -> Direction:
    """The direction in which samples of digit a become samples of b, as the package's classifier
    sees them.

    config : the run's; n : samples that are drawn, twice: the starts are none of those that the
        direction was found with

    ValueError for a conditional generator, for pictures that are no digits of 28x28, or if a or b
    do not occur among the samples.
    """
    if config.get("classes"):
        raise ValueError(
            "--direction: the generator is conditional, its label says what is drawn: "
            "use python -m minigan draw RUN --label L"
        )
    z, others = (inputs_of(config, n, 2 * seed + i)[0].cpu().numpy() for i in (1, 2))
    digits = digits_of(generator, z)
    found = tuple(int((digits == digit).sum()) for digit in (a, b))
    starts = others[digits_of(generator, others) == a]
    for digit, number in ((a, min(found[0], len(starts))), (b, found[1])):
        if not number:
            raise ValueError(
                f"--direction {a}:{b}: no {digit} among {n} samples, as the classifier sees "
                "them: choose another digit, or train longer"
            )
    vector = z[digits == b].mean(0) - z[digits == a].mean(0)
    return Direction(vector, (found[0], found[1]), starts)


def digits_of(generator: nn.Module, z: np.ndarray) -> np.ndarray:
    """(n,): what the package's classifier calls G(z)."""
    from ..metrics import describe, load_classifier

    device = str(next(generator.parameters()).device)
    return describe(generate(generator, z, batch_size=500), load_classifier(device=device)).digits


def try_direction(
    generator: nn.Module, starts: np.ndarray, vector: np.ndarray, b: int, seed: int = 0
) -> Tried:
    """Does G(z + vector) become b, from each of `starts`; and with a random direction?"""
    other = Generator(seed).normal(vector.shape)
    other *= np.linalg.norm(vector) / np.linalg.norm(other)
    ends = (digits_of(generator, (starts + v).astype(np.float32)) for v in (vector, other))
    return Tried(*(digits == b for digits in ends))
