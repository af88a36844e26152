"""A training step beside other programs that want the cores.

    python benchmarks/busy.py [--busy 0 1 2] [--program mlp] [--rounds 5] [--steps 40]

Programs of ported.py, by PyTorch and by minigan (compiled), each with as many threads as there are
cores and with one, in turns, beside so many processes that do nothing but compute; of the MLP GAN
also mlp_gan.py's step by JAX, whose networks are the same. Mean milliseconds of a step, the median
of the rounds: the mean, as what a step waits for others counts.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import harness
import ported

ONE = {"MINIGAN_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
SCRIPT, JAX = (str(Path(__file__).with_name(name)) for name in ("ported.py", "mlp_gan.py"))


def contenders(program):
    """[(label, worker)], all of them warm."""
    found = []
    for way, (package, *_) in ported.WAYS.items():
        if way not in ("torch", "minigan, compiled") or not importlib.util.find_spec(package):
            continue
        for label, more in (("all threads", {}), ("one thread", ONE)):
            os.environ.update(more)
            found.append((f"{way}, {label}", harness.Contender(SCRIPT, f"{program}: {way}")))
            for name in more:
                del os.environ[name]
    if program == "mlp" and importlib.util.find_spec("jax"):
        found.append(("jax jit, all threads", harness.Contender(JAX, "jax jit")))
    for _, worker in found:
        while worker.answer() != "ready":
            pass
        worker.ask(20)
    return found


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2], help="how many processes")
    p.add_argument("--program", choices=ported.PROGRAMS, default="mlp")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--steps", type=int, default=40)
    options = p.parse_args()
    print(harness.machine())
    workers = contenders(options.program)
    for busy in options.busy:
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
        try:
            means = {label: [] for label, _ in workers}
            for _ in range(options.rounds):
                for label, worker in workers:
                    time.sleep(0.25)  # let the others' threads fall asleep
                    means[label].append(1e3 * statistics.mean(worker.ask(options.steps)))
        finally:
            for other in others:
                other.kill()
        print(f"\nbeside {busy} busy processes")
        for label, ms in means.items():
            print(f"{label:30}{statistics.median(ms):9.2f} ({min(ms):.2f}..{max(ms):.2f})")
    for _, worker in workers:
        worker.close()


if __name__ == "__main__":
    main()
