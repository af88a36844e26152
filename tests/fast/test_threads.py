"""Chunks in threads give what one call gives, and raise what a chunk raises; kernels compile when
they are first called."""

import gc
import importlib
import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from minigan.fast.cpu import blas, kernels, threads
from minigan.fast.cpu.kernels import kernel
from minigan.fast.cpu.threads import num_threads, parallel_chunks
from minigan.machine import threads as machine_threads
from minigan.machine.threads import cpu_quota

LONG = 600  # seconds after which a test takes a thing for stuck: no machine is so slow


def end_pools():
    """All workers have ended when this returns; the next call makes new ones."""
    for _, workers, _ in list(threads._pools.values()):
        for worker in workers:
            worker.retire()
    threads._pools.clear()


def workers_alive():
    return {t for t in threading.enumerate() if t.name == "minigan-worker"}


@pytest.fixture
def four_threads(monkeypatch):
    monkeypatch.setenv("MINIGAN_NUM_THREADS", "4")
    end_pools()
    yield
    end_pools()


@pytest.fixture
def no_collection():
    """Hypothesis has a callback that Python calls when it collects garbage: an interrupt in there
    is ignored, and a loop that waits for it goes on for ever."""
    gc.disable()
    yield
    gc.enable()


def test_num_threads(monkeypatch):
    monkeypatch.setenv("MINIGAN_NUM_THREADS", "3")
    assert num_threads() == 3
    for nonsense in ("", "0", "-2", "many"):
        monkeypatch.setenv("MINIGAN_NUM_THREADS", nonsense)
        assert 1 <= num_threads() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("files, quota", [
    ({}, math.inf),
    ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
    ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, math.inf),
    # the least of a group and of those around it
    ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
      "sys/fs/cgroup/a/cpu.max": "300000 100000\n"}, 3),
    # version 1
    ({"proc/self/cgroup": "4:memory:/c\n2:cpu,cpuacct:/c\n0::/\n",
      "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us": "200000\n",
      "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us": "100000\n"}, 2),
    ({"proc/self/cgroup": "1:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
])  # fmt: skip
def test_the_quota_of_a_container(tmp_path, files, quota, monkeypatch):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cpu_quota(tmp_path) == quota
    monkeypatch.delenv("MINIGAN_NUM_THREADS", raising=False)
    monkeypatch.setattr(machine_threads, "cpu_quota", lambda: 0.3)
    assert num_threads() == 1  # a part of a CPU is one


def test_the_blas_is_limited_by_the_same_variable():
    """At most as many threads as asked for: those of the BLAS would spin beside ours."""
    code = """
import minigan
from minigan.fast.cpu import blas
a = minigan.ones(64, 64)
minigan.linear(a, a)
print(*[library.get_num_threads() for library in blas.blas_libraries()])
"""
    env = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    found = {}
    for asked in ("1", "1000", ""):
        found[asked] = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], check=True, timeout=LONG,
            env=env | {"MINIGAN_NUM_THREADS": asked}, capture_output=True, text=True,
        ).stdout.split()  # fmt: skip
    assert set(found["1"]) == {"1"} and set(found["1000"]) == set(found[""])


