"""What each 1-D game finds, against what it should: direct minimisers of the f-divergences, and the
exact distance W1.

    python benchmarks/divergences.py [--steps 4000] [--json FILE]

Fits: data from a mixture of two normals, G(z) = mu + sigma z. G's (mu, sigma) after an f-GAN game,
beside the pair that minimises the divergence's integral (a grid search, refined). Games: other
objectives, penalties and switches on N(1.5, 0.8), where all must find the same. W1: critics between
N(0, 0.5) and N(d, 0.5), for which W1 = d.
"""

import argparse
import json

import numpy as np

import minigan
from minigan import as_tensor, nn
from minigan.gan import (
    DRAGAN,
    GAN,
    KL,
    OBJECTIVES,
    R1,
    R2,
    Alpha,
    Ascend,
    FDivergence,
    Fisher,
    Game,
    GANDivergence,
    GradientPenalty,
    Hinge,
    HistoricalAveraging,
    InstanceNoise,
    Jeffreys,
    JensenShannon,
    Neyman,
    NonSaturating,
    Orthogonal,
    Pack,
    Pearson,
    ReverseKL,
    SpectralNorm,
    SquaredHellinger,
    TotalVariation,
    Trainer,
    Wasserstein,
    WassersteinDivergence,
    WeightClip,
)
from minigan.optim import Adam

X = np.linspace(-12, 12, 3001)
STEP = X[1] - X[0]
PARTS = ((0.65, -0.8, 0.7), (0.35, 1.2, 0.9))  # of the data: weight, mean, standard deviation


