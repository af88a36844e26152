"""The picture of a game in the plane: its size, its colours, and which way is up."""

import numpy as np

from minigan.training.plane import plane_picture


def picture(**changes):
    rng = np.random.default_rng(0)
    surface = np.tile(np.linspace(0, 1, 32)[:, None], (1, 32))  # grows upwards
    field = np.zeros((9, 9, 2))
    field[..., 1] = 1.0
    options = dict(
        limit=2.0,
        real=rng.normal(size=(50, 2)),
        fake=np.tile([[0.5, 1.5]], (40, 1)),
        surface=surface,
        field=field,
    )
    return plane_picture(**(options | changes))


def near(image, colour, reach=40):
    return (np.abs(image.astype(int) - colour) < reach).all(-1)


def test_samples_and_surface_are_where_they_belong():
    image = picture(title="a game", note="2 of 8")
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    height, width = image.shape[:2]
    rows, columns = np.nonzero(near(image[:, : width // 2], [213, 94, 0]))
    inside = rows > height * 0.06  # above is the title
    assert inside.any() and (rows[inside] < height * 0.35).all(), (
        "y = 1.5 of 2 is high in the picture"
    )
    assert (columns[inside] > width * 0.25).all(), (
        "x = 0.5 of 2 is right of the middle of its panel"
    )
    low, high = np.array([68, 1, 84]), np.array([253, 231, 37])  # viridis' ends
    right = image[:, width // 2 : int(width * 0.88)]
    assert (
        np.nonzero(near(right, low))[0].mean()
        > height / 2
        > np.nonzero(near(right, high))[0].mean()
    )


def test_generators_have_colours_and_no_field_is_no_error():
    """Two generators: the first two colours of the palette; a field of zeros (D constant) and its
    NaN-free arrows."""
    groups = np.arange(40) % 2
    fake = np.where(groups[:, None] == 0, [[-1.0, -1.0]], [[1.0, 1.0]])
    image = picture(fake=fake, groups=groups, field=np.zeros((9, 9, 2)), means=np.zeros((1, 2)))
    left = image[:, : image.shape[1] // 2]
    assert near(left, [31, 119, 180]).any() and near(left, [255, 127, 14]).any()
