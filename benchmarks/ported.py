"""Programs written for PyTorch, run by it and by minigan: the functions below are the same for
both, given the module `torch` (a script needs `import minigan as torch`).

    python benchmarks/ported.py [--only mlp ...] [--rounds 7] [--steps 20] [--json FILE]

Contenders: torch eager; torch with its fused Adam and D's weights frozen while G moves (what a
careful user writes by hand); minigan op by op; minigan's `compile` of the step. They write what
scripts on the net write: `BCELoss` behind a `Sigmoid`, D run on real and fake apart, gradients of
D's weights in G's move, views by `view(size(0), -1)`, a loss read every 50 steps.
"""

import argparse
import importlib
import importlib.util
import json

import harness

B1, LR = (0.5, 0.999), 2e-4


def mlp(torch, batch=64):
    """PyTorch-GAN's networks, MNIST."""
    nn = torch.nn

    def block(n_in, n_out, normalize=True):
        norm = [nn.BatchNorm1d(n_out, 0.8)] if normalize else []
        return [nn.Linear(n_in, n_out), *norm, nn.LeakyReLU(0.2, inplace=True)]

    G = nn.Sequential(
        *block(100, 128, normalize=False), *block(128, 256), *block(256, 512), *block(512, 1024),
        nn.Linear(1024, 784), nn.Tanh(),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Linear(784, 512), nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(512, 256), nn.LeakyReLU(0.2, inplace=True), nn.Linear(256, 1), nn.Sigmoid(),
    )  # fmt: skip
    shaped = lambda z: G(z).view(z.size(0), 1, 28, 28)
    judged = lambda x: D(x.view(x.size(0), -1))
    return logistic(torch, shaped, judged, G, D, 100), torch.rand(batch, 1, 28, 28) * 2 - 1


def dcgan_28(torch, batch=64, width=64, latent=100):
    """A DCGAN of two convolutions each, MNIST."""
    nn = torch.nn
    G = nn.Sequential(
        nn.ConvTranspose2d(latent, 2 * width, 7, 1, 0, bias=False), nn.BatchNorm2d(2 * width),
        nn.ReLU(True),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width),
        nn.ReLU(True),
        nn.ConvTranspose2d(width, 1, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Conv2d(1, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(2 * width, 1, 7, 1, 0, bias=False), nn.Sigmoid(),
    )  # fmt: skip
    drawn = lambda z: G(z.view(z.size(0), latent, 1, 1))
    judged = lambda x: D(x).view(-1, 1)
    return logistic(torch, drawn, judged, G, D, latent), torch.rand(batch, 1, 28, 28) * 2 - 1


def wgan_gp(torch, batch=64, width=64):
    """The critic's step of WGAN-GP on 28x28, by `autograd.grad` of a gradient."""
    nn = torch.nn
    D = nn.Sequential(
        nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(2 * width * 49, 1),
    )  # fmt: skip
    optimizer = torch.optim.Adam(D.parameters(), lr=1e-4, betas=(0.0, 0.9))
    fake = torch.rand(batch, 1, 28, 28) * 2 - 1

    def step(real):
        alpha = torch.rand(real.size(0), 1, 1, 1)
        mixed = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
        scores = D(mixed)
        (gradients,) = torch.autograd.grad(
            outputs=scores, inputs=mixed, grad_outputs=torch.ones_like(scores), create_graph=True
        )
        penalty = ((gradients.view(gradients.size(0), -1).norm(2, dim=1) - 1) ** 2).mean()
        loss = D(fake).mean() - D(real).mean() + 10 * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step, torch.rand(batch, 1, 28, 28) * 2 - 1


def one_d(torch, batch=64):
    """A GAN of numbers, as the first tutorials train it."""
    nn = torch.nn
    G = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
    D = nn.Sequential(
        nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16), nn.LeakyReLU(0.2),
        nn.Linear(16, 1), nn.Sigmoid(),
    )  # fmt: skip
    return logistic(torch, G, D, G, D, 1), torch.randn(batch, 1)


def logistic(torch, generate, judge, G, D, latent):
    """D's and G's steps by BCELoss."""
    careful = getattr(torch, "careful", False)
    more = {"fused": True} if careful else {}
    d_optimizer = torch.optim.Adam(D.parameters(), lr=LR, betas=B1, **more)
    g_optimizer = torch.optim.Adam(G.parameters(), lr=LR, betas=B1, **more)
    bce = torch.nn.BCELoss()

    def frozen(yes):
        if careful:
            for p in D.parameters():
                p.requires_grad_(not yes)

    def step(real):
        ones, zeros = torch.ones(real.size(0), 1), torch.zeros(real.size(0), 1)
        d_optimizer.zero_grad()
        fake = generate(torch.randn(real.size(0), latent))
        d_loss = bce(judge(real), ones) + bce(judge(fake.detach()), zeros)
        d_loss.backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        frozen(True)
        g_loss = bce(judge(fake), ones)
        g_loss.backward()
        frozen(False)
        g_optimizer.step()
        return d_loss.detach()

    return step


PROGRAMS = {"mlp": mlp, "dcgan-28": dcgan_28, "wgan-gp critic": wgan_gp, "1-d": one_d}
WAYS = {
    "torch": ("torch", False, False),
    "torch, by hand": ("torch", True, False),
    "minigan": ("minigan", False, False),
    "minigan, compiled": ("minigan", False, True),
}


def contender(name):
    program, way = name.split(": ")
    package, careful, compiled = WAYS[way]
    torch = importlib.import_module(package)
    if careful:
        torch.careful = True
    torch.manual_seed(0)
    step, real = PROGRAMS[program](torch)
    step, count = torch.compile(step) if compiled else step, [0]

    def timed():
        loss = step(real)
        count[0] += 1
        if count[0] % 50 == 0:
            loss.item()

    return timed


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--only", nargs="+", choices=list(PROGRAMS), default=list(PROGRAMS))
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("--json", help="also write the figures here")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        return harness.serve(contender(options.worker))
    print(harness.machine())
    results = {"machine": harness.machine()}
    ways = [w for w, (package, *_) in WAYS.items() if importlib.util.find_spec(package)]
    for program in options.only:
        names = [
            f"{program}: {w}" for w in ways
            if not (w == "torch, by hand" and program == "wgan-gp critic")  # has no G's move
        ]  # fmt: skip
        steps = options.steps * 20 if program == "1-d" else options.steps
        results[program] = harness.compare(
            __file__, names, f"{program}: torch", steps, options.rounds, warmup=steps
        )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
