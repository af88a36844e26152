"""The figures of `theory.py` for which a game is played, or D meets samples of a G: how -log D's
gradients vary, the law of G's samples, Goodfellow's four panels, and G without enough of D."""

import numpy as np
from theory_line import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    STEP,
    Mixture,
    X,
    discriminator,
    judged,
    logits,
    normal,
    wasserstein,
)

import minigan
from minigan import as_tensor, nn
from minigan.gan import GAN, R1, Minimax, NonSaturating, Trainer
from minigan.optim import Adam

DATA = Mixture((1.0, 0.5, 0.7))
TWO = Mixture((0.5, -2.0, 0.6), (0.5, 2.0, 0.6))


def network(width=24):
    """G: numbers (n, 1) -> numbers (n, 1)."""
    return nn.Sequential(
        nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
    )


# --- the variance of -log D's gradients ---


def theta_gradients(D, objective, n=256):
    """dL/dtheta of each of n samples (theta, z) of the generator below, at theta = 1."""
    x = as_tensor(np.stack([np.ones(n), (np.arange(n) + 0.5) / n], 1).astype(np.float32))
    x.requires_grad_()
    (slope,) = minigan.grad(objective.g_loss(D(x)) * n, x)
    return slope.numpy()[:, 0].astype(np.float64)


def variance(steps, critics=8):
    """Data (0, y), G's samples (theta, z) with theta = 1, y and z ~ U(0, 1): two segments of the
    plane that do not meet (Arjovsky et al. 2017, example 1). dL/dtheta of single samples, over z
    and over eight D's, at stages of D's training; and theorem 2.6 of Arjovsky and Bottou 2017:
    the gradient is a ratio of normal numbers where D is perfect up to normal noise."""
    stages = [round(s) for s in np.geomspace(1, max(steps / 3, 2), 9)]
    found = {s: ([], [], []) for s in stages}
    for _ in range(critics):
        D = discriminator(24, n_in=2)
        line = lambda n, x: minigan.cat([minigan.full((n, 1), x), minigan.rand(n, 1)], 1)
        for step in judged(
            D, lambda n: line(n, 0.0), lambda n: line(n, 1.0), stages[-1], 64, lr=2e-3
        ):
            if step in found:
                x = line(256, 1.0)
                found[step][0].append(D(x).sigmoid().mean().item())
                for kept, objective in zip(found[step][1:], (Minimax(), NonSaturating())):
                    kept.append(theta_gradients(D, objective))
    table = np.array(
        [
            (s, np.mean(d), *(f(g) for g in gradients for f in (np.mean, np.var)))
            for s, (d, *gradients) in found.items()
        ]
    )
    rows = {
        f"step {s:.0f}: D(G(z)), log(1 - D): mean, variance, -log D: mean, variance": row
        for s, *row in table
    }
    ratio = (minigan.randn(100_000) / minigan.randn(100_000)).numpy()
    rows["normal noise on a perfect D: median |gradient| (theory: 1)"] = np.median(np.abs(ratio))
    rows[f"share beyond 10 (theory, Cauchy: {1 - 2 / np.pi * np.arctan(10):.4f})"] = np.mean(
        np.abs(ratio) > 10
    )
    sizes = np.geomspace(100, 100_000, 13).astype(int)
    rows["variance of the first 100, of all 100,000 (theory: there is none)"] = (
        ratio[:100].var(),
        ratio.var(),
    )

    def trained(ax):
        ax.loglog(table[:, 0], table[:, 5], color=BLUE, marker=".", label="-log D: variance")
        ax.loglog(table[:, 0], np.abs(table[:, 4]), color=BLUE, ls="--", label="-log D: |mean|")
        ax.loglog(table[:, 0], table[:, 3], color=ORANGE, marker=".", label="log(1 - D): variance")
        ax.loglog(table[:, 0], table[:, 1], color=GREY, ls=":", label="mean D(G(z))")
        ax.set(xlabel="steps of D", ylabel="of dL/dtheta, over z and eight D's",
               title="The better D, the wilder -log D's gradients")  # fmt: skip
        ax.legend(frameon=False, fontsize=8)

    def noise(ax):
        ax.loglog(sizes, [ratio[:n].var() for n in sizes], color=BLUE, marker=".")
        ax.set(xlabel="samples", ylabel="their variance",
               title="Theorem 2.6: a variance that never settles")  # fmt: skip

    return rows, trained, noise


# --- the law of G's samples ---


def folded(z):
    """G(z) = ||z| - 1|: four z's for an x below 1, two above."""
    return np.abs(np.abs(z) - 1)


