"""A weight's gradient that is computed row by row while the optimiser steps: the same numbers to
the bit, wherever that is possible."""

import os
import subprocess
import sys

import numpy as np
import pytest
from fast.test_tiles import threads_of

import minigan
from minigan import Tensor, nn
from minigan.fast.cpu import matmul, tiles
from minigan.fast.cpu.matmul import tiled_matmul
from minigan.fast.replay import lazy_product as lazy
from minigan.fast.replay.lazy_product import LazyProduct, lazy_product
from minigan.nn import functional as F
from minigan.optim import SGD, Adam, AdamW


@pytest.fixture(autouse=True)
def in_registers(monkeypatch):
    """Also where the processor has no AVX-512."""
    monkeypatch.setattr(tiles, "registers", lambda: True)


def factors(out, into, batch, dtype, by_rows, seed=0):
    """g^T (out, batch) and x (batch, into), which is laid out row by row or column by column."""
    rng = np.random.default_rng(seed)
    a, b = (
        rng.standard_normal((out, batch)).astype(dtype),
        rng.standard_normal((batch, into)).astype(dtype),
    )
    return a, b if by_rows else np.asfortranarray(b)


def stepped(make, gradients, steps=3):
    """What `steps` steps make of the parameters and the state, given gradients(step) -> a list."""
    rng = np.random.default_rng(1)
    shapes = [g.shape for g in gradients(0)]
    parameters = [
        nn.Parameter(rng.standard_normal(s).astype(gradients(0)[0].dtype)) for s in shapes
    ]
    optimizer = make(parameters)
    for i in range(steps):
        optimizer.step_with(gradients(i))
    state = [
        v.array for p in parameters for v in optimizer.state[p].values() if isinstance(v, Tensor)
    ]
    return [p.array for p in parameters] + state


OPTIMIZERS = {
    "adam": lambda p: Adam(p, 1e-2, (0.5, 0.999)),
    "maximize": lambda p: Adam(p, 1e-2, weight_decay=0.1, maximize=True),
    "adamw": lambda p: AdamW(p, 1e-2),
    "amsgrad": lambda p: Adam(p, 1e-2, amsgrad=True),
    "sgd": lambda p: SGD(p, 1e-2, momentum=0.9),
}


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_to_the_bit(name, dtype, threads, monkeypatch):
    monkeypatch.setattr("minigan.fast.cpu.adam.SHARED", 1)
    sizes = [
        (256, 80, 64, True),
        (301, 77, 128, False),
        (1000, 17, 300, False),
        (128, 130, 65, True),
    ]

    def gradients(step, make):
        return [
            make(*factors(o, i, b, dtype, rows, seed=7 * step + k))
            for k, (o, i, b, rows) in enumerate(sizes)
        ]

    with threads_of(threads):
        expected = stepped(OPTIMIZERS[name], lambda step: gradients(step, tiled_matmul))
        found = stepped(OPTIMIZERS[name], lambda step: gradients(step, LazyProduct))
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_reads_a_parameter_is_computed_before_the_step():
    """Both weights are factors of each other's gradient, and a small parameter, which is stepped at
    once, is one of its own."""

    def run(make):
        p, q, small = (
            nn.Parameter(np.linspace(-1, 1, n * n, dtype="float32").reshape(n, n))
            for n in (160, 160, 100)
        )
        optimizer = Adam([small, p, q], 1e-2)
        for _ in range(2):
            optimizer.step_with(
                [make(small.array, small.array), make(q.array, p.array.T), make(p.array, q.array)]
            )
        return [x.array for x in (small, p, q)]

    for a, b in zip(run(tiled_matmul), run(LazyProduct), strict=True):
        np.testing.assert_array_equal(a, b)


def test_only_what_pays_waits():
    a, b = factors(256, 80, 64, "float32", True)
    assert isinstance(lazy_product(a.T, b), LazyProduct)
    assert isinstance(lazy_product(a[:5].T, b), np.ndarray)  # no whole tile
    assert isinstance(lazy_product(a[:, :1].T, b[:1]), np.ndarray)
    a, b = factors(64, 300, 600, "float32", True)  # all of b, 720 KB, would pass for each row
    assert matmul._pays(a, b) and isinstance(lazy_product(a.T, b), np.ndarray)
    np.testing.assert_array_equal(LazyProduct(a, b).array(), tiled_matmul(a, b))
    windows = np.lib.stride_tricks.sliding_window_view(a, 3, 0)
    for view in (
        a,
        a.T[3:][:, ::2],
        windows,
        np.asarray(memoryview(a)),
        np.frombuffer(a, "float32"),
    ):
        assert lazy.owner(view) is a


