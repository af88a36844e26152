"""`strokes`: digits drawn by a program, for when there are no files and no network.

A digit is a set of pen strokes, a stroke a smooth curve (Catmull-Rom) through a few control points.
Each image takes one of the ways to write its digit, moves the control points (each a little by
itself, all together by a smooth displacement, then by an affine map), scales the curve into a 20x20
box, and inks every pixel by its distance to the curve. The box is then put into the 28x28 image
with its centre of mass in the middle, as it was done for MNIST.
"""

from __future__ import annotations

import numpy as np

from .imageset import ImageSet

# digit -> ways to write it: (how often, strokes); a stroke is its control points "x,y", x to the
# right, y down, within [0, 1]. A stroke ends where the pen turns a corner or leaves the paper.
_GLYPHS = {
    0: [
        (3, ["58,2 25,10 8,45 18,85 48,100 80,82 92,45 78,10 50,2"]),
        (2, ["50,0 24,18 16,55 30,92 52,100 74,85 82,45 70,10 46,2"]),
        (1, ["78,14 52,2 20,20 8,58 24,94 54,100 84,78 90,40 76,12 56,6 40,16"]),
    ],
    1: [
        (5, ["52,0 50,35 49,70 48,100"]),
        (2, ["28,24 42,14 56,0", "56,0 54,35 52,70 51,100"]),
        (1, ["28,22 42,14 54,0", "54,0 53,50 52,98", "24,99 50,98 78,98"]),
    ],
    2: [
        (3, ["10,24 26,6 54,0 80,14 80,38 58,66 10,98", "10,98 50,97 94,95"]),
        (3, ["14,20 38,2 70,8 80,32 62,62 30,90 10,94 10,80 28,78 56,92 96,92"]),
        (1, ["12,14 44,2 76,18 70,46 38,76 10,96", "10,96 34,90 62,99 92,90"]),
    ],
    3: [
        (3, ["12,12 42,0 74,10 74,34 36,47", "36,47 74,54 86,76 62,97 34,100 8,88"]),
        (2, ["14,8 46,0 76,14 66,38 42,47 34,46 46,48 80,60 82,84 50,100 8,92"]),
        (1, ["14,4 48,3 84,2", "84,2 62,24 42,42", "42,42 76,50 88,72 66,96 34,100 8,90"]),
    ],
    4: [
        (3, ["22,4 16,30 10,56", "10,56 46,56 92,52", "76,0 72,40 66,100"]),
        (2, ["66,0 38,32 6,66", "6,66 50,67 98,64", "66,0 65,50 63,100"]),
        (1, ["24,2 16,28 22,50 50,54 76,42", "82,0 76,42 70,72 68,100"]),
    ],
    5: [
        (3, ["26,2 22,22 18,44", "18,44 44,36 78,48 86,72 66,95 36,100 8,90", "26,2 56,2 88,0"]),
        (2, ["86,2 56,4 30,8", "30,8 20,26 22,40 48,46 76,60 74,86 44,100 10,92"]),
        (1, ["84,0 52,4 30,6 22,28 26,42 58,48 80,66 68,92 34,100 8,86 14,76"]),
    ],
    6: [
        (3, ["70,0 38,22 14,56 18,88 48,100 80,86 80,62 54,52 24,66 16,80"]),
        (2, ["52,0 30,30 18,66 28,94 56,100 78,82 70,60 46,60 26,76 24,86"]),
        (1, ["82,6 56,2 28,24 12,60 26,94 58,98 80,80 70,58 44,54 18,68"]),
    ],
    7: [
        (3, ["8,8 46,6 88,2", "88,2 66,38 48,70 38,100"]),
        (2, ["8,6 50,5 90,3", "90,3 66,36 48,68 40,100", "30,52 54,50 82,48"]),
        (2, ["10,22 14,6 44,6 88,4 74,32 56,62 46,100"]),
    ],
    8: [
        (3, ["78,14 50,0 24,16 34,38 64,56 80,78 54,100 24,86 30,62 62,40 80,18 66,4"]),
        (
            2,
            [
                "50,2 26,10 28,36 50,46 74,34 74,10 48,2",
                "50,46 20,60 18,88 50,100 82,88 80,60 48,46",
            ],
        ),
        (1, ["50,46 28,30 38,4 66,2 74,22 54,44 26,68 28,94 58,100 74,80 62,58 46,42"]),
    ],
    9: [
        (3, ["78,16 52,0 22,12 14,38 36,52 66,42 80,14", "80,14 76,46 70,74 64,100"]),
        (2, ["74,12 46,0 20,18 20,42 46,50 72,34 78,10", "78,10 80,44 72,82 48,100 20,92"]),
        (1, ["72,24 60,4 34,6 24,28 38,46 62,38 72,18 70,48 58,78 40,100"]),
    ],
}

