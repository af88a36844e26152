"""How many threads may compute."""

import os

_set: list[int] = []  # the number that `set_num_threads` set


def num_threads():
    """How many threads our kernels may use: what was set, else MINIGAN_NUM_THREADS, else the CPUs
    this process may run on."""
    if _set:
        return _set[0]
    asked = os.environ.get("MINIGAN_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    return (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    )