@pytest.mark.parametrize("size", [0, 1, 7, 40, 41, 79, 80, 1000, 1001])
def test_chunks_are_the_whole(four_threads, size):
    """Every element exactly once, in pieces that lie alike in all arrays."""
    x, y = np.arange(float(size)), np.zeros(size)
    sizes, workers = [], set()

    def work(a, b):
        sizes.append(len(a))
        workers.add(threading.get_ident())
        b += 2 * a + 1

    parallel_chunks(work, size, x, y, min_chunk=20)
    assert (y == 2 * x + 1).all() and sum(sizes) == size
    assert len(sizes) == min(4, max(1, size // 20)) if size >= 40 else len(sizes) == 1


def test_small_arrays_stay_in_this_thread(four_threads):
    seen = []
    parallel_chunks(lambda a: seen.append(threading.get_ident()), 10, np.zeros(10), min_chunk=6)
    assert seen == [threading.get_ident()]


@pytest.mark.parametrize("bad", [0, 1, 3])
def test_errors_come_out(four_threads, bad):
    """Of any chunk, this thread's own too; the pool works on afterwards."""

    def work(a):
        if bad * 25 in a:
            raise KeyError(bad)

    for _ in range(2):
        with pytest.raises(KeyError, match=str(bad)):
            parallel_chunks(work, 100, np.arange(100), min_chunk=10)
    y = np.zeros(100)
    parallel_chunks(lambda a: a.__iadd__(1), 100, y, min_chunk=10)
    assert (y == 1).all()


def test_several_errors(four_threads):
    def work(a):
        raise ValueError(str(a[0]))

    for _ in range(3):
        with pytest.raises(ValueError):
            parallel_chunks(work, 100, np.arange(100), min_chunk=10)
    y = np.zeros(100)
    parallel_chunks(lambda a: a.__iadd__(1), 100, y, min_chunk=10)
    assert (y == 1).all()


def test_nested_and_concurrent_calls(four_threads):
    """A call inside a chunk, and calls from several threads at once, do their work alone instead of
    waiting."""
    y = np.zeros((100, 50))

    def rows(part):
        for row in part:
            parallel_chunks(lambda a: a.__iadd__(1), 50, row, min_chunk=5)

    parallel_chunks(rows, 100, y, min_chunk=10)
    assert (y == 1).all()
    results = [np.zeros(1000) for _ in range(6)]

    def many(a):
        for _ in range(50):
            parallel_chunks(lambda b: b.__iadd__(1), 1000, a, min_chunk=10)

    users = [threading.Thread(target=many, args=(r,)) for r in results]
    for u in users:
        u.start()
    for u in users:
        u.join(LONG)
    assert not any(u.is_alive() for u in users) and all((r == 50).all() for r in results)


def test_after_a_fork():
    """Threads do not survive a fork: the child makes its own."""
    if not hasattr(os, "fork"):
        pytest.skip("no fork on this system")
    code = """
import os, numpy as np
from minigan.fast.cpu.threads import parallel_chunks
def work():
    y = np.zeros(1000)
    parallel_chunks(lambda a: a.__iadd__(1), 1000, y, min_chunk=10)
    return (y == 1).all()
assert work()
pid = os.fork()
if pid == 0:
    os._exit(0 if work() else 1)
assert os.waitpid(pid, 0)[1] == 0
"""
    env = dict(os.environ, MINIGAN_NUM_THREADS="3")
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=True,
        timeout=LONG,
        env=env,
        cwd=os.getcwd(),
    )


def test_a_fork_after_the_first_product():
    """The child compiles kernels of its own: no thread of the parent may be in the middle of
    that."""
    if not hasattr(os, "fork"):
        pytest.skip("no fork on this system")
    code = """
import os, faulthandler, numpy as np, minigan
x, w = minigan.ones(64, 512), minigan.ones(512, 512)
minigan.linear(x, w, minigan.zeros(512))
pid = os.fork()
if pid == 0:
    faulthandler.dump_traceback_later(500, exit=True)
    minigan.batch_norm(x, training=True)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""
    env = dict(os.environ, MINIGAN_NUM_THREADS="3")
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=True,
        timeout=LONG,
        env=env,
        cwd=os.getcwd(),
    )


# --- kernels ---


def test_code_on_disk_knows_the_files_that_went_into_it():
    """A kernel of another file is part of the code: when that file changes, the code is stale."""
    stamp = kernels.compiled(_triple.reference)._cache._cache_file._source_stamp
    assert stamp[1] == kernels._sources() and "handoff.py" in {name for name, *_ in stamp[1]}


@kernel
def _triple(x, y):
    """y = 3 x"""
    for i in range(x.size):
        y[i] = 3 * x[i]


def test_kernel_is_the_function():
    x, y = np.arange(5.0), np.empty(5)
    z = np.empty(5)
    _triple(x, y)
    _triple.reference(x, z)
    assert (y == z).all() and _triple.__doc__ == "y = 3 x" and _triple.__name__ == "_triple"


def test_kernel_of_other_dtypes_and_sizes():
    for dtype in (np.float32, np.float64, np.int64):
        x = np.arange(7).astype(dtype)
        y = np.empty_like(x)
        _triple(x, y)
        assert (y == 3 * x).all()


def test_kernels_respect_nan_and_infinity():
    @kernel
    def total(x, y):
        s = 0.0
        for i in range(x.size):
            y[i] = 2 * x[i] if x[i] == x[i] else -1.0
            s += x[i]
        return s

    x, y = np.array([1.0, np.nan, np.inf, -np.inf] * 20), np.empty(80)
    assert np.isnan(total(x, y)) and y[:4].tolist() == [2, -1, np.inf, -np.inf]
    x = np.array([1.0, np.inf] * 20)
    assert total(x, np.empty(40)) == np.inf


def test_each_is_the_same_in_chunks(four_threads, monkeypatch):
    """Elementwise kernels: small or large, in whatever layout."""
    # the package has a function of that name
    module = importlib.import_module("minigan.fast.cpu.map_elements")
    monkeypatch.setattr(module, "MIN_CHUNK", 10)
    monkeypatch.setattr(threads, "MIN_CHUNK", 10)

    @kernel
    def axpy(x, y, a, out):
        b = x.dtype.type(a)
        for i in range(x.size):
            out[i] = b * x[i] + y[i]

    rng = np.random.default_rng(0)
    for shape in ((5,), (100,), (13, 17), (4, 5, 6)):
        x, y = rng.standard_normal(shape), rng.standard_normal(shape)
        layouts = [
            (x, y),
            (x.T, y.T),
            (x[::-1], y),
            (x.copy("F"), y),
            (np.moveaxis(x, 0, -1), np.moveaxis(y, 0, -1)),
        ]
        for p, q in [
            *layouts,
            (x.astype(np.float32), y.astype(np.float32)),
            (np.broadcast_to(x[:1], shape), y),
        ]:
            out = module.map_elements(axpy, p, q, 2.0)
            assert out.dtype == p.dtype and out.shape == p.shape
            np.testing.assert_allclose(out, 2 * p + q, rtol=1e-5)


def test_interrupts_leave_a_working_pool(four_threads, no_collection):
    """Ctrl-C at any moment, also in the middle of a hand-over: later calls do all of their
    parts."""
    import signal
    import time

    def interrupt(number, frame):
        raise KeyboardInterrupt

    def check():
        parts = []
        threads.parallel_ranges(
            lambda low, high: (time.sleep(0.001), parts.append((low, high))), 40, products=True
        )
        assert sorted(parts) == [(0, 10), (10, 20), (20, 30), (30, 40)]

    others = workers_alive()  # of tests before this one
    before = signal.signal(signal.SIGALRM, interrupt)
    rng = np.random.default_rng(0)
    try:
        for _ in range(60):
            with pytest.raises(KeyboardInterrupt):
                try:
                    signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, 6e-3))  # fires once
                    while True:
                        threads.parallel_ranges(
                            lambda low, high: time.sleep(1e-4), 40, products=True
                        )
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            check()
    finally:
        signal.signal(signal.SIGALRM, before)
    # those of the last pool: nobody left any behind
    _settled(lambda: len(workers_alive() - others) <= 3)


def _settled(test):
    """Wait until it holds: threads that were told to end need the processor once more."""
    import time

    end = time.monotonic() + LONG
    while not test():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_interrupt_while_the_pool_is_made_leaves_no_thread(four_threads, monkeypatch, at):
    """Nobody would know those that have begun."""
    start, begun = threading.Thread.start, []

    def interrupted(thread):
        start(thread)
        begun.append(thread)
        if len(begun) == at + 1:
            raise KeyboardInterrupt

    others = workers_alive()
    monkeypatch.setattr(threads._Worker, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        threads.parallel_ranges(lambda low, high: None, 40)
    _settled(lambda: not workers_alive() - others)
    parts = []
    threads.parallel_ranges(lambda low, high: parts.append(high - low), 40)
    assert parts == [10] * 4


def test_interrupts_do_not_disturb_another_thread(four_threads, no_collection):
    """Ctrl-C in one thread while another holds the workers: they stay its own."""
    import signal
    import time

    def interrupt(number, frame):
        raise KeyboardInterrupt

    stop, done = threading.Event(), []

    def work():
        while not stop.is_set():
            parts = []
            threads.parallel_ranges(
                lambda low, high: (time.sleep(0.0005), parts.append(high - low)), 40
            )
            done.append(sum(parts))

    other = threading.Thread(target=work, daemon=True)
    before = signal.signal(signal.SIGALRM, interrupt)
    rng = np.random.default_rng(0)
    other.start()
    try:
        for _ in range(150):
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, 3e-3))
                    while True:
                        threads.parallel_ranges(lambda low, high: None, 40)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                pass
        _settled(lambda: done)
    finally:
        signal.signal(signal.SIGALRM, before)
        stop.set()
        other.join(LONG)
    assert not other.is_alive() and set(done) == {40}


def test_many_threads_make_one_pool(monkeypatch):
    monkeypatch.setenv("MINIGAN_NUM_THREADS", "3")
    end_pools()
    start, found = threading.Barrier(8), []

    def first():
        start.wait()
        found.append(threads._pool(os.getpid()))

    users = [threading.Thread(target=first) for _ in range(8)]
    for user in users:
        user.start()
    for user in users:
        user.join(LONG)
    assert len(found) == 8 and all(pool is found[0] for pool in found)
    address, workers, _ = found[0]
    assert address % 64 == 0 and len(workers) == 2
    end_pools()


def test_the_blas_gets_its_threads_back(four_threads):
    """Inside, the number is 1; after it, that of before, also after an error."""

    def numbers():
        return {library.get_num_threads() for library in blas.blas_libraries()}

    before, seen = numbers(), []
    threads.parallel_ranges(lambda low, high: seen.append(numbers()), 8, products=True)
    assert numbers() == before and seen == [{1}] * 4
    with pytest.raises(ZeroDivisionError):
        threads.parallel_ranges(lambda low, high: 1 / 0, 8, products=True)
    assert numbers() == before


def test_number_of_threads():
    """In a process of its own: the old workers end, and results stay the same."""
    code = """
import threading, minigan as torch
torch.set_num_threads(3)
x = torch.randn(1 << 20, requires_grad=True)
before = (x * 2).relu().sum().item()
adam = torch.optim.Adam([x]); x.sum().backward(); adam.step()
assert torch.get_num_threads() == 3
many = threading.active_count()
torch.set_num_threads(1)
assert torch.get_num_threads() == 1
assert threading.active_count() == 1, (many, threading.active_count())
adam.step(); torch.set_num_threads(2); adam.step()
from minigan.fast.cpu.blas import blas_libraries
assert {library.get_num_threads() for library in blas_libraries()} <= {2}
for wrong in (0, -1, 1.5):
    try: torch.set_num_threads(wrong)
    except ValueError as error: assert "positive integer" in str(error)
    else: raise AssertionError(wrong)
print(many)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 3
