"""no_grad, enable_grad, set_grad_enabled, and the hunt for the first NaN."""

import inspect
import threading

import numpy as np
import pytest

import minigan
from minigan import detect_anomaly, enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from minigan.autograd import AnomalyError, tensor_of


def leaf(*values):
    return tensor_of(np.array(values, np.float64), True)


def test_nothing_is_recorded_under_no_grad():
    x = leaf(2.0)
    with no_grad():
        y = x * x
    assert not y.requires_grad and y.grad_fn is None
    assert x.requires_grad


def test_nesting():
    assert is_grad_enabled()
    with no_grad():
        assert not is_grad_enabled()
        with enable_grad():
            assert is_grad_enabled()
            with set_grad_enabled(False):
                assert not is_grad_enabled()
            assert is_grad_enabled()
        assert not is_grad_enabled()
        with no_grad():
            pass
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_restored_after_an_error():
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert is_grad_enabled()


def test_decorators():
    @no_grad()
    def evaluate(x, scale=1.0):
        """Docstring."""
        return x * scale, is_grad_enabled()

    @enable_grad()
    def train(x):
        return evaluate(x), is_grad_enabled()

    y, inside = evaluate(leaf(2.0), scale=3.0)
    assert not y.requires_grad and not inside and is_grad_enabled()
    with no_grad():
        (_, inner), outer = train(leaf(2.0))
    assert not inner and outer
    assert evaluate.__name__ == "evaluate" and evaluate.__doc__ == "Docstring."


def test_a_decorated_function_may_call_itself():
    @no_grad()
    def countdown(n):
        return [is_grad_enabled()] if n == 0 else [*countdown(n - 1), is_grad_enabled()]

    assert countdown(3) == [False] * 4
    assert is_grad_enabled()


def test_a_decorated_generator():
    """Its own code runs without recording, that of who asks does not notice."""
    seen = []

    @no_grad()
    def samples(n):
        try:
            for i in range(n):
                try:
                    seen.append((yield (leaf(2.0) * i).requires_grad))
                except KeyError:
                    seen.append(is_grad_enabled())
            return is_grad_enabled()
        finally:
            seen.append(is_grad_enabled())

    made = []
    for requires in samples(3):
        made.append(requires)
        assert is_grad_enabled()
    assert made == [False] * 3 and seen == [None, None, None, False]
    seen.clear()
    asked = samples(2)
    assert next(asked) is False and asked.send("sent") is False and seen == ["sent"]
    with pytest.raises(StopIteration) as stop:
        asked.throw(KeyError("thrown"))
    assert stop.value.value is False and seen == ["sent", False, False] and is_grad_enabled()
    seen.clear()
    asked = samples(2)
    next(asked)
    asked.close()
    assert seen == [False] and is_grad_enabled()
    assert inspect.isgeneratorfunction(samples)


def test_modes_belong_to_their_thread():
    inside = threading.Event()
    release = threading.Event()
    seen = []

    def other():
        with no_grad():
            inside.set()
            release.wait(10)
            seen.append(is_grad_enabled())

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(10)
    assert is_grad_enabled() and (leaf(1.0) * 2.0).requires_grad
    release.set()
    thread.join()
    assert seen == [False]


def test_backward_in_several_threads():
    results = [None] * 4

    def work(i):
        x = leaf(float(i), 1.0)
        for _ in range(50):
            y = x
            for _ in range(20):
                y = y.sin() * x
            (g,) = minigan.grad(y, x, tensor_of(np.array([1.0, 0.5])))
        results[i] = g.array

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i, found in enumerate(results):
        x = leaf(float(i), 1.0)
        y = x
        for _ in range(20):
            y = y.sin() * x
        np.testing.assert_array_equal(
            found, minigan.grad(y, x, tensor_of(np.array([1.0, 0.5])))[0].array
        )


def test_a_plain_backward_records_nothing():
    """The rules run without recording, and backward works inside no_grad."""
    x = leaf(2.0)
    y = x * x
    with no_grad():
        y.backward()
        assert not is_grad_enabled()
    assert x.grad.item() == 4 and not x.grad.requires_grad


def test_create_graph_records_inside_no_grad():
    x = leaf(2.0)
    y = x * x * x
    with no_grad():
        (g,) = minigan.grad(y, x, create_graph=True)
    assert g.requires_grad and minigan.grad(g, x)[0].item() == 12


def test_a_leaf_made_under_no_grad_may_require_grad():
    with no_grad():
        x = leaf(1.0)
    assert (x * x).requires_grad


# --- anomalies ---


def here():
    """The line that called this, as the messages write it."""
    frame = inspect.currentframe().f_back
    return f"{__file__}:{frame.f_lineno}"


def test_forward_anomaly_names_op_and_line():
    x = leaf(1.0, 0.0)
    with detect_anomaly(), np.errstate(all="ignore"):
        y = x * 2.0
        where = []
        with pytest.raises(AnomalyError) as error:
            where.append(here()), y.log()
    assert f"infinity in the result of log (forward), called at {where[0]}" in str(error.value)


def test_forward_anomaly_says_nan():
    with (
        detect_anomaly(),
        np.errstate(all="ignore"),
        pytest.raises(AnomalyError, match="NaN in the result of sqrt"),
    ):
        leaf(-1.0).sqrt()


def test_backward_anomaly_shows_the_forward_line():
    """sqrt(0) is finite, its derivative is not: the message shows where the square root was
    taken."""
    x = leaf(1.0, 0.0)
    with detect_anomaly(), np.errstate(all="ignore"):
        y = x * 3.0
        where, root = here(), y.sqrt()
        z = root * 2.0
        with pytest.raises(AnomalyError) as error:
            z.backward(tensor_of(np.array([1.0, 0.5])))
    assert "infinity in the result of sqrt (backward, argument 0)" in str(error.value)
    assert where in str(error.value)


def test_backward_anomaly_with_create_graph():
    x = leaf(1.0, 0.0)
    with detect_anomaly(), np.errstate(all="ignore"):
        where, root = here(), x.sqrt()
        with pytest.raises(AnomalyError, match="sqrt") as error:
            minigan.grad(root, x, tensor_of(np.array([1.0, 0.5])), create_graph=True)
    assert where in str(error.value)


def test_anomaly_of_a_graph_recorded_before():
    x = leaf(0.0)
    y = x.sqrt()
    with (
        detect_anomaly(),
        np.errstate(all="ignore"),
        pytest.raises(AnomalyError, match="sqrt.*unknown line"),
    ):
        y.backward()


def test_anomaly_mode_changes_no_numbers_and_ends():
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        y = x.log() * x
        y.backward(tensor_of(np.array([1.0, 0.5])))
    np.testing.assert_allclose(x.grad.array, [1.0, 0.5 * (np.log(2) + 1)])
    with np.errstate(all="ignore"):
        assert np.isinf(leaf(0.0).log().item())


def test_integers_are_not_looked_at():
    with detect_anomaly():
        assert (tensor_of(np.array([1, 2])) + 1).tolist() == [2, 3]
