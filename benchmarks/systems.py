"""The page of all systems, docs/systems.md, from what `python -m minigan measure` has left; in
Chinese, docs/systems.zh.md, with the sentences of docs/systems.zh.json.

    python -m minigan train cgan && python -m minigan measure runs/cgan --control
    python benchmarks/systems.py runs/cgan            # takes its figures and its picture, too
    python benchmarks/systems.py runs/info0 runs/info1    # of several seeds: shows all of them
    python benchmarks/systems.py --also runs/cogan-edges  # of other options, below the first row
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
ALSO = "+"  # between a system's name and that of a run with other options
SHOWN = (".png", ".gif")  # clips are GIFs
SENTENCES = ROOT / "docs" / "systems.zh.json"  # name -> what it is, and its control
HEAD = """# Systems

[中文](systems.zh.md)

Each is one file in `minigan/systems/`, trained by `python -m minigan train NAME` or `python
examples/NAME.py`. What shows that it works is printed by `python -m minigan measure runs/NAME
--control`: **value / control / real data**, the control being the same system with its idea
switched off. A number that the control reaches, too, is no evidence. This page is made by `python
benchmarks/systems.py` from the runs' `measure.json`; where there are no numbers, none were measured
yet.

`draw RUN --n N [--label L] --out FOLDER|FILE.png|FILE.npz` draws; what translators make of your own
pictures, `draw RUN --from FILES` does, for runs on glyphs also `draw RUN --text "a line"`; for runs
on captions `draw RUN --text "a red seven at the left"`.
`minigan.systems.load_game(RUN)` gives the game back to a program.

| system | what | value / control / real |
|---|---|---|
"""
HEAD_ZH = """# 系统

[English](systems.md)

每个系统是 `minigan/systems/` 里的一个文件，用 `python -m minigan train NAME` 或 `python
examples/NAME.py` 训练。它是否有效，由 `python -m minigan measure runs/NAME --control` 给出：
**值 / 对照 / 真实数据**，对照是关掉其核心想法的同一系统。对照也能达到的数不是证据。本页由
`python benchmarks/systems.py` 从各次训练的 `measure.json` 写出；没有数的地方就是还没有测过。

`draw RUN --n N [--label L] --out FOLDER|FILE.png|FILE.npz` 画样本；翻译器处理自己的图用
`draw RUN --from FILES`，在 glyphs 上训练的还可以用 `draw RUN --text "a line"`。
`minigan.systems.load_game(RUN)` 把训练好的博弈交给程序。

| 系统 | 是什么 | 值 / 对照 / 真实 |
|---|---|---|
"""


def measured(folder):
    """A run's figures, with its seed, and the command that made it, apart from the seed."""
    result = json.loads((folder / "measure.json").read_text())
    config = json.loads((folder / "config.json").read_text())
    words = shlex.split(config["command"])
    alone = ("--quiet", "--resume")
    for word in ("--out", "--seed", "--device", "--sample-interval", *alone):  # change no number
        if word in words:
            at = words.index(word)
            del words[at : at + (1 if word in alone else 2)]
    if "--of" in words:
        at = words.index("--of") + 1
        words[at] = f"runs/{pathlib.Path(words[at]).name}"
    del result["run"]
    return result | {"command": shlex.join(words), "seed": config["seed"]}


def take(folders, also=False):
    """Copy the figures of a system's runs, and the last picture of the first one; `also`: they have
    other options than those that the system is shown by, and are named by their folder."""
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
    name += f"{ALSO}{folders[0].name.removeprefix(f'{name}-')}" if also else ""
    (RESULTS / f"{name}.json").write_text(json.dumps(first, indent=1) + "\n")
    samples = (folders[0] / "samples").glob("*.*")
    pictures = sorted(p for p in samples if p.suffix in SHOWN)
    if pictures:
        shutil.copy(pictures[-1], PICTURES / f"{name}{pictures[-1].suffix}")
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
    off = f"<br>Control: {kind.control}." if kind.control else ""
    return f"| **{name}** | {what(kind)['text']}<br>{kind.paper}{off} | {evidence(name)} |\n"


def line_zh(name, text, control=""):
    """The same in Chinese."""
    off = f"<br>对照：{control}" if control else ""
    return f"| **{name}** | {text}<br>{system(name).paper}{off} | {evidence(name)} |\n"


def evidence(name):
    """Of a system: the command, and its figures; then those of runs with other options."""
    found = []
    for file in (RESULTS / f"{name}.json", *sorted(RESULTS.glob(f"{name}{ALSO}*.json"))):
        if file.exists():
            result = json.loads(file.read_text())
            rows = "<br>".join(shown(row, result.get("seeds", {})) for row in result["rows"])
            found.append(f"`{result['command']}`, step {result['step']}<br>{rows}")
    return "<br>".join(found) or "-"


def gallery():
    """The pictures that there are."""
    files = [
        file
        for name in SYSTEMS
        for pattern in (f"{name}.*", f"{name}{ALSO}*.*")
        for file in sorted(PICTURES.glob(pattern))
        if file.suffix in SHOWN
    ]
    return "".join(f"\n## {file.stem}\n\n![](images/systems/{file.name})\n" for file in files)


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("runs", nargs="*", help="folders of measured runs")
    p.add_argument("--also", nargs="+", default=[], help="folders of runs with other options")
    options = p.parse_args()
    of: dict[str, list[pathlib.Path]] = {}
    for folder in map(pathlib.Path, options.runs):
        name = json.loads((folder / "measure.json").read_text())["system"]
        of.setdefault(name, []).append(folder)
    for folders in of.values():
        take(folders)
    for folder in map(pathlib.Path, options.also):
        take([folder], also=True)
    chinese = json.loads(SENTENCES.read_text("utf-8"))
    if missing := [name for name in SYSTEMS if name not in chinese]:
        raise SystemExit(f"{SENTENCES.name} says nothing of {', '.join(missing)}")
    pages = {
        "systems.md": HEAD + "".join(line(name) for name in SYSTEMS),
        "systems.zh.md": HEAD_ZH + "".join(line_zh(name, *chinese[name]) for name in SYSTEMS),
    }
    for name, page in pages.items():
        (ROOT / "docs" / name).write_text(page + gallery(), "utf-8")
        print(f"written: docs/{name}")


if __name__ == "__main__":
    sys.exit(main())
