"""A folder of pictures as an ImageSet: cropped, resized, decoded by several threads, and kept in a
cache.

>>> data = image_folder("faces", "*.jpg", input_size=(96, 96), output_size=(48, 48))
>>> data.images.shape
(5000, 3, 48, 48)
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..machine.memory import available_memory
from .damage import what_it_is
from .findfiles import find_files
from .foldercache import Cache, cache_key
from .imageset import MOST_CLASSES, DataError, ImageSet, shortened

Size = tuple[int, int]
# pixels of any picture, and per byte of its file: beyond that a damaged header fills the memory
FREE_PIXELS, DENSEST = (1 << 22, 500)
LIMIT_IS = (
    "which guards against files that unpack to gigabytes (PIL.Image.MAX_IMAGE_PIXELS): "
    "make the picture smaller"
)


def image_folder(
    folder, pattern: str = "*.jpg", crop: bool = True, input_size: Size | None = None,
    output_size: Size = (64, 64),
    channels: int | None = 3, workers: int | None = None, cache: bool = True, *,
    recursive: bool = False,
    on_notice: Callable[[str], object] = print, quiet: bool = False,
) -> ImageSet:  # fmt: skip
    """Read the pictures of a folder: uint8 (N, channels, *output_size), in the order of their
    sorted paths.

    pattern      which files, as in `Path.glob`: "*.png", "**/*.jpg" (with subfolders); "*.jpg" is
                 also "*.JPG"; names that begin with a dot are left out. Links to folders are
                 followed, but no folder is read twice
    crop         cut out the centre, of `input_size`; where a picture is smaller, and by default,
                 the largest centre of that shape (by default of `output_size`'s). False: the whole
                 picture is squeezed into `output_size`
    input_size   (height, width) in pixels of the picture as it is shown (a camera's orientation tag
                 is obeyed)
    output_size  (height, width): what is cut out is resized to it, bicubic and without aliasing
    channels     3: RGB; 1: grey (ITU-R 601 luma); None: 1 if all pictures are grey, else 3
    workers      threads that decode; default: one per CPU
    cache        keep the decoded set in the user's cache folder, for as long as names, sizes and
                 times of the files are the same
    recursive    look in subfolders too
    on_notice    called with one sentence if files were left out
    quiet        no progress bar

    Transparent parts become white; 16-bit pictures keep their upper 8 bits; of an animation the
    first frame counts. Labels: the number of the subfolder of `folder` that a file is in, sorted by
    name (files of `folder` itself before them, as class "."); 0 without any, or if there are more
    than 256. The result's `classes` are the subfolders' names.

    Files that are damaged, no pictures, or have more pixels than Pillow's limit
    (Image.MAX_IMAGE_PIXELS: a few bytes can unpack to gigabytes), and links that lead nowhere, are
    left out: the notice names the first of them, the result's `left_out` all. DataError: no such
    folder, no file matches, none can be read, the set does not fit into memory, or an argument
    makes no sense.
    """
    folder = Path(folder).expanduser()
    _check(input_size, output_size, channels, workers)
    output_size = int(output_size[0]), int(output_size[1])
    input_size = (
        (int(input_size[0]), int(input_size[1])) if input_size is not None and crop else None
    )
    files, unseen = find_files(folder, pattern, recursive)
    images, problems = decoded(
        folder, files, output_size, channels, on_notice, crop=crop, input_size=input_size,
        workers=workers, cache=cache, quiet=quiet,
    )  # fmt: skip
    if not len(images):
        raise DataError(
            f"{folder}: none of the {len(files)} files {pattern!r} can be read as a picture: "
            f"{named(problems)}"
        )
    if unseen:
        on_notice(f"{folder}: not looked into: {named(unseen)}")
    classes = _classes(folder, files, recursive or pattern.startswith("**"))
    unread = dict(problems)
    labels = numbered([_class(name) for name in files if name not in unread], classes)
    return ImageSet(
        images, labels, folder.resolve().name, str(folder), (*problems, *unseen), classes
    )


def decoded(
    folder: Path, files: list[str], output_size: Size, channels: int | None,
    on_notice: Callable[[str], object] = print, *, crop: bool | str = True,
    input_size: Size | None = None, workers: int | None = None, cache: bool = True,
    quiet: bool = False,
) -> tuple[np.ndarray, list[tuple[str, str]]]:  # fmt: skip
    """The pictures of these files, uint8 (N, channels, *output_size), and (name, what is wrong) of
    those that cannot be read, which a notice names; the arguments as for `image_folder`. crop may
    also be "left" or "right": that half of the picture, squeezed into `output_size`."""
    if channels is None:
        channels = 1 if all(_is_grey(folder / name) for name in files) else 3
    shape = (len(files), channels, *output_size)
    _check_memory(shape, folder)
    options = {"crop": crop, "input": input_size, "shape": shape[1:]}
    store = Cache(cache_key(folder, files, options), on_notice) if cache else None
    found = store.read(shape) if store else None
    if found is None:
        found = _decode_all(folder, files, shape, crop, input_size, workers, quiet)
        if store and len(found[0]):
            store.write(*found)
    images, problems = found
    if problems and len(images):
        on_notice(
            f"{folder}: {len(problems)} of {len(files)} files cannot be read and are left out: "
            f"{named(problems)}"
        )
    return images, problems


def resized(
    data: ImageSet, crop: bool = True, input_size: Size | None = None,
    output_size: Size = (64, 64), channels: int = 3,
) -> ImageSet:  # fmt: skip
    """A set that is there, such as MNIST, cut out and resized as `image_folder` does, which see; as
    it is where nothing changes, else its name has the new shape ("mnist-1x64x64")."""
    from PIL import Image

    _check(input_size, output_size, channels, None)
    shape = (channels, int(output_size[0]), int(output_size[1]))
    has, *size = data.images.shape[1:]
    cut = crop and input_size is not None and any(i < s for i, s in zip(input_size, size))
    if (has, *size) == shape and not cut:
        return data
    mode = "L" if channels == 1 else "RGB"
    images = np.empty((len(data), *shape), np.uint8)
    for to, picture in zip(images, data.images):
        pixels = picture[0] if has == 1 else picture.transpose(1, 2, 0)
        to[:] = _fitted(Image.fromarray(pixels).convert(mode), shape, crop, input_size)
    name = f"{data.name}-{'x'.join(map(str, shape))}"
    return ImageSet(images, data.labels, name, data.source)


def named(problems: list[tuple[str, str]]) -> str:
    """Of files, which and why, for messages."""
    return shortened(problems, lambda p: f"{p[0]} ({p[1]})", "; ")


def _check(input_size, output_size, channels, workers) -> None:
    for name, size in (("input_size", input_size), ("output_size", output_size)):
        if size is None and name == "input_size":
            continue
        if not (
            isinstance(size, (tuple, list))
            and len(size) == 2
            and all(isinstance(n, (int, np.integer)) and n > 0 for n in size)
        ):
            raise DataError(f"{name}={size!r}: expected (height, width), two positive integers")
    if channels not in (1, 3, None):
        raise DataError(
            f"channels={channels!r}: expected 3 (RGB), 1 (grey) or None (as the pictures are)"
        )
    if workers is not None and workers < 1:
        raise DataError(f"workers={workers}: expected at least 1")


def _class(name: str) -> str:
    """The subfolder that a file is in."""
    return name.split("/")[0] if "/" in name else "."


def _classes(folder: Path, files: list[str], all_of_it: bool) -> tuple[str, ...]:
    """The subfolders in which there are pictures, sorted; with `all_of_it`, and where there are
    some, all others, too."""
    found = {_class(name) for name in files}
    if not found - {"."}:
        return ()
    if all_of_it:
        with os.scandir(folder) as entries:
            found |= {e.name for e in entries if e.is_dir() and not e.name.startswith(".")}
    return tuple(sorted(found - {"."}) if "." not in found else [".", *sorted(found - {"."})])


def numbered(names: list[str], classes: tuple[str, ...]) -> np.ndarray:
    """The label of each name, its place among the classes: uint8 (N,); 0 where there are none, or
    too many."""
    number = {name: i for i, name in enumerate(classes)} if len(classes) <= MOST_CLASSES else {}
    return np.array([number.get(name, 0) for name in names], np.uint8)


# --- memory ---


def _check_memory(shape: tuple[int, ...], folder: Path) -> None:
    need, free = math.prod(shape), available_memory()
    if free is not None and need > free:
        n, c, h, w = shape
        raise DataError(
            f"{folder}: {n} pictures of {c}x{h}x{w} need {need / 2**30:.1f} GiB of memory, "
            f"{free / 2**30:.1f} GiB are free; "
            "use a smaller output_size, 1 channel, or a pattern that matches fewer files"
        )


# --- decoding ---


def _decode_all(
    folder, names, shape, crop, input_size, workers, quiet
) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """The pictures, and (name, what is wrong) of those that cannot be read."""
    from concurrent.futures import ThreadPoolExecutor

    from PIL import Image
    from tqdm import tqdm

    Image.init()  # loads the readers of all formats, once, before there are threads
    # a program that they would start is no part of reading pictures
    formats = [f for f in Image.OPEN if f not in ("EPS", "WMF")]
    images = np.empty(shape, np.uint8)
    wrong: dict[int, str] = {}
    shown = folder.name.encode(errors="replace").decode()

    def read(i):
        try:
            images[i] = _read(folder / names[i], formats, shape[1:], crop, input_size)
        # Pillow's readers fail in many ways on damaged files; each means: cannot be read
        except Exception as error:
            wrong[i] = (
                " ".join(str(error).replace(f"{str(folder / names[i])!r}", "it").split())
                or type(error).__name__
            )

    # Pillow gives other threads way while it decodes and resizes
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)
    try:
        with tqdm(
            total=len(names), desc=f"reading {shown}", unit="img", disable=quiet or None, delay=0.5
        ) as bar:
            for _ in pool.map(read, range(len(names))):
                bar.update()
    finally:
        pool.shutdown(cancel_futures=True)
    good = [i for i in range(len(names)) if i not in wrong]
    if wrong:
        for to, i in enumerate(good):  # in place: a copy might not fit into memory
            images[to] = images[i]
        images = images[: len(good)]
    return images, [(names[i], what) for i, what in sorted(wrong.items())]


def _read(
    path: Path,
    formats: list[str],
    shape: tuple[int, int, int],
    crop: bool | str,
    input_size: Size | None,
) -> np.ndarray:
    """One picture as uint8 (channels, height, width). Raises whatever Pillow raises."""
    from PIL import Image, UnidentifiedImageError

    channels = shape[0]
    if not path.is_file():
        raise ValueError(
            f"a link to {os.readlink(path)}, which is not there"
            if path.is_symlink()
            else "no file, but a pipe or a device"
        )
    # from a file, Pillow asks for as many bytes as a damaged header says
    content = path.read_bytes()
    try:
        opened = Image.open(io.BytesIO(content), formats=formats)
    except UnidentifiedImageError as error:
        raise ValueError(what_it_is(content)) from error
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"it has more than twice as many pixels as Pillow's limit, {LIMIT_IS}"
        ) from error
    with opened:
        limit, pixels = Image.MAX_IMAGE_PIXELS, opened.width * opened.height
        if limit is not None and pixels > limit:
            raise ValueError(
                f"{opened.width}x{opened.height} are {pixels:,} pixels: more than Pillow's limit "
                f"of {limit:,}, {LIMIT_IS}"
            )
        if limit is not None and pixels > max(FREE_PIXELS, DENSEST * len(content)):
            raise ValueError(
                f"{opened.width}x{opened.height} are more pixels than a file of {len(content):,} "
                "bytes holds: it is damaged"
            )
        opened.load()
        image = _in_mode(_upright(opened), "L" if channels == 1 else "RGB")
    return _fitted(image, shape, crop, input_size)


def _fitted(
    image, shape: tuple[int, int, int], crop: bool | str, input_size: Size | None
) -> np.ndarray:
    """A Pillow image of the right mode as uint8 (channels, height, width)."""
    from PIL import Image

    channels, *size = shape
    if crop in ("left", "right"):
        half = image.width // 2
        left = 0 if crop == "left" else image.width - half
        image = image.crop((left, 0, left + half, image.height))
    elif crop:  # not by resize's `box`, for which pixels outside it count too
        image = image.crop(
            _centre(image.height, image.width, input_size or size, exact=input_size is not None)
        )
    image = image.resize((size[1], size[0]), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(*size, channels).transpose(2, 0, 1)


def _centre(height: int, width: int, window, exact: bool) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) in the middle: of the window's size if `exact` and it
    fits, else as large as can be."""
    h, w = window
    scale = min(height / h, width / w)
    if exact:
        scale = min(scale, 1.0)
    h, w = min(height, round(h * scale)) or 1, min(width, round(w * scale)) or 1
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def _upright(image) -> Any:
    """As the camera's orientation tag says; a damaged tag says nothing."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # the pixels are fine
        return image


def _in_mode(image, mode: str) -> Any:
    """As 8-bit "L" or "RGB"; transparent parts over white."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey, which `convert` would cut off at 255
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("its pixels have more than 16 bits")
        image = Image.fromarray((values >> 8).astype(np.uint8))
    elif image.mode == "F":
        raise ValueError("its pixels are floating-point numbers")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return (
        image.convert("RGB").convert(mode)
        if image.mode not in ("L", "1", "RGB")
        else image.convert(mode)
    )


def _is_grey(path: Path) -> bool:
    """Does the file's header promise a picture without colours? True also where it cannot be
    read."""
    from PIL import Image

    try:
        if not path.is_file():
            return True
        with Image.open(path) as image:
            return image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")
    except Exception:  # whoever decodes it will say what is wrong
        return True
