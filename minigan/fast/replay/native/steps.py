"""Batches, random numbers and steps of optimisers in machine code. What Python counts of them is
counted before the machine code runs."""

import math

import numpy as np

from ....data.batches import gather, gather_scaled, part
from ....gan.constraints import WeightClip
from ....machine.threads import num_threads
from ....ops.update import ema_step
from ....optim import EMA
from ...cpu import adam, random
from ...cpu.kernels import compiled
from ...updates import THREADED, _is_adam, step
from .code import Unknown
from .elements import clamp, like
from .forms import FORMS, call, form, shared

# --- batches ---


@form(part)
def _(native, numbers, start, stop):
    return numbers[start:stop]


def _picked(pick):
    """The form of `pick(column, numbers)`: by Python, before the machine code runs."""

    def picked(native, column, numbers):
        if not native.is_given(numbers):
            raise Unknown("rows whose numbers are computed")
        y = pick(column, numbers)

        def again():
            y[...] = pick(column, numbers)

        native.before.append((again, None))
        return y

    return picked


FORMS.update({pick: _picked(pick) for pick in (gather, gather_scaled)})


# --- random numbers ---


def integers32(native, generator, n):
    """The next n uint32 of a generator's stream."""
    blocks = -(-n // 4)
    bits, state = np.empty((blocks, 4), np.uint32), np.zeros(3, np.uint64)

    def draw():
        stream = generator.stream()
        state[0], state[1], state[2] = stream.counter, stream.seed & 0xFFFFFFFF, stream.seed >> 32
        stream.counter += blocks

    def put_back():
        generator.stream().counter -= blocks

    native.before.append((draw, put_back))
    numbers = [native.code.number(state[i : i + 1]) for i in range(3)]
    call(native, random.philox_fill, bits, *numbers)
    return bits.reshape(-1)[:n]


@form(random._uniform)
def _(native, generator, shape, dtype, device):
    if dtype != np.float32:
        raise Unknown(f"random numbers of {dtype}")
    y = np.empty(math.prod(shape), np.float32)
    call(native, random.unit_interval, integers32(native, generator, y.size), y)
    return y.reshape(shape)


@form(random._normal)
def _(native, generator, shape, dtype, device):
    if dtype != np.float32:
        raise Unknown(f"random numbers of {dtype}")
    n = math.prod(shape)
    both = np.empty((2, -(-n // 2)), np.float32)
    call(native, random.box_muller, integers32(native, generator, both.size), both)
    return both.reshape(-1)[:n].reshape(shape)


# --- optimisers ---


@form(step)
def _(native, optimizer, gradients):
    """See `fast.updates`."""
    if optimizer._repeats:
        raise Unknown("an optimiser that was given a parameter twice")
    groups, large = {}, []
    for slot, g in zip(optimizer._slots, gradients, strict=True):
        if g is None:
            continue
        views, group = slot.prepared, slot.group
        if views is None or views.kind is None or views.order is False:
            raise Unknown("an optimiser's step on parameters with gaps in memory")
        if (id(group), views.kind) not in groups:
            numbers = np.array(optimizer._numbers(group, slot.step + 1), views.kind)
            groups[id(group), views.kind] = group, numbers, []
        _, numbers, slots = groups[id(group), views.kind]
        slots.append(slot)
        arrays = like(native, g, slot.array), *views.views
        if views.large:
            large.append((views.run, numbers, arrays))
        else:
            native.code.call(views.run, numbers, *arrays)
    if large and _is_adam(optimizer):
        _adam_steps(native, [(numbers, arrays) for _, numbers, arrays in large])
    elif sum(arrays[0].size for *_, arrays in large) < THREADED:
        for run, numbers, arrays in large:
            native.code.call(run, numbers, *arrays)
    else:
        raise Unknown("steps of large parameters, which threads share")
    _count(native, optimizer, list(groups.values()))


def _count(native, optimizer, groups):
    """What Python does in a step of these (group, its numbers, slots)."""
    if any(len({slot.step for slot in slots}) > 1 for *_, slots in groups):
        raise Unknown("parameters of an optimiser that have made different numbers of steps")
    all_slots = list(optimizer._slots)
    places = [(slot, slot.prepared, slot.array) for *_, slots in groups for slot in slots]

    def unchanged():
        return (
            optimizer._slots == all_slots
            and len(optimizer.state) == len(all_slots)
            and all([s.prepared is views and s.param.array is a for s, views, a in places])
            and all([slots[0].names == optimizer._names(group) for group, _, slots in groups])
        )

    def count(one=1):
        optimizer._step_count += one
        for group, numbers, slots in groups:
            number = slots[0].step + one
            for slot in slots:
                slot.step = number
                slot.param._version[0] += one
            if optimizer.counted:
                for slot in slots:
                    slot.state["step"] = number
            numbers[:] = optimizer._numbers(group, number)

    native.checks.append(unchanged)
    native.before.append((count, lambda: count(-1)))


def _adam_steps(native, jobs):
    """See `fast.cpu.adam.adam_steps`; no gradient is a product here."""
    native.code.kept.append(jobs)
    for dtype in {numbers.dtype for numbers, _ in jobs}:
        rows = [
            (m.size, *(a.ctypes.data for a in (g, p, m, v, numbers)), adam.NO_PRODUCT)
            for numbers, (g, p, m, v) in jobs
            if numbers.dtype == dtype
        ]
        table = np.array(rows, adam.STEP)
        steps = np.array([(table.ctypes.data, len(rows), 0, 0)], adam.STEPS)
        native.code.kept.append(table)
        threads = num_threads() if table["size"].sum() >= adam.SHARED else 1
        shared(native, adam._step_in_threads, dtype, threads, steps)


@form(EMA._update)
def _(native, average):
    """See `fast.updates.update_average`."""
    plans = [average._plans.get(name) for name in average.params]
    if None in plans or average._applied or any(kind is None for _, kind, _ in plans):
        raise Unknown("an average that is not in use yet, or of parameters with gaps in memory")
    if sum(views[0].size for *_, views in plans) >= THREADED:
        raise Unknown("averages of large parameters, which threads share")
    typed = {kind: np.zeros(1, kind) for _, kind, _ in plans}
    for _, kind, views in plans:
        native.code.call(compiled(ema_step.loop), typed[kind], *views)
    for name, b in average.buffers.items():
        native.code.copy(b.array, average.kept[name].array)
    places = list(zip(plans, average.params.items()))

    def unchanged():
        known = average._plans
        return not average._applied and all(
            [known.get(name) is plan and plan[0] is p.array for plan, (name, p) in places]
        )

    def count(one=1):
        average.updates += one
        for numbers in typed.values():
            numbers[:] = ema_step.numbers(average.updates, average.decay)

    native.checks.append(unchanged)
    native.before.append((count, lambda: count(-1)))


@form(WeightClip)
def _(native, constraint, player):
    parameters = list(player.parameters())
    for p in parameters:
        clamp(native, p.array, -constraint.limit, constraint.limit, out=p.array)

    def count():
        for p in parameters:
            p._version[0] += 1

    native.before.append((count, None))
