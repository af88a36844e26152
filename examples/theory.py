#!/usr/bin/env python3
"""Goodfellow's theory on a line: known densities, a D that is trained between them, and what the
theorems say.

    python examples/theory.py --out runs/theory     # all figures and their numbers: minutes
    python examples/theory.py --only distances law  # some of them

    optimal_d    a trained D beside D* = p / (p + q) (Goodfellow et al. 2014, Proposition 1)
    value        V(D, G) while D is trained, and its limit -log 4 + 2 JSD (Theorem 1), for
                 generators ever nearer to the data
    vanishing    G's gradient under an ever better D: log(1 - D) saturates, -log D does not
                 (section 3)
    distances    two densities move apart: JSD stays at log 2, KL explodes, W1 goes on
                 (Arjovsky et al. 2017, example 1)
    saturation   fakes on the right side of D's boundary, far from the data: cross entropy leaves
                 them there, least squares pulls them in (Mao et al. 2017, figures 1 and 2)
    variance     -log D's gradients as D gets better: their size and variance grow (Arjovsky and
                 Bottou 2017, theorem 2.6)
    law          E_z log(1 - D(G(z))) = E_pG log(1 - D) for a G that is not one-to-one
    panels       Goodfellow's figure 1: data black, G green, D blue, arrows z -> x, trained
    helvetica    G trained many steps for each of D's collapses (Goodfellow et al. 2014, section 6)
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import theory_games
from theory_line import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    STEP,
    Mixture,
    X,
    discriminator,
    jensen_shannon,
    judged,
    kl,
    logits,
    normal,
    save,
    wasserstein,
)

import minigan
from minigan import as_tensor, nn
from minigan.gan import LeastSquares, Minimax, NonSaturating
from minigan.training.cli import number

P = Mixture((0.6, -1.5, 0.6), (0.4, 2.0, 0.9))


def generator(shift):
    """The fixed generator of these experiments, `shift` away from where it fits best."""
    return Mixture((1.0, -0.2 + shift, 1.6))


def value(logits, p, q):
    """V(D, G), integrated over the grid."""
    log_d, log_not_d = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
    return np.sum(p * log_d + q * log_not_d) * STEP


def train(q, steps, batch=256, every=25):
    """D, and V after every few steps of its training against samples of P and q."""
    D, values = discriminator(), []
    for step in judged(D, P.sample, q.sample, steps, batch):
        if step % every == 0:
            values.append((step, value(logits(D), P.density(X), q.density(X))))
    return D, np.array(values)


# --- the experiments: numbers first, then a function for each panel of the figure ---


def optimal_d(steps):
    """Proposition 1: the D that maximises V is p / (p + q)."""
    q = generator(0.5)
    D, _ = train(q, steps)
    p, q = P.density(X), q.density(X)
    best, found = p / (p + q), 1 / (1 + np.exp(-logits(D)))
    inside = p + q > 0.02  # D is not told where there is no data
    row = {
        "largest |D - D*| where p + q > 0.02": np.abs(best - found)[inside].max(),
        "mean |D - D*| over (p + q) / 2": np.sum(np.abs(best - found) * (p + q) / 2) * STEP,
    }

    def draw(ax):
        ax.fill_between(X, p, color=GREY, alpha=0.3, lw=0, label="p, the data")
        ax.fill_between(X, q, color=GREEN, alpha=0.3, lw=0, label="q, the generator")
        ax.plot(
            X, np.where(inside, best, np.nan), color="k", lw=3, alpha=0.4, label="D* = p / (p + q)"
        )
        ax.plot(
            X,
            found,
            color=BLUE,
            lw=1.5,
            label=f"D, trained (largest error {np.abs(best - found)[inside].max():.3f})",
        )
        ax.set(xlabel="x", xlim=(-6, 6), ylim=(0, 1.05), title="The best D is p / (p + q)")
        ax.legend(frameon=False, fontsize=8)

    return row, draw


def values_and_jsd(steps):
    """Theorem 1: at D*, V = -log 4 + 2 JSD(p || q)."""
    rows, curves = {}, []
    for shift in (3.0, 1.5, 0.5):
        q = generator(shift)
        _, values = train(q, steps)
        limit = -np.log(4) + 2 * jensen_shannon(P.density(X), q.density(X))
        rows[f"generator shifted by {shift}: V of the trained D, its limit"] = (
            values[-1, 1],
            limit,
        )
        curves.append((shift, values, limit))

    def draw(ax):
        for color, (shift, values, limit) in zip((ORANGE, BLUE, GREEN), curves):
            ax.plot(
                values[:, 0],
                values[:, 1],
                color=color,
                lw=1.2,
                label=f"shift {shift}: V ends at {values[-1, 1]:.4f}",
            )
            ax.axhline(limit, color=color, ls="--", lw=1, label=f"   -log 4 + 2 JSD = {limit:.4f}")
        ax.axhline(-np.log(4), color="k", lw=0.8)
        ax.text(values[0, 0], -np.log(4) - 0.01, "-log 4: p = q", va="top", fontsize=8)
        ax.set(
            xlabel="steps of D",
            ylabel="V(D, G)",
            xscale="log",
            ylim=(-1.5, -0.7),
            title="At the best D, V is -log 4 + 2 JSD(p, q)",
        )
        ax.legend(frameon=False, fontsize=8)

    return rows, draw


def vanishing(steps):
    """Section 3: dL/dx of both generator losses at G's samples, for the best D of a generator ever
    farther from the data.

    log(1 - D): -D v', -log D: -(1 - D) v', with v = log(p / q) the logit of D*. Shown: the mean of
    the size over q, and the gradient through the objectives of minigan, which must be the same.
    """
    shifts, rows = np.linspace(0.25, 6, 24), []
    p = normal(X, 0, 0.5)
    for shift in shifts:
        q = normal(X, shift, 0.5)
        v = as_tensor(((X - shift) ** 2 - X**2) / (2 * 0.5**2)).requires_grad_()  # log p / q
        slope = -shift / 0.5**2  # dv / dx
        sizes = []
        for objective in (Minimax(), NonSaturating()):
            (on_v,) = minigan.grad(objective.g_loss(v) * len(X), v)
            sizes.append(np.sum(q * np.abs(on_v.numpy() * slope)) * STEP)
        rows.append(
            (*sizes, np.sum(q / (1 + np.exp(-v.detach().numpy()))) * STEP, jensen_shannon(p, q))
        )
    minimax, nonsaturating, d_fake, jsd = np.array(rows).T
    out = {}
    for shift in (1.0, 3.0, 6.0):
        i = int(np.argmin(np.abs(shifts - shift)))
        out[f"data and generator {shift} apart: E D(G(z)), E |dL/dx| of log(1 - D), of -log D"] = (
            d_fake[i],
            minimax[i],
            nonsaturating[i],
        )

    def draw(ax):
        ax.semilogy(
            shifts,
            np.maximum(minimax, 1e-12),
            color=ORANGE,
            marker=".",
            label="log(1 - D): saturates",
        )
        ax.semilogy(
            shifts,
            np.maximum(nonsaturating, 1e-12),
            color=BLUE,
            marker=".",
            label="-log D: does not",
        )
        ax.semilogy(shifts, d_fake, color=GREY, ls=":", label="mean D(G(z))")
        ax.semilogy(shifts, jsd, color=GREEN, ls="--", label="JSD(p, q), at most log 2")
        ax.set(xlabel="distance between data and generator, both N(., 0.5)",
            ylabel="mean size of dL/dx at G's samples", ylim=(1e-9, 1e2),
               title="Under the best D, minimax gives G no gradient")  # fmt: skip
        ax.legend(frameon=False, fontsize=8)

    return out, draw


def distances(steps):
    """Arjovsky et al. 2017, example 1, with densities: what JSD, KL and W1 say of two that are d
    apart, uniform on intervals of length 1, and normal with deviation 0.5."""

    def box(d):
        return np.where(np.abs(X - STEP / 2 - d) < 0.5, 1.0, 0.0)

    kinds = {"uniform": box, "normal": lambda d: normal(X, d, 0.5)}
    measures, apart = (jensen_shannon, kl, wasserstein), np.arange(0, 6.01, 0.1)
    found = {
        kind: np.array([[of(make(-3.0), make(d - 3.0)) for of in measures] for d in apart])
        for kind, make in kinds.items()
    }
    rows = {
        f"{kind}, {d} apart: JSD, KL, W1": tuple(table[np.argmin(np.abs(apart - d))])
        for kind, table in found.items()
        for d in (0.5, 1.0, 2.0, 4.0)
    }

    def panel(kind):
        def draw(ax):
            ax.axhline(np.log(2), color=GREY, lw=0.8, ls=":")
            ax.text(5.9, np.log(2) + 0.05, "log 2", ha="right", color=GREY, fontsize=8)
            names = ("JSD", GREEN), ("KL", ORANGE), ("W1", BLUE)
            for column, (name, color) in zip(found[kind].T, names):
                ax.plot(apart, np.where(np.isfinite(column), column, np.nan), color=color,
                        label=name if np.isfinite(column).all() else f"{name}: infinite for d > 0",
                        marker="o" if np.isfinite(column).sum() == 1 else None)  # fmt: skip
            ax.set(xlabel="d", ylim=(-0.1, 6), title=f"{kind}, d apart")
            ax.legend(frameon=False, fontsize=8, loc="upper center")

        return draw

    return rows, panel("uniform"), panel("normal")


def saturation(steps):
    """Mao et al. 2017, figures 1 and 2, on a line: D is linear and learns to tell data N(0, 0.3)
    from fakes N(-2, 0.3); then fakes lie on the data's side of its boundary, some far away."""
    data, fakes = Mixture((1.0, 0.0, 0.3)), Mixture((1.0, -2.0, 0.3))
    at, starts = np.linspace(-3, 8, 221), (1.0, 3.0, 6.0)
    rows, curves, ways = {}, {}, {}
    for name, objective in (("cross entropy", NonSaturating()), ("least squares", LeastSquares())):
        D = nn.Linear(1, 1)
        for _ in judged(D, data.sample, fakes.sample, steps, lr=2e-2, objective=objective):
            pass
        rows[f"{name}: D's slope and offset"] = D.weight.item(), D.bias.item()
        curves[name] = downhill(D, objective, at)
        for x in starts:
            rows[f"{name}: |dL/dx| of a fake at {x}"] = abs(downhill(D, objective, [x])[0])
        way = [np.array(starts)]
        for _ in range(60):
            way.append(way[-1] + 0.5 * downhill(D, objective, way[-1]))
        ways[name] = np.array(way)
        rows[f"{name}: those fakes after 60 steps of 0.5 dL/dx"] = way[-1]
    colors = {"cross entropy": ORANGE, "least squares": BLUE}

    def sizes(ax):
        for name, curve in curves.items():
            ax.semilogy(at, np.abs(curve), color=colors[name], label=name)
        ax.fill_between(at, 1e-12 + normal(at, 0, 0.3), 1e-12, color="k", alpha=0.15, lw=0)
        ax.fill_between(at, 1e-12 + normal(at, -2, 0.3), 1e-12, color=GREEN, alpha=0.3, lw=0)
        ax.set(xlabel="x (grey: data, green: the fakes that D has seen)", ylim=(1e-12, 1e2),
               ylabel="|dL/dx| of a fake at x", title="Who still tells G something?")  # fmt: skip
        ax.legend(frameon=False, fontsize=8)

    def paths(ax):
        for name, way in ways.items():
            for i, path in enumerate(way.T):
                ax.plot(path, color=colors[name], label=None if i else name)
        ax.axhspan(-0.6, 0.6, color="k", alpha=0.15, lw=0)
        ax.set(xlabel="steps down G's loss, D fixed", ylabel="x (grey: data)",
               title="Least squares pulls far fakes in")  # fmt: skip
        ax.legend(frameon=False, fontsize=8)

    return rows, sizes, paths


