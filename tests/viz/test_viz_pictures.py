"""Points: panels of places in the plane, and the plane that they are put into; panels of curves."""

import numpy as np
from PIL import Image

from minigan.viz import Panel, Panels, Points, principal_plane


def test_the_principal_plane_of_a_flat_cloud():
    """Points in a plane keep their distances; the longer direction comes first."""
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(50, 2)) * [5, 1]
    frame = np.linalg.qr(rng.normal(size=(7, 2)))[0]
    found = principal_plane(flat @ frame.T + 3)
    assert found.shape == (50, 2) and found[:, 0].std() > 3 * found[:, 1].std()
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-9)
    far = lambda p: np.linalg.norm(p[:, None] - p, axis=-1)
    np.testing.assert_allclose(far(found), far(flat), atol=1e-9)
    np.testing.assert_allclose(principal_plane(-(flat @ frame.T)), -found, atol=1e-9)


def test_points_are_saved_in_their_colours(tmp_path):
    places = np.array([[0.0, 0], [1, 1], [2, 0]])
    panels = [Panel(name, places, np.array([0, 1, 1]), ("a", "b")) for name in ("one", "two")]
    picture = Points(panels, 2)
    picture.save(tmp_path / "new" / f"points{picture.suffix}")
    with Image.open(tmp_path / "new" / "points.png") as found:
        assert found.size == (840, 400)
        colours = np.asarray(found.convert("RGB")).reshape(-1, 3).astype(int)
    for colour in ((31, 119, 180), (255, 127, 14)):  # matplotlib's first two, half transparent
        mixed = 0.6 * np.array(colour) + 0.4 * 255
        assert (np.abs(colours - mixed).max(1) < 6).any()


def test_panels_of_curves(tmp_path):
    """A panel for each row and number: rising curves rise, and only where they are."""
    up = np.linspace(0, 1, 9)[:, None] * [1.0, -1.0]
    picture = Panels([("a", {"one": up, "two": up[:4]}), ("b", {"one": up})], ["x", "y"], "time")
    picture.save(tmp_path / f"curves{picture.suffix}")
    with Image.open(tmp_path / "curves.png") as found:
        assert found.size == (570, 430)
        pixels = np.asarray(found.convert("RGB")).astype(int)
    blue = np.abs(pixels - (31, 119, 180)).max(2) < 20  # matplotlib's first
    places = np.argwhere(blue[250:, 60:300])  # the lower left panel
    slope = np.polyfit(places[:, 1], places[:, 0], 1)[0]
    assert len(places) > 50 and slope < -0.3  # rows of an image count downwards
    orange = np.abs(pixels - (255, 127, 14)).max(2) < 20
    assert orange[:220].any() and not orange[230:].any()
