"""What the figures of `theory.py` share: a line with densities on it, distances between them, a
game in which only D moves, and the drawing."""

import numpy as np

import minigan
from minigan import as_tensor, nn
from minigan.gan import Ascend, Game, Minimax, Trainer
from minigan.optim import Adam

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


# --- distances of two densities, given on the grid X ---


def kl(p, q):
    """KL(p || q) in nats: infinite where p has mass that q lacks."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.sum(np.where(p > 0, p * (np.log(p) - np.log(q)), 0)) * STEP)


def jensen_shannon(p, q):
    """(KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2."""
    m = (p + q) / 2
    return (kl(p, m) + kl(q, m)) / 2


def wasserstein(p, q):
    """W1: the area between the two distribution functions."""
    return float(np.abs(np.cumsum(p - q)).sum() * STEP**2)


# --- players ---


class Judging(Game):
    """Only D moves: up its value for a fixed G, which is given by `fakes(n)`."""

    def __init__(self, D, fakes, objective=None):
        self.D = D
        self.fakes = fakes
        self.objective = objective or Minimax()
        self.players = {"D": D}
        self.latent_dim = 1

    def moves(self, real):
        yield Ascend("D", self.objective.d_value(self.D(real), self.D(self.fakes(len(real)))))


def discriminator(width=48, n_in=1, activation=nn.Tanh):
    layers = [nn.Linear(n_in, width), activation(), nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 1))


def judged(D, data, fakes, steps, batch=256, lr=5e-3, objective=None):
    """Train D with a falling learning rate; yields the number of steps after each of them."""
    optimizer = Adam(D.parameters(), lr)
    trainer = Trainer(Judging(D, fakes, objective), {"D": optimizer})
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * (1 - step / steps) + lr / 500
        trainer.play(data(batch))
        yield step + 1


def logits(D, x=X):
    """D's logit at points of the line, as float64."""
    return D(as_tensor(x[:, None].astype(np.float32))).detach().numpy()[:, 0].astype(np.float64)


# --- drawing ---


def save(path, draws):
    """Draw one figure into a PNG file: a panel for each function of `draws`, side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n = len(draws)
    figure = Figure(figsize=(7 if n == 1 else 4.6 * n if n < 4 else 3.3 * n, 4.5),
                    layout="constrained", dpi=80)  # fmt: skip
    for draw, ax in zip(draws, np.atleast_1d(figure.subplots(1, n))):
        draw(ax)
        ax.spines[["top", "right"]].set_visible(False)
    FigureCanvasAgg(figure).print_png(path)
