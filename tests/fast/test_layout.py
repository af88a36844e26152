"""Copies into another layout are NumPy's."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.fast.cpu.layout import row_major

SHAPES = [
    (1, 1),
    (3, 50),
    (50, 3),
    (16, 16),
    (17, 33),
    (64, 100),
    (100, 64),
    (5, 1025),
    (0, 4),
    (4, 0),
]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
def test_turned_matrices(dtype):
    for shape in SHAPES:
        x = (np.arange(np.prod(shape)) % 1999).astype(dtype).reshape(shape)
        for given in (x, x.T, x[:, ::-1], x[::2], x.T[::2], np.broadcast_to(x[:1], shape)):
            y = row_major(given)
            assert (
                y.flags.c_contiguous
                and y.dtype == dtype
                and y.shape == given.shape
                and (y == given).all()
            )
        assert row_major(x) is x


def test_batches_that_lie_feature_by_feature():
    x = np.arange(64 * 5 * 3 * 7.0).reshape(5, 3, 7, 64).transpose(3, 0, 1, 2)
    assert row_major(x).flags.c_contiguous and (row_major(x) == x).all()
    x = x.transpose(0, 2, 1, 3)
    assert row_major(x).flags.c_contiguous and (row_major(x) == x).all()
    assert row_major(np.float64(3)) == 3 and row_major(np.arange(3.0)[::-1]).tolist() == [2, 1, 0]


def test_the_layout_stays_while_nobody_looks():
    """Results of a linear layer lie feature by feature through a network: row by row once there is
    a view."""
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh())
    y = net(minigan.randn(32, 8)) * 2
    assert y.array.strides == (4, 128) and y.is_contiguous()
    kept = y.array
    y.sum().backward(retain_graph=True)
    assert y.array is kept
    assert y.stride() == (16, 1) and y.array.strides == (64, 4)
    y.view(-1)[0] = 3.0
    assert y[0, 0].item() == 3