def folded_density(x, preimages=4):
    """p_G(x), x > 0: the sum of z's density over G's inverse images, |G'| being 1; or over the
    first of them only."""
    inverse = np.stack([1 + x, -1 - x, 1 - x, x - 1])[:preimages]
    return np.where(np.arange(len(inverse))[:, None] < np.where(x < 1, 4, 2),
                    normal(inverse, 0, 1), 0).sum(0)  # fmt: skip


def law(steps):
    """E_z log(1 - D(G(z))) and the integral of p_G log(1 - D) are equal: G need not be one-to-one
    (what must be is counted: all z's that G carries to x)."""
    D = discriminator()
    of_d = lambda x: -np.logaddexp(0, logits(D, x))
    x = X[X > -STEP / 4] + STEP / 2  # middles of cells
    drawn = folded(minigan.randn(200_000).numpy())
    over_z = np.sum(normal(X, 0, 1) * of_d(folded(X))) * STEP
    rows = {
        "E_z log(1 - D(G(z))), by quadrature": over_z,
        "E_pG log(1 - D), by quadrature with all inverse images": np.sum(
            folded_density(x) * of_d(x)
        )
        * STEP,
        "with one inverse image only, as if G were one-to-one": np.sum(
            folded_density(x, 1) * of_d(x)
        )
        * STEP,
        "mean over 200,000 samples": of_d(drawn).mean(),
    }

    def curve(ax):
        z = np.linspace(-3, 3, 601)
        ax.plot(z, folded(z), color=GREEN)
        ax.axhline(0.4, color=GREY, lw=0.8, ls=":")
        ax.plot([-1.4, -0.6, 0.6, 1.4], [0.4] * 4, "o", color=ORANGE)
        ax.set(xlabel="z", ylabel="x = G(z)", title="Four z's go to x = 0.4")

    def density(ax):
        ax.hist(drawn, np.arange(0, 4, 0.05), density=True, color=GREEN, alpha=0.4,
                label="samples of G")  # fmt: skip
        ax.plot(x[x < 4], folded_density(x)[x < 4], color="k", label="p_G, all inverse images")
        ax.plot(x[x < 4], folded_density(x, 1)[x < 4], color=ORANGE, ls="--", label="one only")
        ax.set(xlabel="x", title="and all of them count")
        ax.legend(frameon=False, fontsize=8)

    return rows, curve, density


# --- Goodfellow's figure 1 ---


def generated(G):
    """(z, G(z), the density of G's samples on X) for z's evenly spread over (-1, 1)."""
    z = (np.arange(8000) + 0.5) / 4000 - 1
    x = G(as_tensor(z[:, None].astype(np.float32))).detach().numpy()[:, 0]
    counts, _ = np.histogram(x, np.append(X - STEP / 2, X[-1] + STEP / 2), density=True)
    kernel = normal(np.arange(-60, 61) * STEP, 0, 0.06)
    return z, x, np.convolve(counts, kernel / kernel.sum(), "same")


