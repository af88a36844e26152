"""Layers and small networks, forward and backward, beside PyTorch eager: the functions below are
the same for both, given the module `torch` (a script needs `import minigan as torch`).

    MINIGAN_NUM_THREADS=1 python benchmarks/layers.py [--only lstm conv7 ...] [--rounds 5]

Each computes a network's output y and the gradients of mean(y^2) with respect to the input and all
parameters. MINIGAN_NUM_THREADS sets the threads of both. Each is measured in a process of its own,
in turns. `benchmarks/conv.py --what layers` has more of convolutions.
"""

import argparse
import importlib
import importlib.util
import json
import os
import time

import harness


def residual(nn, channels):
    """CycleGAN's block."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            half = lambda: [
                nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3),
                nn.InstanceNorm2d(channels),
            ]  # fmt: skip
            self.block = nn.Sequential(*half(), nn.ReLU(True), *half())

        def forward(self, x):
            return x + self.block(x)

    return Residual()


def cyclegan(nn, f=32, blocks=3):
    """CycleGAN's generator, a half as wide, with three blocks."""
    then = lambda n: [nn.InstanceNorm2d(n), nn.ReLU(True)]
    return nn.Sequential(
        nn.ReflectionPad2d(3), nn.Conv2d(3, f, 7), *then(f),
        nn.Conv2d(f, 2 * f, 3, 2, 1), *then(2 * f),
        nn.Conv2d(2 * f, 4 * f, 3, 2, 1), *then(4 * f),
        *[residual(nn, 4 * f) for _ in range(blocks)],
        nn.ConvTranspose2d(4 * f, 2 * f, 3, 2, 1, 1), *then(2 * f),
        nn.ConvTranspose2d(2 * f, f, 3, 2, 1, 1), *then(f),
        nn.ReflectionPad2d(3), nn.Conv2d(f, 3, 7), nn.Tanh(),
    )  # fmt: skip


def patch_critic(nn):
    """pix2pix's D of three layers."""
    act = lambda: nn.LeakyReLU(0.2)
    return nn.Sequential(
        nn.Conv2d(3, 64, 4, 2, 1), act(),
        nn.Conv2d(64, 128, 4, 2, 1), nn.InstanceNorm2d(128), act(),
        nn.Conv2d(128, 256, 4, 1, 1), nn.InstanceNorm2d(256), act(), nn.Conv2d(256, 1, 4, 1, 1),
    )  # fmt: skip


def first(nn, module):
    """The output of a recurrent layer, without its states."""

    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = module

        def forward(self, x):
            return self.module(x)[0]

    return First()


# name -> (the network, given torch.nn; the shape of its input)
NETWORKS = {
    "cyclegan 64": (cyclegan, (1, 3, 64, 64)),
    "cyclegan 128": (cyclegan, (1, 3, 128, 128)),
    "residual block": (lambda nn: residual(nn, 64), (4, 64, 32, 32)),
    "patch critic": (patch_critic, (1, 3, 64, 64)),
    "conv3": (lambda nn: nn.Conv2d(64, 64, 3, 1, 1), (4, 64, 32, 32)),
    "conv7, 3 to 32": (lambda nn: nn.Conv2d(3, 32, 7), (1, 3, 70, 70)),
    "conv7, 32 to 3": (lambda nn: nn.Conv2d(32, 3, 7), (1, 32, 70, 70)),
    "conv, depthwise": (lambda nn: nn.Conv2d(64, 64, 3, 1, 1, groups=64), (8, 64, 32, 32)),
    "conv1d": (lambda nn: nn.Conv1d(32, 64, 9, 2, 4), (16, 32, 256)),
    "conv3d": (lambda nn: nn.Conv3d(16, 32, 4, 2, 1), (8, 16, 8, 32, 32)),
    "batch norm": (lambda nn: nn.BatchNorm2d(64), (8, 64, 32, 32)),
    "instance norm": (lambda nn: nn.InstanceNorm2d(64), (4, 64, 32, 32)),
    "layer norm": (lambda nn: nn.LayerNorm(256), (256, 256)),
    "lstm 64": (lambda nn: first(nn, nn.LSTM(16, 64, batch_first=True)), (32, 24, 16)),
    "lstm 256": (lambda nn: first(nn, nn.LSTM(128, 256, batch_first=True)), (64, 20, 128)),
    "gru 64": (lambda nn: first(nn, nn.GRU(16, 64, batch_first=True)), (32, 24, 16)),
    "attention": (
        lambda nn: nn.TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True), (32, 24, 64)
    ),
    "prelu": (lambda nn: nn.PReLU(64), (8, 64, 32, 32)),
    "gelu": (lambda nn: nn.GELU(), (256, 1000)),
    "softmax": (lambda nn: nn.Softmax(1), (256, 1000)),
    "dropout": (lambda nn: nn.Dropout(0.5), (8, 64, 32, 32)),
    "max pool": (lambda nn: nn.MaxPool2d(2), (8, 64, 32, 32)),
    "upsample": (lambda nn: nn.Upsample(scale_factor=2), (8, 32, 16, 16)),
    "pixel shuffle": (lambda nn: nn.PixelShuffle(2), (8, 64, 16, 16)),
}  # fmt: skip


def contender(name):
    """A step of one network by one library, from "minigan: lstm 64"."""
    which, network = name.split(": ")
    torch = importlib.import_module(which)
    if threads := os.environ.get("MINIGAN_NUM_THREADS"):
        torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    make, shape = NETWORKS[network]
    net, x = make(torch.nn), torch.randn(*shape)
    x.requires_grad_(True)
    wanted = [x, *net.parameters()]

    def step():
        y = net(x)
        return torch.autograd.grad((y * y).mean(), wanted)

    return step


def steps_for(name, seconds=0.2):
    """So many that they take about as long, for a network of minigan's."""
    step = contender(f"minigan: {name}")
    step(), step()
    start = time.perf_counter()
    step()
    return max(3, min(300, round(seconds / (time.perf_counter() - start))))


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--only", nargs="+", default=[""], help="beginnings of names, of all networks")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--json", help="also write the figures here")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        return harness.serve(contender(options.worker))
    chosen = [name for name in NETWORKS if name.startswith(tuple(options.only))]
    if not chosen:
        p.error(f"--only {' '.join(options.only)}: expected some of {', '.join(NETWORKS)}")
    print(harness.machine())
    results = {"machine": harness.machine()}
    both = ["torch"] if importlib.util.find_spec("torch") else []
    for name in chosen:
        names = [f"{which}: {name}" for which in (*both, "minigan")]
        steps = steps_for(name)
        results[name] = harness.compare(
            __file__, names, names[0], steps, options.rounds, warmup=steps
        )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
