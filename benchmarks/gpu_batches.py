"""The largest batch that fits on a GPU: steps of DCGAN-64 as graphs, each batch twice the one
before, until there is no memory.

    python benchmarks/gpu_batches.py [--first 128] [--last 65536] [--seconds 60]

What is printed is a batch, the time of a step, images a second and the memory that the program
holds: of that batch alone, that of runs before goes back.
"""

import argparse
import gc
import time

from gpu_steps import minigan_step

import minigan


def measured(batch, side=64, channels=3, features=64, blocks=5):
    """(seconds of a step, bytes of the program's memory); MemoryError where it does not fit."""
    step, wait = minigan_step("dcgan", batch, side, channels, features)
    step(), wait()
    times = []
    for _ in range(blocks):
        start = time.perf_counter()
        step(), wait()
        times.append(time.perf_counter() - start)
    return min(times), minigan.cuda.memory_reserved()


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--first", type=int, default=128)
    p.add_argument("--last", type=int, default=1 << 16)
    p.add_argument("--features", type=int, default=64, help="channels next to the images")
    p.add_argument("--seconds", type=float, default=60, help="no larger batch is begun after these")
    options = p.parse_args(arguments)
    start, batch = time.monotonic(), options.first
    print(f"{'batch':>8}{'ms a step':>12}{'images/s':>12}{'GiB':>8}", flush=True)
    while batch <= options.last and time.monotonic() < start + options.seconds:
        try:
            seconds, held = measured(batch, features=options.features)
        except MemoryError as error:
            print(f"{batch:8} does not fit: {' '.join(str(error).split())}")
            break
        print(
            f"{batch:8}{1e3 * seconds:12.2f}{batch / seconds:12.0f}{held / 2**30:8.1f}", flush=True
        )
        gc.collect()
        minigan.cuda.empty_cache()
        batch *= 2


if __name__ == "__main__":
    main()
