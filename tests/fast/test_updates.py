"""The compiled updates of the optimisers: those of the formulas, in threads and in pieces."""

import numpy as np
import pytest

from minigan.fast import updates
from minigan.fast.cpu.kernels import compiled
from minigan.ops import update


def state_arrays(step, n, dtype, seed):
    r = np.random.default_rng(seed)
    arrays = [r.standard_normal(n).astype(dtype) for _ in range(6)]
    g, p, m, v, w, b = arrays
    v, w = np.abs(v) + 2, np.abs(w)  # second moments; RMSprop's exceeds its squared mean
    m = np.tanh(m).astype(dtype)
    return {
        "sgd_step": [(g, p), (g, p, b)],
        "adam_step": [(g, p, m, v), (g, p, m, v, w)],
        "rmsprop_step": [(g, p, v), (g, p, v, m), (g, p, v, None, b), (g, p, v, m, b)],
        "adagrad_step": [(g, p, v)],
        "adadelta_step": [(g, p, v, w)],
        "adamax_step": [(g, p, m, v)],
        "radam_step": [(g, p, m, v)],
        "ema_step": [(g, p)],
    }[step]


NUMBERS = {
    "sgd_step": (False, 0.1, 0.9, 0.3, 0.01, True, True),
    "adam_step": (3, 1e-2, (0.5, 0.9), 1e-3, 0.02, False, True),
    "rmsprop_step": (3, 1e-2, 0.9, 1e-3, 0.02, 0.7, True),
    "adagrad_step": (3, 1e-2, 0.1, 0.02, 1e-6, True),
    "adadelta_step": (0.1, 0.9, 1e-3, 0.02, True),
    "adamax_step": (3, 1e-2, (0.5, 0.9), 1e-3, 0.02, True),
    "radam_step": (9, 1e-2, (0.5, 0.9), 1e-3, 0.02, False, True),
    "ema_step": (3, 0.9),
}


def copies(arrays):
    return [None if a is None else a.copy() for a in arrays]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernel_equals_reference_threads_and_chunks(name, dtype, monkeypatch):
    """The compiled loop = the array expressions; a large array in threads = the same in small
    pieces, in every bit."""
    step = getattr(update, name)

    def run(numbers, *arrays):
        updates.run_steps([(compiled(step.loop), np.array(numbers, dtype), arrays)])

    n = updates.THREADED + 12345
    numbers = step.numbers(*NUMBERS[name])
    for arrays in state_arrays(name, n, dtype, 0):
        whole, pieces = copies(arrays), copies(arrays)
        plain = copies(arrays)
        monkeypatch.setattr(updates, "num_threads", lambda: 2)
        run(numbers, *whole)
        monkeypatch.setattr(updates, "num_threads", lambda: 1)
        for low in range(0, n, 9973):
            run(numbers, *[a if a is None else a[low : low + 9973] for a in pieces])
        step.reference(numbers, *plain)
        changed = 0
        for before, a, b, c in zip(arrays, whole, pieces, plain):
            if before is None:
                continue
            np.testing.assert_array_equal(a, b)
            np.testing.assert_allclose(
                a,
                c,
                rtol=2e-5 if dtype == "float32" else 1e-12,
                atol=2e-6 if dtype == "float32" else 1e-13,
            )
            changed += not np.array_equal(a, before)
        np.testing.assert_array_equal(whole[0], arrays[0])  # the gradient is only read
        assert changed == sum(a is not None for a in arrays) - 1


def test_run_together_covers_every_element(monkeypatch):
    """Any number of threads: every element is updated exactly once."""
    loop, c = (
        compiled(update.sgd_step.loop),
        np.array(update.sgd_step.numbers(True, 1.0, 0, 0, 0, False, False), np.float32),
    )
    monkeypatch.setattr(updates, "THREADED", 1)
    for threads in (2, 3, 7):
        monkeypatch.setattr(updates, "num_threads", lambda threads=threads: threads)
        jobs = [
            (loop, c, (np.full(n, -1, np.float32), np.zeros(n, np.float32)))
            for n in (1, 5, 16, 17, 100, 1000)
        ]
        updates.run_steps(jobs)
        for _, _, (_, p) in jobs:
            np.testing.assert_array_equal(p, 1)