_POINTS = 72  # ink points along a digit: in the 20x20 box they lie less than a pen's width apart
_BOX = 20
_SIZE = 28
_BLOCK = 250  # images are drawn at a time; they take some 60 MB


def strokes(n: int = 20_000, seed: int = 0) -> ImageSet:
    """Draw `n` digits: images uint8 (n, 1, 28, 28), white on black, labels uint8 (n,), each digit
    n/10 times (+-1).

    The same (n, seed) gives the same images, and a smaller n the first of them. 20,000 take a few
    seconds.
    """
    blocks = [_block(np.random.default_rng([seed, i])) for i in range(-(-n // _BLOCK))]
    images = (
        np.concatenate([b[0] for b in blocks])[:n]
        if blocks
        else np.empty((0, 1, _SIZE, _SIZE), np.uint8)
    )
    labels = np.concatenate([b[1] for b in blocks])[:n] if blocks else np.empty(0, np.uint8)
    return ImageSet(images, labels, "strokes", "drawn by minigan")


def _spline(points: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Weights (len(t), k) of k control points in their Catmull-Rom curve at the parameters t in [0,
    1].

    The curve is linear in its control points, so that weights @ points draws any number of moved
    copies at once.
    """
    k = len(points)
    padded = np.eye(k)[np.r_[0, :k, k - 1]]  # both ends are doubled
    padded[0] += padded[1] - padded[2]  # and mirrored: the curve enters its ends straight
    padded[-1] += padded[-2] - padded[-3]
    s = t * (k - 1)
    i = np.minimum(s.astype(int), k - 2)
    u = (s - i)[:, None]
    p0, p1, p2, p3 = (padded[i + j] for j in range(4))
    return p1 + u / 2 * (
        p2 - p0 + u * (2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0))
    )


def _compile(glyph: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Control points (k, 2) of all strokes, and the weights (_POINTS, k) that make ink points of
    them."""
    curves = [np.array([p.split(",") for p in stroke.split()], float) / 100 for stroke in glyph]
    lengths = np.array([np.hypot(*np.diff(c, axis=0).T).sum() for c in curves])
    ends = np.rint(np.cumsum(lengths) / lengths.sum() * _POINTS).astype(int)
    weights = np.zeros((_POINTS, sum(map(len, curves))))
    start = column = 0
    for curve, end in zip(curves, ends, strict=True):
        weights[start:end, column : column + len(curve)] = _spline(
            curve, np.linspace(0, 1, end - start)
        )
        start, column = end, column + len(curve)
    return np.concatenate(curves), weights


_COMPILED = {d: [(share, *_compile(glyph)) for share, glyph in ways] for d, ways in _GLYPHS.items()}


def _block(rng) -> tuple[np.ndarray, np.ndarray]:
    """One block of images (_BLOCK, 1, 28, 28) and labels (_BLOCK,), both uint8."""
    labels = np.concatenate([rng.permutation(10) for _ in range(_BLOCK // 10)])
    which = rng.random(_BLOCK)
    ink = np.empty((_BLOCK, _POINTS, 2))
    for digit, ways in _COMPILED.items():
        shares = np.cumsum([share for share, _, _ in ways])
        for way, (_, points, weights) in enumerate(ways):
            mine = (labels == digit) & (np.searchsorted(shares / shares[-1], which) == way)
            ink[mine] = weights @ _deform(np.repeat(points[None], mine.sum(), 0), rng)
    ink = _affine(ink, rng)

    radius = rng.uniform(0.9, 1.65, (_BLOCK, 1))
    soft = rng.uniform(0.8, 1.3, (_BLOCK, 1))  # width of the grey edge
    return _centre(_draw(_fit(ink, radius + soft / 2, rng), radius, soft, rng)), labels.astype(
        np.uint8
    )


def _deform(points: np.ndarray, rng) -> np.ndarray:
    """Move control points (b, k, 2): each by itself, and all together by a smooth field of random
    waves."""
    b = len(points)
    wave = rng.normal(0, 0.42, (b, 2, 2))  # cycles over the digit, in x and y, of two waves
    phase = np.einsum("bkx,bwx->bkw", points, wave) + rng.random((b, 1, 2))
    push = rng.normal(0, 0.06, (b, 2, 2))
    return points + rng.normal(0, 0.022, points.shape) + np.sin(2 * np.pi * phase) @ push


def _affine(ink: np.ndarray, rng) -> np.ndarray:
    """Make the digits (b, p, 2) wider or narrower, slant and turn them."""
    b = len(ink)
    width = rng.uniform(0.65, 1.25, b)
    slant = np.clip(rng.normal(0.15, 0.2, b), -0.3, 0.65)
    turn = rng.normal(0, 0.09, b)
    cos = np.cos(turn)
    sin = np.sin(turn)
    zero = np.zeros(b)
    one = np.ones(b)
    stretch = np.stack([width, -slant, zero, one], -1).reshape(b, 2, 2)
    rotate = np.stack([cos, -sin, sin, cos], -1).reshape(b, 2, 2)
    return (ink - 0.5) @ (rotate @ stretch).transpose(0, 2, 1)


def _fit(ink: np.ndarray, margin: np.ndarray, rng) -> np.ndarray:
    """Scale the digits (b, p, 2) so that the longer side nearly fills the box, ink and all; centre
    them in it."""
    low, high = ink.min(1, keepdims=True), ink.max(1, keepdims=True)
    longer = (high - low).max(2, keepdims=True)
    scale = (_BOX - 2 * margin[:, None]) / longer * rng.uniform(0.88, 1, longer.shape)
    room = (_BOX - 2 * margin[:, None] - (high - low) * scale) / 2
    shift = np.minimum(room, 0.5) * rng.uniform(-1, 1, low.shape)
    return (ink - (low + high) / 2) * scale + _BOX / 2 + shift


def _draw(ink: np.ndarray, radius: np.ndarray, soft: np.ndarray, rng) -> np.ndarray:
    """Brightness (b, 400) in [0, 1] of the box's pixels: full within `radius` of the ink, then a
    soft edge.

    The squared distance |x|^2 - 2 x.p + |p|^2 of every pixel x to every ink point p is one matrix
    product; the pen's changing pressure is a term in it that depends on p only.
    """
    b = len(ink)
    along = np.linspace(0, 1, _POINTS)
    pressure = np.sin(2 * np.pi * (rng.uniform(0.3, 1.2, (b, 1)) * along + rng.random((b, 1))))
    pressure *= rng.uniform(0, 0.3, (b, 1)) * radius**2
    left = np.concatenate(
        [-2 * ink, (ink**2).sum(2, keepdims=True) + pressure[:, :, None]], 2
    ).astype(np.float32)
    y, x = np.array(np.divmod(np.arange(_BOX * _BOX), _BOX)) + np.float32(0.5)
    right = np.stack([x, y, np.ones_like(x)]).astype(np.float32)
    distance = np.sqrt(np.maximum((left @ right).min(1) + (x**2 + y**2), 0))
    return np.clip((radius - distance) / soft + 0.5, 0, 1)


def _centre(box: np.ndarray) -> np.ndarray:
    """Put boxes (b, 400) into images (b, 1, 28, 28) by whole pixels, centre of mass as near the
    middle as may be."""
    b = len(box)
    box = np.rint(box * 255).astype(np.uint8).reshape(b, _BOX, _BOX)
    mass = box.sum((1, 2), dtype=np.float64)
    middle = np.arange(_BOX) + 0.5
    top = _SIZE / 2 - box.sum(2, dtype=np.float64) @ middle / mass
    left = _SIZE / 2 - box.sum(1, dtype=np.float64) @ middle / mass
    top, left = (
        np.clip(np.rint(o).astype(int), 0, _SIZE - _BOX)[:, None, None] for o in (top, left)
    )
    images = np.zeros((b, 1, _SIZE, _SIZE), np.uint8)
    row, column = np.arange(_BOX)[:, None], np.arange(_BOX)[None]
    images[np.arange(b)[:, None, None], 0, top + row, left + column] = box
    return images
