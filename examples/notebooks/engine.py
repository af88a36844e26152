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
# # The engine in an hour
#
# What happens between `loss.backward()` and `x.grad`? This notebook takes minigan's engine apart: a
# Tensor, an op, the tape, the walk back, derivatives of derivatives, and how one knows that they
# are right. It needs NumPy and nothing else; `docs/engine.md` is the long form.
#
# Open it with Jupyter and [jupytext](https://jupytext.readthedocs.io) (right click, *Open With
# Notebook*), or make it a notebook file: `jupytext --to ipynb examples/notebooks/engine.py`.

# %%
import numpy as np

import minigan
from minigan import nn
from minigan.autograd import draw_tape, grad, gradcheck, op

_ = minigan.manual_seed(0)

# %% [markdown]
# ## 1. A Tensor is an array that remembers
#
# It holds a NumPy array (on CUDA a CuPy array), whether a gradient of it is wanted, and which op
# made it.

# %%
x = minigan.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
x

# %%
y = (x * x).sum()
y

# %% [markdown]
# `y` was made by a `sum`, that was made from a `mul`, and so on: this is the *tape*. It is a graph,
# drawn here as text for Graphviz.

# %%
print(draw_tape(y))

# %% [markdown]
# ## 2. Backward walks the tape
#
# Each op knows one thing: given the derivative of the end result by its output, what is that by its
# inputs? The walk asks them from the last to the first. $y = \sum x^2$, so $dy/dx = 2x$.

# %%
y.backward()
x.grad

# %%
assert np.array_equal(x.grad.numpy(), 2 * x.detach().numpy())

# %% [markdown]
# ## 3. An op is a card
#
# Here is one that minigan does not have, $y = x \sin x$: the formula, what it keeps for the way
# back, and the rule. `g` is the derivative by `y`; `need` says whose gradients are wanted.


# %%
@op(saves=("x",))
def wave(x):
    """y = x sin x.    dL/dx = dL/dy * (sin x + x cos x)"""
    return x * np.sin(x)


@wave.backward
def _(g, need, x):
    return g * (minigan.sin(x) + x * minigan.cos(x))


# %%
t = minigan.linspace(-3, 3, 7, requires_grad=True)
wave(t).sum().backward()
t.grad

# %% [markdown]
# Called with plain arrays it computes and records nothing. That is why a rule is written once: in
# the walk it is given arrays, and is as fast as NumPy.

# %%
wave(np.array([0.0, 1.0]))

# %% [markdown]
# ## 4. Is it right?
#
# A derivative is a limit of differences. `gradcheck` compares both, in float64, in random
# directions. A wrong rule is found:

# %%
z = minigan.randn(5, dtype=np.float64, requires_grad=True)
gradcheck(wave, (z,))


# %%
@op(saves=("x",))
def wrong(x):
    return x * np.sin(x)


@wrong.backward
def _(g, need, x):
    return g * minigan.sin(x)  # the product rule has two terms


try:
    gradcheck(wrong, (z,))
except Exception as error:
    print(type(error).__name__, "-", str(error)[:300])

# %% [markdown]
# ## 5. Derivatives of derivatives
#
# The rule is itself made of ops. Given Tensors, it records, and what was recorded can be
# differentiated again: gradient penalties of GANs need that. For $x \sin x$ the second derivative
# is $2 \cos x - x \sin x$.

# %%
t = minigan.linspace(-3, 3, 7, dtype=np.float64, requires_grad=True)
(first,) = grad(wave(t).sum(), t, create_graph=True)
(second,) = grad(first.sum(), t)
a = t.detach().numpy()
np.testing.assert_allclose(second.numpy(), 2 * np.cos(a) - a * np.sin(a))
second

# %% [markdown]
# ## 6. A network, by hand
#
# A layer is parameters and a formula. Forty points of a curve, a hidden layer of 16, and gradient
# descent written out: what an optimiser does is one line.

# %%
points = minigan.linspace(-2, 2, 40).reshape(-1, 1)
curve = minigan.sin(3 * points)
W = minigan.randn(1, 16, requires_grad=True)
b = minigan.zeros(16, requires_grad=True)
V = (0.3 * minigan.randn(16, 1)).requires_grad_()

for step in range(600):
    guess = minigan.tanh(points @ W + b) @ V
    loss = (guess - curve).square().mean()
    for p, g in zip((W, b, V), grad(loss, (W, b, V))):
        p.data -= 0.1 * g
    if step % 100 == 0:
        print(f"step {step:3}: loss {loss.item():.4f}")

# %%
assert loss.item() < 0.3
minigan.cat([points, curve, guess.detach()], 1)[::8]

# %% [markdown]
# ## 7. The same with layers
#
# `nn` holds what torch's `nn` holds, under the same names. Everything below is made of cards like
# `wave`.

# %%
net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = minigan.optim.Adam(net.parameters(), lr=0.02)
for _step in range(300):
    loss = (net(points) - curve).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
assert loss.item() < 0.1
net[0].weight

# %% [markdown]
# ## What next
#
# `minigan/engine/op.py` is what `@op` does, `minigan/engine/backward.py` is the walk: 600 lines
# together. `first_gan.py`, beside this notebook, lets two networks play.
