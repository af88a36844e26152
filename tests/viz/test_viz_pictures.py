"""Points: panels of places in the plane, and the plane that they are put into."""

import numpy as np
from PIL import Image

from minigan.viz import Panel, Points, principal_plane


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
