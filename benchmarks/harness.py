"""Run contenders side by side: each in a process of its own, in turns, so that all meet the same
machine.

A contender is `python benchmarks/<file>.py --worker NAME`. It prepares, prints "ready", then for
each line "N" on its input does N steps and prints the seconds of each as JSON. Ratios are taken
round by round; their median is what counts, absolute times mean little on a shared machine.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time


def serve(step):
    """The worker's side: time `step()` on request."""
    print("ready", flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
        print(json.dumps(seconds), flush=True)


class Contender:
    """A worker process."""

    def __init__(self, script, name):
        self.name = name
        command = [sys.executable, script, "--worker", name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.medians = []

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"contender {self.name} died with exit code {self.process.wait()}")
        return line.strip()

    def ask(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return json.loads(self.answer())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(script, names, baseline, steps=50, rounds=7, warmup=20):
    """Medians and ratios to `baseline` of each contender, printed as a table and returned as {name:
    {...}}."""
    contenders = []
    for name in names:
        contender = Contender(script, name)
        try:
            while contender.answer() != "ready":
                pass
            contender.ask(warmup)
            contenders.append(contender)
        except RuntimeError as error:
            print(f"left out: {error}", file=sys.stderr)
    for _ in range(rounds):
        for contender in contenders:
            time.sleep(0.25)  # let the others' threads fall asleep
            contender.medians.append(statistics.median(contender.ask(steps)))
    for contender in contenders:
        contender.close()
    by_name = {c.name: c.medians for c in contenders}
    results = {}
    print(f"{'':34}{'ms/step':>9}{'(min..max)':>16}   ratio to {baseline} (min..max)")
    for name, medians in by_name.items():
        ms = [1e3 * m for m in medians]
        results[name] = {"ms": statistics.median(ms), "ms_min": min(ms), "ms_max": max(ms)}
        text = f"{name:34}{statistics.median(ms):9.3f}{f'({min(ms):.2f}..{max(ms):.2f})':>16}"
        if baseline in by_name:
            ratios = [a / b for a, b in zip(medians, by_name[baseline])]
            results[name]["ratio"] = statistics.median(ratios)
            text += f"   {statistics.median(ratios):.3f} ({min(ratios):.3f}..{max(ratios):.3f})"
        print(text)
    return results


def machine():
    """One line about the machine and the versions."""
    import numpy

    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            cpu = next(
                (line.split(":", 1)[1].strip() for line in file if line.startswith("model name")),
                cpu,
            )
    return (
        f"{cpu}, {os.cpu_count()} CPUs, Python {platform.python_version()}, NumPy "
        f"{numpy.__version__}"
    )
