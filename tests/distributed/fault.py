"""A run in which something happens to rank 1 after two steps: `python fault.py FOLDER WHAT`. With
"again" it goes on after that, to the end."""

import os
import signal
import sys
import time

import play

from minigan.distributed import group
from minigan.training.callbacks.callback import Callback
from minigan.training.cli import perform


class Fault(Callback):
    everywhere = True

    def __init__(self, what):
        self.what = what

    def on_step(self, run):
        who = 0 if self.what == "disk" else 1
        if run.step < 2 or group.rank() != who:
            return
        print(f"fault at {time.time()}", file=sys.stderr, flush=True)
        if self.what == "stop":
            os.kill(os.getpid(), signal.SIGTERM)
        if self.what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "disk":
            raise OSError(28, "No space left on device", "metrics.jsonl")
        if self.what == "memory":
            raise MemoryError("Unable to allocate 9 GiB")
        if self.what == "bug":
            raise KeyError("a mistake")


def build(folder, what):
    if what == "data" and group.rank() == 1:
        play.GAMES["other"] = play.mlp
        return play.run(folder, "other", 1000)
    if what == "networks" and group.rank() == 1:
        mlp = play.mlp
        play.GAMES["mlp"] = lambda: mlp(12)
    if what == "resume":
        return play.run(folder, "mlp", resume=group.rank() == 1)
    if what == "again":
        return play.run(folder, "mlp", resume=True)
    return play.run(folder, "mlp", 1000, callbacks=[Fault(what)], save=0)


if __name__ == "__main__":
    sys.exit(perform(lambda: build(*sys.argv[1:])))
