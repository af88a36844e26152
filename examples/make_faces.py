#!/usr/bin/env python3
"""Draw a data set of colour faces: cartoon portraits, each of them different. `portrait.py` draws
one.

    python examples/make_faces.py                       # faces/00000.jpg ... faces/04999.jpg, 96x96
    python examples/make_faces.py --count 64 --sheet faces.png

Picture i of a seed is always the same, however many are drawn and by however many processes.
"""

import argparse
import io
import os
import signal
import sys
from multiprocessing import get_context
from pathlib import Path

from PIL import Image
from portrait import draw_face

from minigan.data.files import write_atomic


def _write(job):
    """One picture into its file; in a process of the pool."""
    seed, index, size, path = job
    buffer = io.BytesIO()
    options = {"quality": 92, "subsampling": 0} if path.endswith(".jpg") else {}
    draw_face(seed, index, size).save(buffer, "JPEG" if path.endswith(".jpg") else "PNG", **options)
    write_atomic(path, buffer.getvalue())


def make_faces(folder, count=5000, size=96, seed=0, form="jpg", workers=None, quiet=False):
    """Write faces 0 ... count-1 of a seed into `folder` as 00000.jpg and so on."""
    from tqdm import tqdm

    jobs = [(seed, i, size, os.path.join(folder, f"{i:05d}.{form}")) for i in range(count)]
    if workers is None:
        workers = (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    # spawn: works the same everywhere. The main process alone hears Ctrl-C, and ends the others.
    with get_context("spawn").Pool(
        min(workers, count), signal.signal, (signal.SIGINT, signal.SIG_IGN)
    ) as pool:
        for _ in tqdm(
            pool.imap_unordered(_write, jobs, 16),
            total=count,
            desc="faces",
            unit="img",
            disable=quiet or None,  # None: if stderr is no terminal
        ):
            pass


def sheet(seed, size, rows=6, cols=12):
    """The first rows x cols faces of a seed in one picture."""
    picture = Image.new("RGB", (cols * size, rows * size))
    for i in range(rows * cols):
        picture.paste(draw_face(seed, i, size), (i % cols * size, i // cols * size))
    return picture


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--out", default="faces", help="folder for the pictures (default %(default)s)")
    p.add_argument("--count", type=int, default=5000, help="(default %(default)s)")
    p.add_argument(
        "--size",
        type=int,
        default=96,
        help="width and height in pixels, 16 to 512 (default %(default)s)",
    )
    p.add_argument(
        "--seed", type=int, default=0, help="another seed, other faces (default %(default)s)"
    )
    p.add_argument("--format", choices=("jpg", "png"), default="jpg", help="(default %(default)s)")
    p.add_argument("--workers", type=int, help="processes (default: one per CPU)")
    p.add_argument("--sheet", metavar="FILE.png", help="only draw the first 72 into one picture")
    p.add_argument("--quiet", action="store_true", help="no progress line")
    options = p.parse_args(arguments)
    if (
        options.count < 1
        or not 16 <= options.size <= 512
        or (options.workers is not None and options.workers < 1)
    ):
        p.error(
            "expected a --count of at least 1, a --size from 16 to 512, and at least 1 of --workers"
        )
    try:
        if options.sheet:
            buffer = io.BytesIO()
            sheet(options.seed, options.size).save(buffer, "PNG")
            write_atomic(Path(options.sheet), buffer.getvalue())
            print(f"a sheet of 72 faces is in {options.sheet}")
            return 0
        os.makedirs(options.out, exist_ok=True)
        make_faces(
            options.out,
            options.count,
            options.size,
            options.seed,
            options.format,
            options.workers,
            options.quiet,
        )
        others = (
            sum(name.endswith(f".{options.format}") for name in os.listdir(options.out))
            - options.count
        )
    except OSError as error:
        print(
            f"error: cannot write {error.filename or options.out} ({error.strerror}): name "
            "another folder with --out",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes over {options.out} again")
        return 130
    beside = f", beside {others} other pictures" if others > 0 else ""
    print(f"{options.count} faces of {options.size}x{options.size} are in {options.out}{beside}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
