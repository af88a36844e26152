#!/usr/bin/env python3
"""Goodfellow's theory on a line: two known densities p and q, a D that is trained between them, and
what the theorems say.

    python examples/theory.py --out runs/theory

It draws three figures and prints their numbers:

    optimal_d.png  a trained D beside D* = p / (p + q) (Goodfellow et al. 2014, Proposition 1)
    value.png      V(D, G) while D is trained, and its limit -log 4 + 2 JSD (Theorem 1), for
                   generators ever nearer to the data
    vanishing.png  G's gradient under an ever better D: log(1 - D) saturates, -log D does not
                   (section 3)
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import minigan
from minigan import as_tensor, nn
from minigan.gan import Ascend, Game, Minimax, NonSaturating, Trainer
from minigan.optim import Adam
from minigan.training.cli import number

X = np.linspace(-12, 12, 4801)
STEP = X[1] - X[0]
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
GREY = "#777777"


def normal(x, mean, std):
    return np.exp(-(((x - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))


class Mixture:
    """A mixture of normal densities on a line: weights, means, standard deviations."""

    def __init__(self, *parts):
        self.weights, self.means, self.stds = (np.array(column, float) for column in zip(*parts))

    def density(self, x):
        return sum(w * normal(x, m, s) for w, m, s in zip(self.weights, self.means, self.stds))

    def sample(self, n):
        """(n, 1) samples, by inverting the distribution function."""
        steps = np.cumsum(self.density(X)) * STEP
        return as_tensor(
            np.interp(minigan.rand(n, 1).numpy(), steps / steps[-1], X).astype(np.float32)
        )


P = Mixture((0.6, -1.5, 0.6), (0.4, 2.0, 0.9))


def generator(shift):
    """The fixed generator of these experiments, `shift` away from where it fits best."""
    return Mixture((1.0, -0.2 + shift, 1.6))


def jensen_shannon(p, q):
    """(KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2, of densities on the grid X."""
    m = (p + q) / 2
    kl = lambda a: np.sum(np.where(a > 0, a * np.log(np.maximum(a, 1e-300) / m), 0)) * STEP
    return (kl(p) + kl(q)) / 2


class Judging(Game):
    """Only D moves: Goodfellow's V for a fixed G, which is given by its samples."""

    def __init__(self, D, q):
        self.D = D
        self.q = q
        self.players = {"D": D}
        self.latent_dim = 1

    def moves(self, real):
        yield Ascend("D", Minimax().d_value(self.D(real), self.D(self.q.sample(len(real)))))


def discriminator(width=48):
    return nn.Sequential(
        nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
    )


def logits(D):
    return D(as_tensor(X[:, None].astype(np.float32))).detach().numpy()[:, 0].astype(np.float64)


def value(logits, p, q):
    """V(D, G), integrated over the grid."""
    log_d, log_not_d = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
    return np.sum(p * log_d + q * log_not_d) * STEP


def train(q, steps, batch=256, every=25):
    """D, and V after every few steps of its training against samples of P and q."""
    D = discriminator()
    optimizer = Adam(D.parameters(), 5e-3)
    trainer, values = Trainer(Judging(D, q), {"D": optimizer}), []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 5e-3 * (1 - step / steps) + 1e-5
        trainer.play(P.sample(batch))
        if step % every == every - 1:
            values.append((step + 1, value(logits(D), P.density(X), q.density(X))))
    return D, np.array(values)


# --- the three experiments: numbers first, then a figure ---


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


EXPERIMENTS = {"optimal_d": optimal_d, "value": values_and_jsd, "vanishing": vanishing}


def save(path, draw):
    """Draw one figure into a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    ax = figure.add_subplot()
    draw(ax)
    ax.spines[["top", "right"]].set_visible(False)
    FigureCanvasAgg(figure).print_png(path)


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--steps", type=number(int, 25), default=3000, help="of D's training (default %(default)s)"
    )
    p.add_argument("--seed", type=int, default=0)
    p.add_argument(
        "--out", default="runs/theory", help="folder of the figures (default %(default)s)"
    )
    options = p.parse_args(arguments)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    for name, experiment in EXPERIMENTS.items():
        minigan.manual_seed(options.seed)
        numbers, draw = experiment(options.steps)
        save(folder / f"{name}.png", draw)
        print(f"{name}.png")
        for what, found in numbers.items():
            print(f"  {what}: " + ", ".join(f"{v:.4g}" for v in np.atleast_1d(found)))
    print(f"written to {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
