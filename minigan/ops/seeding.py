"""The seed and the state of the generator that is drawn from where no other is given."""

import os

from ..arrays.random import default_generator, manual_seed

__all__ = ["get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


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
