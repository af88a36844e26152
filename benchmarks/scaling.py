"""What several processes gain: weak and strong scaling of three networks, the time of the
all-reduce, and a model of more machines.

    python benchmarks/scaling.py [--ranks 1 2] [--steps 50] [--repeats 3]

Strong: the whole batch stays 64. Weak: 64 for each process. Beside them one process with as many
threads. Needs `pip install 'minigan[mpi]'` and a machine on which nothing else runs; what it prints
says how long the repetitions were apart.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

MODELS = {
    "mlp": {"model": "mlp"},
    "dcgan": {"model": "dcgan", "sync_bn": True},
    "wgan-gp": {"model": "mlp", "objective": "wasserstein", "penalty": ["gradient"], "k": 5,
                "d_norm": "none"},
}  # fmt: skip
BATCH = 64
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)  # numbers in an all-reduce


def trainer_of(name, batch):
    """A new trainer, and its batches of random pictures."""
    import minigan
    from minigan.arrays import Generator
    from minigan.data.batches import Batches
    from minigan.training.options import build_players, build_trainer
    from minigan.training.switches import add_switches

    parser = argparse.ArgumentParser()
    add_switches(parser)
    config = vars(parser.parse_args([])) | {
        "batch_size": batch, "lr": 1e-4, "b1": 0.5, "b2": 0.999, "latent_dim": 100,
        "image_shape": [1, 28, 28],
    } | MODELS[name]  # fmt: skip
    minigan.manual_seed(0)
    trainer = build_trainer(*build_players(config), config)
    pictures = Generator(1).integers(0, 256, (4096, 1, 28, 28)).astype(np.uint8)
    return trainer, Batches(pictures, batch)


def steps(name, batch, count):
    """Seconds for each round of the game, on this rank."""
    from minigan.distributed import group
    from minigan.training import ranks
    from minigan.training.run import round_of

    trainer, batches = trainer_of(name, batch)
    if group.size() > 1:
        ranks.begin(trainer, batches, MODELS[name].get("sync_bn", False))
    play = round_of(trainer, batches, lambda text: None)
    found = []
    for epoch in range(10**6):
        for numbers in batches.numbers(epoch):
            began = time.perf_counter()
            ranks.play(play, numbers, trainer, batches)
            found.append(time.perf_counter() - began)
            if len(found) == count + 10:
                return found[10:]


def sent(name):
    """Bytes of the gradients that each round sums."""
    trainer, _ = trainer_of(name, BATCH)
    players = trainer.game.players
    size = {who: 4 * sum(p.numel() for p in player.parameters()) for who, player in players.items()}
    return [size["D"]] * trainer.game.k + [size["G"]]


def worker(options):
    """On every rank; the first one prints what it found."""
    from minigan.distributed import group
    from minigan.training.ranks import join

    join()
    n = group.size()
    found = {"ranks": n, "steps": {}, "reduce": {}}
    for name in MODELS:
        ways = (
            {"strong": BATCH, "weak": BATCH * n} if n > 1 else {"strong": BATCH, "half": BATCH // 2}
        )
        for way, batch in ways.items():
            each = steps(name, batch, options.steps)
            found["steps"][f"{name} {way}"] = statistics.median(each)
    for size in SIZES if n > 1 else ():
        array = np.ones(size, np.float32)
        times = []
        for _ in range(20):
            began = time.perf_counter()
            group.reduced(array)
            times.append(time.perf_counter() - began)
        found["reduce"][size] = statistics.median(times)
    if group.rank() == 0:
        print(json.dumps(found), file=sys.__stdout__)


def measured(n, threads, options):
    """What a worker prints, started as n processes with so many threads each."""
    environment = os.environ | {
        "MINIGAN_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads),
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    }  # fmt: skip
    starter = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(n)] if n > 1 else []
    words = [sys.executable, __file__, "--worker", "--steps", str(options.steps)]
    done = subprocess.run(
        starter + words, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.strip("\0\n").splitlines()[-1])


def exchange(size, n, gigabits, latency):
    """Seconds of an all-reduce of `size` bytes among n machines: each rank combines one part and
    gives it to all, so 2 (n - 1) / n of the bytes leave each, in 2 (n - 1) messages."""
    return 2 * (n - 1) / n * size * 8 / (gigabits * 1e9) + 2 * (n - 1) * latency


def model(one, fixed, sizes, latency):
    """Rows of the strong and weak speed-ups of n machines. one: seconds of a step of BATCH examples
    on one; fixed: those of them that a smaller batch does not save. (The exchanges of synchronised
    statistics, some hundred bytes each, are not in it.)"""
    for gigabits in (1, 10, 100):
        for n in (2, 4, 8, 16, 32, 64):
            wire = sum(exchange(size, n, gigabits, latency) for size in sizes)
            strong = one / (fixed + (one - fixed) / n + wire)
            weak = n * one / (one + wire)
            yield gigabits, n, strong, weak


def predicted(one, half, weak, sizes, reduce):
    """Seconds of two processes' step with half of the batch each, by the model, on this machine:
    with the measured all-reduce, and with as much as its cores slow each other down, which `weak`
    shows. reduce : {numbers: seconds}"""
    numbers, seconds = zip(*sorted((int(k), v) for k, v in reduce.items()))
    wire = sum(np.interp(size / 4, numbers, seconds) for size in sizes)
    return half * (weak - wire) / one + wire


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    p.add_argument("--steps", type=int, default=50)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--latency", type=float, default=30e-6, help="seconds a message (modelled)")
    p.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        return worker(options)
    most = max(options.ranks)
    ways = [(n, 1) for n in options.ranks] + [(1, most)]
    runs = {way: [] for way in ways}
    for _ in range(options.repeats):  # one after the other, so that a slow minute meets all
        for way in ways:
            runs[way].append(measured(*way, options))
    print(f"milliseconds a step, median of {options.repeats} (lowest to highest)")
    for (n, threads), several in runs.items():
        for key in several[0]["steps"]:
            each = sorted(1e3 * r["steps"][key] for r in several)
            print(
                f"{key:16} {n} processes, {threads} threads each: {statistics.median(each):8.2f} "
                f"({each[0]:.2f} to {each[-1]:.2f})"
            )
    for (n, _), several in runs.items():
        for size in several[0]["reduce"]:
            each = [1e6 * r["reduce"][size] for r in several]
            print(f"all-reduce of {4 * int(size):>9} bytes, {n} ranks: {min(each):9.0f} us")
    if 2 in options.ranks:
        middle = lambda way, find: statistics.median(find(r) for r in runs[way])
        reduce = {k: middle((2, 1), lambda r: r["reduce"][k]) for k in runs[2, 1][0]["reduce"]}
        for name in MODELS:
            one, half, weak, strong = (
                middle(way, lambda r: r["steps"][f"{name} {what}"])
                for way, what in (
                    ((1, 1), "strong"), ((1, 1), "half"), ((2, 1), "weak"), ((2, 1), "strong")
                )
            )  # fmt: skip
            said = predicted(one, half, weak, sent(name), reduce)
            print(f"{name:8} 2 processes, strong: modelled {1e3 * said:.2f}, measured "
                  f"{1e3 * strong:.2f}")  # fmt: skip
    print("modelled speed-up: strong (batch 64), weak (64 for each machine)")
    for name in MODELS:
        one = min(r["steps"][f"{name} strong"] for r in runs[1, 1])
        half = min(r["steps"][f"{name} half"] for r in runs[1, 1])
        fixed = max(2 * half - one, 0.0)
        for gigabits, n, strong, weak in model(one, fixed, sent(name), options.latency):
            print(f"{name:8} {gigabits:4} Gbit/s {n:3} machines {strong:7.2f} {weak:7.2f}")


if __name__ == "__main__":
    main()
