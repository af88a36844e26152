"""A cartoon portrait, drawn with polygons and soft blots: `make_faces.py` fills a folder with
them."""

import colorsys
import contextlib
import math
import random

from PIL import Image, ImageChops, ImageDraw

SKIN = [
    (255, 224, 196),
    (246, 204, 172),
    (236, 188, 150),
    (222, 168, 128),
    (198, 140, 100),
    (166, 110, 76),
    (132, 84, 58),
    (98, 62, 46),
]
HAIR = {(28, 24, 26): 5, (58, 38, 28): 5, (96, 62, 38): 4, (142, 92, 52): 3, (206, 160, 92): 3,
    (236, 206, 140): 2, (172, 70, 32): 2,
        (168, 168, 172): 1, (226, 224, 220): 1, (222, 96, 150): 0.5, (74, 120, 200): 0.5,
        (86, 160, 110): 0.4}  # fmt: skip
IRIS = {
    (74, 46, 28): 6,
    (110, 74, 40): 3,
    (66, 116, 180): 3,
    (80, 134, 84): 2,
    (112, 122, 128): 1.5,
}
LIPS = [(196, 92, 92), (210, 110, 104), (176, 66, 76), (222, 132, 124), (160, 84, 76)]
# name: (what hangs behind the head, what lies on the forehead, how often)
STYLES = {"bald": ("", "", 1), "buzz": ("", "buzz", 2), "short": ("", "straight", 2),
    "side": ("", "side", 3), "quiff": ("", "quiff", 2),
          "receding": ("", "receding", 1), "curls": ("", "curly", 2), "long": ("long", "parted", 3),
          "fringe": ("long", "straight", 3),
          "waves": ("wavy", "side", 3), "bob": ("bob", "straight", 2),
          "parted bob": ("bob", "parted", 2), "bun": ("bun", "pulled", 1.5),
          "tail": ("tail", "side", 1.5), "long curls": ("curly", "curly", 2),
          "afro": ("afro", "pulled", 1.5),
          "mohawk": ("", "mohawk", 0.5), "beanie": ("", "beanie", 1),
          "beanie long": ("long", "beanie", 1)}  # fmt: skip

_SOFT = Image.radial_gradient("L").point(
    [round(255 * max(0, 1 - v / 180) ** 1.3) for v in range(256)]
)


