"""Warnings that name the line of the program that they are for."""

import os
import sys
import warnings

__all__ = ["warn"]

PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


def warn(message):
    """A UserWarning at the innermost line outside this package: Python shows it once for each."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
