"""A kernel in pieces does each piece once, whoever is there to do it, with arguments of every
kind."""

import os
import time

import numpy as np
import pytest

from minigan.fast.cpu import blas, shared_kernel, threads
from minigan.fast.cpu.handoff import ASLEEP, WAITING
from minigan.fast.cpu.kernels import kernel
from minigan.fast.cpu.shared_kernel import InPieces, pieces_of


@kernel
def _mark(piece, pieces, x, pair, factor, minus, out):
    """out[piece] += the sum of a piece's rows of x, and what the other arguments say."""
    for i in range(len(x) * piece // pieces, len(x) * (piece + 1) // pieces):
        out[piece, 0] += x[i].sum() * (-factor if minus else factor)
    out[piece, 1] += pair[0] * 10 + pair[1]


marked = InPieces(_mark, products=True)


def expected(x, pieces, factor):
    bounds = [len(x) * i // pieces for i in range(pieces + 1)]
    sums = [factor * x[low:high].sum() for low, high in zip(bounds, bounds[1:])]
    return np.stack([sums, np.full(pieces, 12.0)], 1)


@pytest.fixture(params=(1, 4))
def num_threads(request):
    before, asked = threads.num_threads(), list(threads._set)
    threads.set_num_threads(request.param)
    yield request.param
    threads.set_num_threads(before)
    threads._set[:] = asked


two_threads = pytest.mark.parametrize("num_threads", (2,), indirect=True)


@pytest.mark.parametrize("pieces", (1, 2, 3, 7))
def test_each_piece_is_done_once(num_threads, pieces):
    x = np.arange(22.0).reshape(11, 2)
    for again in range(30):  # workers sleep at first, then they wait
        out = np.zeros((pieces, 2))
        marked(pieces, False, x, (1, 2), 0.5, True, out)
        np.testing.assert_array_equal(out, expected(x, pieces, -0.5), err_msg=str(again))
        out = np.zeros((pieces, 2))
        marked(pieces, True, x[:, ::-1], (1, 2), 2.0, False, out)  # of another layout
        np.testing.assert_array_equal(out, expected(x, pieces, 2.0))


@two_threads
def test_workers_take_part(num_threads, monkeypatch):
    """One that waits does the second piece."""
    parts, dispatched = [], threads.run_on_workers

    def counted(run, *rest):
        dispatched(lambda *given: parts.append(run(*given)) or parts[-1], *rest)

    monkeypatch.setattr(shared_kernel, "run_on_workers", counted)
    x, end = np.ones((4, 1)), time.monotonic() + 60
    while 2 not in parts and time.monotonic() < end:
        out = np.zeros((2, 2))
        marked(2, False, x, (1, 2), 1.0, False, out)
        np.testing.assert_array_equal(out, expected(x, 2, 1.0))
    assert 2 in parts


@two_threads
def test_the_blas_is_alone_meanwhile(num_threads, monkeypatch):
    seen, dispatched = [], threads.run_on_workers

    def looked(run, parts, long, context):
        def looking(*given):
            seen.append([library.get_num_threads() for library in blas.blas_libraries()])
            return run(*given)

        dispatched(looking, parts, long, context)

    monkeypatch.setattr(shared_kernel, "run_on_workers", looked)
    before = [library.get_num_threads() for library in blas.blas_libraries()]
    marked(2, False, np.ones((4, 1)), (1, 2), 1.0, False, np.zeros((2, 2)))
    assert seen == [[1] * len(before)]
    assert before == [library.get_num_threads() for library in blas.blas_libraries()]


@two_threads
def test_long_work_waits_until_a_thread_is_awake(num_threads):
    """Or else one that wakes while the other works, and falls asleep before that ends, is never
    met."""
    x, out = np.ones((4, 1)), np.zeros((2, 2))
    marked(2, True, x, (1, 2), 1.0, False, out)
    (_, (worker,), _) = threads._pool(os.getpid())
    seen, end = [], time.monotonic() + 60
    while WAITING not in seen and time.monotonic() < end:  # it takes longer on a busy machine
        while worker.state[0] != ASLEEP and time.monotonic() < end:
            time.sleep(0.01)
        shared_kernel.run_on_workers(
            lambda records, workers: seen.append(int(worker.state[0])) or 2, 2, True
        )
    assert WAITING in seen


def test_how_many_pieces_pay(num_threads):
    assert pieces_of(100, 50) == (min(num_threads, 2), False)
    assert pieces_of(100, 51) == pieces_of(0, 1) == (1, False)
    assert pieces_of(1000, 1) == pieces_of(1000, 0) == (num_threads, True)
