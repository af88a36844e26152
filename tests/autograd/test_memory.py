"""Graphs of any length, and their memory: gone when backward ends, or when the last Tensor goes,
without the cyclic collector."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import minigan
from minigan.autograd import tensor_of


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def chain(x, length):
    y = x
    for _ in range(length):
        y = y * 1.00001
    return y


def hidden(x, w):
    """A computation, and weak references to the arrays that only its graph keeps."""
    arrays, y = [], x
    for _ in range(5):
        y = (y * w).tanh()
        arrays.append(weakref.ref(y.array))
        y = y.exp() + x
        arrays.append(weakref.ref(y.array))
    y = (y * y).sum()
    return y, arrays


def parameters():
    rng = np.random.default_rng(0)
    return tensor_of(rng.standard_normal(7), True), tensor_of(rng.standard_normal(7), True)


def alive(references):
    return sum(r() is not None for r in references)


def test_long_chain(no_collector):
    """100,000 ops: forward, backward, and freed again, none of it by recursion."""
    x = tensor_of(np.array([2.0]), True)
    y = chain(x, 100_000)
    y.backward()
    np.testing.assert_allclose(x.grad.item(), 1.00001**100_000, rtol=1e-9)
    tape = weakref.ref(y)
    del y
    assert tape() is None


def test_long_chain_dropped_without_backward(no_collector):
    x = tensor_of(np.array([2.0]), True)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    y = chain(x, 30_000)
    during = tracemalloc.get_traced_memory()[0]
    del y
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert during - before > 3_000_000  # the tape was there
    assert after - before < 300_000  # Python keeps some free blocks for reuse


def test_long_chain_differentiated_twice(no_collector):
    """The tape of a derivative is as long again, and freed as well."""
    x = tensor_of(np.array([1.0]), True)
    y = x
    for _ in range(10_000):
        y = y.sin() + x * 0.0001
    (g,) = minigan.grad(y, x, create_graph=True)
    (h,) = minigan.grad(g, x)
    assert np.isfinite(h.item())
    tape = weakref.ref(g)
    del y, g
    assert tape() is None


def test_freed_by_backward(no_collector):
    """Saved arrays go while the walk passes, even if the loss is still held."""
    x, w = parameters()
    y, arrays = hidden(x, w)
    assert alive(arrays) == len(arrays)
    y.backward()
    assert alive(arrays) == 0 and y.requires_grad


def test_retain_graph_keeps(no_collector):
    x, w = parameters()
    y, arrays = hidden(x, w)
    kept = alive(arrays)
    y.backward(retain_graph=True)
    assert alive(arrays) == kept
    y.backward()
    assert alive(arrays) == 0


def test_freed_without_backward(no_collector):
    x, w = parameters()
    y, arrays = hidden(x, w)
    del y
    assert alive(arrays) == 0


def test_freed_after_an_error(no_collector):
    x, w = parameters()
    y, arrays = hidden(x, w)
    with pytest.raises(ValueError):
        y.backward(tensor_of(np.ones(3)))
    del y
    assert alive(arrays) == 0


def test_freed_with_create_graph(no_collector):
    x, w = parameters()
    y, arrays = hidden(x, w)
    (g,) = minigan.grad(y, x, create_graph=True)
    arrays.append(weakref.ref(g.array))
    penalty = (g * g).sum()
    penalty.backward()
    del y, g, penalty
    assert alive(arrays) == 0


def test_create_graph_dropped(no_collector):
    x, w = parameters()
    y, arrays = hidden(x, w)
    (g,) = minigan.grad(y, x, create_graph=True)
    (h,) = minigan.grad((g * g).sum(), w, create_graph=True)
    arrays += [weakref.ref(g.array), weakref.ref(h.array)]
    del y, g, h
    assert alive(arrays) == 0


def test_no_grad_keeps_nothing(no_collector):
    x, w = parameters()
    with minigan.no_grad():
        y, arrays = hidden(x, w)
        assert alive(arrays) == 0 and not y.requires_grad


def test_leaves_and_results_go(no_collector):
    """Neither a leaf with its gradient nor the result is in a cycle."""
    x, w = parameters()
    y, _ = hidden(x, w)
    y.backward()
    references = [weakref.ref(t) for t in (x, w, y, x.grad)]
    del x, w, y
    assert alive(references) == 0


def test_training_steps_use_the_same_memory(no_collector):
    """A loop with a gradient penalty: nothing is left of a step, cyclic or not, and the peak stays
    the same."""
    rng = np.random.default_rng(0)
    w1, w2 = (
        tensor_of(rng.standard_normal((20, 10)), True),
        tensor_of(rng.standard_normal((1, 20)), True),
    )
    real = tensor_of(rng.standard_normal((8, 10)), True)

    def step():
        y = minigan.linear(minigan.linear(real, w1).tanh(), w2)
        (g,) = minigan.grad(y.sum(), real, create_graph=True)
        loss = y.mean() + ((g * g).sum(1) ** 0.5 - 1.0).square().mean()
        for w, gw in zip((w1, w2), minigan.grad(loss, [w1, w2])):
            with minigan.no_grad():
                w.sub_(gw, alpha=0.01)

    for _ in range(3):
        step()
    gc.collect()
    tracemalloc.start()
    before, peaks = tracemalloc.get_traced_memory()[0], []
    for _ in range(40):
        tracemalloc.reset_peak()
        step()
        peaks.append(tracemalloc.get_traced_memory()[1])
    # which also empties Python's lists of free tuples, of which some thousands would look like a
    # leak
    unreachable = gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert unreachable == 0, "a step leaves cycles behind"
    assert after - before < 15_000  # less than one step's tape
    assert peaks[-1] - peaks[5] < 40_000
