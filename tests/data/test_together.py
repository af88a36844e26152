"""Streams of their own order and length, side by side."""

import numpy as np
import pytest

from minigan.data.batches import Batches, Together


class Set:
    def __init__(self, n, first):
        self.images = np.arange(first, first + n, dtype=np.float32)[:, None]
        self.labels = np.arange(n) % 3


def streams():
    long = Batches(Set(20, 0), 4, seed=1)
    short = Batches(Set(7, 100), 3, seed=2, columns=("images", "labels"))
    return long, short, Together(long, short)


def test_each_stream_goes_its_own_way():
    long, short, both = streams()
    assert len(both) == 5 and both.batch_size == 7 and both.examples == 20
    found = [batch for epoch in (0, 1) for batch in both.epoch(epoch)]
    assert [len(column) for column in found[0]] == [4, 3, 3]
    first = [x[0].numpy()[:, 0].tolist() for x in found]
    assert first == [x[0].numpy()[:, 0].tolist() for e in (0, 1) for x in long.epoch(e)]
    assert sorted(sum(first[:5], [])) == list(range(20))
    # the short one, of two batches, is through five times meanwhile, each time in a new order
    expected = [x for e in range(5) for x in short.epoch(e)]
    for (_, images, labels), (i, y) in zip(found, expected, strict=True):
        assert images.tolist() == i.tolist() and labels.tolist() == y.tolist()
        assert ((images[:, 0] - 100) % 3 == labels).all()


@pytest.mark.parametrize("start", [0, 1, 4])
def test_any_position_can_be_returned_to(start):
    _, _, both = streams()
    whole = [numbers.tolist() for numbers in both.numbers(3)]
    assert [numbers.tolist() for numbers in both.numbers(3, start)] == whole[start:]


def test_errors():
    with pytest.raises(ValueError, match="at least one stream"):
        Together()
