"""The training steps of gpu_steps.py in PyTorch on a GPU: the same networks, losses, order of moves
and optimiser as minigan's.

Every way has the fused Adam, and gives D's weights no gradients in G's move: what a careful user
writes.
"""

import contextlib

import conv_peers
import mlp_peers

LATENT = 100


def torch_networks(what, side, channels, features):
    """(G, D) of a workload."""
    from torch import nn

    if what != "mlp":
        return conv_peers.torch_networks(side, channels, features)

    def block(n_in, n_out, norm):
        return [
            nn.Linear(n_in, n_out),
            *([nn.BatchNorm1d(n_out, 0.8)] if norm else []),
            nn.LeakyReLU(0.2),
        ]

    sizes = (LATENT, *mlp_peers.HIDDEN_G)
    layers = [m for i in range(4) for m in block(sizes[i], sizes[i + 1], norm=i > 0)]
    G = nn.Sequential(
        *layers, nn.Linear(mlp_peers.HIDDEN_G[-1], 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))
    )
    return G, nn.Sequential(
        nn.Flatten(), *block(784, 512, False), *block(512, 256, False), nn.Linear(256, 1)
    )


def prepare(precision, tf32, conv_tf32=True):
    """(context for forward passes, memory format) of "fp32" or "bf16"; tf32: for plain products,
    conv_tf32: for convolutions."""
    import torch

    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = conv_tf32
    torch.backends.cudnn.benchmark = True
    if precision == "bf16":
        return lambda: torch.autocast("cuda", torch.bfloat16), torch.channels_last
    return contextlib.nullcontext, torch.contiguous_format


def torch_gan(
    what, batch, side, channels, features, precision="fp32", tf32=False, compiled=False,
    graph=False, conv_tf32=True
):  # fmt: skip
    """`step()`: one ascent of D, one descent of G, on a batch that stays on the GPU. Returns (step,
    wait)."""
    import torch
    from torch.nn import functional as F

    cast, layout = prepare(precision, tf32, conv_tf32)
    G, D = (
        m.cuda().to(memory_format=layout) for m in torch_networks(what, side, channels, features)
    )
    opts = [
        torch.optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True, capturable=graph)
        for m in (G, D)
    ]
    real = (torch.rand(batch, channels, side, side, device="cuda") * 2 - 1).to(memory_format=layout)

    def d_loss(real, z):
        with cast():
            with torch.no_grad():
                fake = G(z)
            on_real, on_fake = D(real), D(fake)
        return F.softplus(-on_real.float()).mean() + F.softplus(on_fake.float()).mean()

    def g_loss(z):
        with cast():
            on_fake = D(G(z))
        return F.softplus(-on_fake.float()).mean()

    losses = [torch.compile(f, mode="reduce-overhead") if compiled else f for f in (d_loss, g_loss)]

    def step():
        if compiled:
            torch.compiler.cudagraph_mark_step_begin()
        opts[1].zero_grad()
        losses[0](real, torch.randn(batch, LATENT, device="cuda")).backward()
        opts[1].step()
        D.requires_grad_(False)
        opts[0].zero_grad()
        losses[1](torch.randn(batch, LATENT, device="cuda")).backward()
        opts[0].step()
        D.requires_grad_(True)

    return (captured(step) if graph else step), torch.cuda.synchronize


def torch_critic(
    what, batch, side, channels, features, precision="fp32", tf32=False, compiled=False,
    graph=False, conv_tf32=True
):  # fmt: skip
    """The critic's step of WGAN-GP. (torch.compile does not do double backward: left out there.)"""
    import torch
    from torch import nn

    cast, layout = prepare(precision, tf32, conv_tf32)
    D = nn.Sequential(
        nn.Conv2d(channels, features, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(features, 2 * features, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(2 * features * (side // 4) ** 2, 1),
    ).cuda().to(memory_format=layout)  # fmt: skip
    opt = torch.optim.Adam(
        D.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True, capturable=graph
    )
    real = (torch.rand(batch, channels, side, side, device="cuda") * 2 - 1).to(memory_format=layout)

    def step():
        fake = torch.rand_like(real) * 2 - 1
        eps = torch.rand(batch, 1, 1, 1, device="cuda")
        between = (eps * real + (1 - eps) * fake).requires_grad_()
        with cast():
            (slope,) = torch.autograd.grad(D(between).float().sum(), between, create_graph=True)
            penalty = ((slope.float().flatten(1).norm(2, dim=1) - 1) ** 2).mean()
            loss = D(fake).float().mean() - D(real).float().mean() + 10 * penalty
        opt.zero_grad()
        loss.backward()
        opt.step()

    return (captured(step) if graph else step), torch.cuda.synchronize


def captured(step):
    """The step as one CUDA graph, as PyTorch's documentation captures one."""
    import torch

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def jax_step(what, batch, side, channels, features):
    """JAX: one jit over the whole step; without waiting for each step."""
    import jax
    import numpy as np

    last, wait = [None], jax.block_until_ready

    def remember(x):
        last[0] = x
        return x

    jax.block_until_ready = remember
    if what == "mlp":
        step, shape = mlp_peers.jax_step(LATENT), (batch, 784)
    else:
        step = (
            conv_peers.jax_critic(side, channels, features)
            if what == "critic"
            else conv_peers.jax_gan(side, channels, features)
        )
        shape = (batch, channels, side, side)
    real = jax.device_put(np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32))
    return lambda: step(real), lambda: wait(last[0])
