"""Work handed to a worker that does not come, as where other programs have the cores."""

import os

import numpy as np
import pytest

from minigan.fast.cpu import threads
from minigan.fast.cpu.handoff import ASLEEP, LATENESS, REST, TOO_LATE, WAITING, WORKER
from minigan.fast.cpu.kernels import kernel
from minigan.fast.cpu.shared_kernel import InPieces


@kernel
def _count(piece, pieces, out):
    out[piece] += 1


counted = InPieces(_count)


@pytest.fixture
def absent(monkeypatch):
    """The record of a worker behind which no thread is: it seems to wait."""
    memory = np.zeros(2 * WORKER.itemsize, np.uint8)
    start = -memory.ctypes.data % WORKER.itemsize
    record = memory[start : start + WORKER.itemsize].view(WORKER)
    record["state"] = WAITING
    worker = threads._Worker(record)  # which is not started
    worker.retire = lambda: None
    monkeypatch.setattr(threads, "_pool", lambda pid: (record.ctypes.data, [worker], {}))
    return worker


def test_what_a_worker_has_not_begun_is_done_here(absent):
    out = np.zeros(5, int)
    counted(5, False, out)
    np.testing.assert_array_equal(out, 1)
    assert absent.state[0] == WAITING and absent.late[0] == LATENESS
    assert absent.record["parts"][0] == 2 and absent.record["part"][0] == 1  # it was given some


def test_a_worker_that_comes_late_too_often_rests_and_is_tried_again(absent):
    out, times = np.zeros(2, int), 0
    while not absent.rests():
        counted(2, False, out)
        times += 1
    assert times == TOO_LATE // LATENESS and absent.late[0] == -REST
    absent.record["parts"] = 0
    for _ in range(REST):
        assert absent.rests()
        counted(2, False, out)
    assert not absent.rests() and absent.record["parts"][0] == 0  # it was given nothing
    assert absent.late[0] == TOO_LATE // 2
    counted(2, False, out)
    assert absent.record["parts"][0] == 2
    np.testing.assert_array_equal(out, times + REST + 1)


def test_a_worker_that_rests_is_not_woken(absent, monkeypatch):
    woken, out = [], np.zeros(2, int)
    monkeypatch.setattr(absent, "wake", lambda: woken.append(1))
    absent.record["state"] = ASLEEP
    for late, times in ((0, 2), (-5, 0)):  # long work wakes it before and after
        absent.record["late"], woken[:] = late, []
        counted(2, True, out)
        assert len(woken) == times
    absent.record["late"] = -5
    bounds = []
    threads.parallel_ranges(lambda low, high: bounds.append((low, high)), 10)
    assert bounds == [(0, 10)]


def test_a_worker_that_comes_in_time_is_trusted_again():
    before, asked = threads.num_threads(), list(threads._set)
    threads.set_num_threads(2)
    try:
        out = np.zeros((2, 1 << 16), int)
        _, (worker,), _ = threads._pool(os.getpid())
        for _ in range(20_000):  # the machine may be busy
            worker.record["late"] = 1
            out[:] = 0
            worked(2, True, out)
            if worker.late[0] == 0:
                break
        assert worker.late[0] == 0 and (out == 1).all()
    finally:
        threads.set_num_threads(before)
        threads._set[:] = asked


@kernel
def _work(piece, pieces, out):
    for i in range(out.shape[1]):
        out[piece, i] += 1


worked = InPieces(_work)
