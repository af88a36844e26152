"""How many threads may compute."""

import functools
import math
import os
from pathlib import Path, PurePosixPath

_set: list[int] = []  # the number that `set_num_threads` set


def asked_threads():
    """What MINIGAN_NUM_THREADS says; 0 where it says no number."""
    asked = os.environ.get("MINIGAN_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() else 0


def num_threads():
    """How many threads our kernels may use: what was set, else MINIGAN_NUM_THREADS, else
    `available_cpus`."""
    if _set:
        return _set[0]
    return asked_threads() or available_cpus()


def available_cpus():
    """The CPUs this process may run on; of a container no more than its quota pays for, as more
    threads would be halted in turn."""
    here = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    )
    return math.ceil(min(here, cpu_quota()))


@functools.cache
def cpu_quota(root=Path("/")):
    """CPUs whose time this process may use (control groups of Linux, versions 1 and 2; the least of
    its group and of those around it); infinity where nothing says so. It is read once."""
    found = math.inf
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / controllers
        group = PurePosixPath(path)
        for place in (group, *group.parents):
            try:
                found = min(found, _quota(base / str(place).lstrip("/"), not controllers))
            except (OSError, ValueError):  # not there, or in another form
                continue
    return found


def _quota(folder, second):
    """The quota that a group's files state."""
    if second:
        quota, period = (folder / "cpu.max").read_text().split()
    else:
        quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in
                         ("quota", "period"))  # fmt: skip
    return int(quota) / int(period) if quota.strip() not in ("max", "-1") else math.inf
