"""The seed and the state of the generator that is drawn from where no other is given."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from ..arrays.random import Generator as Generator
from ..arrays.random import default_generator
from ..arrays.random import manual_seed as manual_seed

__all__: list[str] = []  # no ops


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.seed


def seed() -> int:
    """Seed the default generator with a number that is different each time, and return it."""
    return default_generator.manual_seed(int.from_bytes(os.urandom(7), "little")).seed


def get_rng_state() -> dict[str, int]:
    """The state of the default generator."""
    return default_generator.get_state()


def set_rng_state(new_state: dict[str, int]) -> None:
    """Put the default generator into a state that `get_rng_state` gave."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **more: Any) -> Iterator[None]:
    """Afterwards the default generator is in the state it was in, whatever is drawn and seeded
    inside. (`devices`, ...: accepted; it is one for all.)"""
    state = default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            default_generator.set_state(state)
