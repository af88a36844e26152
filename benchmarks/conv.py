"""Convolutions beside PyTorch and JAX: single layers, and whole training steps of convolutional
GANs (float32).

    python benchmarks/conv.py [--what layers volumes dcgan28 dcgan64 wgan-gp memory] \\
        [--rounds 5] [--only NAME ...] [--json FILE]

dcgan28   DCGAN on 28x28 images of 1 channel, batch 64: one ascent of D, one descent of G
dcgan64   DCGAN on 64x64 images of 3 channels (nz 100, ngf = ndf = 64), batch 16
wgan-gp the critic's step of WGAN-GP on dcgan28's discriminator without batch normalisation, batch
64, the fakes given
layers    single layers: forward, gradient for the input (dx), gradient for the weight (dw), and the
gradient of the slope for the weight (ddw), which a penalty needs
volumes   the same of video: conv3d, beside conv2d of the same channels and as many positions
memory    peak memory of the step of dcgan64 at batch 128, above that of the imported library

Contenders that are not installed are left out (`pip install '.[bench]'` brings them). The last
column of a step is the share of the machine's GEMM rate: what a direct convolution's
multiplications would take at that rate, over the measured time. It may exceed 100 %, as Toom and
Cook's way needs fewer.
"""

import argparse
import importlib.util
import json
import math
import resource
import subprocess
import sys

import conv_peers
import harness
import numpy as np
from mlp_gan import limits

# batch, channels, side
STEPS = {"dcgan28": (64, 1, 28), "dcgan64": (16, 3, 64), "wgan-gp": (64, 1, 28)}
FEATURES = 64
LAYERS = {  # images, channels, size, outputs, kernel, stride, padding
    "1>64 28x28 k4s2": (64, 1, (28, 28), 64, 4, 2, 1),
    "64>128 14x14 k4s2": (64, 64, (14, 14), 128, 4, 2, 1),
    "3>64 64x64 k4s2": (16, 3, (64, 64), 64, 4, 2, 1),
    "64>128 32x32 k4s2": (16, 64, (32, 32), 128, 4, 2, 1),
    "128>256 16x16 k4s2": (16, 128, (16, 16), 256, 4, 2, 1),
    "256>512 8x8 k4s2": (16, 256, (8, 8), 512, 4, 2, 1),
    "64>64 32x32 k3s1": (16, 64, (32, 32), 64, 3, 1, 1),
    "128>128 14x14 k1s1": (64, 128, (14, 14), 128, 1, 1, 0),
}
VOLUMES = {
    "3>32 8x32x32 k4s2": (16, 3, (8, 32, 32), 32, 4, 2, 1),
    "3>32 64x64 k4s2": (16, 3, (64, 64), 32, 4, 2, 1),
    "32>64 8x16x16 k4s2": (16, 32, (8, 16, 16), 64, 4, 2, 1),
    "32>64 32x32 k4s2": (32, 32, (32, 32), 64, 4, 2, 1),
    "64>128 4x8x8 k4s2": (16, 64, (4, 8, 8), 128, 4, 2, 1),
    "64>128 8x8 k4s2": (32, 64, (8, 8), 128, 4, 2, 1),
    "32>32 8x16x16 k3s1": (8, 32, (8, 16, 16), 32, 3, 1, 1),
    "32>32 32x32 k3s1": (16, 32, (32, 32), 32, 3, 1, 1),
}


def minigan_gan(side, channels, features):
    """minigan: the example's own game, trainer and optimisers, played as the example plays them."""
    import minigan
    from minigan.gan import GAN, NonSaturating, Trainer, dcgan_discriminator, dcgan_generator
    from minigan.optim import Adam

    minigan.manual_seed(0)
    G = dcgan_generator(conv_peers.LATENT, channels, side, side, features)
    D = dcgan_discriminator(channels, side, side, features)
    optimizers = {n: Adam(m.parameters(), 2e-4, (0.5, 0.999)) for n, m in (("G", G), ("D", D))}
    trainer = Trainer(GAN(G, D, NonSaturating(), conv_peers.LATENT), optimizers)
    play = minigan.cpu.graph(trainer.play)
    return lambda real: play(minigan.as_tensor(real))


