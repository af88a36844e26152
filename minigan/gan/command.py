"""What commands that train share: checked numbers among their options, and how a run's ends become messages and exit codes."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable

from ..backend import DeviceError
from .run import Interrupted, Run


def number(kind: Callable, low: float, high: float = float("inf")) -> Callable:
    """An argparse type: kind(text), an int or float, if it is in [low, high]."""

    def parse(text):
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not in [{low}, {high}]")
        return value

    parse.__name__ = kind.__name__
    return parse


def perform(build: Callable[[], Run]) -> int:
    """Train the run that `build()` makes; the exit code: 0, 2 for bad options, data or folders, 130 after Ctrl-C."""
    try:
        run = build()
    except (DeviceError, ValueError) as error:  # options, data and run folders: their errors are ValueErrors
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped before the training began")
        return 130
    try:
        run.train()
    except Interrupted as stopped:
        words = shlex.join(w for w in sys.argv if w != "--resume")
        print(f"\n{stopped}\nto go on: python {words} --resume")
        return 130
    except KeyboardInterrupt:
        print(f"\nstopped at once; --resume goes on from the last checkpoint in {run.folder}, if there is one")
        return 130
    return 0
