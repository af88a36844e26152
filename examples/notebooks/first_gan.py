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
# # Your first GAN
#
# Two networks play a game. **G** makes pictures of noise; **D** says how likely it thinks that a
# picture is real. D ascends its value, G descends its loss; when both are good, pictures of G look
# like the data. Goodfellow et al. 2014, Algorithm 1.
#
# The digits here are drawn by a program (`strokes`), so that nothing has to be downloaded. A minute
# or two on two cores.

# %%
import os
import tempfile

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.data import load_dataset
from minigan.data.batches import Batches
from minigan.gan import GAN, NonSaturating, Trainer
from minigan.training import Run, usual

STEPS = int(os.environ.get("NOTEBOOK_STEPS", 8000))
_ = minigan.manual_seed(0)

# %% [markdown]
# ## The data

# %%
data = load_dataset("strokes")
minigan.tensor(data.images[:32] / 255)

# %% [markdown]
# ## Two networks
#
# G: 32 numbers of noise to 784 pixels in [-1, 1]. D: 784 pixels to one number, a *logit*: above 0
# means "rather real".

# %%
G = nn.Sequential(
    nn.Linear(32, 128), nn.LeakyReLU(0.2),
    nn.Linear(128, 256), nn.BatchNorm1d(256), nn.LeakyReLU(0.2),
    nn.Linear(256, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)),
)  # fmt: skip
D = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1))
G(minigan.randn(8, 32))

# %% [markdown]
# That is noise, of course.
#
# ## One round, by hand
#
# D's value is $E \log D(x) + E \log(1 - D(G(z)))$; G's loss is $-E \log D(G(z))$. With logits both
# are `logsigmoid`s. Each network has an optimiser of its own, and moves only its own weights.

# %%
from minigan.nn.functional import logsigmoid

d_optimizer = minigan.optim.Adam(D.parameters(), 1e-3, (0.5, 0.999))
g_optimizer = minigan.optim.Adam(G.parameters(), 1e-3, (0.5, 0.999))
batches = Batches(data, 64)


def round_by_hand(real):
    fake = G(minigan.randn(len(real), 32))
    value = logsigmoid(D(real)).mean() + logsigmoid(-D(fake.detach())).mean()
    d_optimizer.zero_grad()
    (-value).backward()  # to ascend is to descend the negative
    d_optimizer.step()

    loss = -logsigmoid(D(fake)).mean()
    g_optimizer.zero_grad()
    loss.backward()
    g_optimizer.step()
    return value.item(), loss.item()


(first,) = next(iter(batches.epoch(0)))
round_by_hand(first)

# %% [markdown]
# ## The same as a game
#
# `GAN` is that round, for any objective; `Trainer` performs its moves; `Run` adds what training
# needs: progress, a folder, samples, checkpoints, a doctor who looks for diseases.

# %%
game = GAN(G, D, NonSaturating(), latent_dim=32)
trainer = Trainer(game, {"D": d_optimizer, "G": g_optimizer})
folder = os.environ.get("NOTEBOOK_FOLDER") or tempfile.mkdtemp() + "/first_gan"
run = Run(
    trainer, batches, folder, {"notebook": "first_gan"}, epochs=99, max_steps=STEPS,
    callbacks=usual(G, ema=0.99, sample_interval=max(1, STEPS // 10)),
)  # fmt: skip
run.train()
run

# %% [markdown]
# ## What G has learnt
#
# New noise, new digits. A walk from one noise vector to another passes through digits all the way.

# %%
game.sample(*game.inputs(32, Generator(1)))

# %%
a, b = minigan.randn(2, 32)
share = minigan.linspace(0, 1, 16).reshape(-1, 1)
game.sample((1 - share) * a + share * b)

# %% [markdown]
# ## What next
#
# The run's folder has `report.html`, a page with all of this. Try another objective (`from
# minigan.gan import LeastSquares`), or real digits: `python -m minigan train gan`. What games there
# are is in `docs/games.md`, what may go wrong in `docs/modes.md`; `conditions.py`, beside this
# notebook, tells G what to draw.
