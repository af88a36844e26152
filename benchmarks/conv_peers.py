"""The convolutional training steps in other libraries: the same networks, losses and order of moves
as minigan's, float32, Adam(2e-4, .5, .999). Each maker returns `step(real)`, which returns when the
work is done.
"""

LATENT = 100


def torch_networks(side, channels, features, norm=True):
    """What `minigan.gan.dcgan_generator` and `dcgan_discriminator` build, in torch.nn."""
    from torch import nn

    sizes, h = [], side
    while h % 2 == 0 and h >= 6 and len(sizes) < 4:
        h //= 2
        sizes.append(features * 2 ** len(sizes))
    top = sizes[-1]
    g = [
        nn.Linear(LATENT, top * h * h, bias=False),
        nn.Unflatten(1, (top, h, h)),
        nn.BatchNorm2d(top),
        nn.ReLU(),
    ]
    for a, b in zip(sizes[::-1], sizes[-2::-1]):
        g += [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    d = [nn.Conv2d(channels, sizes[0], 4, 2, 1), nn.LeakyReLU(0.2)]
    for a, b in zip(sizes, sizes[1:]):
        d += [
            nn.Conv2d(a, b, 4, 2, 1, bias=not norm),
            *([nn.BatchNorm2d(b)] if norm else []),
            nn.LeakyReLU(0.2),
        ]
    G = nn.Sequential(*g, nn.ConvTranspose2d(sizes[0], channels, 4, 2, 1), nn.Tanh())
    D = nn.Sequential(*d, nn.Flatten(), nn.Linear(top * h * h, 1))
    return G, D


def torch_gan(side, channels, features, best=False, compiled=False):
    """PyTorch. `best`: channels_last, fused Adam, D's weights get no gradients in G's move;
    `compiled`: losses through torch.compile."""
    import torch
    from torch.nn import functional as F

    torch.manual_seed(0)
    layout = torch.channels_last if best else torch.contiguous_format
    G, D = (m.to(memory_format=layout) for m in torch_networks(side, channels, features))
    opts = [
        torch.optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=best or compiled)
        for m in (G, D)
    ]

    def d_loss(real, z):
        with torch.no_grad():
            fake = G(z)
        return F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()

    def g_loss(z):
        return F.softplus(-D(G(z))).mean()

    if compiled:
        d_loss, g_loss = torch.compile(d_loss), torch.compile(g_loss)

    def step(real):
        real = torch.from_numpy(real).contiguous(memory_format=layout)
        opts[1].zero_grad()
        d_loss(real, torch.randn(len(real), LATENT)).backward()
        opts[1].step()
        if best:
            D.requires_grad_(False)
        opts[0].zero_grad()
        g_loss(torch.randn(len(real), LATENT)).backward()
        opts[0].step()
        if best:
            D.requires_grad_(True)

    return step


