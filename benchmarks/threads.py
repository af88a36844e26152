"""How a training step scales with threads and with the batch.

    python benchmarks/threads.py [--what mlp dcgan28] [--batches 16 64 256 1024] [--rounds 5]

The steps of mlp_gan.py and conv.py, each with one thread and with as many as there are cores, in
turns; medians. The share of a step that no second thread shortens follows from the two times T_1
and T_n (Amdahl): T_n = T_1 (s + (1 - s) / n). What 8 and 16 threads would make of it, T_1 / T =
1 / (s + (1 - s) / n), is reckoned, not measured: a limit, as the cores would also share memory.
"""

import argparse
import json
import os
import statistics
import time

import conv
import harness
import mlp_gan
import numpy as np

STEPS = {
    "mlp": (mlp_gan.minigan_step, 784),
    "dcgan28": (lambda: conv.minigan_gan(28, 1, conv.FEATURES), (1, 28, 28)),
}


def contender(name):
    """ "dcgan28 64": its step on a batch of 64."""
    what, batch = name.split()
    make, shape = STEPS[what]
    step, shape = make(), (int(batch), *np.atleast_1d(shape))
    real = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    return lambda: step(real)


def serial_share(one, several, n):
    """s of T_n = T_1 (s + (1 - s) / n), within [0, 1]."""
    return min(1.0, max(0.0, (n * several / one - 1) / (n - 1)))


def measure(what, batch, threads, rounds):
    """(milliseconds with one thread, with `threads`), medians."""
    workers = []
    for n in (1, threads):
        os.environ["MINIGAN_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(n)
        workers.append(harness.Contender(__file__, f"{what} {batch}"))
    for worker in workers:
        while worker.answer() != "ready":
            pass
    steps = max(5, 1500 // batch)
    times: list[list[float]] = [[], []]
    for k in range(rounds + 1):
        for own, worker in zip(times, workers):
            time.sleep(0.1)  # let the other's threads fall asleep
            seconds = worker.ask(steps)
            if k:  # the first is to get warm
                own.append(1e3 * statistics.median(seconds))
    for worker in workers:
        worker.close()
    return [statistics.median(own) for own in times]


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--what", nargs="+", choices=list(STEPS), default=list(STEPS))
    p.add_argument("--batches", type=int, nargs="+", default=[16, 64, 256, 1024])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--json", help="also write the figures here")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        return harness.serve(contender(options.worker))
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if n < 2:
        raise SystemExit("threads.py: needs two cores or more")
    print(harness.machine())
    print(
        f"{'':8}{'batch':>6}{'ms, 1 thread':>14}{f'{n} threads':>12}{'times':>7}{'examples/s':>12}"
        f"{'alone':>8}{'8: at most':>12}{'16':>6}"
    )
    results = {"machine": harness.machine(), "threads": n}
    for what in options.what:
        for batch in options.batches:
            one, several = measure(what, batch, n, options.rounds)
            s = serial_share(one, several, n)
            limits = [1 / (s + (1 - s) / m) for m in (8, 16)]
            results[f"{what} {batch}"] = {"ms": [one, several], "serial": s, "limits": limits}
            print(
                f"{what:8}{batch:6d}{one:14.2f}{several:12.2f}{one / several:7.2f}"
                f"{1e3 * batch / several:12.0f}{s:8.0%}{limits[0]:12.1f}{limits[1]:6.1f}"
            )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
