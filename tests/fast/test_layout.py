"""Copies into another layout are NumPy's."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.fast.cpu.kernels import compiled
from minigan.fast.cpu.layout import channels_first, channels_last, row_major

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


@pytest.mark.parametrize("shape", [(3, 2, 5), (16, 4, 4), (40, 3, 5), (33, 7, 7), (64, 32, 32)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("first", [0, 1, 5])
def test_channels_last_and_first(shape, dtype, first):
    """Into a part of a plane and back, from anywhere in memory; nothing beside it changes."""
    pytest.importorskip("numba")
    channels, height, width = shape
    memory = np.arange(first + np.prod(shape)).astype(dtype)
    x = memory[first:].reshape(shape)
    whole = np.full((height + 3, width + 2, channels), -1, dtype)
    plane = whole[1 : height + 1, 1 : width + 1]
    line = (width + 2) * channels
    inside, sizes, flat = line + channels, (channels, height, width), whole.reshape(-1)
    compiled(channels_last.reference)(memory, first, height * width, *sizes, flat, inside, line)
    assert (plane == x.transpose(1, 2, 0)).all()
    assert (whole == -1).sum() == whole.size - x.size
    back, bias = np.zeros(first + x.size, dtype), np.arange(channels).astype(dtype)
    middle = dtype(np.median(x))
    compiled(channels_first.reference)(
        flat - middle, inside, line, *sizes, back, first, height * width, bias, dtype(2)
    )
    expected = x - middle + bias[:, None, None]
    assert (back[first:].reshape(shape) == np.where(expected > 0, expected, expected * 2)).all()
    assert (back[:first] == 0).all()


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
