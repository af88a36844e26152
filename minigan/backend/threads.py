"""Two kinds of threads share the cores: those of the BLAS, and ours, which run chunks of our own kernels.

OpenBLAS's threads spin for milliseconds after each product, waiting for the next, and meanwhile take the cores from
everyone else. `tame_blas` shortens that wait. It works also where NumPy was imported before minigan.
"""

import functools
import os
import threading

MIN_CHUNK = 1 << 16  # below this many elements a second thread costs more than it brings


def num_threads():
    """How many threads kernels may use: MINIGAN_NUM_THREADS, else the CPUs this process may run on."""
    asked = os.environ.get("MINIGAN_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


class _Worker(threading.Thread):
    """A thread that runs one call at a time, handed over through two locks (the cheapest hand-over in Python)."""

    def __init__(self):
        super().__init__(daemon=True, name="minigan-worker")
        self.wake, self.done = threading.Lock(), threading.Lock()
        self.wake.acquire()
        self.done.acquire()
        self.call = self.error = None
        self.start()

    def run(self):
        while True:
            self.wake.acquire()
            try:
                self.call()
            except BaseException as error:  # raised again in the thread that waits
                self.error = error
            self.done.release()

    def submit(self, call):
        self.call = call
        self.wake.release()

    def wait(self):
        self.done.acquire()
        self.call = None
        if self.error is not None:
            error, self.error = self.error, None
            raise error


@functools.cache
def _pool(pid):  # keyed by process: threads do not survive a fork
    return [_Worker() for _ in range(num_threads() - 1)], threading.Lock()


def parallel_chunks(run, size, *arrays, min_chunk=MIN_CHUNK):
    """Call `run(*pieces)` on equal slices of the flat `arrays` (each of `size` elements), in as many threads as pay.

    `run` is a compiled kernel that releases the GIL; the pieces must be independent. Small arrays run here at once.
    """
    workers, busy = _pool(os.getpid()) if size >= 2 * min_chunk else ((), None)
    chunks = min(len(workers) + 1, max(1, size // min_chunk))
    if chunks == 1 or not busy.acquire(blocking=False):  # a nested or concurrent call does its own work alone
        return run(*arrays)
    try:
        bounds = [size * i // chunks for i in range(chunks + 1)]
        used = workers[: chunks - 1]
        for worker, low, high in zip(used, bounds[1:], bounds[2:]):
            worker.submit(functools.partial(run, *[a[low:high] for a in arrays]))
        try:
            run(*[a[: bounds[1]] for a in arrays])
        finally:
            for worker in used:
                worker.wait()
    finally:
        busy.release()


