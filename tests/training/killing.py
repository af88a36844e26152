"""Kills training runs at random moments and resumes them: `python tests/training/killing.py
[--kills 50] [--model mlp]`.

The run ends in the same bits as one that was never killed, and its metrics.jsonl has each step
once.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from minigan.training.checkpoint import checkpoints, newest

SCRIPT = str(Path(__file__).parents[2] / "examples" / "mnist_gan.py")
# long enough for some kills each; all noise, dropout-free: what is drawn comes from the one
# generator
OPTIONS = {
    "mlp": ["--model", "mlp", "--batch-size", "16"],
    "dcgan": ["--model", "dcgan", "--batch-size", "8"],
}
BASE = [
    "--dataset",
    "strokes",
    "--device",
    "cpu",
    "--quiet",
    "--sample-interval",
    "10",
    "--checkpoint-seconds",
    "0.05",
]


def command(folder, model, steps, resume):
    words = [
        sys.executable,
        SCRIPT,
        *BASE,
        *OPTIONS[model],
        "--max-steps",
        str(steps),
        "--out",
        str(folder),
    ]
    return words + (["--resume"] if resume else [])


def whole(folder, model, steps):
    """A run that nobody disturbs."""
    subprocess.run(command(folder, model, steps, False), check=True, capture_output=True)


def kill_and_resume(folder, model, steps, kills, random, say=lambda text: None):
    """Kill the run `kills` times (fewer if it ends before), then let it end. Returns how often, and
    how often while writing."""
    killed = writing = 0
    while killed < kills:
        words = command(folder, model, steps, bool(checkpoints(folder)))
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # Once in three times wait for a file that is being written, so that the kill falls into it.
        hit = _wait(process, folder, random)
        if process.poll() is not None:
            if process.returncode:
                raise AssertionError(process.stderr.read().decode())
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += 1
        writing += hit
        step = newest(folder)[1]["step"] if checkpoints(folder) else "none saved"
        say(f"killed at step {step}{', while writing' if hit else ''}")
    end = subprocess.run(
        command(folder, model, steps, bool(checkpoints(folder))), capture_output=True, text=True
    )
    assert end.returncode == 0, end.stderr
    return killed, writing


def _wait(process, folder, random):
    """Until a random moment after the start of training, or until a temporary file is seen; was it
    the latter?"""
    began = time.monotonic()
    if random.random() < 0.15:  # also in the beginning, before anything is trained
        time.sleep(random.uniform(0, 2))
        return False
    before = {p.name for p in checkpoints(folder)}
    while (
        process.poll() is None
        and {p.name for p in checkpoints(folder)} <= before
        and time.monotonic() - began < 600
    ):
        time.sleep(0.005)
    time.sleep(random.uniform(0, 0.5))
    if random.random() < 0.5:
        until = time.monotonic() + 5
        while process.poll() is None and time.monotonic() < until:
            if any((folder / "checkpoints").glob(".*.tmp")):
                return True
    return False


def same(a, b):
    """What differs between the final states and metrics of two runs: a list of sentences, empty if
    nothing does."""
    (_, one), (_, two) = newest(a), newest(b)
    differ = [] if _equal(one["trainer"], two["trainer"]) else ["weights or optimisers"]
    differ += [key for key in ("step", "random", "config") if one[key] != two[key]]
    differ += (
        [] if _equal(one["callbacks"], two["callbacks"]) else ["averages or the doctor's notes"]
    )
    rows = [
        [json.loads(line) for line in (f / "metrics.jsonl").read_text().splitlines()]
        for f in (a, b)
    ]
    steps = [r["step"] for r in rows[1]]
    differ += [] if steps == sorted(set(steps)) else ["metrics.jsonl has a step twice"]
    plain = [[{k: v for k, v in r.items() if k != "it_s"} for r in part] for part in rows]
    return differ + ([] if plain[0] == plain[1] else ["metrics"])


def _equal(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool((a == b).all()) if hasattr(a, "dtype") else a == b


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--kills", type=int, default=50)
    p.add_argument("--model", choices=OPTIONS, default="mlp")
    p.add_argument("--steps", type=int, default=600)
    p.add_argument("--seed", type=int, default=0)
    options = p.parse_args()
    dice = random.Random(options.seed)
    done = 0
    hits = 0
    rounds = 0
    with tempfile.TemporaryDirectory() as place:
        undisturbed = Path(place) / "whole"
        whole(undisturbed, options.model, options.steps)
        while done < options.kills:
            folder = Path(place) / f"killed{rounds}"
            killed, writing = kill_and_resume(
                folder, options.model, options.steps, options.kills - done, dice, print
            )
            done = done + killed
            hits = hits + writing
            rounds = rounds + 1
            differ = same(undisturbed, folder)
            ends = f"{', '.join(differ)} DIFFER" if differ else "the same bits"
            print(
                f"round {rounds}: {killed} kills, {writing} of them while a file was written; "
                f"{ends}",
                flush=True,
            )
            if differ:
                return 1
    print(
        f"{options.model}: {done} kills, {hits} while writing, {rounds} runs: all ended in the "
        "bits of an undisturbed run"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
