"""Two kinds of threads share the cores: those of the BLAS, and ours, which run chunks of our own kernels.

After each product OpenBLAS's threads spin for 2**28 cycles (0.1 s), waiting for the next one. That makes the next product start
at once, and takes the cores from everyone else meanwhile. `tame_blas` shortens the spin to 2**18 cycles (0.1 ms), the usual gap
between two products of a training step: our threads then get the cores when they need them, in the optimiser's pass over memory.
It is called when minigan is imported, and works also where NumPy was imported first.
"""

import contextlib
import ctypes
import functools
import os
import sys
import threading
from typing import Any

from .gemm import call_address
from .kernels import kernel

SPIN = "OPENBLAS_THREAD_TIMEOUT"  # spin for 2**value cycles


def tame_blas(value="18"):
    """Let OpenBLAS's threads spin for 2**value cycles only; a value that the user has set in the environment stays."""
    if SPIN in os.environ:
        return
    os.environ[SPIN] = value
    if "numpy" not in sys.modules:
        return  # OpenBLAS will read it when NumPy loads it
    with contextlib.suppress(OSError, AttributeError):  # another system or another BLAS: nothing to tame
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            paths = {line.split(maxsplit=5)[-1].strip() for line in maps if "openblas" in line}
        for path in paths:
            library = ctypes.CDLL(path)
            library.openblas_read_env()
            library.blas_thread_shutdown_()  # the next product starts new threads, with the new value

FEW, MANY = 200, 8000  # turns of spinning, half a microsecond each
MIN_CHUNK = 1 << 17  # a thread is woken in some 40 microseconds: with less work than this for each it costs more than it brings


def num_threads():
    """How many threads our kernels may use: MINIGAN_NUM_THREADS, else the CPUs this process may run on."""
    asked = os.environ.get("MINIGAN_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


@kernel
def _spin(flag, value, turns, sched_yield):
    """Wait until flag[0] reaches `value`, for so many turns at most; did it? Each turn lets other threads run that want to."""
    for _ in range(turns):
        if flag[0] >= value:
            return True
        call_address(sched_yield)
    return False


@functools.cache
def _sched_yield():
    return ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value if hasattr(os, "sched_yield") else 0


class _Worker(threading.Thread):
    """A thread that runs one call at a time, handed over through two locks (the cheapest hand-over in Python).

    Both sides spin before they sleep: a sleeping core of a virtual machine takes 50 microseconds and more to wake, and the system may
    put the thread beside the one that wakes it. How long a worker spins follows from whether it paid the last time.
    """

    def __init__(self):
        super().__init__(daemon=True, name="minigan-worker")
        self.wake, self.done = threading.Lock(), threading.Lock()
        self.wake.acquire()
        self.done.acquire()
        self.call = self.error = None
        self.retired = False
        import numpy as np

        self.given, self.ended, self.number = np.zeros(1, np.int64), np.zeros(1, np.int64), 0
        self.start()

    def run(self):
        number, turns = 0, FEW
        while True:
            number += 1
            turns = min(2 * turns, MANY) if self._spin(self.given, number, turns) else max(turns // 2, FEW)
            self.wake.acquire()
            if self.retired:
                return
            try:
                self.call()
            except BaseException as error:  # raised again in the thread that waits
                self.error = error
            with contextlib.suppress(RuntimeError):  # nobody waited for the last call (`retire`)
                self.done.release()
            self.ended[0] = number

    def _spin(self, flag, value, turns):
        address = _sched_yield()
        return bool(address) and _spin(flag, value, turns, address)

    def retire(self):
        """End this thread, after the call that it is in; wait for that, unless interrupted again."""
        self.retired = True
        with contextlib.suppress(RuntimeError):
            self.wake.release()
        self.given[0] = self.number + 1
        self.join()

    def submit(self, call):
        self.call = call
        self.number += 1
        self.wake.release()
        self.given[0] = self.number

    def wait(self):
        """The error of the call, or None, once it has ended."""
        self._spin(self.ended, self.number, MANY)
        self.done.acquire()
        error, self.call, self.error = self.error, None, None
        return error


@functools.cache
def _pool(pid):  # keyed by process: threads do not survive a fork
    return [_Worker() for _ in range(num_threads() - 1)], threading.Lock()


def parallel_ranges(run, size, least=1, products=False):
    """Call `run(low, high)` on equal parts of range(size), each at least `least` long, in as many threads as pay.

    `run` must release the GIL most of the time, and its parts must be independent. Where there is one part it is called here at once.
    products : does `run` multiply matrices? Each thread's products then run in that thread alone.
    """
    least = max(1, least)
    workers, busy = _pool(os.getpid()) if size >= 2 * least else ((), None)
    parts = min(len(workers) + 1, max(1, size // least))
    if parts == 1:
        run(0, size)
        return
    bounds, used, clean = [size * i // parts for i in range(parts + 1)], workers[: parts - 1], False
    try:
        errors = None
        if busy.acquire(blocking=False):
            with blas_alone() if products else contextlib.nullcontext():
                errors = _share(run, bounds, used)
            busy.release()
        clean = True
    finally:
        if not clean:  # Ctrl-C in the middle of a hand-over: nobody knows in which state these workers are; the next call makes new ones
            _pool.cache_clear()
            for worker in used:
                worker.retire()
    if errors is None:  # a nested or concurrent call does its own work alone
        run(0, size)
    elif errors:
        raise errors[0]


def _share(run, bounds, workers):
    """Run the parts between the bounds, the first here, the others in the workers. Returns the errors, once all have ended."""
    for worker, low, high in zip(workers, bounds[1:], bounds[2:]):
        worker.submit(functools.partial(run, low, high))
    errors = []
    try:
        run(0, bounds[1])
    except BaseException as error:  # first wait for the others: they must be free for the next call
        errors.append(error)
    return errors + [error for error in [worker.wait() for worker in workers] if error is not None]


def parallel_chunks(run, size, *arrays, min_chunk=MIN_CHUNK):
    """Call `run(*pieces)` on equal slices of the flat `arrays` (each of `size` elements), in as many threads as pay.

    `run` is a compiled kernel that releases the GIL; the pieces must be independent. Small arrays run here at once.
    """
    if size < 2 * min_chunk:
        run(*arrays)
    else:
        parallel_ranges(lambda low, high: run(*[a[low:high] for a in arrays]), size, min_chunk)


@functools.cache
def blas_libraries():
    """threadpoolctl's controllers of the BLAS libraries that are loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


_before: list[Any] = []  # (library, its number of threads) while it is changed


@contextlib.contextmanager
def blas_alone():
    """The BLAS computes each product in the thread that asks for it. Only the thread that holds the pool may call this.

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
