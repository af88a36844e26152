"""What is wrong with the arguments of a call of an op."""

from .errors import OpError, describe
from .names import called


def too_many(card, values):
    """More arguments than the op has."""
    return TypeError(
        f"{card.name}() takes at most {len(card.names)} arguments ({', '.join(card.names)}), got "
        f"{len(values)}"
    )


def missing(card, i):
    """Argument i has no default, and was not given."""
    return TypeError(
        f"{card.name}() misses its argument {card.names[i]!r}; its signature is "
        f"{card.name}({', '.join(card.names)})"
    )


def unexpected(card, name):
    """The op has no such argument, or it was given twice."""
    return TypeError(
        f"{card.name}() got an unexpected or repeated argument {name!r}; its "
        f"arguments are {', '.join(card.names)}"
    )


def different_dtypes(name, inputs):
    """Two kinds of floats."""
    return OpError(
        f"{called(name)}: arguments of different dtypes: {describe(inputs)}; convert one, "
        "e.g. with .float() or .to(other.dtype)"
    )