def torch_critic(side, channels, features, best=False):
    """The critic's step of WGAN-GP (Gulrajani et al. 2017), the fakes given."""
    import torch

    torch.manual_seed(0)
    layout = torch.channels_last if best else torch.contiguous_format
    D = torch_networks(side, channels, features, norm=False)[1].to(memory_format=layout)
    opt = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=best)

    def step(real):
        real = torch.from_numpy(real).contiguous(memory_format=layout)
        fake = torch.rand_like(real) * 2 - 1
        eps = torch.rand(len(real), 1, 1, 1)
        between = (eps * real + (1 - eps) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
        penalty = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        opt.zero_grad()
        (D(fake).mean() - D(real).mean() + 10 * penalty).backward()
        opt.step()

    return step


def torch_layer(case, part, best=False):
    """One convolution: its forward pass, its gradient for the input or for the weight."""
    import torch

    n, c, size, o, kernel, stride, padding = case
    conv = getattr(torch.nn.functional, f"conv{len(size)}d")
    last = torch.channels_last if len(size) == 2 else torch.channels_last_3d
    torch.manual_seed(0)
    layout = last if best else torch.contiguous_format
    x = torch.randn(n, c, *size).contiguous(memory_format=layout).requires_grad_()
    w = torch.randn(o, c, *[kernel] * len(size)).contiguous(memory_format=layout).requires_grad_()
    y = conv(x, w, None, stride, padding)
    g = torch.randn_like(y)
    if part == "fwd":
        return lambda _: conv(x, w, None, stride, padding)
    if part == "ddw":
        (slope,) = torch.autograd.grad(y, x, g, create_graph=True)
        return lambda _: torch.autograd.grad(slope, w, x.detach(), retain_graph=True)
    return lambda _: torch.autograd.grad(y, x if part == "dx" else w, g, retain_graph=True)


def jax_gan(side, channels, features):
    """JAX: one jit over the whole step, buffers donated. NHWC, which XLA prefers on a CPU."""
    import jax
    import jax.numpy as jnp

    g_params, d_params, G, D = _jax_networks(side, channels, features)

    def d_loss(d, g, real, z):
        return (
            jax.nn.softplus(-D(d, real)).mean()
            + jax.nn.softplus(D(d, jax.lax.stop_gradient(G(g, z)))).mean()
        )

    def g_loss(g, d, z):
        return jax.nn.softplus(-D(d, G(g, z))).mean()

    def whole(state, real):
        g, d, opt_g, opt_d, key = state
        key, k1, k2 = jax.random.split(key, 3)
        d, opt_d = _jax_adam(
            d, jax.grad(d_loss)(d, g, real, jax.random.normal(k1, (len(real), LATENT))), opt_d
        )
        g, opt_g = _jax_adam(
            g, jax.grad(g_loss)(g, d, jax.random.normal(k2, (len(real), LATENT))), opt_g
        )
        return g, d, opt_g, opt_d, key

    return _jax_loop(
        whole,
        (g_params, d_params, _jax_state(g_params), _jax_state(d_params), jax.random.key(0)),
        jnp,
    )


def jax_critic(side, channels, features):
    """The critic's step of WGAN-GP in JAX."""
    import jax
    import jax.numpy as jnp

    _, d_params, _, D = _jax_networks(side, channels, features, norm=False)

    def loss(d, real, fake, eps):
        slope = jax.grad(lambda x: D(d, x).sum())(eps * real + (1 - eps) * fake)
        penalty = ((jnp.sqrt((slope.reshape(len(slope), -1) ** 2).sum(1)) - 1) ** 2).mean()
        return D(d, fake).mean() - D(d, real).mean() + 10 * penalty

    def whole(state, real):
        d, opt, key = state
        key, k1, k2 = jax.random.split(key, 3)
        fake = jax.random.uniform(k1, real.shape, minval=-1, maxval=1)
        d, opt = _jax_adam(
            d, jax.grad(loss)(d, real, fake, jax.random.uniform(k2, (len(real), 1, 1, 1))), opt
        )
        return d, opt, key

    return _jax_loop(whole, (d_params, _jax_state(d_params), jax.random.key(0)), jnp)


def _jax_loop(whole, state, jnp):
    import jax

    jitted = jax.jit(whole, donate_argnums=0)

    def step(real):
        nonlocal state
        state = jitted(state, jnp.moveaxis(real, 1, -1))
        jax.block_until_ready(state)

    return step


def _jax_networks(side, channels, features, norm=True):
    """(parameters of G, of D, G(parameters, z), D(parameters, x)); batch normalisation without
    running statistics."""
    import jax
    import jax.numpy as jnp

    sizes, h = [], side
    while h % 2 == 0 and h >= 6 and len(sizes) < 4:
        h //= 2
        sizes.append(features * 2 ** len(sizes))
    top, layout = sizes[-1], ("NHWC", "HWIO", "NHWC")
    keys = iter(jax.random.split(jax.random.key(1), 64))

    def normal(*shape):
        return 0.02 * jax.random.normal(next(keys), shape)

    def bn(x, scale, shift):
        mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
        return (x - mean) * jax.lax.rsqrt(var + 1e-5) * scale + shift

    ups = list(zip(sizes[::-1], [*sizes[-2::-1], channels]))
    downs = list(zip([channels, *sizes], sizes))
    norms = [(jnp.ones(n), jnp.zeros(n)) for n in sizes[::-1]]
    g = (
        normal(LATENT, top * h * h),
        norms,
        [normal(4, 4, a, b) for a, b in ups],
        jnp.zeros(channels),
    )
    d = (
        [normal(4, 4, a, b) for a, b in downs], [jnp.zeros(n) for n in sizes],
        [(jnp.ones(n), jnp.zeros(n)) for n in sizes[1:]] if norm else [], normal(top * h * h, 1),
        jnp.zeros(1),
    )  # fmt: skip

    def G(params, z):
        first, norms, ws, bias = params
        x = (z @ first).reshape(len(z), h, h, top)
        for w, (scale, shift) in zip(ws, norms):
            x = jax.nn.relu(bn(x, scale, shift))
            x = jax.lax.conv_transpose(x, w, (2, 2), "SAME", dimension_numbers=layout)
        return jnp.tanh(x + bias)

    def D(params, x):
        ws, biases, norms, last, b = params
        for i, w in enumerate(ws):
            x = jax.lax.conv_general_dilated(
                x, w, (2, 2), ((1, 1), (1, 1)), dimension_numbers=layout
            )
            x = bn(x, *norms[i - 1]) if norms and i else x + biases[i]
            x = jnp.where(x > 0, x, 0.2 * x)
        return x.reshape(len(x), -1) @ last + b

    return g, d, G, D


def _jax_state(params):
    import jax
    import jax.numpy as jnp

    return jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), jnp.zeros(())


def _jax_adam(params, grads, state):
    import jax
    import jax.numpy as jnp

    m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.5 * m + 0.5 * g, m, grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
    c1, c2 = 1 - 0.5**t, 1 - 0.999**t
    return jax.tree.map(
        lambda p, m, v: p - 2e-4 * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), params, m, v
    ), (m, v, t)
