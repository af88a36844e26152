"""The pool against a loop over examples that keeps them in a list."""

import numpy as np
import pytest

import minigan
from minigan.gan import Pool


def by_hand(batches, size, coins, drawn):
    """What comes out of each batch, and the pool: one example after the other."""
    pool, out = [], []
    for batch, heads, slots in zip(batches, coins, drawn, strict=True):
        shown = []
        for x, head, slot in zip(batch, heads, slots, strict=True):
            if len(pool) < size:
                pool.append(x)
                shown.append(x)
            elif head:
                shown.append(pool[slot])
                pool[slot] = x
            else:
                shown.append(x)
        out.append(np.stack(shown))
    return out, np.stack(pool)


@pytest.mark.parametrize("n, size", [(1, 3), (4, 3), (4, 10), (16, 5), (7, 1)])
def test_it_is_one_example_after_the_other(n, size):
    steps = 12
    batches = np.arange(steps * n * 6, dtype=np.float32).reshape(steps, n, 2, 3)
    minigan.manual_seed(5)
    coins, drawn = [], []
    for _ in range(steps):
        coins.append((minigan.rand(n) < 0.5).numpy())
        drawn.append(minigan.randint(size, (n,)).numpy())
    expected, left = by_hand(batches, size, coins, drawn)
    minigan.manual_seed(5)
    pool = Pool((2, 3), size)
    for i, batch in enumerate(batches):
        np.testing.assert_array_equal(pool(minigan.tensor(batch)).numpy(), expected[i])
        assert pool.filled.item() == min(size, (i + 1) * n)
    np.testing.assert_array_equal(pool.examples.numpy()[: len(left)], left)
    assert any((e != b).any() for e, b in zip(expected, batches, strict=True))


def test_half_of_a_full_pools_examples_are_old():
    minigan.manual_seed(0)
    pool, old = Pool((1,), 50), 0
    for i in range(400):
        x = minigan.full((4, 1), float(i))
        old += int((pool(x) != x).sum().item()) if i > 12 else 0
    # 1548 examples, a half of which come out old, some of these of the same batch
    assert 0.45 < old / (387 * 4) < 0.52


def test_what_it_gives_has_no_gradient_and_is_no_view_of_it():
    pool = Pool((2,), 2)
    x = minigan.ones(2, 2, requires_grad=True)
    shown = pool(x * 2)
    assert not shown.requires_grad
    pool(x * 3)
    assert shown.tolist() == [[2, 2], [2, 2]]


def test_an_empty_pool_gives_what_it_gets_and_other_shapes_are_refused():
    x = minigan.ones(3, 2)
    assert Pool((2,), 0)(x).tolist() == x.tolist()
    with pytest.raises(ValueError, match=r"examples of shape \(2,\) for a pool of \(3,\)"):
        Pool((3,))(x)
    with pytest.raises(ValueError, match="size=-1"):
        Pool((3,), -1)
    assert list(Pool((3,)).state_dict()) == ["examples", "filled"]