def panels(steps):
    """Figure 1 of Goodfellow et al. 2014, not drawn but trained: (a) a pair some rounds on its way,
    (b) D trained to its best for this G, (c) G after some descents, (d) after many rounds."""
    # no Tanh: the steep D of (b) would have units that are stuck
    G, D = network(), discriminator(activation=nn.SiLU)
    with minigan.no_grad():  # it begins about as wide as the data, beside them
        G[-1].weight.mul_(5.0)
        G[-1].bias.fill_(-1.0)
    game = GAN(G, D, NonSaturating(), 1, k=3, latent="uniform", penalties=R1(0.01))
    optimizers = {n: Adam(m.parameters(), 2e-3, (0.5, 0.99)) for n, m in game.players.items()}
    trainer, states, rows = Trainer(game, optimizers), [], {}
    p = DATA.density(X)

    def look(name):
        z, x, q = generated(G)
        d = 1 / (1 + np.exp(-logits(D)))
        weight = (p + q) / 2
        best = p / np.maximum(p + q, 1e-30)
        states.append((name, z, x, q, d, best))
        rows[f"{name}: W1 of G and data, mean |D - D*|, mean |D - 1/2|"] = (
            wasserstein(p, q),
            np.sum(np.abs(d - best) * weight) * STEP,
            np.sum(np.abs(d - 0.5) * weight) * STEP,
        )

    for _ in range(20):
        trainer.play(DATA.sample(256))
    look("(a) on the way")
    fakes = lambda n: G(game.latents(n, G[0].weight)).detach()
    for _ in judged(D, DATA.sample, fakes, steps // 2):
        pass
    look("(b) D at its best")
    optimizers["G"].param_groups[0]["lr"] = 5e-4  # small steps: D is fixed, and right only near G
    for _ in range(5):
        trainer.perform(game.descent(DATA.sample(256), G(game.latents(256, G[0].weight))))
    look("(c) G has moved")
    play = minigan.cpu.graph(trainer.play)
    for step in range(steps):
        for optimizer in optimizers.values():
            optimizer.param_groups[0]["lr"] = 2e-3 * (1 - step / steps) + 1e-5
        play(DATA.sample(256))
    look("(d) after many rounds")
    return rows, *(arrows(state, p) for state in states)


def arrows(state, p):
    """One panel: the densities and D over the lines of x and z, with arrows z -> x."""
    name, z, x, q, d, best = state

    def draw(ax):
        shown = np.abs(X - 0.5) < 3
        ax.plot(X[shown], p[shown], "k:", label="data")
        ax.plot(X[shown], q[shown], color=GREEN, label="G")
        ax.plot(X[shown], d[shown], color=BLUE, ls="--", label="D")
        seen = shown & (p + q > 0.02)
        ax.plot(X[seen], best[seen], color=BLUE, lw=4, alpha=0.2, label="D*")
        for i in range(200, 8000, 400):  # z is drawn as wide as the panel
            ax.annotate("", (x[i], -0.25), (2.5 * z[i] + 0.5, -0.7),
                        arrowprops={"arrowstyle": "->", "lw": 0.6})  # fmt: skip
        for y, text in ((-0.25, "x"), (-0.7, "z")):
            ax.plot([-2.4, 3.4], [y, y], "k", lw=0.8)
            ax.text(-2.6, y, text, va="center", ha="right")
        ax.set(xlim=(-2.9, 3.5), ylim=(-0.8, 1.25), title=name, yticks=[0, 0.5, 1])
        ax.legend(frameon=False, fontsize=7, ncols=4, loc="upper center")

    return draw


# --- Helvetica ---


def spread(g_steps, rounds, every=10):
    """The standard deviation of G's samples every so many rounds, and its last samples, for a game
    with so many descents of G in a round."""
    G, D = network(), discriminator(24)
    game = GAN(G, D, NonSaturating(), 1, g_steps=g_steps)
    optimizers = {n: Adam(m.parameters(), 2e-3, (0.5, 0.99)) for n, m in game.players.items()}
    play = minigan.cpu.graph(Trainer(game, optimizers).play)
    z = minigan.randn(1000, 1)
    widths = []
    for step in range(rounds):
        play(TWO.sample(64))
        if step % every == every - 1:
            with minigan.no_grad():
                x = G(z).numpy()[:, 0]
            widths.append(x.std())
    return np.array(widths), x


def helvetica(steps, seeds=3):
    """Section 6 of Goodfellow et al. 2014: "G must not be trained too much without updating D, in
    order to avoid the Helvetica scenario in which G collapses too many values of z to the same
    value of x". The spread of G's samples for 1, 10 and 50 descents in a round."""
    rounds, runs = max(steps // 5, 10), {}
    for g_steps in (1, 10, 50):
        runs[g_steps] = [spread(g_steps, rounds) for _ in range(seeds)]
    std = float(np.sqrt(np.sum(TWO.density(X) * X**2) * STEP))
    rows = {"standard deviation of the data": std}
    for g_steps, made in runs.items():
        late = [widths[len(widths) // 2 :].mean() for widths, _ in made]
        rows[f"of G's samples, {g_steps} descents in a round, each seed (second half)"] = late
    colors = {1: BLUE, 10: GREEN, 50: ORANGE}

    def over_rounds(ax):
        for g_steps, made in runs.items():
            for i, (widths, _) in enumerate(made):
                ax.plot((np.arange(len(widths)) + 1) * 10, widths, color=colors[g_steps], lw=0.9,
                        label=None if i else f"{g_steps} of G for 1 of D")  # fmt: skip
        ax.axhline(std, color="k", lw=0.8, ls=":", label="data")
        ax.set(xlabel="rounds", ylabel="spread of G's samples",
               title="Too much G: all z fall together")  # fmt: skip
        ax.legend(frameon=False, fontsize=8)

    def samples(ax):
        bins = np.linspace(-5, 5, 101)
        for g_steps, made in runs.items():
            ax.hist(made[0][1], bins, density=True, histtype="step", color=colors[g_steps])
        ax.fill_between(X, TWO.density(X), color=GREY, alpha=0.4, lw=0)
        ax.set(xlim=(-5, 5), ylim=(0, 1.5), xlabel="x (grey: data)",
               title="G's samples at the end, one seed")  # fmt: skip

    return rows, over_rounds, samples


EXPERIMENTS = {"variance": variance, "law": law, "panels": panels, "helvetica": helvetica}
