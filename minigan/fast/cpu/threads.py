"""Our threads, which run chunks of our own kernels.

Those of the BLAS (see `blas`) share the cores with them.
"""

import contextlib
import ctypes
import functools
import math
import os
import threading
from typing import Any

import numpy as np

from ...machine.threads import _set, asked_threads, cpu_quota, num_threads
from .blas import blas_alone, blas_libraries
from .gemm import call_address
from .handoff import ASLEEP, CALLED, TIMED_OUT, WORKER, await_workers, worker_loop
from .kernels import kernel

FEW_SPINS, MANY_SPINS = 200, 8000  # half a microsecond each
WAKING = 400  # spins in which a sleeping thread is awake, mostly
# a thread is woken in some 40 microseconds: with less work than this for each it costs more than
# it brings
MIN_CHUNK = 1 << 17


@kernel
def _spin(flag, value, spins, sched_yield):
    """Wait until flag[0] reaches `value`, for so many spins at most. After each, other threads may
    run."""
    for _ in range(spins):
        if flag[0] >= value:
            return
        call_address(sched_yield)


@functools.cache
def sched_yield():
    """The address of the C library's function that lets other threads run."""
    if hasattr(os, "sched_yield"):
        return ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value
    _kept.append(ctypes.CFUNCTYPE(None)(lambda: None))
    return ctypes.cast(_kept[-1], ctypes.c_void_p).value


_kept: list[Any] = []  # a callback lives as long as Python knows it


