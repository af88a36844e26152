"""The threads of the BLAS that NumPy uses. (This file is read before NumPy is.)

After each product OpenBLAS's threads spin for 2**28 cycles (0.1 s), waiting for the next one. That
makes the next product start at once, and takes the cores from everyone else meanwhile. `tame_blas`
shortens the spin to 2**18 cycles (0.1 ms), the usual gap between two products of a training step:
our threads then get the cores when they need them, in the optimiser's pass over memory. It is
called when minigan is imported, and works also where NumPy was imported first.
"""

import contextlib
import ctypes
import functools
import os
import sys
from typing import Any

SPIN = "OPENBLAS_THREAD_TIMEOUT"  # spin for 2**value cycles


def tame_blas(value="18"):
    """Let OpenBLAS's threads spin for 2**value cycles only; a value that the user has set in the
    environment stays."""
    if SPIN in os.environ:
        return
    os.environ[SPIN] = value
    if "numpy" not in sys.modules:
        return  # OpenBLAS will read it when NumPy loads it
    # another system or another BLAS: nothing to tame
    with contextlib.suppress(OSError, AttributeError):
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            paths = {line.split(maxsplit=5)[-1].strip() for line in maps if "openblas" in line}
        for path in paths:
            library = ctypes.CDLL(path)
            library.openblas_read_env()
            # the next product starts new threads, with the new value
            library.blas_thread_shutdown_()


@functools.cache
def blas_libraries():
    """threadpoolctl's controllers of the BLAS libraries that are loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


_before: list[Any] = []  # (library, its number of threads) while it is changed


@contextlib.contextmanager
def blas_alone():
    """The BLAS computes each product in the thread that asks for it. Only the thread that holds the
    pool may call this.

    Should Ctrl-C come in the middle, the next call still knows what to put right.
    """
    try:
        if not _before:
            _before.extend((library, library.get_num_threads()) for library in blas_libraries())
        for library, _ in _before:
            library.set_num_threads(1)
        yield
    finally:
        for library, threads in _before:
            library.set_num_threads(threads)
        _before.clear()