def normal(x, mean, std):
    return np.exp(-(((x - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))


P = sum(w * normal(X, m, s) for w, m, s in PARTS)


def data(n):
    """(n, 1) samples of the mixture."""
    (w, m0, s0), (_, m1, s1) = PARTS
    first = (minigan.rand(n, 1).numpy() < w).astype(np.float32)
    return as_tensor(
        minigan.randn(n, 1).numpy() * (first * s0 + (1 - first) * s1)
        + (first * m0 + (1 - first) * m1)
    ).float()


# name -> objective, f(u): the divergence is the integral of q f(p / q)
FITS = {
    "total-variation": (TotalVariation, lambda u: abs(u - 1) / 2),
    "kl": (KL, lambda u: u * np.log(u)),
    "reverse-kl": (ReverseKL, lambda u: -np.log(u)),
    "pearson": (Pearson, lambda u: (u - 1) ** 2),
    "neyman": (Neyman, lambda u: (1 - u) ** 2 / u),
    "squared-hellinger": (SquaredHellinger, lambda u: (np.sqrt(u) - 1) ** 2),
    "jensen-shannon": (JensenShannon, lambda u: u * np.log(u) - (u + 1) * np.log((u + 1) / 2)),
    "gan-divergence": (GANDivergence, lambda u: u * np.log(u) - (u + 1) * np.log(u + 1)),
    "jeffreys": (Jeffreys, lambda u: (u - 1) * np.log(u)),
    "alpha 0.5": (lambda: Alpha(0.5), lambda u: (u**0.5 - 1 - 0.5 * (u - 1)) / (0.5 * -0.5)),
    "alpha 1.5": (lambda: Alpha(1.5), lambda u: (u**1.5 - 1 - 1.5 * (u - 1)) / (1.5 * 0.5)),
}


def divergence(f, mu, sigma):
    """integral of q f(p / q) for many (mu, sigma) at once, on the grid."""
    q = normal(X, np.asarray(mu)[..., None], np.asarray(sigma)[..., None]) + 1e-12
    return (q * f((P + 1e-12) / q)).sum(-1) * STEP


def direct(f):
    """(mu, sigma) of the smallest divergence: a grid, four times refined."""
    (m0, m1), (s0, s1) = (-2.0, 2.0), (0.3, 3.0)
    for _ in range(5):
        mu, sigma = np.meshgrid(np.linspace(m0, m1, 21), np.linspace(s0, s1, 21))
        i = np.unravel_index(np.argmin(divergence(f, mu, sigma)), mu.shape)
        best, reach = (mu[i], sigma[i]), ((m1 - m0) / 8, (s1 - s0) / 8)
        m0 = best[0] - reach[0]
        m1 = best[0] + reach[0]
        s0 = max(best[1] - reach[1], 0.05)
        s1 = best[1] + reach[1]
    return best


class Affine(nn.Module):
    """G(z) = mu + e^s z."""

    def __init__(self, mu, sigma):
        super().__init__()
        self.mu = nn.Parameter(np.array([mu], np.float32))
        self.s = nn.Parameter(np.array([np.log(sigma)], np.float32))

    def forward(self, z):
        return self.mu + minigan.exp(self.s) * z


def critic(width=32, inputs=1):
    return nn.Sequential(
        nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
    )


def fit(objective, steps, batch=512, k=2):
    """(mu, sigma) found by the game, averaged over its last quarter; rates fall linearly to a
    tenth.

    Total variation: the best T is a step, whose slope, all that G learns from, is nothing but
    spikes. D then gets a head start.
    """
    rates = {"D": 5e-3, "G": 5e-3}
    if isinstance(objective, TotalVariation):
        rates, k = {"D": 1e-2, "G": 2e-3}, 5
    G, D = Affine(0.5, 1.0), critic()
    optimizers = {
        name: Adam(player.parameters(), rates[name], (0.5, 0.99))
        for name, player in (("D", D), ("G", G))
    }
    play = minigan.cpu.graph(Trainer(GAN(G, D, objective, latent_dim=1, k=k), optimizers).play)
    found = []
    for step in range(steps):
        for name, optimizer in optimizers.items():
            optimizer.param_groups[0]["lr"] = rates[name] * (1 - 0.9 * step / steps)
        play(data(batch))
        if step >= steps * 3 // 4:
            found.append((G.mu.item(), np.exp(G.s.item())))
    return np.mean(found, 0)


# --- games of every kind that must all find the same answer ---

# data N(1.5, 0.8): the affine G can be exactly right, and then every game is at its optimum
TARGET = (1.5, 0.8)
GAMES = {  # name -> (objective, options of the game, constraints of D)
    **{
        name: (make, {}, [])
        for name, make in OBJECTIVES.items()
        if not isinstance(make(), (FDivergence, Wasserstein))
    },
    "hinge": (Hinge, {}, []),
    "wasserstein, gradient": (Wasserstein, {"penalties": [GradientPenalty(1)]}, []),
    "wasserstein, div": (Wasserstein, {"penalties": [WassersteinDivergence()]}, []),
    "wasserstein, clip": (Wasserstein, {}, [lambda: WeightClip(0.3)]),
    "wasserstein, spectral": (Wasserstein, {}, [SpectralNorm]),
    "fisher": (lambda: Fisher(1e-2), {}, []),
    "nonsaturating, r1": (NonSaturating, {"penalties": [R1(0.3)]}, []),
    "nonsaturating, r2": (NonSaturating, {"penalties": [R2(0.3)]}, []),
    "nonsaturating, dragan": (NonSaturating, {"penalties": [DRAGAN(1)]}, []),
    "nonsaturating, orthogonal": (NonSaturating, {"penalties": [Orthogonal(1e-3)]}, []),
    "nonsaturating, historical": (
        NonSaturating,
        {"penalties": HistoricalAveraging(1e-3), "g_penalties": HistoricalAveraging(1e-3)},
        [],
    ),
    "nonsaturating, label 0.9": (lambda: NonSaturating(real_label=0.9), {}, []),
    "nonsaturating, simultaneous": (NonSaturating, {"simultaneous": True, "k": 1}, []),
    "nonsaturating, noise": (NonSaturating, {"views": [InstanceNoise(0.5)]}, []),
    "nonsaturating, pack 2": (NonSaturating, {"views": [Pack(2)]}, []),
}


def play(name, steps, batch=256):
    """(mu, sigma) that a game finds from (0, 1.5), averaged over its last quarter."""
    make, options, constraints = GAMES[name]
    inputs = 2 if any(isinstance(view, Pack) for view in options.get("views", ())) else 1
    G, D = Affine(0.0, 1.5), critic(inputs=inputs)
    optimizers = {
        player: Adam(net.parameters(), 1e-2, (0.5, 0.99)) for player, net in (("D", D), ("G", G))
    }
    game = GAN(G, D, make(), latent_dim=1, **({"k": 2} | options))
    play = minigan.cpu.graph(
        Trainer(game, optimizers, {"D": [make() for make in constraints]}).play
    )
    found = []
    for step in range(steps):
        for optimizer in optimizers.values():
            optimizer.param_groups[0]["lr"] = 1e-2 * (1 - 0.9 * step / steps)
        play(minigan.randn(batch, 1) * TARGET[1] + TARGET[0])
        if step >= steps * 3 // 4:
            found.append((G.mu.item(), np.exp(G.s.item())))
    return np.mean(found, 0)


# --- W1 ---


class Judging(Game):
    """Only the critic moves, between N(0, 0.5) and N(distance, 0.5)."""

    def __init__(self, D, distance, objective, penalty):
        self.D = D
        self.distance = distance
        self.objective = objective
        self.penalty = penalty
        self.players = {"D": D}

    def samples(self, n):
        return minigan.randn(n, 1) * 0.5 + self.distance, minigan.randn(n, 1) * 0.5

    def value(self, real, fake):
        return (self.D(real).mean() - self.D(fake).mean()).item()

    def moves(self, n, free=False):
        real, fake = self.samples(n)
        value = self.objective.d_value(self.D(real), self.D(fake))
        yield Ascend(
            "D", value - self.penalty(self.D, real, fake) if self.penalty and not free else value
        )
        self.objective.after_step()


CRITICS = {  # penalty, constraints, what its optimum estimates
    "penalty 10": (lambda: GradientPenalty(10), [], lambda d: d * (1 + d / 20)),
    "one-sided 10": (lambda: GradientPenalty(10, one_sided=True), [], lambda d: d * (1 + d / 20)),
    "penalty 100": (lambda: GradientPenalty(100), [], lambda d: d * (1 + d / 200)),
    "spectral": (lambda: None, [SpectralNorm], lambda d: d),
    "clip 0.1": (lambda: None, [lambda: WeightClip(0.1)], None),
}


def estimate(name, distance, steps, batch=256):
    """E f(x) - E f(y) of a trained critic, on 20,000 fresh samples.

    On a line a slope can only change its sign through 0, where the two-sided penalty has a hill of
    its weight: a critic that starts the wrong way round stays so, near slope -1. Hence 20 steps
    without the penalty at the start.
    """
    penalty, constraints, _ = CRITICS[name]
    D = nn.Sequential(
        nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)
    )
    game = Judging(D, distance, Wasserstein(), penalty())
    trainer = Trainer(
        game,
        {"D": Adam(D.parameters(), 3e-3, (0.5, 0.99))},
        {"D": [make() for make in constraints]},
    )
    for step in range(steps):
        trainer.optimizers["D"].param_groups[0]["lr"] = 3e-3 * (1 - 0.95 * step / steps)
        for move in game.moves(batch, free=step < 20):
            trainer.perform(move)
    return game.value(*game.samples(20_000))


def fisher(distance, steps, batch=256):
    """The second moment that Fisher GAN's constraint holds at 1, and E f(x) - E f(y), at the
    end."""
    D, objective = critic(), Fisher(rho=1e-2)
    game = Judging(D, distance, objective, None)
    trainer = Trainer(game, {"D": Adam(D.parameters(), 1e-3, (0.5, 0.99))})
    for _ in range(steps):
        trainer.play(batch)
    real, fake = game.samples(20_000)
    moment = ((D(real) ** 2).mean() + (D(fake) ** 2).mean()).item() / 2
    return moment, game.value(real, fake) / moment**0.5


def fisher_exact(distance):
    """sup (E f(x) - E f(y)) / sqrt(W): the square root of the integral of (p - q)^2 / ((p + q) /
    2)."""
    p, q = normal(X, distance, 0.5), normal(X, 0, 0.5)
    return np.sqrt(np.sum((p - q) ** 2 / np.maximum((p + q) / 2, 1e-300)) * STEP)


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--steps", type=int, default=4000, help="of each game (default %(default)s)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--json", help="write the numbers here, too")
    options = p.parse_args()
    found = {"fits": {}, "games": {}, "w1": {}, "fisher": {}}
    print(
        f"{'divergence':18s}  fitted mu, sigma    direct mu, sigma    excess of the divergence "
        "over its minimum"
    )
    for name, (make, f) in FITS.items():
        minigan.manual_seed(options.seed)
        mu, sigma = fit(make(), options.steps)
        best = direct(f)
        low = divergence(f, *best)
        row = {"fitted": [float(mu), float(sigma)], "direct": [float(v) for v in best],
            "minimum": float(low),
               "excess": float(divergence(f, mu, sigma) - low)}  # fmt: skip
        found["fits"][name] = row
        print(
            f"{name:18s}  {mu:7.3f} {sigma:7.3f}     {best[0]:7.3f} {best[1]:7.3f}     "
            f"{row['excess']:.4f} over {low:.4f}",
            flush=True,
        )
    print(f"\n{'game':30s}  mu, sigma found; the data's: {TARGET[0]}, {TARGET[1]}")
    for name in GAMES:
        minigan.manual_seed(options.seed)
        mu, sigma = play(name, options.steps // 2)
        found["games"][name] = [float(mu), float(sigma)]
        print(f"{name:30s}  {mu:7.3f} {sigma:7.3f}", flush=True)
    print("\nW1 estimates (in brackets: the optimum of the penalised value)")
    for distance in (0.5, 1.0, 2.0, 4.0):
        line = [f"W1 = {distance}"]
        for name, (_, _, limit) in CRITICS.items():
            minigan.manual_seed(options.seed)
            value = estimate(name, distance, options.steps // 2)
            found["w1"][f"{name}, {distance}"] = value
            line.append(f"{name}: {value:.4f}" + (f" ({limit(distance):.4f})" if limit else ""))
        print("   ".join(line), flush=True)
    print("\nFisher: second moment (constraint: 1), normalised difference, its exact supremum")
    for distance in (0.5, 1.0, 2.0):
        minigan.manual_seed(options.seed)
        moment, value = fisher(distance, options.steps)
        found["fisher"][str(distance)] = [moment, value, float(fisher_exact(distance))]
        print(
            f"distance {distance}: {moment:.4f}   {value:.4f}   {fisher_exact(distance):.4f}",
            flush=True,
        )
    if options.json:
        with open(options.json, "w") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
