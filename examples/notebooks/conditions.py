# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Conditions and codes
#
# A GAN draws *something*. Two ways to say what: give both players a label (**CGAN**, Mirza and
# Osindero 2014), or give G numbers, and let a third network read them back from the picture, so
# that they come to mean something by themselves (**InfoGAN**, Chen et al. 2016).

# %%
import os
import tempfile

import numpy as np

import minigan
from minigan import nn, optim
from minigan.arrays import Generator
from minigan.data import load_dataset
from minigan.data.batches import Batches
from minigan.gan import CGAN, Beside, InfoGAN, Joined, NonSaturating, Trainer
from minigan.training import Run, usual

STEPS = int(os.environ.get("NOTEBOOK_STEPS", 8000))
folder = os.environ.get("NOTEBOOK_FOLDER") or tempfile.mkdtemp()
_ = minigan.manual_seed(0)
data = load_dataset("strokes")

# %% [markdown]
# ## 1. A label for both
#
# `Joined(network, classes)` writes the label as ten more inputs, one of them 1. G gets it beside
# its noise, D beside the picture: a real 3 that is called 5 is as wrong as a fake.


# %%
def generator(inputs):
    return nn.Sequential(
        nn.Linear(inputs, 128), nn.LeakyReLU(0.2),
        nn.Linear(128, 256), nn.BatchNorm1d(256), nn.LeakyReLU(0.2),
        nn.Linear(256, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)),
    )  # fmt: skip


def trained(game, name, rates):
    """A run of a game; rates: of each player's Adam"""
    optimizers = {
        player: optim.Adam(network.parameters(), rates[player], (0.5, 0.999))
        for player, network in game.players.items()
    }
    batches = Batches(data, 64, columns=game.columns)
    run = Run(
        Trainer(game, optimizers), batches, f"{folder}/{name}", {"notebook": name}, epochs=99,
        max_steps=STEPS, callbacks=usual("G", ema=0.99, sample_interval=max(1, STEPS // 5)),
    )  # fmt: skip
    run.train()
    return run


G = Joined(generator(32 + 10), 10)
D = Joined(
    nn.Sequential(nn.Linear(784 + 10, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1)), 10, flat=True
)
cgan = CGAN(G, D, NonSaturating(), 32, classes=10)
trained(cgan, "cgan", {"D": 1e-3, "G": 1e-3})

# %% [markdown]
# One row for each label; noise is the same down a column, so that a column has one handwriting.

# %%
z = minigan.randn(8, 32)
labels = minigan.tensor(np.arange(10).repeat(8))
cgan.sample(minigan.cat([z] * 10), labels)

# %% [markdown]
# Sevens only:

# %%
inputs = cgan.asked(cgan.inputs(16, Generator(3)), 7)
cgan.sample(*inputs)

# %% [markdown]
# ## 2. Codes that find their meaning
#
# No label of the data is read from here on. G gets noise, one of ten values $c_1$ and two numbers
# $c_2, c_3$ in [-1, 1]. Q, a second head of D, guesses them from the picture; G and Q both gain
# where the guess is right. So G has to show its codes, and the cheapest way to show them is what
# pictures differ by most.

# %%
trunk = [nn.Flatten(), nn.Linear(784, 256), nn.LeakyReLU(0.2)]
heads = Beside(nn.Linear(256, 1), nn.Linear(256, 10 + 2))
infogan = InfoGAN(
    Joined(generator(32 + 2 + 10), 10), nn.Sequential(*trunk, heads), NonSaturating(), 32,
    classes=10, codes=2,
)  # fmt: skip
trained(infogan, "infogan", {"D": 2e-4, "G": 1e-3})

# %% [markdown]
# A row for each value of $c_1$; then $c_2$ moves from -2 to 2 along a row, with all else held. The
# codes stand behind the noise in the latent vector.

# %%
latents, labels = infogan.inputs(80, Generator(2))
infogan.sample(latents, labels)

# %%
moved = latents[:1].numpy().repeat(80, 0)
moved[:, 32] = np.tile(np.linspace(-2, 2, 8), 10)
infogan.sample(minigan.tensor(moved), minigan.tensor(np.arange(10).repeat(8)))

# %% [markdown]
# ## What next
#
# `python -m minigan train infogan` is this on MNIST with convolutions, `python -m minigan measure
# runs/infogan --control` shows how much of the class the code tells, beside a run in which nobody
# reads it. `docs/systems.md` lists all systems with their numbers.
