"""Which metric sees what? Real digits in place of samples, damaged more and more, before every
judge: the page docs/judges.md, its figure, and the numbers in results/judges.json.

    MINIGAN_DATA=folder python benchmarks/judges.py      # measures, and writes the page: minutes
    python benchmarks/judges.py --report                 # only the page, from the numbers

After Xu et al. 2018, "An empirical study on evaluation metrics of generative adversarial networks".
Three sets of real images that have none in common: what the generator "has learnt from", T, of the
training images; unseen ones U, the test images; and the samples of a perfect generator, S, other
training images. A share of S is then damaged in one of four ways:

    noise       replaced by pixels U(0, 255)
    dropping    classes go: 0, 1, .. 9 of the ten; the others fill their places
    collapsing  replaced by one and the same image of their class: proportions stay
    copying     replaced by images of T: over-fitting

Every judge compares S with T, as is usual; `copying` looks at U, too. Each point is measured with
several draws of the sets; "seen" is a mean that is more than three standard deviations of the
undamaged draws away from theirs.
"""

import argparse
import json
import pathlib
import sys
from typing import NamedTuple

import numpy as np

import minigan
from minigan.arrays import Generator
from minigan.data import load_dataset
from minigan.data.files import write_atomic
from minigan.metrics import (
    BETTER,
    copying,
    describe,
    frechet_distance,
    inception_score,
    kid,
    load_classifier,
    mmd2,
    mode_score,
    nearest_neighbour_test,
    precision_recall,
    unit_pixels,
)

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "judges.json"
PAGE = ROOT / "docs" / "judges.md"
FIGURE = ROOT / "docs" / "images" / "judges.png"
SHARES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
DROPPED = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
SEEN = 3
COLORS = {"noise": "#777777", "dropping": "#0072B2", "collapsing": "#D55E00", "copying": "#009E73"}


class Sets(NamedTuple):
    """One draw of real images, uint8 (n, 1, 28, 28); none is in two of them."""

    training: np.ndarray  # T
    unseen: np.ndarray  # U
    samples: np.ndarray  # S
    labels: np.ndarray  # of S
    spare: np.ndarray  # further ones, and their labels
    spare_labels: np.ndarray


def draw(train, test, n, seed):
    """T, U and S of n images each, and the rest of the training images."""
    random = Generator(seed)
    order = random.permutation(len(train))
    s, rest = order[n : 2 * n], order[2 * n :]
    return Sets(
        train.images[order[:n]], test.images[random.permutation(len(test))[:n]],
        train.images[s], train.labels[s], train.images[rest], train.labels[rest],
    )  # fmt: skip


# --- the damages: what becomes of S ---


def chosen(n, share, random):
    """Which of n are damaged."""
    return random.permutation(n)[: round(share * n)]


def noise(sets, share, random):
    at, images = chosen(len(sets.samples), share, random), sets.samples.copy()
    images[at] = random.integers(0, 256, images[at].shape)
    return images


def dropping(sets, share, random):
    gone, images = random.permutation(10)[: round(10 * share)], sets.samples.copy()
    at = np.flatnonzero(np.isin(sets.labels, gone))
    others = np.flatnonzero(~np.isin(sets.spare_labels, gone))[: len(at)]
    if len(others) < len(at):
        raise ValueError(f"--n {len(images)}: too few images to fill the places of {share:.0%}")
    images[at] = sets.spare[others]
    return images


def collapsing(sets, share, random):
    at, images = chosen(len(sets.samples), share, random), sets.samples.copy()
    for digit in np.unique(sets.labels):
        images[at[sets.labels[at] == digit]] = sets.samples[np.argmax(sets.labels == digit)]
    return images


def copies(sets, share, random):
    at, images = chosen(len(sets.samples), share, random), sets.samples.copy()
    images[at] = sets.training[random.permutation(len(sets.training))[: len(at)]]
    return images


DAMAGES = {"noise": noise, "dropping": dropping, "collapsing": collapsing, "copying": copies}


# --- the judges ---


