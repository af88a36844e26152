"""Work handed to waiting threads in machine code: no lock, no GIL, about a microsecond (measured).

A worker has a record (`WORKER`), which both sides read and write, and is in one of five states:

    ASLEEP -- begins to wait --> WAITING -- is claimed --> CLAIMED -- is given work --> GO
    GO -- takes it --> RUNNING -- has done it --> WAITING, and from there, after a while, to ASLEEP

A piece of work is a C function `work(args, part, parts)` of three integers: the address of what it
needs, and which part is its own. How many parts there are is known once the workers are claimed:
nobody waits for one that sleeps.

Where other programs want the cores, too, a worker that waits may be one that the system does not
let run. So who has done its own part takes back what a worker has not begun (from GO to WAITING)
and does it. A worker that comes late too often rests: for a while it is given nothing, so that it
falls asleep, and leaves the cores to the others.
"""

import functools
import types

import numpy as np

from .gemm import call_address
from .kernels import Intrinsic, kernel

# A worker's record is a cache line, so that workers do not disturb each other.
WORKER = np.dtype(
    [
        ("state", np.int64),  # ASLEEP ... GO
        ("call", np.int64),  # number of the last call from Python
        ("ended", np.int64),  # number of the last call that has ended
        ("work", np.int64),  # address of the function
        ("args", np.int64),  # address of what it needs
        ("part", np.int64),
        ("parts", np.int64),
        # how often it came late of late (see `dispatch`); below 0 it rests for so many dispatches
        ("late", np.int64),
    ],
    align=True,
)
# where, in bytes
STATE, CALL, _, WORK, ARGS, PART, PARTS, LATE = (WORKER.fields[name][1] for name in WORKER.names)
SIZE = WORKER.itemsize
ASLEEP, WAITING, CLAIMED, GO, RUNNING = range(5)
# A time that a worker comes late counts as much as so many that it does not; at the limit it rests
# for so many dispatches, after which it is given half the patience.
LATENESS, TOO_LATE, REST = 4, 64, 1000
GRACE = 10_000  # looks at its record, some microseconds, in which a worker that runs has begun
TIMED_OUT, CALLED, WORKED = range(3)  # why a worker waits no longer


@functools.cache
def _atomic():
    """Memory that several threads use at once (the C++ memory model: acquire, release)."""
    from llvmlite import ir
    from numba import types as t
    from numba.extending import intrinsic

    whole = ir.IntType(64)

    def place(builder, address):
        return builder.inttoptr(address, whole.as_pointer())

    @intrinsic
    def load(typing, address):
        def codegen(context, builder, signature, args):
            return builder.load_atomic(place(builder, args[0]), "acquire", 8)

        return t.int64(t.intp), codegen

    @intrinsic
    def store(typing, address, value):
        def codegen(context, builder, signature, args):
            builder.store_atomic(args[1], place(builder, args[0]), "release", 8)
            return context.get_dummy_value()

        return t.void(t.intp, t.int64), codegen

    @intrinsic
    def exchange(typing, address, old, new):
        def codegen(context, builder, signature, args):
            return builder.extract_value(
                builder.cmpxchg(place(builder, args[0]), args[1], args[2], "acq_rel", "acquire"), 1
            )

        return t.boolean(t.intp, t.int64, t.int64), codegen

    @intrinsic
    def call_work(typing, work, args, part, parts):
        def codegen(context, builder, signature, given):
            function = builder.inttoptr(
                given[0], ir.FunctionType(ir.VoidType(), [whole] * 3).as_pointer()
            )
            builder.call(function, given[1:])
            return context.get_dummy_value()

        return t.void(t.intp, t.intp, t.intp, t.intp), codegen

    return types.SimpleNamespace(load=load, store=store, exchange=exchange, call_work=call_work)


# load(address): the number there, and all that was written before it
load = Intrinsic(lambda: _atomic().load)
store = Intrinsic(lambda: _atomic().store)  # store(address, value)
# exchange(address, old, new): put `new` where `old` is; was it?
exchange = Intrinsic(lambda: _atomic().exchange)
call_work = Intrinsic(lambda: _atomic().call_work)  # call_work(work, args, part, parts)


@kernel
def worker_loop(record, number, spins, most_spins, sched_yield):
    """Wait for work in this worker's record (its address) and do it, until Python's call `number`
    is there (CALLED), or `spins` looks brought nothing.

    After each look other threads may run. After a piece of work there are `most_spins` looks.
    """
    left, reason = spins, TIMED_OUT
    store(record + STATE, WAITING)
    while True:
        state = load(record + STATE)
        if state == GO and exchange(record + STATE, GO, RUNNING):
            call_work(
                load(record + WORK), load(record + ARGS), load(record + PART), load(record + PARTS)
            )
            store(record + STATE, WAITING)
            left, reason = most_spins, WORKED
        elif (
            state == WAITING
            and load(record + CALL) >= number
            and exchange(record + STATE, WAITING, ASLEEP)
        ):
            return CALLED
        elif state == WAITING and left <= 0 and exchange(record + STATE, WAITING, ASLEEP):
            return reason
        else:
            left -= 1
            call_address(sched_yield)


@kernel
def await_workers(records, workers, spins, sched_yield):
    """Look up to `spins` times whether none of these workers is asleep."""
    for _ in range(spins):
        asleep = 0
        for i in range(workers):
            asleep += load(records + SIZE * i + STATE) == ASLEEP
        if asleep == 0:
            return
        call_address(sched_yield)


@kernel
def dispatch(records, workers, work, args, sched_yield):
    """work(address of args, part, parts) in this thread and in those workers who wait and do not
    rest. Returns the number of parts.

    records : address of the records of so many workers, one behind the other
    """
    parts = 1
    for i in range(workers):
        at = records + SIZE * i
        late = load(at + LATE)
        if late < 0:
            store(at + LATE, late + 1 if late < -1 else TOO_LATE // 2)
        elif exchange(at + STATE, WAITING, CLAIMED):
            store(at + PART, parts)
            parts += 1
            continue
        store(at + PART, 0)
    for i in range(workers):
        at = records + SIZE * i
        if load(at + STATE) == CLAIMED:
            store(at + WORK, work)
            store(at + ARGS, args)
            store(at + PARTS, parts)
            store(at + STATE, GO)
    call_work(work, args, 0, parts)
    for i in range(workers):
        at = records + SIZE * i
        late, looks = load(at + LATE), 0
        while load(at + STATE) == GO and looks < GRACE:
            looks += 1
        if exchange(at + STATE, GO, CLAIMED):
            call_work(work, args, load(at + PART), parts)
            store(at + LATE, late + LATENESS if late + LATENESS < TOO_LATE else -REST)
            store(at + STATE, WAITING)
        elif late > 0 and load(at + PART) > 0:
            store(at + LATE, late - 1)
        while load(at + STATE) == RUNNING:
            call_address(sched_yield)
    return parts
