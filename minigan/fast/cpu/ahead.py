"""The kernels of a run's first step, compiled by two processes at once where they are not on disk.

Numba compiles one function at a time in a process. Where a run finds a kernel missing before its
first step is over, the process is copied (fork). The copy plays a step with kernels that compute
nothing and only note what they are given, and compiles these from the last to the first. This
process goes on from the first to the last, and finds on disk what the other has compiled by then.
The copy ends with the step, and with this process, whatever becomes of it.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import warnings

import numpy as np

from ...arrays import seam
from ...autograd import enable_grad
from ...distributed import group
from ...machine import threads
from ...training.run import Run
from . import kernels

_train, _play = Run.train, Run.play
_copies: list[int] = []  # processes


def _train_first(self):
    """The first run of this process, see above."""
    Run.train = _train
    here = sys.platform == "linux" and group.size() == 1 and threads.num_threads() > 1
    if here and self.step < self.total and self.batches.device.type == "cpu":
        kernels.missing.append(lambda: _copy(self))
    try:
        _train(self)
    finally:
        _end()


def _play_first(self, numbers):
    Run.play = _play
    _play(self, numbers)
    _end()


def _end():
    kernels.missing.clear()
    while _copies:
        with contextlib.suppress(OSError):  # somebody else has waited for it
            os.kill(_copies[-1], signal.SIGKILL)
            os.waitpid(_copies[-1], 0)
        _copies.pop()


def _copy(run):
    if threading.current_thread() is not threading.main_thread():
        return
    kernels.missing.clear()  # once
    parent = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of locks that other threads might hold
        copy = os.fork()
    if copy:
        _copies.append(copy)
    else:
        _compile_backwards(run, parent)


def _compile_backwards(run, parent):
    """In the copy: it says nothing, and does not return, whatever happens."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: when the parent ends
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        for compile_it in reversed(needed(run)):
            if os.getppid() != parent:
                break
            with contextlib.suppress(Exception):
                compile_it()
    finally:
        os._exit(0)


def needed(run):
    """Functions that compile what a step of the run calls, in this order. The run is spoilt: its
    numbers are nobody's."""
    seam.execute = seam.plain  # whatever is under way
    threads._set[:] = [1]  # others are not in a copy, and kernels that compute nothing stop them
    kernels.noted = noted = {}
    # such numbers can make a step fail: then it is what was called before
    with contextlib.suppress(Exception), np.errstate(all="ignore"), enable_grad():
        run.trainer.play(*run.batches[next(run.upcoming())])
    kernels.noted = None
    return list(noted.values())


Run.train, Run.play = _train_first, _play_first
