"""One table of the benchmarks of a folder, for all.sh.

    python benchmarks/summary.py FOLDER                 # the table, also in FOLDER/table.md
    python benchmarks/summary.py FOLDER --gemm NAME     # measure the machine's rate, and note it

The rate is that of NumPy's product of two matrices of 1024x1024 in float32, the best of 20. A
benchmark met a slow spell if it was below `SLOW` of the best that was ever noted in the folder,
before it or after it.
"""

import argparse
import datetime
import json
import sys
import time
from pathlib import Path

import harness
import numpy as np

SLOW = 0.85
BEST = "best.gemm"  # the best rate seen


def rate():
    """Operations a second of a matrix product."""
    a, times = np.ones((1024, 1024), np.float32), []
    out = np.empty_like(a)
    for _ in range(20):
        start = time.perf_counter()
        np.matmul(a, a, out=out)
        times.append(time.perf_counter() - start)
    return 2 * 1024**3 / min(times)


def noted(path):
    """The rates in a file, one a line."""
    return [float(line) for line in path.read_text().split()] if path.exists() else []


def note(folder, name):
    """Add the machine's rate to what is noted of a benchmark."""
    now, own, best = rate(), folder / f"{name}.gemm", folder / BEST
    own.write_text("".join(f"{x}\n" for x in (*noted(own), now)))
    best.write_text(f"{max([now, *noted(best)])}\n")


def cases(found, name=""):
    """(case, contender, its numbers) of what harness.compare has found, wherever that is."""
    for key, value in found.items():
        if not isinstance(value, dict):
            continue
        if any(isinstance(x, dict) and "ms" in x for x in value.values()):
            for contender, numbers in value.items():
                yield key, contender.removeprefix(f"{key}: "), numbers
        else:
            yield from cases(value, key)


def rows(folder):
    """The lines of the table."""
    best = max(noted(folder / BEST), default=float("nan"))
    for path in sorted(folder.glob("*.json")):
        rates = noted(folder / f"{path.stem}.gemm")
        slow = f"slow spell ({min(rates) / best:.0%})" if rates and min(rates) < SLOW * best else ""
        found = json.loads(path.read_text())
        for case, contender, x in cases(found):
            share = f"{x['ratio']:.2f}" if "ratio" in x else ""
            yield f"| {path.stem} | {case} | {contender} | {x['ms']:.3g} | {share} | {slow} |"
        for contender, megabytes in found.get("memory", {}).items():
            yield f"| {path.stem} | peak of dcgan64 | {contender} | {megabytes:.0f} MB | | |"


def versions():
    """Of the peers that are installed."""
    import importlib.metadata

    found = []
    for name in ("torch", "jax", "numba"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


def main(words=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("folder", type=Path)
    p.add_argument("--gemm", metavar="NAME", help="of the benchmark that comes, or has been")
    options = p.parse_args(words)
    if options.gemm:
        note(options.folder, options.gemm)
        return 0
    lines = list(rows(options.folder))
    if not lines:
        print(f"error: no benchmark has left its .json in {options.folder}", file=sys.stderr)
        return 2
    best = max(noted(options.folder / BEST), default=float("nan"))
    table = "\n".join([
        f"{harness.machine()}, {versions()}; {datetime.date.today()}; the best rate of a matrix "
        f"product that was seen: {best / 1e9:.0f} GFLOP/s", "",
        "| benchmark | case | who | ms a step | share of the first's time | machine |",
        "|---|---|---|---|---|---|", *lines, "",
    ])  # fmt: skip
    (options.folder / "table.md").write_text(table)
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
