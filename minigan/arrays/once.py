"""Warnings that are said once in a process."""

import warnings

_said: set[str] = set()


def warn_once(text, stacklevel=3):
    """`text` as a UserWarning, the first time that it is to be said."""
    if text not in _said:
        _said.add(text)
        warnings.warn(text, UserWarning, stacklevel=stacklevel)
