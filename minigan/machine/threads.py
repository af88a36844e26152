"""How many threads may compute."""

import os

_set: list[int] = []  # the number that `set_num_threads` set


def asked_threads():
    """What MINIGAN_NUM_THREADS says; 0 where it says no number."""
    asked = os.environ.get("MINIGAN_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() else 0


def num_threads():
    """How many threads our kernels may use: what was set, else MINIGAN_NUM_THREADS, else the CPUs
    this process may run on."""
    if _set:
        return _set[0]
    if asked := asked_threads():
        return asked
    return (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    )
