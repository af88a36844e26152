"""The MLP GAN training step in other libraries: the same networks, the same Algorithm 1 order (D
first, then G, fresh latents for each), float32, Adam(2e-4, .5, .999). Each maker returns
`step(real)`, which returns when the work is done.
"""

import numpy as np

HIDDEN_G, HIDDEN_D = (128, 256, 512, 1024), (512, 256)


def torch_step(fused=False, compiled=False, latent=100, seed=0, freeze=False):
    """PyTorch. `fused`: the fused Adam; `compiled`: losses through torch.compile; `freeze`: D's
    weights get no gradients in G's move (what a careful user writes by hand)."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.manual_seed(seed)

    def block(n_in, n_out, norm):
        return [
            nn.Linear(n_in, n_out),
            *([nn.BatchNorm1d(n_out, 0.8)] if norm else []),
            nn.LeakyReLU(0.2),
        ]

    sizes = (latent, *HIDDEN_G)
    layers = [m for i in range(4) for m in block(sizes[i], sizes[i + 1], norm=i > 0)]
    G = nn.Sequential(*layers, nn.Linear(HIDDEN_G[-1], 784), nn.Tanh())
    D = nn.Sequential(*block(784, 512, False), *block(512, 256, False), nn.Linear(256, 1))
    opts = [
        torch.optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=fused) for m in (G, D)
    ]

    def d_loss(real, z):
        fake = G(z).detach()
        return F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()

    def g_loss(z):
        return F.softplus(-D(G(z))).mean()

    if compiled:
        d_loss, g_loss = torch.compile(d_loss), torch.compile(g_loss)

    def step(real):
        real = torch.from_numpy(real)
        opts[1].zero_grad()
        d_loss(real, torch.randn(len(real), latent)).backward()
        opts[1].step()
        if freeze:
            D.requires_grad_(False)
        opts[0].zero_grad()
        g_loss(torch.randn(len(real), latent)).backward()
        opts[0].step()
        if freeze:
            D.requires_grad_(True)

    return step


def jax_step(latent=100, seed=0):
    """JAX: one jit over the whole step, buffers donated."""
    import jax
    import jax.numpy as jnp

    def linear(key, n_in, n_out):
        a, b = jax.random.split(key)
        r = n_in**-0.5
        return jax.random.uniform(a, (n_in, n_out), minval=-r, maxval=r), jax.random.uniform(
            b, (n_out,), minval=-r, maxval=r
        )

    def init(key, sizes, norms):
        keys = jax.random.split(key, len(sizes) - 1)
        net = [linear(k, a, b) for k, a, b in zip(keys, sizes[:-1], sizes[1:])]
        return net, [(jnp.ones(n), jnp.zeros(n)) for n in norms]

    def leaky(x):
        return jnp.where(x > 0, x, 0.2 * x)

    def G(params, stats, z):
        net, norms = params
        x, new = z, []
        for i, (w, b) in enumerate(net[:-1]):
            x = x @ w + b
            if i > 0:
                mean, var = x.mean(0), x.var(0)
                new.append(
                    (
                        0.9 * stats[i - 1][0] + 0.1 * mean,
                        0.9 * stats[i - 1][1] + 0.1 * var * len(x) / (len(x) - 1),
                    )
                )
                gamma, beta = norms[i - 1]
                x = (x - mean) * jax.lax.rsqrt(var + 0.8) * gamma + beta
            x = leaky(x)
        w, b = net[-1]
        return jnp.tanh(x @ w + b), new

    def D(params, x):
        net, _ = params
        for w, b in net[:-1]:
            x = leaky(x @ w + b)
        w, b = net[-1]
        return x @ w + b

    def adam(params, grads, state):
        m, v, t = state
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.5 * m + 0.5 * g, m, grads)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
        c1, c2 = 1 - 0.5**t, 1 - 0.999**t
        params = jax.tree.map(
            lambda p, m, v: p - 2e-4 * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), params, m, v
        )
        return params, (m, v, t)

    def d_loss(d, g, stats, real, z):
        fake, stats = G(g, stats, z)
        return jax.nn.softplus(-D(d, real)).mean() + jax.nn.softplus(D(d, fake)).mean(), stats

    def g_loss(g, d, stats, z):
        fake, stats = G(g, stats, z)
        return jax.nn.softplus(-D(d, fake)).mean(), stats

    def whole(state, real):
        g, d, stats, opt_g, opt_d, key = state
        key, k1, k2 = jax.random.split(key, 3)
        grad_d, stats = jax.grad(d_loss, has_aux=True)(
            d, g, stats, real, jax.random.normal(k1, (real.shape[0], latent))
        )
        d, opt_d = adam(d, grad_d, opt_d)
        grad_g, stats = jax.grad(g_loss, has_aux=True)(
            g, d, stats, jax.random.normal(k2, (real.shape[0], latent))
        )
        g, opt_g = adam(g, grad_g, opt_g)
        return g, d, stats, opt_g, opt_d, key

    jitted = jax.jit(whole, donate_argnums=0)
    kg, kd, key = jax.random.split(jax.random.key(seed), 3)
    g = init(kg, (latent, *HIDDEN_G, 784), HIDDEN_G[1:])
    d = init(kd, (784, *HIDDEN_D, 1), ())

    def zeros(p):
        return jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p), jnp.zeros(())

    state = (g, d, [(jnp.zeros(n), jnp.ones(n)) for n in HIDDEN_G[1:]], zeros(g), zeros(d), key)

    def step(real):
        nonlocal state
        state = jitted(state, real)
        jax.block_until_ready(state)

    return step


def data(batch=64, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (batch, 784)).astype(np.float32)