class Judges:
    """All of them, for one draw: `judge(images)` -> name -> number."""

    def __init__(self, sets, classifier):
        self.classifier = classifier
        self.unseen = unit_pixels(sets.unseen)
        self.training = unit_pixels(sets.training)
        self.real = describe(sets.training, classifier)

    def judge(self, images):
        found, real = describe(images, self.classifier), self.real
        neighbours = nearest_neighbour_test(real.features, found.features)
        fidelity = precision_recall(real.features, found.features)
        return {
            "frechet": frechet_distance(real.features, found.features),
            "kid": kid(real.features, found.features, subsets=10, subset_size=len(images) // 2)[0],
            "mmd2": mmd2(real.features, found.features),
            "nn": neighbours.accuracy,
            "score": inception_score(found.probabilities).value,
            "mode_score": mode_score(found.probabilities, real.probabilities).value,
            "precision": fidelity.precision,
            "recall": fidelity.recall,
            "coverage": fidelity.coverage,
            "copying": copying(unit_pixels(images), self.training, self.unseen).share,
        }


def measure(train, test, n, draws, say=print):
    """name of a damage -> share -> judge -> the value of each draw; "none" has share 0, and three
    times as many draws."""
    classifier = load_classifier()
    table = {"none": {"0": {}}} | {
        damage: {str(s): {} for s in (DROPPED if damage == "dropping" else SHARES)}
        for damage in DAMAGES
    }

    def keep(damage, share, values):
        for name, value in values.items():
            table[damage][str(share)].setdefault(name, []).append(float(value))

    for seed in range(3 * draws):
        sets = draw(train, test, n, seed)
        judges = Judges(sets, classifier)
        keep("none", 0, judges.judge(sets.samples))
        for damage, make in DAMAGES.items() if seed < draws else ():
            for i, share in enumerate(table[damage]):
                images = make(sets, float(share), Generator(1000 * seed + i))
                keep(damage, share, judges.judge(images))
        say(f"draw {seed + 1} of {3 * draws}")
    return {"data": train.name, "n": n, "draws": draws, "classifier": classifier.digest,
            "minigan": minigan.__version__, "values": table}  # fmt: skip


# --- what the numbers say ---


def away(result, damage, share, judge):
    """By how many standard deviations of the undamaged draws the mean is away from theirs."""
    clean = np.array(result["values"]["none"]["0"][judge])
    found = np.mean(result["values"][damage][share][judge])
    return float((found - clean.mean()) / clean.std(ddof=1))


def worse(result, damage, share, judge):
    """Does the judge call the damaged samples worse than the undamaged?"""
    values = result["values"]
    clean = np.mean(values["none"]["0"][judge])
    found = np.mean(values[damage][share][judge])
    if BETTER[judge] == "0.5":
        return bool(abs(found - 0.5) > abs(clean - 0.5))
    return bool(found > clean) == (BETTER[judge] == "down")


def verdict(result, damage, judge):
    """The smallest share from which on the damage is seen at every larger one, "-" if there is
    none; "better" is added where the judge likes the damage."""
    shares = list(result["values"][damage])
    seen = [abs(away(result, damage, s, judge)) > SEEN for s in shares]
    if not seen[-1]:
        return "-"
    first = next(i for i in range(len(shares)) if all(seen[i:]))
    liked = "" if worse(result, damage, shares[-1], judge) else ", taken for better"
    return f"{float(shares[first]):.0%}{liked}"


def page(result):
    """The text of docs/judges.md."""
    judges = list(result["values"]["none"]["0"])
    n, draws = result["n"], result["draws"]
    rows = ""
    for judge in judges:
        clean = np.array(result["values"]["none"]["0"][judge])
        cells = " | ".join(verdict(result, damage, judge) for damage in DAMAGES)
        rows += f"| `{judge}` | {BETTER[judge]} | {clean.mean():.4g} ± {clean.std(ddof=1):.2g} | "
        rows += cells + " |\n"
    return f"""# The judges

Which metric sees which damage? Real {result["data"]} digits take the place of samples, and a
growing share of them is damaged: replaced by noise; classes are dropped; samples collapse to one
image of their class; or they are copies of the training images. The numbers are those of `python
benchmarks/judges.py` (its docstring says how; after Xu et al. 2018), {n} images in each set,
{draws} draws ({3 * draws} of the undamaged), classifier `{result["classifier"]}`; this page is made
from `benchmarks/results/judges.json`.

**From which share on is it seen?** Seen: the mean is more than {SEEN} standard deviations of
undamaged draws away, here and at all larger shares. "-": never. *Taken for better*: the judge
prefers the damaged samples.

| judge | better | undamaged | noise | dropping of classes | collapsing inside classes | copying |
|---|---|---|---|---|---|---|
{rows}
![every judge over the share that is damaged](images/judges.png)

*The grey band: {SEEN} standard deviations of the undamaged draws. All judges compare with the
images that the "generator" has learnt from; `copying` alone has unseen images beside them.*
"""


def figure(result, path):
    """A panel for each judge: its mean over the damaged share, one curve for each damage."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    judges = list(result["values"]["none"]["0"])
    drawing = Figure(figsize=(13, 5.2), layout="constrained", dpi=80)
    for judge, ax in zip(judges, drawing.subplots(2, 5).flat):
        clean = np.array(result["values"]["none"]["0"][judge])
        mean, std = clean.mean(), clean.std(ddof=1)
        ax.axhspan(mean - SEEN * std, mean + SEEN * std, color="#cccccc", lw=0)
        for damage, color in COLORS.items():
            shares = result["values"][damage]
            ax.plot([0, *map(float, shares)], [mean, *(np.mean(v[judge]) for v in shares.values())],
                    color=color, marker=".", label=damage)  # fmt: skip
        ax.set(title=f"{judge} ({BETTER[judge]})")
        if judge in ("frechet", "kid", "mmd2"):
            ax.set_yscale("symlog", linthresh=max(4 * std, 1e-9))
        ax.spines[["top", "right"]].set_visible(False)
    kinds = ax.get_legend_handles_labels()
    drawing.legend(*kinds, loc="outside lower center", ncols=4, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(drawing).print_png(path)


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--data", default="mnist", help="(default %(default)s)")
    p.add_argument("--data-dir", help="folder with the idx files (default: $MINIGAN_DATA)")
    p.add_argument("--n", type=int, default=1000, help="images in a set (default %(default)s)")
    p.add_argument("--draws", type=int, default=3, help="of the sets (default %(default)s)")
    p.add_argument("--report", action="store_true", help="only write the page anew")
    p.add_argument("--results", type=pathlib.Path, default=RESULTS)
    p.add_argument("--page", type=pathlib.Path, default=PAGE)
    p.add_argument("--figure", type=pathlib.Path, default=FIGURE)
    options = p.parse_args(arguments)
    if not options.report:
        sets = [load_dataset(options.data, split, options.data_dir) for split in ("train", "test")]
        result = measure(*sets, options.n, options.draws)
        write_atomic(options.results, (json.dumps(result) + "\n").encode())
    result = json.loads(options.results.read_text())
    figure(result, options.figure)
    write_atomic(options.page, page(result).encode())
    print(f"written: {options.page} and {options.figure}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
