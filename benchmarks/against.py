"""Two checkouts of minigan side by side: what a change costs, or gains.

    python benchmarks/against.py BEFORE AFTER [--only NAME ...] [--rounds 15] [--seconds 0.3] \\
        [--json FILE]

Each case is prepared by each checkout's own benchmarks, in a process of its own; rounds of both
alternate, so that they meet the same machine, and each begins every other round. The ratio after /
before of the fastest steps (`min`), and the median of the rounds' ratios of median steps
(`median`), with their middle half. Other work on the machine slows single steps, hardly the
fastest.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path


def images(n, channels, side):
    import numpy as np

    return np.random.default_rng(0).uniform(-1, 1, (n, channels, side, side)).astype(np.float32)


def mlp(repeated):
    import mlp_gan

    step, real = mlp_gan.minigan_step(repeated), images(mlp_gan.BATCH, 1, 28)
    return lambda: step(real)


def conv_step(name, make="minigan_gan"):
    import conv

    step = getattr(conv, make)(conv.STEPS[name][2], conv.STEPS[name][1], conv.FEATURES)
    real = images(*conv.STEPS[name])
    return lambda: step(real)


def gan_1d(repeated):
    import overhead

    return overhead.minigan_gan(repeated)


def ops(part, n=500):
    """A chain of `n` products on 4 elements: recorded, its backward pass, unrecorded."""
    import time

    import minigan

    x = minigan.ones(4, requires_grad=True)

    def chain():
        y = x
        for _ in range(n):
            y = y * 0.999
        return y.sum()

    def forward():
        start = time.perf_counter()
        chain()
        return time.perf_counter() - start

    def backward():
        y = chain()
        start = time.perf_counter()
        y.backward()
        return time.perf_counter() - start

    def unrecorded():
        with minigan.no_grad():
            return forward()

    return {"forward": forward, "backward": backward, "unrecorded": unrecorded}[part]


def imports():
    return lambda: subprocess.run([sys.executable, "-c", "import minigan"], check=True)


CASES = {
    "MLP GAN": lambda: mlp(True),
    "MLP GAN, op by op": lambda: mlp(False),
    "DCGAN-28": lambda: conv_step("dcgan28"),
    "DCGAN-64": lambda: conv_step("dcgan64"),
    "WGAN-GP critic": lambda: conv_step("wgan-gp", "minigan_critic"),
    "1-D GAN": lambda: gan_1d(True),
    "1-D GAN, op by op": lambda: gan_1d(False),
    "op, recorded": lambda: ops("forward"),
    "op, backward": lambda: ops("backward"),
    "op, unrecorded": lambda: ops("unrecorded"),
    "import minigan": imports,
}


def serve(name):
    """The worker's side: for each line "SECONDS" on its input, steps for about so long; their
    fastest and their median time."""
    import time

    step = CASES[name]()

    def measured():
        start = time.perf_counter()
        seconds = step()
        return seconds if isinstance(seconds, float) else time.perf_counter() - start

    for _ in range(6):  # compile, record, check, repeat
        measured()
    print("ready", flush=True)
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        while not times or time.perf_counter() < end:
            times.append(measured())
        print(json.dumps([min(times), statistics.median(times)]), flush=True)


class Checkout:
    """A worker process that computes with the minigan at `path`."""

    def __init__(self, path, case):
        path = Path(path).resolve()
        env = os.environ | {"PYTHONPATH": f"{path}{os.pathsep}{path / 'benchmarks'}"}
        command = [
            sys.executable,
            "-c",
            Path(__file__).read_text(encoding="utf-8"),
            "--worker",
            case,
            ".",
            ".",
        ]
        self.process = subprocess.Popen(
            command, env=env, cwd=path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.seconds = []
        while (line := self.process.stdout.readline()).strip() != "ready":
            if not line:
                raise SystemExit(f"{path}: {case} does not run")

    def round(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        self.seconds.append(json.loads(self.process.stdout.readline()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(before, after, case, rounds, seconds):
    """(fastest, median) seconds of a step in each round, of both."""
    both = [Checkout(before, case), Checkout(after, case)]
    for i in range(rounds):
        for checkout in both if i % 2 else reversed(both):
            checkout.round(seconds)
    for checkout in both:
        checkout.close()
    return both[0].seconds, both[1].seconds


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("before", help="folder of a checkout")
    p.add_argument("after", help="folder of another")
    p.add_argument(
        "--only",
        nargs="+",
        choices=CASES,
        default=list(CASES),
        metavar="NAME",
        help=", ".join(CASES),
    )
    p.add_argument("--rounds", type=int, default=15)
    p.add_argument(
        "--seconds", type=float, default=0.3, help="how long a round takes (default %(default)s)"
    )
    p.add_argument("--json", help="also write the seconds of each round here")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        return serve(options.worker)
    results = {}
    print(f"{'after / before':20}{'min':>8}{'median':>8}   middle half   ms before")
    for case in options.only:
        before, after = results[case] = compare(
            options.before, options.after, case, options.rounds, options.seconds
        )
        low, median, high = statistics.quantiles([b[1] / a[1] for a, b in zip(before, after)], n=4)
        fastest = [min(rounds)[0] for rounds in (before, after)]
        print(
            f"{case:20}{fastest[1] / fastest[0]:8.3f}{median:8.3f}   {low:.3f}-{high:.3f}   "
            f"{1e3 * fastest[0]:9.3f}",
            flush=True,
        )
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
