"""The page of all systems, docs/systems.md, from what `python -m minigan measure` has left.

    python -m minigan train cgan && python -m minigan measure runs/cgan --control
    python benchmarks/systems.py runs/cgan            # takes its figures and its picture, too
    python benchmarks/systems.py runs/info0 runs/info1    # of several seeds: shows all of them
    python benchmarks/systems.py                      # only writes the page anew

Figures come from the runs' measure.json alone; what was not measured has none. Of several runs of
one system, which may differ in their seed alone, the first gives the row and the picture, and the
others their values of what has a target.
"""

import argparse
import json
import pathlib
import shlex
import shutil
import sys

from minigan.systems import SYSTEMS, system
from minigan.systems.sharing import what

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "systems"
PICTURES = ROOT / "docs" / "images" / "systems"
HEAD = """# Systems

Each is one file in `minigan/systems/`, trained by `python -m minigan train NAME` or `python
examples/NAME.py`. What shows that it works is printed by `python -m minigan measure runs/NAME
--control`: **value / control / real data**, the control being the same system with its idea
switched off. A number that the control reaches, too, is no evidence. This page is made by `python
benchmarks/systems.py` from the runs' `measure.json`; where there are no numbers, none were measured
yet.

`draw RUN --n N [--label L] --out FOLDER|FILE.png|FILE.npz` draws; what translators make of your own
pictures, `draw RUN --from FILES` does, for runs on glyphs also `draw RUN --text "a line"`.
`minigan.systems.load_game(RUN)` gives the game back to a program.

| system | what | value / control / real |
|---|---|---|
"""


def measured(folder):
    """A run's figures, with its seed, and the command that made it, apart from the seed."""
    result = json.loads((folder / "measure.json").read_text())
    config = json.loads((folder / "config.json").read_text())
    words = shlex.split(config["command"])
    for word in ("--out", "--seed", "--quiet"):  # where it was, and that nobody looked on
        if word in words:
            at = words.index(word)
            del words[at : at + (1 if word == "--quiet" else 2)]
    if "--of" in words:
        at = words.index("--of") + 1
        words[at] = f"runs/{pathlib.Path(words[at]).name}"
    del result["run"]
    return result | {"command": shlex.join(words), "seed": config["seed"]}


def take(folders):
    """Copy the figures of a system's runs, and the last picture of the first one."""
    results = [measured(folder) for folder in folders]
    same = ("command", "step", "samples")
    if any(result[key] != results[0][key] for result in results for key in same):
        raise SystemExit(f"{', '.join(map(str, folders))}: not runs that differ in the seed alone")
    first = results[0]
    name = first["system"]
    if len(results) > 1:
        values = lambda result: {row["name"]: row["value"] for row in result["rows"]}
        first["seeds"] = {str(result["seed"]): values(result) for result in results}
    if first["seed"]:
        first["command"] += f" --seed {first['seed']}"
    RESULTS.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(first, indent=1) + "\n")
    pictures = sorted((folders[0] / "samples").glob("*.png"))
    if pictures:
        shutil.copy(pictures[-1], PICTURES / f"{name}.png")
    print(f"{name}: taken from {', '.join(map(str, folders))}")


def shown(row, seeds):
    """One number of a system, for the table; with a target, that of every seed."""
    digits = 4 if abs(row["value"] or 0) < 1 else 2
    number = lambda x: "-" if x is None else f"{x:.{digits}f}"
    target = "" if row["target"] is None else f" (target {number(row['target'])})"
    values = " / ".join(number(row[k]) for k in ("value", "control", "ceiling"))
    if target and seeds:
        each = ", ".join(number(values[row["name"]]) for values in seeds.values())
        target += f"; of seeds {', '.join(seeds)}: {each}"
    return f"{row['name']} {values}{target}"


def line(name):
    """A system's row."""
    kind = system(name)
    text = what(kind)["text"]
    file = RESULTS / f"{name}.json"
    evidence = "-"
    if file.exists():
        result = json.loads(file.read_text())
        rows = "<br>".join(shown(row, result.get("seeds", {})) for row in result["rows"])
        evidence = f"`{result['command']}`, step {result['step']}<br>{rows}"
    off = f"<br>Control: {kind.control}." if kind.control else ""
    return f"| **{name}** | {text}<br>{kind.paper}{off} | {evidence} |\n"


def gallery():
    """The pictures that there are."""
    found = [name for name in SYSTEMS if (PICTURES / f"{name}.png").exists()]
    return "".join(f"\n## {name}\n\n![](images/systems/{name}.png)\n" for name in found)


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("runs", nargs="*", help="folders of measured runs")
    options = p.parse_args()
    of: dict[str, list[pathlib.Path]] = {}
    for folder in map(pathlib.Path, options.runs):
        name = json.loads((folder / "measure.json").read_text())["system"]
        of.setdefault(name, []).append(folder)
    for folders in of.values():
        take(folders)
    page = HEAD + "".join(line(name) for name in SYSTEMS) + gallery()
    (ROOT / "docs" / "systems.md").write_text(page)
    print("written: docs/systems.md")


if __name__ == "__main__":
    sys.exit(main())
