"""Slant and width of drawn strokes, whose values are known."""

import numpy as np
import pytest

from minigan.metrics.strokes import slant, stroke_width


def bar(width, lean=0.0):
    """A stroke of 20 rows, so wide, that leans to the right by so many columns a row."""
    image = np.zeros((28, 28), np.uint8)
    for y in range(4, 24):
        x = round(14 + lean * (13.5 - y))
        image[y, x - width // 2 : x - width // 2 + width] = 255
    return image


def test_slant():
    images = np.stack([bar(2), bar(3, 0.5), bar(3, -0.5), bar(2, 1.0)])
    np.testing.assert_allclose(slant(images), [0, 0.5, -0.5, 1], atol=0.02)
    floats = images.astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(slant(floats[:, None]), slant(images), atol=1e-6)
    assert slant(np.zeros((1, 28, 28), np.uint8)).tolist() == [0]


def test_stroke_width():
    found = stroke_width(np.stack([bar(w) for w in (1, 2, 4)]))
    # twice 20 w over 2 (20 + w), less what both corners share
    np.testing.assert_allclose(found, [0.97, 1.84, 3.37], atol=0.03)
    assert stroke_width(np.zeros((1, 28, 28), np.uint8)).tolist() == [0]
    half = stroke_width(bar(4)[None] // 2)
    np.testing.assert_allclose(half, found[2], rtol=1e-2)  # paleness is not thinness


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="the classifier knows digits"):
        slant(np.zeros((1, 8, 8), np.uint8))
