"""Which kernels a training step on a GPU consists of, and how long each takes.

    python benchmarks/gpu_kernels.py [--workload dcgan64] [--contender "minigan graph fp32"]

Runs one step of a contender of gpu_steps.py under Nsight Compute (`ncu`, which CUDA brings), with
the card's clocks and caches as they are, and prints kernels, nodes of a graph too, by the time that
they take together.
"""

import argparse
import collections
import csv
import glob
import pathlib
import re
import shutil
import subprocess
import sys

import gpu_steps

METRIC = "gpu__time_duration.sum"


def run_once(workload, contender):
    """What ncu looks at: a step, warmed up."""
    package, maker = gpu_steps.contenders(workload)[contender]
    step, wait = maker()
    for _ in range(6):
        step()
    wait()
    if package == "cupy":
        import cupy.cuda.profiler as profiler

        start, stop = profiler.start, profiler.stop
    else:
        import torch

        start, stop = torch.cuda.profiler.start, torch.cuda.profiler.stop
    start()
    step()
    wait()
    stop()


def ncu():
    """Where Nsight Compute is."""
    found = shutil.which("ncu") or next(iter(sorted(glob.glob("/opt/nvidia/*/*/ncu"))), None)
    return found or sys.exit("error: there is no ncu (Nsight Compute) on this machine")


def kernels(text):
    """[(name, microseconds)] of ncu's CSV, in order."""
    lines = text.splitlines()
    begin = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), None)
    if begin is None:
        sys.exit("error: ncu has seen no kernel:\n" + text[-2000:])
    scale = {"ns": 1e-3, "nsecond": 1e-3, "us": 1.0, "usecond": 1.0, "ms": 1e3, "msecond": 1e3}
    return [
        (
            row["Kernel Name"],
            float(row["Metric Value"].replace(",", "")) * scale[row["Metric Unit"]],
        )
        for row in csv.DictReader(lines[begin:])
        if row["Metric Name"] == METRIC
    ]


def short(name):
    """A kernel's name without its arguments, and not too long."""
    name = re.sub(r"^void |\(.*\)$|<unnamed>::", "", name)
    return name if len(name) <= 90 else name[:60] + "..." + name[-27:]


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--workload", default="dcgan64", choices=gpu_steps.WORKLOADS)
    p.add_argument("--contender", default="minigan graph fp32")
    p.add_argument("--lines", type=int, default=30, help="kernels shown (default %(default)s)")
    p.add_argument("--in-order", action="store_true", help="every launch, in order")
    p.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.once:
        return run_once(options.workload, options.contender)
    command = [
        ncu(), "--profile-from-start", "off", "--clock-control", "none", "--cache-control", "none",
        "--metrics", METRIC, "--csv", sys.executable, str(pathlib.Path(__file__).resolve()),
        "--once", "--workload", options.workload, "--contender", options.contender,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=gpu_steps.HERE)
    found = kernels(done.stdout + done.stderr)
    total = sum(us for _, us in found)
    print(f"{options.workload}, {options.contender}: {len(found)} kernels, {total:.0f} us")
    if options.in_order:
        for name, us in found:
            print(f"{us:9.1f}  {short(name)}")
        return
    sums = collections.defaultdict(list)
    for name, us in found:
        sums[short(name)].append(us)
    for name, times in sorted(sums.items(), key=lambda item: -sum(item[1]))[: options.lines]:
        print(f"{sum(times):9.1f} us {len(times):4} x {sum(times) / len(times):7.1f}  {name}")


if __name__ == "__main__":
    main()
