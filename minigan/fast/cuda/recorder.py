"""What a captured step needs from the host at every replay.

A CUDA graph repeats the launches of one run of a step with the very same arguments. What must
differ from run to run (a step's number in Adam, the position in a stream of random numbers) the
kernels read from device memory instead, which is filled before each replay: whoever launches such a
kernel asks the active `Recorder` for a place there, and says how to compute what goes in.
"""

import contextlib

import numpy as np

from ...arrays import seam
from ...arrays.device import array_module
from ...ops import layout
from .source import Source, on_device

SLOTS = 64  # values that one launch of `store` takes

STORE = Source("store", """
struct Values { u64 v[64]; };

extern "C" __global__ void store(u64* out, Values values, i64 n) {
    if (threadIdx.x < n) out[threadIdx.x] = values.v[threadIdx.x];
}
""")  # fmt: skip

VALUES = np.dtype([("v", np.uint64, (SLOTS,))])


class Recorder:
    """The values of one captured step.

    xp : the array library; capacity : how many 64-bit values there is place for
    """

    def __init__(self, xp, capacity=4096):
        self.memory = xp.zeros(capacity, np.uint64)
        self.feeds, self.used = [], 0
        self.kept = []  # constants that the step reads
        # generator -> [its state when the capture began, where the state of a replay lies]
        self.streams = {}

    def feed(self, compute, count, kind=np.float64):
        """A device array of `count` uint64 that holds the bits of compute()'s numbers, as float64
        or uint64, in each replay."""
        if self.used + count > len(self.memory):
            raise RuntimeError(
                f"the step passes more than {len(self.memory)} numbers to its kernels"
            )
        place = self.memory[self.used : self.used + count]
        self.used += count
        self.feeds.append((compute, kind))
        return place

    def random(self, stream):
        """(where the seed and counter of the generator `stream` lie in a replay, its counter when
        the capture began)."""
        if stream not in self.streams:
            before = stream.get_state()

            def state():
                seed, counter = stream.seed, stream.counter
                stream.counter = counter + self.drawn[stream]
                return seed, counter

            self.streams[stream] = before, self.feed(state, 2, np.uint64)
        before, place = self.streams[stream]
        return place, before["counter"]

    def finish(self):
        """The capture is over: take back what it drew, and note how much a replay draws."""
        self.drawn = {}
        for stream, (before, _) in self.streams.items():
            self.drawn[stream] = stream.counter - before["counter"]
            stream.set_state(before)

    def push(self):
        """Compute the values of the next replay and send them to the device."""
        bits = []
        for compute, kind in self.feeds:
            bits += np.array(compute(), kind).view(np.uint64).tolist()
        for start in range(0, len(bits), SLOTS):
            part = bits[start : start + SLOTS]
            values = np.zeros(1, VALUES)
            values["v"][0, : len(part)] = part
            place = self.memory[start : start + len(part)]
            STORE.launch("store", self.memory, (1,), (SLOTS,), place, values, len(part))


# small arrays of the host that were sent to a device, the last ones
CONSTANTS: dict[tuple, object] = {}
MOST_CONSTANTS, LARGEST = 256, 1 << 13  # how many, and bytes of one


@layout.constant.kernel("cuda")
def constant(like, values):
    """The NumPy array `values` beside the device array `like`, for reading. Equal small ones are
    the same array each time: a captured step, which can send nothing, finds there what the runs
    before its capture have sent."""
    xp, place = array_module(like), like.data.device_id
    key = (
        xp,
        place,
        values.dtype.str,
        values.shape,
        values.tobytes() if values.nbytes <= LARGEST else None,
    )
    found = CONSTANTS.get(key) if values.nbytes <= LARGEST else None
    if found is None:
        with on_device(xp, place):
            found = xp.asarray(values)
        if values.nbytes <= LARGEST:
            if len(CONSTANTS) >= MOST_CONSTANTS:
                del CONSTANTS[next(iter(CONSTANTS))]
            CONSTANTS[key] = found
    if _current is not None:
        _current.kept.append(found)
    return found


_current: Recorder | None = None


def current_capture():
    """The recorder of the capture that is going on, or None."""
    return _current


@contextlib.contextmanager
def capturing(recorder):
    """Inside, `recorder` records."""
    global _current
    before = _current, seam.execute, seam.counted
    _current, seam.execute, seam.counted = recorder, _captured, _refused
    try:
        yield recorder
    finally:
        _current, seam.execute, seam.counted = before


def _refused(what):
    raise RuntimeError(f"it reads {what}, which Python counts: a graph would not")


def _captured(function, *args):
    """What is launched, the recorder sees by itself."""
    return function(*args)