def downhill(D, objective, x):
    """-dL/dx for fakes at x (n,), L being G's loss on each of them."""
    points = as_tensor(np.asarray(x, np.float32)[:, None]).requires_grad_()
    (slope,) = minigan.grad(objective.g_loss(D(points)) * len(points), points)
    return -slope.numpy()[:, 0].astype(np.float64)


EXPERIMENTS = {
    "optimal_d": optimal_d,
    "value": values_and_jsd,
    "vanishing": vanishing,
    "distances": distances,
    "saturation": saturation,
    **theory_games.EXPERIMENTS,
}


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--steps", type=number(int, 25), default=3000, help="of D's training (default %(default)s)"
    )
    p.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=EXPERIMENTS, metavar="FIGURE",
                   help=f"of {', '.join(EXPERIMENTS)} (default: all)")  # fmt: skip
    p.add_argument("--seed", type=int, default=0)
    p.add_argument(
        "--out", default="runs/theory", help="folder of the figures (default %(default)s)"
    )
    options = p.parse_args(arguments)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        minigan.manual_seed(options.seed)
        numbers, *draws = EXPERIMENTS[name](options.steps)
        save(folder / f"{name}.png", draws)
        print(f"{name}.png")
        for what, found in numbers.items():
            print(f"  {what}: " + ", ".join(f"{v:.5g}" for v in np.atleast_1d(found)))
    print(f"written to {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