class _Worker(threading.Thread):
    """A thread that does one piece of work at a time: a call of Python's, or a function in machine
    code (see `handoff`).

    Both sides spin before they sleep: a sleeping core of a virtual machine takes 50 microseconds
    and more to wake, and the system may put the thread beside the one that wakes it. How long a
    worker spins follows from whether it paid the last time.

    record : an array of one WORKER, see `handoff`
    """

    def __init__(self, record):
        super().__init__(daemon=True, name="minigan-worker")
        self.sleeping, self.done = threading.Lock(), threading.Lock()
        self.sleeping.acquire()
        self.done.acquire()
        self.call = self.error = None
        self.retired = False
        self.record, self.number = record, 0
        # views
        self.called, self.ended, self.state = record["call"], record["ended"], record["state"]
        self.late = record["late"]

    def run(self):
        address = self.record.ctypes.data
        number, spins = 1, FEW_SPINS
        while not self.retired:
            reason = worker_loop(address, number, spins, MANY_SPINS, sched_yield())
            spins = (
                max(spins // 2, FEW_SPINS) if reason == TIMED_OUT else min(2 * spins, MANY_SPINS)
            )
            if reason != CALLED:
                self.sleeping.acquire()
                spins = MANY_SPINS  # someone has work: now, or soon
                continue
            self.sleeping.acquire(blocking=False)  # it did not sleep: it need not be woken
            if self.retired:
                return
            try:
                self.call()
            except BaseException as error:  # raised again in the thread that waits
                self.error = error
            with contextlib.suppress(RuntimeError):  # nobody waited for the last call (`retire`)
                self.done.release()
            self.ended[0] = number
            number += 1

    def rests(self):
        """Is it to be left asleep? (see `handoff`)"""
        return self.late[0] < 0

    def wake(self):
        """Let it begin to wait for work, if it sleeps."""
        with contextlib.suppress(RuntimeError):  # it is awake, or has been woken
            self.sleeping.release()

    def dismiss(self):
        """Let this thread end, after the call that it is in; one that has not begun ends at once
        when it does."""
        self.retired = True
        self.called[0] = self.number + 1
        self.wake()

    def retire(self):
        """End this thread, and wait for that, unless interrupted again."""
        self.dismiss()
        self.join()

    def submit(self, call):
        self.call = call
        self.number += 1
        self.called[0] = self.number
        self.wake()

    def wait(self):
        """The error of the call, or None, once it has ended."""
        _spin(self.ended, self.number, MANY_SPINS, sched_yield())
        self.done.acquire()
        error, self.call = self.error, None
        self.error = None
        return error


_pools: dict[int, tuple] = {}  # keyed by process: threads do not survive a fork
_making = threading.Lock()
NO_POOL: tuple[int, list, dict] = (0, [], {})


def _pool(pid):
    """(address of the workers' records, the workers, who holds them)"""
    if pid not in _pools:
        with _making:
            if pid not in _pools:
                _pools[pid] = _new_pool(num_threads() - 1)
    return _pools[pid]


def set_num_threads(num):
    """Let our kernels and the BLAS use so many threads from here on."""
    if not isinstance(num, int) or num < 1:
        raise ValueError(f"set_num_threads: expected a positive integer, got {num!r}")
    _set[:] = [num]
    with _making:
        _, workers, holder = _pools.pop(os.getpid(), NO_POOL)
    # Held for ever: who still has the old pool in hand works alone. If it is busy, its workers end
    # unused, with the process.
    if workers and holder.setdefault("by", me := object()) is me:
        for worker in workers:
            worker.retire()
    for library in blas_libraries():
        library.set_num_threads(num)


# of all that computes; the BLAS has as many as there are cores
if asked_threads() or cpu_quota() < math.inf:
    for library in blas_libraries():
        library.set_num_threads(min(num_threads(), library.get_num_threads()))


def _new_pool(workers):
    size = WORKER.itemsize
    memory = np.zeros((workers + 1) * size, np.uint8)
    start = -memory.ctypes.data % size  # a record is a cache line
    records = memory[start : start + workers * size].view(WORKER)
    # Compiled here and now: a process that is forked while another thread compiles could never
    # compile again.
    record = np.zeros(1, WORKER)
    worker_loop(record.ctypes.data, 0, 0, 0, sched_yield())
    await_workers(record.ctypes.data, 0, 0, sched_yield())
    _spin(np.zeros(1, np.int64), 0, 0, sched_yield())
    team = [_Worker(records[i : i + 1]) for i in range(workers)]
    try:
        for worker in team:
            worker.start()
    except BaseException:
        # Ctrl-C, or the system gives no more threads: nobody would ever use, or end, those that run
        for worker in team:
            worker.dismiss()
        raise
    return records.ctypes.data, team, {}


@contextlib.contextmanager
def _held(workers, holder):
    """Is the pool ours, inside? It is not while it is busy with other work.

    Ctrl-C in the middle of a dispatch: nobody knows in which state these workers are; the next call
    makes new ones.
    holder : a dict, {"by": who} while the pool is held. Unlike a lock it says, after an interrupt
        at any moment, whether we hold it
    """
    me = object()
    try:
        mine = holder.setdefault("by", me) is me
        yield mine
        if mine:
            del holder["by"]
    finally:
        if holder.get("by") is me:
            _pools.clear()
            for worker in workers:
                worker.retire()


def parallel_ranges(run, size, least=1, products=False):
    """Call `run(low, high)` on equal parts of range(size), each at least `least` long, in as many
    threads as pay.

    `run` must release the GIL most of the time, and its parts must be independent. Where there is
    one part it is called here at once.
    products : does `run` multiply matrices? Each thread's products then run in that thread alone.
    """
    least = max(1, least)
    _, workers, holder = _pool(os.getpid()) if size >= 2 * least else NO_POOL
    workers = [worker for worker in workers if not worker.rests()]
    parts = min(len(workers) + 1, max(1, size // least))
    if parts == 1:
        run(0, size)
        return
    bounds, errors = [size * i // parts for i in range(parts + 1)], None
    with _held(workers, holder) as mine:
        if mine:
            with blas_alone() if products else contextlib.nullcontext():
                errors = _run_parts(run, bounds, workers[: parts - 1])
    if errors is None:  # a nested or concurrent call does its own work alone
        run(0, size)
    elif errors:
        raise errors[0]


def run_on_workers(run, parts, long=False, while_held=contextlib.nullcontext):
    """`run(records, workers)`, up to `parts` - 1 workers and the address of their records (see
    `handoff`), which returns how many parts there were.

    A worker that slept is woken for the next time, unless it rests.
    long : is there so much to do that it pays to wait until they are awake?
    while_held : makes a context in which `run` is called if it may have workers
    """
    records, workers, holder = _pool(os.getpid()) if parts > 1 else NO_POOL
    if not workers or holder:
        run(0, 0)
        return
    most = min(parts - 1, len(workers))
    with _held(workers, holder) as mine, while_held() if mine else contextlib.nullcontext():
        if long and mine:
            asleep = [w for w in workers[:most] if w.state[0] == ASLEEP and not w.rests()]
            for worker in asleep:
                worker.wake()
            if asleep:
                await_workers(records, most, WAKING, sched_yield())
        if run(records, most if mine else 0) <= most and mine:
            for worker in workers[:most]:
                if not worker.rests():
                    worker.wake()


def _run_parts(run, bounds, workers):
    """Run the parts between the bounds, the first here, the others in the workers. Returns the
    errors, once all have ended."""
    for worker, low, high in zip(workers, bounds[1:], bounds[2:]):
        worker.submit(functools.partial(run, low, high))
    errors = []
    try:
        run(0, bounds[1])
    except BaseException as error:  # first wait for the others: they must be free for the next call
        errors.append(error)
    return errors + [error for error in [worker.wait() for worker in workers] if error is not None]


def parallel_chunks(run, size, *arrays, min_chunk=MIN_CHUNK):
    """Call `run(*pieces)` on equal slices of the flat `arrays` (each of `size` elements), in as
    many threads as pay.

    `run` is a compiled kernel that releases the GIL; the pieces must be independent. Small arrays
    run here at once.
    """
    if size < 2 * min_chunk:
        run(*arrays)
    else:
        parallel_ranges(lambda low, high: run(*[a[low:high] for a in arrays]), size, min_chunk)
