"""The training step of `examples/mnist_gan.py --model mlp` (batch 64, float32) beside PyTorch and
JAX, and beside the machine's limits.

    python benchmarks/mlp_gan.py [--rounds 7] [--steps 50] [--only NAME ...] [--json FILE]

Contenders that are not installed are left out (`pip install '.[bench]'` brings them).
"""

import argparse
import importlib.util
import json
import statistics
import time

import harness
import mlp_peers
import numpy as np

BATCH, LATENT = 64, 100
G_SIZES, D_SIZES = (LATENT, *mlp_peers.HIDDEN_G, 784), (784, *mlp_peers.HIDDEN_D, 1)


def minigan_step(repeated=True):
    """minigan: the example's own game, trainer and optimisers, by default played as the example
    plays them (`minigan.cpu.graph`)."""
    import minigan
    from minigan.gan import GAN, NonSaturating, Trainer, mlp_discriminator, mlp_generator
    from minigan.optim import Adam

    minigan.manual_seed(0)
    G, D = mlp_generator(LATENT), mlp_discriminator()
    trainer = Trainer(
        GAN(G, D, NonSaturating(), LATENT),
        {n: Adam(m.parameters(), 2e-4, (0.5, 0.999)) for n, m in (("G", G), ("D", D))},
    )
    play = minigan.cpu.graph(trainer.play) if repeated else trainer.play
    return lambda real: play(minigan.as_tensor(real.reshape(-1, 1, 28, 28)))


CONTENDERS = {
    "torch eager": ("torch", mlp_peers.torch_step),
    "torch fused Adam": ("torch", lambda: mlp_peers.torch_step(fused=True)),
    "torch fused, D frozen": ("torch", lambda: mlp_peers.torch_step(fused=True, freeze=True)),
    "torch.compile": ("torch", lambda: mlp_peers.torch_step(fused=True, compiled=True)),
    "jax jit": ("jax", mlp_peers.jax_step),
    "minigan, op by op": ("minigan", lambda: minigan_step(repeated=False)),
    "minigan": ("minigan", minigan_step),
}


def flops():
    """Floating-point operations of the matrix products that one step cannot avoid (2 per
    multiply-add)."""
    g = sum(a * b for a, b in zip(G_SIZES, G_SIZES[1:]))
    d = sum(a * b for a, b in zip(D_SIZES, D_SIZES[1:]))
    g_first, d_first = G_SIZES[0] * G_SIZES[1], D_SIZES[0] * D_SIZES[1]
    # G forward; D forward, weight and input gradients on real and fake
    ascend_d = g + 2 * d + 2 * d + 2 * (d - d_first)
    # both forward; input gradients through D; weight and input gradients of G
    descend_g = g + d + d + g + (g - g_first)
    return 2 * BATCH * (ascend_d + descend_g)


def limits():
    """(GEMM operations per second, bytes per second), measured: the best of several tries."""
    from minigan.fast.cpu.kernels import kernel
    from minigan.fast.cpu.threads import parallel_chunks

    a = np.ones((1024, 1024), np.float32)
    out = np.empty_like(a)

    def best(function, tries=15):
        times = []
        for _ in range(tries):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
        return min(times), statistics.median(times)

    gemm = 2 * 1024**3 / best(lambda: np.matmul(a, a, out=out))[1]
    x, y, z = (np.ones(2_000_000, np.float32) for _ in range(3))
    triad = kernel(_triad)
    triad(x, y, z)
    bandwidth = 3 * x.nbytes / best(lambda: parallel_chunks(triad, x.size, x, y, z), 50)[1]
    return gemm, bandwidth


def _triad(x, y, z):
    for i in range(x.size):
        z[i] = x[i] + np.float32(2) * y[i]


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--steps", type=int, default=50)
    p.add_argument("--only", nargs="*", default=list(CONTENDERS))
    p.add_argument("--json", help="also write the figures here")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        step, real = CONTENDERS[options.worker][1](), mlp_peers.data(BATCH)
        return harness.serve(lambda: step(real))
    print(harness.machine())
    names = [
        n for n in CONTENDERS if n in options.only and importlib.util.find_spec(CONTENDERS[n][0])
    ]
    results = harness.compare(__file__, names, "torch eager", options.steps, options.rounds)
    gemm, bandwidth = limits()
    parameters = sum(a * b + b for s in (G_SIZES, D_SIZES) for a, b in zip(s, s[1:])) + 2 * sum(
        G_SIZES[2:-1]
    )
    # Adam reads p, g, m, v and writes p, m, v: 28 bytes
    ideal = 1e3 * (flops() / gemm + 28 * parameters / bandwidth)
    adam = f"Adam's {28 * parameters / 1e6:.0f} MB at {bandwidth / 1e9:.0f} GB/s"
    print(f"limit: {flops() / 1e9:.2f} GFLOP at {gemm / 1e9:.0f} GFLOP/s + {adam} = {ideal:.2f} ms")
    if "minigan" in results:
        print(f"minigan runs at {100 * ideal / results['minigan']['ms']:.0f} % of that limit")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            bounds = {"limit_ms": ideal, "gemm": gemm, "bandwidth": bandwidth}
            json.dump({"machine": harness.machine(), "results": results, **bounds}, file, indent=1)


if __name__ == "__main__":
    main()