def mix(a, b, share):
    """The colour between a and b."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b))


def shade(colour, factor):
    """Darker (factor < 1) or lighter (factor > 1), towards white."""
    return (
        mix(colour, (255, 255, 255), factor - 1)
        if factor > 1
        else tuple(round(v * factor) for v in colour)
    )


def pick(rng, weighted):
    return rng.choices(list(weighted), list(weighted.values()))[0]


def arc(cx, cy, rx, ry, start=0.0, end=2 * math.pi, n=48):
    """Points on an ellipse; angles clockwise from the right, as y points down."""
    return [
        (cx + rx * math.cos(t), cy + ry * math.sin(t))
        for t in (start + (end - start) * i / n for i in range(n + 1))
    ]


class Pen:
    """Draws in the head's own coordinates: the chin at y = 1, the top of the skull at y = -1, the
    nose near x = 0."""

    def __init__(self, image, rng):
        self.image = image
        self.draw = ImageDraw.Draw(image)
        self.size = image.width
        self.unit = self.size * rng.uniform(0.27, 0.32)
        self.cx = self.size * (0.5 + rng.gauss(0, 0.02))
        self.cy = self.size * (0.53 + rng.gauss(0, 0.015))
        tilt = rng.gauss(0, 0.07)
        self.yaw = max(-0.5, min(0.5, rng.gauss(0, 0.2)))
        self.pitch = rng.gauss(0, 0.03)
        self.cos, self.sin = math.cos(tilt), math.sin(tilt)
        self.width = rng.uniform(0.72, 0.84)  # of the head: half of it

    def at(self, x, y):
        """Pixel coordinates of a point."""
        return self.cx + self.unit * (x * self.cos - y * self.sin), self.cy + self.unit * (
            x * self.sin + y * self.cos
        )

    def turned(self, x, y, depth=0.0):
        """A point on the face, which is part of a cylinder that has turned by the yaw; depth: how
        far it sticks out."""
        angle = math.asin(max(-1.0, min(1.0, x / self.width))) + self.yaw
        return self.width * math.sin(max(-1.57, min(1.57, angle))) + depth * math.sin(
            self.yaw
        ), y + self.pitch

    def fill(self, points, colour, face=False, depth=0.0):
        self.draw.polygon(
            [self.at(*(self.turned(x, y, depth) if face else (x, y))) for x, y in points], colour
        )

    def line(self, points, width, colour, face=False, depth=0.0):
        """A line with round ends; width in head units."""
        points = [self.at(*(self.turned(x, y, depth) if face else (x, y))) for x, y in points]
        w = max(1, round(width * self.unit))
        self.draw.line(points, colour, w, joint="curve")
        for x, y in (points[0], points[-1]):
            self.draw.ellipse((x - w / 2, y - w / 2, x + w / 2, y + w / 2), colour)

    def soft(self, x, y, rx, ry, colour, strength, face=False, mask=None):
        """A blot without edges, only where `mask` (of the picture's size) is white."""
        px, py = self.at(*(self.turned(x, y) if face else (x, y)))
        w, h = max(2, round(2 * rx * self.unit)), max(2, round(2 * ry * self.unit))
        blot = _SOFT.resize((w, h), Image.Resampling.BILINEAR).point(
            [round(v * strength) for v in range(256)]
        )
        corner = round(px - w / 2), round(py - h / 2)
        if mask is not None:
            blot = ImageChops.multiply(blot, mask.crop((*corner, corner[0] + w, corner[1] + h)))
        self.image.paste(colour, corner, blot)

    @contextlib.contextmanager
    def clipped(self, mask):
        """What is drawn inside this block stays only where `mask` is white."""
        before = self.image.copy()
        yield
        self.image.paste(before, (0, 0), ImageChops.invert(mask))

    def mask(self, points):
        """White inside the points."""
        mask = Image.new("L", self.image.size)
        ImageDraw.Draw(mask).polygon([self.at(x, y) for x, y in points], 255)
        return mask


def draw_face(seed: int, index: int, size: int = 96) -> Image.Image:
    """Portrait number `index` of a seed, RGB, size x size: drawn larger and averaged down."""
    rng = random.Random(f"face {seed} {index}")
    big = size * (4 if size <= 128 else 2)
    image = _background(rng, big)
    pen = Pen(image, rng)
    tone = rng.uniform(0, len(SKIN) - 1.001)
    skin = mix(SKIN[int(tone)], SKIN[int(tone) + 1], tone % 1)
    hair = tuple(max(0, min(255, v + rng.randint(-12, 12))) for v in pick(rng, HAIR))
    back, front, _ = STYLES[pick(rng, {name: style[2] for name, style in STYLES.items()})]
    beard = rng.random() < 0.35 and back in ("", "bun", "afro")

    _back_hair(pen, rng, back, hair)
    _body(pen, rng, skin)
    outline = _head(pen, rng, skin)
    if beard:
        _beard(pen, rng, outline, shade(hair, 0.9), skin)
    _eyes(pen, rng, skin, hair, lashes=not beard and rng.random() < 0.55)
    _nose(pen, rng, skin)
    _mouth(pen, rng, skin)
    if rng.random() < 0.12:
        _freckles(pen, rng, skin)
    _front_hair(pen, rng, front, hair, back)
    if rng.random() < 0.22:
        _glasses(pen, rng)
    return image.reduce(big // size)


def _background(rng, size):
    """A gradient between two colours, at some angle, with a few pale blots."""
    hue = rng.random()
    top, bottom = (
        _hsv(hue + rng.uniform(-0.08, 0.08), rng.uniform(0.1, 0.6), rng.uniform(0.45, 0.98))
        for _ in "ab"
    )
    ramp = (
        Image.linear_gradient("L")
        .rotate(rng.uniform(0, 360), Image.Resampling.BILINEAR)
        .crop((38, 38, 218, 218))
    )
    ramp = ramp.resize((size, size), Image.Resampling.BILINEAR)
    image = Image.composite(
        Image.new("RGB", (size, size), top), Image.new("RGB", (size, size), bottom), ramp
    )
    if rng.random() < 0.4:
        for _ in range(rng.randint(2, 5)):
            d = round(size * rng.uniform(0.15, 0.5))
            blot = _SOFT.resize((d, d)).point([round(v * 0.35) for v in range(256)])
            image.paste(
                shade(top, 1.4),
                (round(rng.uniform(-0.2, 1) * size), round(rng.uniform(-0.2, 1) * size)),
                blot,
            )
    return image


def _hsv(h, s, v):
    return tuple(round(255 * c) for c in colorsys.hsv_to_rgb(h % 1, s, v))


def _body(pen, rng, skin):
    """Neck, shoulders and something to wear."""
    neck = rng.uniform(0.3, 0.38)
    y = rng.uniform(1.3, 1.42)
    wide = rng.uniform(1.15, 1.45)
    cloth = _hsv(rng.random(), rng.uniform(0.05, 0.75), rng.uniform(0.2, 0.95))
    pen.fill(
        [(-neck, 0.5), (neck, 0.5), (neck + 0.08, 1.7), (-neck - 0.08, 1.7)], shade(skin, 0.86)
    )
    pen.fill(arc(0, 0.98, neck, 0.28, 0, math.pi), shade(skin, 0.72))  # the chin's shadow
    left = [
        (-wide, 2.6),
        (-wide + 0.02, y + 0.45),
        (-wide + 0.22, y + 0.16),
        (-neck - 0.12, y - 0.1),
    ]
    right = [(-x, v) for x, v in reversed(left)]
    cut = rng.choice(["round", "vee", "high", "collar"])
    if cut == "high":
        pen.fill([*left, (-neck - 0.03, 1.08), (neck + 0.03, 1.08), *right], cloth)
        pen.line([(-neck - 0.02, 1.16), (0, 1.22), (neck + 0.02, 1.16)], 0.03, shade(cloth, 0.8))
        return
    deep = rng.uniform(0.2, 0.4)
    vee = [(-neck * 0.9, y), (0, y + deep * 1.5), (neck * 0.9, y)]
    inside = arc(0, y - 0.1, neck + 0.1, deep, math.pi, 0, 16) if cut == "round" else vee
    shape = [*left, *inside, *right]
    pen.fill(shape, cloth)
    if cut == "collar":
        for side in (-1, 1):
            pen.fill(
                [
                    (side * neck, y - 0.2),
                    (side * 0.05, y + deep * 1.3),
                    (side * 0.42, y + deep * 1.1),
                ],
                shade(cloth, 1.45),
            )
    elif rng.random() < 0.3:
        with pen.clipped(pen.mask(shape)):
            for stripe in range(3):
                pen.line(
                    arc(0, y + 0.2 + stripe * 0.22, wide * 1.2, 0.3, math.pi, 0, 16),
                    0.06,
                    shade(cloth, 1.5),
                )


def _head(pen, rng, skin):
    """Ears and the face with its light and shadow; its outline."""
    w = pen.width
    jaw = rng.uniform(0.06, 0.34)
    square = rng.uniform(0.8, 1.0)
    for side in (-1, 1):
        x = side * (w - 0.01) - pen.yaw * 0.15
        pen.fill(arc(x, 0.08 + pen.pitch, 0.13, 0.2), shade(skin, 0.93))
        pen.fill(arc(x, 0.09 + pen.pitch, 0.07, 0.13), shade(skin, 0.78))
        if rng.random() < 0.12:
            pen.fill(arc(x, 0.3, 0.045, 0.045), (240, 205, 90))
    outline = []
    for x, y in arc(0, 0, 1, 1, n=80):
        low = max(0.0, y)
        x = math.copysign(abs(x) ** (square if y > 0 else 1), x) * w * (1 - jaw * low**1.5)
        outline.append((x, y))
    pen.fill(outline, skin)
    face = pen.mask(outline)
    light = rng.choice((-1, 1))
    pen.soft(light * 0.3, -0.35, 0.9, 0.8, shade(skin, 1.25), 0.5, mask=face)
    pen.soft(-light * 0.85, 0.25, 0.75, 1.3, shade(skin, 0.7), 0.55, mask=face)
    pen.soft(0, 1.05, 0.8, 0.32, shade(skin, 0.75), 0.5, mask=face)
    blush, strength = mix(skin, (232, 84, 84), 0.6), rng.uniform(0.1, 0.75)
    for side in (-1, 1):
        pen.soft(side * 0.42, 0.4, 0.26, 0.2, blush, strength, face=True, mask=face)
    return outline


def _eyes(pen, rng, skin, hair, lashes):
    """Two eyes with lids and brows."""
    apart, y = rng.uniform(0.32, 0.38), rng.uniform(0.0, 0.08)
    rx = rng.uniform(0.13, 0.17)
    ry = rng.uniform(0.075, 0.125)
    slant = rng.uniform(-0.025, 0.035)
    iris = pick(rng, IRIS)
    look = (rng.gauss(0, 0.02), rng.gauss(0, 0.008))
    closed = rng.random() < 0.05
    brow_y = rng.uniform(0.2, 0.27)
    brow_arch = rng.uniform(0.01, 0.09)
    brow_w = rng.uniform(0.035, 0.075) * (0.75 if lashes else 1)
    mood, dark = rng.uniform(-0.05, 0.05), mix(shade(hair, 0.7), (60, 40, 30), 0.3)
    lid = (42, 28, 26) if lashes else shade(skin, 0.42)
    for side in (-1, 1):
        x0 = side * apart

        def eye(t, scale=1.0, x0=x0, side=side):
            c, s = math.cos(t), math.sin(t)
            return x0 + rx * scale * c, y - side * slant * c + ry * scale * s * (
                1.0 if s < 0 else 0.75
            )

        brow = []
        for i in range(13):
            u = i / 6 - 1  # from the inner end to the outer one
            lift = -brow_y - brow_arch * (1 - u * u) + mood * u
            brow.append(
                (x0 + side * u * (rx + 0.05), y + lift, brow_w * (0.75 if u < 0 else 1 - 0.75 * u))
            )
        pen.fill(
            [(bx, by - bw / 2) for bx, by, bw in brow]
            + [(bx, by + bw / 2) for bx, by, bw in reversed(brow)],
            dark,
            face=True,
        )
        if closed:
            pen.line(
                arc(x0, y - 0.02, rx, 0.07, math.pi * 0.95, math.pi * 0.05, 12),
                0.04,
                lid,
                face=True,
            )
            continue
        pen.soft(x0, y - 0.03, rx * 1.7, ry * 2.3, shade(skin, 0.72), 0.5, face=True)
        ring = [i * math.pi / 16 for i in range(32)]
        pen.fill([eye(t) for t in ring], (250, 248, 246), face=True)
        r = min(ry * 0.95, 0.1)
        ix, iy = x0 + look[0], y + look[1] - 0.005
        with pen.clipped(pen.mask([pen.turned(*eye(t)) for t in ring])):  # the lids cover the rest
            for part, colour in ((1, shade(iris, 0.6)), (0.85, iris), (0.45, (14, 12, 14))):
                pen.fill(arc(ix, iy, r * part, r * part), colour, face=True)
        pen.fill(arc(ix + 0.03, iy - 0.035, 0.026, 0.026, n=12), (255, 255, 255), face=True)
        upper = [eye(math.pi + i * math.pi / 12) for i in range(13)]
        pen.line(upper, 0.045 if lashes else 0.026, lid, face=True)
        if lashes:
            ex, ey = eye(0 if side > 0 else math.pi)
            pen.line([(ex, ey), (ex + side * 0.055, ey - 0.055)], 0.03, lid, face=True)
        pen.line(
            [eye(math.pi * 0.15 + i * math.pi * 0.7 / 8, 1.05) for i in range(9)],
            0.012,
            shade(skin, 0.6),
            face=True,
        )


def _nose(pen, rng, skin):
    y = rng.uniform(0.34, 0.44)
    w = rng.uniform(0.07, 0.12)
    kind = rng.choice(["side", "button", "wide"])
    dark, bright = shade(skin, 0.68), shade(skin, 1.3)
    side = 1 if pen.yaw > 0 else -1
    pen.soft(0, y - 0.22, 0.08, 0.3, bright, 0.6, face=True)
    if kind == "side":
        pen.line(
            [
                (-side * 0.05, y - 0.3),
                (-side * 0.03, y - 0.14),
                (-side * w, y),
                (side * w * 0.4, y + 0.03),
            ],
            0.026,
            dark,
            True,
            0.15,
        )
    elif kind == "button":
        pen.soft(side * 0.02, y, w * 1.7, w * 1.3, shade(skin, 0.8), 0.8, face=True)
        pen.soft(-0.02, y - 0.04, w, w * 0.9, bright, 0.8, face=True)
        pen.line(
            arc(0, y - 0.02, w * 0.9, w * 0.75, math.pi * 0.85, math.pi * 0.15, 10),
            0.024,
            dark,
            True,
            0.12,
        )
    else:
        for s in (-1, 1):
            pen.line(
                arc(
                    s * w,
                    y - 0.02,
                    0.045,
                    0.05,
                    math.pi * (1.35 if s < 0 else 1.65),
                    math.pi * (0.5),
                    8,
                ),
                0.022,
                dark,
                True,
                0.1,
            )
            pen.fill(arc(s * w * 0.5, y + 0.02, 0.03, 0.018), shade(skin, 0.45), True, 0.12)


def _mouth(pen, rng, skin):
    """Closed, smiling, laughing with teeth, or astonished."""
    y, w = rng.uniform(0.63, 0.7), rng.uniform(0.17, 0.29)
    smile = rng.uniform(-0.02, 0.1)
    kind = rng.choices(["lips", "grin", "laugh", "line", "o"], [5, 3, 3, 2, 0.6])[0]
    lips = mix(rng.choice(LIPS), shade(skin, 0.75), rng.uniform(0.05, 0.6))
    dark, row = shade(lips, 0.5), [i / 10 - 1 for i in range(21)]

    def curve(height, bend):
        return [
            (
                u * w,
                y + smile * u * u * -1 + smile / 2 + height * (1 - u * u) + bend * math.cos(3 * u),
            )
            for u in row
        ]

    if kind == "o":
        pen.fill(arc(0, y, 0.11, 0.12), lips, face=True)
        pen.fill(arc(0, y, 0.07, 0.08), (90, 24, 30), face=True)
    elif kind == "line":
        pen.line(curve(0.02, 0), 0.035, dark, face=True)
    elif kind == "lips":
        full = rng.uniform(0.045, 0.085)
        pen.fill(curve(-full, 0.012)[::-1] + curve(0.01, 0), shade(lips, 0.88), face=True)
        pen.fill(curve(0.01, 0) + curve(full * 1.2, 0)[::-1], lips, face=True)
        pen.soft(0, y + full * 0.7, w * 0.5, full * 0.5, shade(lips, 1.5), 0.7, face=True)
        pen.line(curve(0.01, 0), 0.018, dark, face=True)
    else:
        smile = max(smile, 0.05)
        open_ = rng.uniform(0.08, 0.12) if kind == "grin" else rng.uniform(0.16, 0.24)
        pen.fill(curve(-0.04, 0.008) + curve(open_ + 0.05, 0)[::-1], lips, face=True)
        pen.fill(curve(0.0, 0) + curve(open_, 0)[::-1], (120, 34, 40), face=True)
        teeth = open_ if kind == "grin" else open_ * 0.45
        pen.fill(curve(0.0, 0)[1:-1] + curve(teeth, 0)[-2:0:-1], (250, 248, 242), face=True)
        if kind == "laugh":
            pen.soft(0, y + open_ * 0.95, w * 0.5, open_ * 0.3, (220, 110, 110), 0.9, face=True)


def _freckles(pen, rng, skin):
    for _ in range(rng.randint(10, 22)):
        x, y = rng.choice((-1, 1)) * rng.uniform(0.12, 0.5), rng.uniform(0.22, 0.45)
        pen.fill(arc(x, y, 0.018, 0.016, n=8), mix(skin, (130, 70, 40), 0.5), face=True)


def _beard(pen, rng, outline, colour, skin):
    """Stubble, a full beard or a moustache, before the mouth is drawn over it."""
    kind = rng.choice(["stubble", "full", "moustache", "goatee"])
    if kind in ("stubble", "full"):
        face = pen.mask(
            [(x * 1.02, y * (1.08 if y > 0 and kind == "full" else 1.0)) for x, y in outline]
        )
        lower = [
            (-1.1, 0.2),
            (-0.62, 0.25),
            (-0.45, 0.5),
            (0, 0.52),
            (0.45, 0.5),
            (0.62, 0.25),
            (1.1, 0.2),
            (1.1, 1.3),
            (-1.1, 1.3),
        ]
        lower = pen.mask([pen.turned(x, y) if y < 1 and abs(x) < 1 else (x, y) for x, y in lower])
        area = ImageChops.multiply(lower, face)
        strength = rng.uniform(0.15, 0.4) if kind == "stubble" else 0.97
        pen.image.paste(colour, (0, 0), area.point([round(v * strength) for v in range(256)]))
    if kind == "goatee":
        pen.fill(arc(0, 0.9, 0.2, 0.22), colour, face=True)
    if kind != "stubble":
        wide = rng.uniform(0.2, 0.34)
        top = [(u / 8 * wide, 0.5 + 0.11 * abs(u / 8) ** 1.5) for u in range(-8, 9)]
        pen.fill(
            top + [(x, y + 0.1 * (1 - abs(x / wide) ** 3)) for x, y in reversed(top)],
            shade(colour, 1.06),
            face=True,
            depth=0.05,
        )


def _back_hair(pen, rng, kind, hair):
    w, dark = pen.width, shade(hair, 0.78)
    if kind == "afro":
        r = rng.uniform(1.15, 1.4)
        pen.fill(arc(0, -0.3, r, r * 0.98), hair)
        for x, y in arc(0, -0.3, r * 0.96, r * 0.94, n=26):
            pen.fill(arc(x, y, 0.14, 0.14, n=16), hair)
        pen.soft(-0.4, -0.9, 0.8, 0.6, shade(hair, 1.25), 0.6)
    elif kind == "bun":
        pen.fill(arc(rng.uniform(-0.15, 0.15), -1.2, rng.uniform(0.3, 0.42), 0.34), dark)
    elif kind == "tail":
        side = rng.choice((-1, 1))
        pen.fill(arc(side * (w + 0.3), 0.1, 0.3, 0.85, n=32), dark)
        pen.fill(arc(side * (w + 0.12), -0.5, 0.16, 0.16), _hsv(rng.random(), 0.7, 0.85))
    elif kind:
        low = rng.uniform(0.55, 0.85) if kind == "bob" else rng.uniform(1.1, 2.0)
        wide, wave = w * rng.uniform(1.18, 1.32), {"wavy": 0.07, "curly": 0.12}.get(kind, 0.0)
        side = [
            (wide + wave * math.sin(i * 1.1) + 0.12 * i / 20, -0.3 + (low + 0.3) * i / 20)
            for i in range(21)
        ]
        ends = [(x, low + 0.06 * math.cos(7 * x)) for x in (wide * (1 - i / 10) for i in range(21))]
        top = arc(0, -0.3, wide, 0.85, math.pi, 2 * math.pi)
        pen.fill([*top, *side, *ends, *[(-x, y) for x, y in reversed(side)]], dark)
        if kind == "curly":
            for s in (-1, 1):
                for x, y in side[::3]:
                    pen.fill(arc(s * x, y, 0.2, 0.2, n=16), shade(hair, rng.uniform(0.72, 0.95)))
        for s in (-1, 1):
            for k in range(3):
                pen.line(
                    [(s * (x - 0.1 - 0.09 * k), y) for x, y in side[4:]],
                    0.022,
                    shade(hair, rng.uniform(0.6, 1.1)),
                )


def _hairline(rng, front, w):
    """The lower edge of the hair on the forehead, y for u = x / width in [-1, 1], and how far the
    hair stands up."""
    part, jag = rng.choice((-1, 1)) * rng.uniform(0.3, 0.55), rng.uniform(0.0, 0.07)
    edges = {
        "straight": lambda u: -0.32 + jag * math.cos(u * 17) - 0.06 * (1 - u * u),
        "parted": lambda u: -0.8 + 0.75 * abs(u) ** 0.75,
        "side": lambda u: (
            -0.76 + (0.34 if u * part < part * part else 0.75) * min(1, abs(u - part)) ** 0.8
        ),
        "quiff": lambda u: -0.6 + 0.18 * u * u,
        "buzz": lambda u: -0.6 + 0.15 * u**4,
        "receding": lambda u: -0.78 + 0.16 * math.cos(u * 4.4) + 0.1 * u * u,
        "curly": lambda u: -0.46 + 0.08 * math.cos(u * 9),
        "pulled": lambda u: -0.66 + 0.22 * u * u,
    }
    heights = {"quiff": 0.3, "buzz": 0.03, "receding": 0.06, "pulled": 0.08, "curly": 0.2}
    return edges[front], heights.get(front, 0.14) + rng.uniform(0, 0.06)


def _front_hair(pen, rng, front, hair, back):
    w = pen.width
    if front == "mohawk":
        spikes = [
            (
                -0.2 + 0.4 * i / 10,
                -0.72 - (0.55 if i % 2 else 0.4) * math.sin(math.pi * (i + 1) / 12),
            )
            for i in range(11)
        ]
        pen.fill([(-0.18, -0.55), *spikes, (0.18, -0.55)], hair)
    elif front == "beanie":
        cloth = _hsv(rng.random(), rng.uniform(0.2, 0.8), rng.uniform(0.3, 0.95))
        pen.fill(arc(0, -0.38, w * 1.1, rng.uniform(0.78, 0.95), math.pi, 2 * math.pi), cloth)
        band = [
            (-w * 1.1, -0.55),
            (-w * 1.12, -0.3),
            (0, -0.36),
            (w * 1.12, -0.3),
            (w * 1.1, -0.55),
            (0, -0.62),
        ]
        pen.fill(band, shade(cloth, 0.75))
        if rng.random() < 0.4:
            pen.fill(arc(0, -1.28, 0.2, 0.2), shade(cloth, 1.5))
    elif front:
        edge, height = _hairline(rng, front, w)
        low = (
            rng.uniform(0.1, 0.35)
            if back not in ("long", "wavy", "bob", "curly")
            else rng.uniform(0.35, 0.7)
        )
        low = -0.05 if front in ("buzz", "pulled") else low
        wide = w * (1.03 if front in ("buzz", "pulled", "receding") else 1.09)
        crown = [
            (-wide * math.cos(t), low - math.sin(t) ** 0.75 * (1 + height + low))
            for t in (math.pi * i / 40 for i in range(41))
        ]
        inner = [pen.turned(u * w * 0.999, edge(u)) for u in (1 - i / 30 for i in range(61))]
        # The locks beside the face hang down from the hairline's ends to `low`.
        lock = (
            0.1
            if front in ("buzz", "pulled", "receding", "quiff", "straight") and not back
            else 0.16
        )
        right = [(wide - 0.02, low + 0.04), (w * 0.995 - lock, low - 0.12), (w - lock, edge(0.98))]
        left = [(-x, y) for x, y in reversed(right)]
        inner = [(x, y) for x, y in inner if abs(x) < w - lock]
        points = [*crown, *right, *inner, *left]
        colour = mix(hair, shade(hair, 0.8), 0.3)
        pen.fill(points, colour)
        area = pen.mask(points)
        pen.soft(rng.uniform(-0.3, 0.3), -0.85, 0.8, 0.4, shade(hair, 1.35), 0.75, mask=area)
        if front == "curly":
            for x, y in [*crown[3:-3:2], *inner[::6]]:
                pen.fill(
                    arc(x, y, *[rng.uniform(0.1, 0.17)] * 2, n=16),
                    shade(hair, rng.uniform(0.82, 1.08)),
                )
        elif front != "buzz":
            with pen.clipped(area):
                for i in range(3, 38, 4):  # strands, bent from the crown towards the hairline
                    (x, y), (ex, ey) = crown[i], inner[-1 - round(i / 40 * (len(inner) - 1))]
                    mx, my = x * 0.92 + ex * 0.1, (y + ey) / 2
                    bend = [
                        ((1 - t) ** 2, 2 * t * (1 - t), t * t) for t in (k / 8 for k in range(9))
                    ]
                    strand = [
                        (a * x * 0.97 + b * mx + c * ex, a * y * 0.97 + b * my + c * ey)
                        for a, b, c in bend
                    ]
                    pen.line(strand, 0.014, shade(hair, rng.choice((0.75, 1.15))))


def _glasses(pen, rng):
    rim = rng.choice([(20, 20, 22), (70, 44, 30), (150, 30, 40), (180, 150, 80), (40, 60, 110)])
    rx = rng.uniform(0.21, 0.25)
    ry = rng.uniform(0.16, 0.23)
    y = 0.06
    power = rng.choice((1.0, 0.55))
    thick, sun = rng.uniform(0.025, 0.05), rng.random() < 0.2
    for side in (-1, 1):
        lens = [
            (math.copysign(abs(c) ** power, c), math.copysign(abs(s) ** power, s))
            for c, s in arc(0, 0, 1, 1, n=40)
        ]
        points = [(side * 0.345 + rx * c, y + ry * s) for c, s in lens]
        if sun:
            pen.fill(points, mix(rim, (20, 20, 30), 0.8), face=True, depth=0.05)
        pen.line(points, thick, rim, True, 0.05)
        pen.line(
            [(side * (0.345 + rx), y - 0.03), (side * pen.width, y - 0.05)], thick, rim, face=True
        )
        pen.line(
            [(side * 0.27, y - 0.09), (side * 0.27 + 0.09, y - 0.13)],
            0.02,
            (255, 255, 255),
            True,
            0.05,
        )
    pen.line(arc(0, y, 0.345 - rx, 0.06, math.pi, 2 * math.pi, 8), thick, rim, True, 0.05)