def minigan_critic(side, channels, features):
    """minigan: the critic's step of WGAN-GP, written as one would in PyTorch, repeated as one
    function."""
    import minigan
    from minigan import nn
    from minigan.optim import Adam

    minigan.manual_seed(0)
    D = nn.Sequential(
        nn.Conv2d(channels, features, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(features, 2 * features, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(2 * features * (side // 4) ** 2, 1),
    )  # fmt: skip
    opt = Adam(D.parameters(), 2e-4, (0.5, 0.999))

    @minigan.cpu.graph
    def step(real):
        fake = minigan.rand_like(real) * 2 - 1
        eps = minigan.rand(len(real), 1, 1, 1)
        between = (eps * real + (1 - eps) * fake).requires_grad_()
        (slope,) = minigan.grad(D(between).sum(), between, create_graph=True)
        penalty = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        opt.zero_grad()
        (D(fake).mean() - D(real).mean() + 10 * penalty).backward()
        opt.step()

    return lambda real: step(minigan.as_tensor(real))


def minigan_layer(case, part):
    """minigan: one convolution, through the tape."""
    import minigan
    from minigan.nn import functional as F

    n, c, size, o, kernel, stride, padding = case
    conv = getattr(F, f"conv{len(size)}d")
    minigan.manual_seed(0)
    x = minigan.randn(n, c, *size, requires_grad=True)
    w = minigan.randn(o, c, *[kernel] * len(size), requires_grad=True)
    y = conv(x, w, None, stride, padding)
    g = minigan.randn_like(y)
    if part == "fwd":
        return lambda _: conv(x, w, None, stride, padding)
    if part == "ddw":
        (slope,) = minigan.grad(y, x, g, create_graph=True)
        return lambda _: minigan.grad(slope, w, x, retain_graph=True)
    return lambda _: minigan.grad(y, x if part == "dx" else w, g, retain_graph=True)


def contenders(what):
    """{name: (package, maker of the step)}"""
    if what in LAYERS_PARTS:
        case, part = LAYERS_PARTS[what]
        return {
            "torch eager": ("torch", lambda: conv_peers.torch_layer(case, part)),
            "torch channels_last": ("torch", lambda: conv_peers.torch_layer(case, part, True)),
            "minigan": ("minigan", lambda: minigan_layer(case, part)),
        }
    _, channels, side = STEPS[what]
    sizes = side, channels, FEATURES
    if what == "wgan-gp":
        return {
            "torch eager": ("torch", lambda: conv_peers.torch_critic(*sizes)),
            "torch best": ("torch", lambda: conv_peers.torch_critic(*sizes, best=True)),
            "jax jit": ("jax", lambda: conv_peers.jax_critic(*sizes)),
            "minigan": ("minigan", lambda: minigan_critic(*sizes)),
        }
    return {
        "torch eager": ("torch", lambda: conv_peers.torch_gan(*sizes)),
        "torch best": ("torch", lambda: conv_peers.torch_gan(*sizes, best=True)),
        "torch.compile": ("torch", lambda: conv_peers.torch_gan(*sizes, compiled=True)),
        "jax jit": ("jax", lambda: conv_peers.jax_gan(*sizes)),
        "minigan": ("minigan", lambda: minigan_gan(*sizes)),
    }


def parts(layers):
    """{what is measured: (case, part)}"""
    return {
        f"{name} {part}": (case, part)
        for name, case in layers.items()
        for part in ("fwd", "dx", "dw", "ddw")
    }


GROUPS = {"layers": LAYERS, "volumes": VOLUMES}
LAYERS_PARTS = parts(LAYERS | VOLUMES)


def memory(names):
    """{contender: MB by which the peak of resident memory rose in five steps of dcgan64 at batch
    128}"""
    found = {}
    for name in names:
        command = [sys.executable, __file__, "--worker", f"memory: {name}"]
        found[name] = float(
            subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()[
                -1
            ]
        )
        print(f"{name:34} {found[name]:.0f} MB")
    return found


def measure_memory(name):
    """The worker's side of `memory`."""
    _, channels, side = STEPS["dcgan64"]
    real = np.random.default_rng(0).uniform(-1, 1, (128, channels, side, side)).astype(np.float32)
    __import__({"minigan": "minigan", "jax jit": "jax"}.get(name, "torch"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step = contenders("dcgan64")[name][1]()
    for _ in range(5):
        step(real)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def flops(what):
    """Floating-point operations of a direct computation of all convolutions and linear layers of a
    step, or of a layer."""
    if what in LAYERS_PARTS:
        n, c, size, o, kernel, stride, padding = LAYERS_PARTS[what][0]
        out = [(side + 2 * padding - kernel) // stride + 1 for side in size]
        return 2 * n * c * o * kernel ** len(size) * math.prod(out)
    batch, channels, side = STEPS[what]
    sizes = [channels]
    h = side
    convs = []
    while h % 2 == 0 and h >= 6 and len(convs) < 4:
        h //= 2
        sizes.append(FEATURES * 2 ** len(convs))
        convs.append(16 * sizes[-2] * sizes[-1] * h * h)
    d = [*convs, sizes[-1] * h * h]
    g = [conv_peers.LATENT * sizes[-1] * h * h, *convs[::-1]]
    if what == "wgan-gp":
        # three forward; the penalty's slope, and both of its products again backward; weights and
        # inputs of three
        return 2 * batch * (3 * sum(d) + sum(d) + 2 * sum(d) + 3 * (2 * sum(d) - d[0]))
    ascend_d = sum(g) + 2 * sum(d) + 2 * (2 * sum(d) - d[0])
    descend_g = sum(g) + sum(d) + sum(d) + 2 * sum(g) - g[0]
    return 2 * batch * (ascend_d + descend_g)


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--what",
        nargs="*",
        default=["dcgan28", "dcgan64", "wgan-gp", "memory", *GROUPS],
        choices=[*STEPS, "memory", *GROUPS],
    )
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument(
        "--seconds",
        type=float,
        default=1.0,
        help="how long a contender's turn in a round is, about",
    )
    p.add_argument("--only", nargs="*", help="names of contenders")
    p.add_argument("--json", help="also write the figures here")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        what, _, name = options.worker.partition(": ")
        if what == "memory":
            return measure_memory(name)
        step = contenders(what)[name][1]()
        shape = (
            (1,)
            if what in LAYERS_PARTS
            else (STEPS[what][0], STEPS[what][1], STEPS[what][2], STEPS[what][2])
        )
        real = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
        return harness.serve(lambda: step(real))
    print(harness.machine())
    gemm = limits()[0]
    found = {"machine": harness.machine(), "gemm": gemm}
    for what in [
        w for name in options.what for w in (parts(GROUPS[name]) if name in GROUPS else [name])
    ]:
        names = [
            n
            for n, (package, _) in contenders("dcgan64" if what == "memory" else what).items()
            if importlib.util.find_spec(package)
        ]
        names = [n for n in names if options.only is None or n in options.only]
        if what == "memory":
            found[what] = memory([n for n in names if n != "torch.compile"])
            continue
        work = flops(what)
        steps = max(2, math.ceil(options.seconds / (2 * work / gemm)))
        print(
            f"\n{what}: {work / 1e9:.2f} GFLOP, {1e3 * work / gemm:.2f} ms at {gemm / 1e9:.0f} "
            "GFLOP/s"
        )
        results = harness.compare(
            __file__,
            [f"{what}: {n}" for n in names],
            f"{what}: torch eager",
            steps,
            options.rounds,
            5,
        )
        for name, r in results.items():
            r["share"] = 1e3 * work / gemm / r["ms"]
            print(f"{name:34} {100 * r['share']:.0f} % of the GEMM rate")
        found[what] = results
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