@pytest.mark.parametrize(
    "change", [np.asfortranarray, lambda x: x[:40, :40], lambda x: x.astype("float64")]
)
def test_parameters_that_are_stepped_otherwise(change):
    """Laid out column by column, small, or of another dtype than the one beside it in the same
    Adam."""

    def run(make):
        values = np.linspace(-1, 1, 200 * 100, dtype="float32").reshape(200, 100)
        p, q = nn.Parameter(values.copy()), nn.Parameter(change(values))
        optimizer = Adam([p, q], 1e-2)
        for step in range(3):
            a, b = factors(200, 100, 64, "float32", False, seed=step)
            c, d = (
                x.astype(q.dtype) for x in factors(*q.shape, 64, "float32", True, seed=9 + step)
            )
            optimizer.step_with([make(a, b), make(c, d)])
        return [p.array, q.array]

    for a, b in zip(run(tiled_matmul), run(LazyProduct), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_out_of_memory_is_an_error():
    """What threads need is allocated before they begin: in them nobody could raise it."""
    code = """
import resource, numpy as np
from minigan.fast.cpu import matmul, tiles
from minigan.fast.cpu.matmul import tiled_matmul
tiles.registers = lambda: True
a, b = np.ones((12, 600000), "f"), np.asfortranarray(np.ones((600000, 64), "f"))
tiled_matmul(a[:, :9000], b[:9000])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (60 << 20), -1))
try:
    tiled_matmul(a, b)
except MemoryError:
    print("raised")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "MINIGAN_NUM_THREADS": "2"},
    )
    assert done.stdout == "raised\n", done.stderr


def perceptron():
    minigan.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(100, 256), nn.LeakyReLU(0.2), nn.Linear(256, 200), nn.Tanh(), nn.Linear(200, 150)
    )
    return model, Adam(model.parameters(), 1e-3), [minigan.randn(64, 100) for _ in range(8)]


def trained(change, wrap, make=None):
    """The parameters after steps of a perceptron; `change` is called between its gradients and the
    optimiser's step."""
    model, optimizer, batches = perceptron()
    if make:
        optimizer = make(model.parameters())

    def step(x):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), x[:, :1].expand(64, 150))
        gradients = minigan.autograd.grad(loss, list(model.parameters()))
        optimizer.step_with(change(model, gradients))
        return loss.detach()

    run = wrap(step)
    for x in batches:
        run(x)
    return run, [p.array.copy() for p in model.parameters()]


def nothing(model, gradients):
    return gradients


def written(model, gradients):
    with minigan.no_grad():
        model[0].bias.mul_(0.5)
    return gradients


def used_twice(model, gradients):
    return [g + 0 * gradients[0].sum() for g in gradients]


@pytest.mark.parametrize(
    "change,make,waits",
    [
        (nothing, None, True),
        (nothing, lambda p: SGD(p, 0.1), True),
        (written, None, False),
        (used_twice, None, False),
    ],
)
def test_repeated_steps(change, make, waits):
    _, expected = trained(change, lambda step: step, make)
    run, found = trained(change, minigan.cpu.graph, make)
    assert run.why is None and ("deferred" in run.program.text) is waits
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_that_stay_are_computed():
    model, optimizer, batches = perceptron()

    @minigan.cpu.graph
    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()

    for x in batches:
        step(x)
    assert step.why is None and "deferred" not in step.program.text
    assert all(np.abs(p.grad.array).max() > 0 for p in model.parameters())


def test_recordings_that_differ_are_no_error():
    """The first step writes behind the gradients, the later ones before them: the calls of the two
    recordings do not match."""
    model, optimizer, batches = perceptron()
    first = []

    def step(x):
        optimizer.zero_grad()
        if first:
            model[0].bias * 2.0
        gradients = minigan.autograd.grad(model(x).square().mean(), list(model.parameters()))
        if not first:
            first.append(model[0].bias * 2.0)
        optimizer.step_with(gradients)

    run = minigan.cpu.graph(step)
    for x in batches:
        run(x)
    assert run.why is None and "deferred" in run.program.text
