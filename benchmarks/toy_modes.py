#!/usr/bin/env python3
"""How many modes does each game find? The ring of 8 and the grid of 25 Gaussians of Lin et al. 2018
(PacGAN), section 4.1.

    python benchmarks/toy_modes.py   # small networks, 20 epochs, 3 seeds: about an hour of one core
    # the paper's protocol: hours for each run
    python benchmarks/toy_modes.py --networks pacgan --epochs 400 --seeds 10
    python benchmarks/toy_modes.py --games gan unrolled --data ring --seeds 1   # a part of it
    python benchmarks/toy_modes.py --report   # the tables of the runs made so far, and the figure

Protocol: 100,000 points are drawn once; a step is one round of the game with 100 of them drawn anew
(PacGAN: 100 packs); 1,000 steps are an epoch. At the end 2,500 samples of G in evaluation mode are
judged (`minigan.metrics.modes`): modes with a sample within 3 standard deviations, the share of
samples that near ("HQ"), and the reverse KL divergence of the modes' shares from equal ones. Each
finished run is a line of --results at once; runs that are there already are not made again. Call
it again to go on: a run that was stopped or killed goes on from its last save, to the bit.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

# the networks are small, and several games can run side by side
os.environ.setdefault("MINIGAN_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import minigan
from minigan import as_tensor
from minigan.arrays import Generator, default_generator
from minigan.data.files import write_atomic
from minigan.data.toy import TOYS
from minigan.metrics.modes import mode_coverage, true_quality
from minigan.training import load_checkpoint, save_checkpoint
from minigan.training.plane import GAMES, NETWORKS_OF_THE_PLANE, Players, points_per_example

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "toy_modes.jsonl"
PAGE = HERE.parent / "docs" / "modes.md"
SAVE_SECONDS = 60
SAMPLES = 2500
POINTS = 100_000
BATCH = 100
EPOCH = 1000
LOOKS = 10
BEGIN, END = "<!-- toy_modes.py: begin -->", "<!-- toy_modes.py: end -->"
FIRST = [
    "gan",
    "lsgan",
    "pacgan2",
    "pacgan3",
    "pacgan4",
    "dragan",
    "spectral",
    "veegan",
    "wgan-gp",
    "unrolled",
]

# Published: (modes, HQ %, reverse KL), with the standard error of 10 runs where given. PacGAN: Lin
# et al. 2018, Table 1, the protocol above. VEEGAN: Srivastava et al. 2017, Table 1, means of 5 runs
# with other networks, without a reverse KL.
PUBLISHED = {
    ("ring", "gan"): ["PacGAN: 6.3±.5, 98.2±.2 %, .45±.09", "VEEGAN: 1, 99.3 %"],
    ("ring", "pacgan2"): ["PacGAN: 7.9±.1, 95.6±2.0 %, .07±.03"],
    ("ring", "pacgan3"): ["PacGAN: 7.8±.1, 97.7±.3 %, .10±.02"],
    ("ring", "pacgan4"): ["PacGAN: 7.8±.1, 95.9±1.4 %, .07±.02"],
    ("ring", "unrolled"): ["VEEGAN: 7.6, 35.6 %"],
    ("ring", "veegan"): ["VEEGAN: 8, 52.9 %"],
    ("grid", "gan"): ["PacGAN: 17.3±.8, 94.8±.7 %, .70±.07", "VEEGAN: 3.3, .5 %"],
    ("grid", "pacgan2"): ["PacGAN: 23.8±.7, 91.3±.8 %, .13±.04"],
    ("grid", "pacgan3"): ["PacGAN: 24.6±.4, 94.2±.4 %, .06±.02"],
    ("grid", "pacgan4"): ["PacGAN: 24.8±.2, 93.6±.6 %, .04±.01"],
    ("grid", "unrolled"): ["VEEGAN: 23.6, 16 %"],
    ("grid", "veegan"): ["VEEGAN: 24.6, 40 %"],
}


def run(game, data, networks, epochs, seed, saved):
    """One training; its line for the results, and the last samples.

    saved : file of its state, which is there while it has begun and is not finished"""
    plane, points = TOYS[data](), Generator(1000 + seed)
    minigan.manual_seed(seed)
    trainer = GAMES[game](Players(networks))
    play = minigan.cpu.graph(trainer.play)
    n = BATCH * points_per_example(trainer.game)
    pool, latents = plane.draw(POINTS, points), trainer.game.inputs(SAMPLES, Generator(2000 + seed))
    steps = epochs * EPOCH
    history = []
    first, spent = 1, 0.0  # CPU seconds, without those of looks and saves
    if saved.exists():
        state = load_checkpoint(saved)
        trainer.load_state_dict(state["trainer"])
        points.set_state(state["points"])
        default_generator.set_state(state["random"])
        first, spent, history = state["step"] + 1, state["spent"], state["history"]
        say(f"{data} {game} {seed}: goes on at step {first} of {steps}")
    began, last = time.process_time(), time.perf_counter()
    for step in range(first, steps + 1):
        play(as_tensor(pool[points.integers(0, POINTS, (n,))]))
        look = step * LOOKS // steps > (step - 1) * LOOKS // steps
        save = not step % 100 and step < steps and time.perf_counter() - last > SAVE_SECONDS
        if look or save:
            spent += time.process_time() - began
        if look:
            made = trainer.game.sample(*latents).numpy()
            found = mode_coverage(made, plane.means, plane.std)
            kl = None if math.isnan(found.reverse_kl) else round(found.reverse_kl, 4)
            history.append([step, found.modes, round(found.high_quality, 4), kl])
            say(
                f"{data} {game} {seed}: step {step}, {found.modes} modes, HQ "
                f"{found.high_quality:.1%}, reverse KL {found.reverse_kl:.2f}"
            )
        if save:
            state = {"step": step, "spent": spent, "history": history}
            state |= {"points": points.get_state(), "random": default_generator.get_state()}
            save_checkpoint(saved, state | {"trainer": trainer.state_dict()})
            last = time.perf_counter()
        if look or save:
            began = time.process_time()
    parameters = {
        name: sum(p.numel() for p in m.parameters()) for name, m in trainer.game.players.items()
    }
    return {
        "data": data, "game": game, "networks": networks, "epochs": epochs, "seed": seed,
        "modes": found.modes,
        "high_quality": history[-1][2], "reverse_kl": history[-1][3],
        "counts": found.counts.tolist(), "history": history,
        "steps_per_cpu_second": round(steps / spent, 1), "batch": n, "parameters": parameters,
        "minigan": minigan.__version__,
    }, made  # fmt: skip


KEY = ("data", "game", "networks", "epochs", "seed")


def finished(path):
    """The lines of the results so far. A last line that was cut off (a run was killed while
    writing) is removed."""
    text = path.read_text() if path.exists() else ""
    if text and not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        write_atomic(path, text.encode())
    return [json.loads(line) for line in text.splitlines()]


def mean_error(values):
    """Mean and standard error as text; NaN-free values only."""
    known = [v for v in values if v is not None]
    if not known:
        return "  -"
    error = np.std(known, ddof=1) / math.sqrt(len(known)) if len(known) > 1 else math.nan
    return (
        f"{np.mean(known):.2f}"
        + (f"±{error:.2f}" if error == error else "")
        + (f" ({len(known)})" if len(known) < len(values) else "")
    )


def report(rows, chosen):
    """The tables, in Markdown: of each data set those of the small twin first.

    chosen : data sets"""
    kinds = sorted({(r["networks"], r["epochs"]) for r in rows}, key=lambda k: (k[0] != "small", k))
    lines = []
    for data in chosen:
        plane = TOYS[data]()
        k = len(plane.means)
        true = [
            mode_coverage(plane.draw(SAMPLES, Generator(s)), plane.means, plane.std)
            for s in range(10)
        ]
        lines += [
            f"\n### {data}: {k} modes",
            f"\nMean±standard error over seeds, at the end. Floors, {SAMPLES} samples of the true "
            f"data: {np.mean([t.modes for t in true]):.0f} modes, HQ {true_quality():.2%} "
            f"(measured {np.mean([t.high_quality for t in true]):.2%}), reverse KL "
            f"{np.mean([t.reverse_kl for t in true]):.4f} (theory {(k - 1) / (2 * SAMPLES):.4f}).",
        ]
        for kind in kinds:
            own = [r for r in rows if (r["data"], r["networks"], r["epochs"]) == (data, *kind)]
            lines += table(own, *kind) if own else []
    return "\n".join(lines)


def table(rows, networks, epochs):
    """Lines of the table of one kind of networks on one data set."""
    lines = [
        f"\n{networks} networks, {epochs} epochs of {EPOCH} steps of {BATCH} points (packs):",
        "\n| game | seeds | modes | HQ % | reverse KL | steps / CPU s | published: modes, HQ, "
        "reverse KL |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for game in dict.fromkeys([*FIRST, *GAMES]):
        mine = [r for r in rows if r["game"] == game]
        if not mine:
            continue
        cells = [mean_error([r[c] for r in mine]) for c in ("modes", "reverse_kl")]
        quality = mean_error([100 * r["high_quality"] for r in mine])
        speed = f"{np.median([r['steps_per_cpu_second'] for r in mine]):.0f}"
        beside = "; ".join(PUBLISHED.get((mine[0]["data"], game), []))
        lines.append(
            f"| {game} | {len(mine)} | {cells[0]} | {quality} | {cells[1]} | {speed} | {beside} |"
        )
    return lines


def draw(options):
    """The last samples of the first seed of every game, as one figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    games = [
        g
        for g in dict.fromkeys([*FIRST, *GAMES])
        if any(samples_file(options, d, g).exists() for d in options.data)
    ]
    if not games:
        return print("no samples to draw: they are kept in", options.runs)
    columns = min(5, len(games))
    rows = -(-len(games) // columns)
    figure = Figure(
        figsize=(2.1 * columns, 2.25 * rows * len(options.data)), dpi=90, layout="constrained"
    )
    FigureCanvasAgg(figure)
    axes = np.asarray(figure.subplots(rows * len(options.data), columns)).reshape(-1, columns)
    for ax in axes.flat:
        ax.set_axis_off()
    for i, data in enumerate(options.data):
        plane = TOYS[data]()
        for j, game in enumerate(games):
            ax, file = axes[i * rows + j // columns, j % columns], samples_file(options, data, game)
            if file.exists():
                ax.scatter(*plane.means.T, s=40, marker="+", color="#222222", linewidths=0.6)
                ax.scatter(*np.load(file).T, s=3, color="#D55E00", alpha=0.5, linewidths=0)
                found = mode_coverage(np.load(file), plane.means, plane.std)
                ax.set_title(f"{game}: {found.modes}, {found.high_quality:.0%}", fontsize=9)
            ax.set_xlim(-plane.limit, plane.limit)
            ax.set_ylim(-plane.limit, plane.limit)
            ax.set_box_aspect(1)
    options.figure.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.figure)
    print("figure:", options.figure)


def write(page, text):
    """Put the text between the page's marks, in place of what is there."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return print(f"{page} has no place for the table: the lines {BEGIN} and {END}")
    write_atomic(page, f"{before}{begin}\n{text}\n\n{end}{after}".encode())
    print("tables:", page)


def samples_file(options, data, game):
    return options.runs / f"{data}-{game}-{options.networks}-{options.epochs}.npy"


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--games",
        nargs="+",
        choices=GAMES,
        default=FIRST,
        metavar="GAME",
        help=f"default: {' '.join(FIRST)}",
    )
    p.add_argument("--data", nargs="+", choices=("ring", "grid"), default=["ring", "grid"])
    p.add_argument(
        "--seeds", type=int, default=3, help="runs of each (default %(default)s; the paper: 10)"
    )
    p.add_argument(
        "--epochs",
        type=int,
        default=20,
        help=f"of {EPOCH} steps (default %(default)s; the paper: 400)",
    )
    p.add_argument(
        "--networks",
        choices=NETWORKS_OF_THE_PLANE,
        default="small",
        help="(default %(default)s; the paper's: pacgan)",
    )
    p.add_argument(
        "--results", type=Path, default=RESULTS, help="a line for each run (default %(default)s)"
    )
    p.add_argument(
        "--runs", type=Path, default=Path("runs/toy_modes"),
        help="folder of the states of runs and of the first seed's last samples",
    )  # fmt: skip
    p.add_argument("--figure", type=Path, help="default: toy_modes.png in --runs")
    p.add_argument(
        "--page", type=Path,
        help=f"where the tables are put (default {PAGE}; with other --results, nowhere)",
    )  # fmt: skip
    p.add_argument(
        "--report", action="store_true", help="no runs: the tables and the figure of those made"
    )
    options = p.parse_args(arguments)
    done = {tuple(r[k] for k in KEY) for r in finished(options.results)}
    options.figure = options.figure or options.runs / "toy_modes.png"
    if options.page is None and options.results.resolve() == RESULTS:
        options.page = PAGE
    options.runs.mkdir(parents=True, exist_ok=True)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    # Seed by seed, so that what is there at any time is comparable.
    jobs = [
        (d, g, options.networks, options.epochs, s)
        for s in range(options.seeds)
        for g in options.games
        for d in options.data
    ]
    for job in () if options.report else [j for j in jobs if j not in done]:
        data, game, networks, epochs, seed = job
        saved = options.runs / f"{data}-{game}-{networks}-{epochs}-{seed}.safetensors"
        try:
            row, made = run(game, data, networks, epochs, seed, saved)
        except KeyboardInterrupt:
            begun = "goes on from the last save" if saved.exists() else "begins this run anew"
            print(f"stopped; the same command {begun}")
            return 130
        if seed == 0:
            np.save(samples_file(options, data, game), made)
        with options.results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        saved.unlink(missing_ok=True)
    text = report(finished(options.results), options.data)
    print(text)
    if options.page:
        write(options.page, text)
    draw(options)
    return 0


def say(text):
    print(text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
