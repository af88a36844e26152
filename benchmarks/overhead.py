"""What the engine itself costs: microseconds per recorded op on tiny arrays, and the steps of a
tiny 1-D GAN.

    python benchmarks/overhead.py [--rounds 7] [--steps 300] [--json FILE]

The GAN: G 1-4-1 (softplus), D 1-8-8-8-1 (tanh), batch 12, SGD, Algorithm 1. "numpy by hand" has no
autodiff: the floor.
"""

import argparse
import importlib.util
import json
import time

import harness
import numpy as np

BATCH, LR = 12, 0.005


def minigan_gan(repeated=False):
    import minigan
    from minigan import nn
    from minigan.gan import GAN, NonSaturating, Trainer
    from minigan.optim import SGD

    minigan.manual_seed(0)
    G = nn.Sequential(nn.Linear(1, 4), nn.Softplus(), nn.Linear(4, 1))
    D = nn.Sequential(
        nn.Linear(1, 8),
        nn.Tanh(),
        nn.Linear(8, 8),
        nn.Tanh(),
        nn.Linear(8, 8),
        nn.Tanh(),
        nn.Linear(8, 1),
    )
    trainer = Trainer(
        GAN(G, D, NonSaturating(), latent_dim=1),
        {n: SGD(m.parameters(), LR) for n, m in (("G", G), ("D", D))},
    )
    play = minigan.cpu.graph(trainer.play) if repeated else trainer.play
    rng = np.random.default_rng(0)
    return lambda: play(minigan.as_tensor(rng.normal(4, 0.5, (BATCH, 1)).astype(np.float32)))


def torch_gan(compiled=False):
    import torch
    from torch import nn
    from torch.nn import functional as F

    G = nn.Sequential(nn.Linear(1, 4), nn.Softplus(), nn.Linear(4, 1))
    D = nn.Sequential(
        nn.Linear(1, 8),
        nn.Tanh(),
        nn.Linear(8, 8),
        nn.Tanh(),
        nn.Linear(8, 8),
        nn.Tanh(),
        nn.Linear(8, 1),
    )
    opt_g, opt_d = torch.optim.SGD(G.parameters(), LR), torch.optim.SGD(D.parameters(), LR)
    rng = np.random.default_rng(0)

    def step():
        real = torch.from_numpy(rng.normal(4, 0.5, (BATCH, 1)).astype(np.float32))
        opt_d.zero_grad()
        with torch.no_grad():
            fake = G(torch.randn(BATCH, 1))
        (F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()).backward()
        opt_d.step()
        opt_g.zero_grad()
        F.softplus(-D(G(torch.randn(BATCH, 1)))).mean().backward()
        opt_g.step()

    return step


def numpy_gan():
    rng = np.random.default_rng(0)

    def net(*sizes):
        return [
            [rng.uniform(-1, 1, (a, b)).astype(np.float32) * a**-0.5, np.zeros(b, np.float32)]
            for a, b in zip(sizes, sizes[1:])
        ]

    G = net(1, 4, 1)
    D = net(1, 8, 8, 8, 1)
    lr = np.float32(LR)

    def softplus(x):
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    def sigmoid(x):
        return np.tanh(x * np.float32(0.5)) * np.float32(0.5) + np.float32(0.5)

    def forward_g(z):
        a = z @ G[0][0] + G[0][1]
        h = softplus(a)
        return a, h, h @ G[1][0] + G[1][1]

    def forward_d(x):
        kept = [x]
        for w, b in D[:-1]:
            x = np.tanh(x @ w + b)
            kept.append(x)
        return kept, x @ D[-1][0] + D[-1][1]

    def backward_d(kept, g, update):
        for i in range(len(D) - 1, -1, -1):
            w, b = D[i]
            gx = g @ w.T if i or not update else None
            if update:
                w -= lr * (kept[i].T @ g)
                b -= lr * g.sum(0)
            g = gx * (1 - kept[i] * kept[i]) if i else gx
        return g

    def step():
        n = np.float32(BATCH)
        real = rng.normal(4, 0.5, (BATCH, 1)).astype(np.float32)
        fake = forward_g(rng.standard_normal((BATCH, 1), np.float32))[2]
        kept, logits = forward_d(np.concatenate([real, fake]))
        g = sigmoid(logits)
        g[:BATCH] -= 1
        backward_d(kept, g / n, update=True)
        z = rng.standard_normal((BATCH, 1), np.float32)
        a, h, fake = forward_g(z)
        kept, logits = forward_d(fake)
        g = backward_d(kept, (sigmoid(logits) - 1) / n, update=False)
        ga = (g @ G[1][0].T) * sigmoid(a)
        G[1][0] -= lr * (h.T @ g)
        G[1][1] -= lr * g.sum(0)
        G[0][0] -= lr * (z.T @ ga)
        G[0][1] -= lr * ga.sum(0)

    return step


CONTENDERS = {
    "torch eager": ("torch", torch_gan),
    "numpy by hand": ("numpy", numpy_gan),
    "minigan": ("minigan", minigan_gan),
}
CONTENDERS["minigan.cpu.graph"] = ("minigan", lambda: minigan_gan(repeated=True))


def per_op(kind, n=2000):
    """(microseconds per op forward, per op backward) of a chain of n elementwise ops on 4 elements,
    and unrecorded."""
    if kind == "minigan":
        import minigan as lib
    else:
        import torch as lib
    x = lib.ones(4, requires_grad=True)

    def chain():
        y = x
        for _ in range(n):
            y = y * 0.999
        return y.sum()

    best = [1e9, 1e9, 1e9]
    for _ in range(7):
        a = time.perf_counter()
        y = chain()
        b = time.perf_counter()
        y.backward()
        c = time.perf_counter()
        with lib.no_grad():
            chain()
        best = [min(old, new) for old, new in zip(best, (b - a, c - b, time.perf_counter() - c))]
    return [1e6 * t / n for t in best]


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--json", help="also write the figures here")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        return harness.serve(CONTENDERS[options.worker][1]())
    print(harness.machine())
    names = [n for n, (package, _) in CONTENDERS.items() if importlib.util.find_spec(package)]
    results = {
        "gan": harness.compare(__file__, names, "torch eager", options.steps, options.rounds)
    }
    for kind in ("minigan", "torch"):
        if importlib.util.find_spec(kind):
            forward, backward, unrecorded = results[kind] = per_op(kind)
            print(
                f"{kind}: {forward:.2f} us per recorded op, {backward:.2f} us per op backward, "
                f"{unrecorded:.2f} us per op under no_grad"
            )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": harness.machine(), **results}, file, indent=1)


if __name__ == "__main__":
    main()
