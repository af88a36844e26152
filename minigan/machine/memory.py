"""How much memory there is."""

import contextlib
import os
from pathlib import Path


def available_memory():
    """Bytes that can be had without swapping, the limits of containers and of the process obeyed;
    None where the system does not tell (only Linux does)."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(
            int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")
        )
    except (OSError, ValueError, StopIteration):
        return None
    return max(0, min([free, *_left_in_groups(), *_left_to_process()]))


def _left_in_groups(root=Path("/sys/fs/cgroup"), own=Path("/proc/self/cgroup")):
    """What each control group of this process, of version 2 or 1, and each that it lies in, has
    left."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        names = ("memory.max", "memory.current", "inactive_file")
        if "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            top = root / "memory"
        elif controllers:
            continue
        else:
            top = root
        here = top / path.lstrip("/")
        for group in (here, *here.parents):
            if group == top.parent:
                break
            # not this version, not visible from inside a container, or no limit ("max")
            with contextlib.suppress(OSError, ValueError):
                limit, used = (int((group / name).read_text()) for name in names[:2])
                stat = dict(
                    line.split() for line in (group / "memory.stat").read_text().splitlines()
                )
                # cached files are given back on demand
                yield limit - used + int(stat.get(names[2], 0))


def _left_to_process():
    """What `ulimit -v` leaves."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            yield limit - int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf(
                "SC_PAGE_SIZE"
            )
