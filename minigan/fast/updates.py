"""The steps of optimisers and averages, quickly: compiled loops over flat memory, large parameters
by all threads together; on CUDA one launch for all parameters of a group.

They take the place of `optim.optimizer.step_by_reference` and `optim.ema.update_by_reference`.
"""

import functools
import inspect
import itertools

import numpy as np

from ..arrays.device import has_kernels
from ..autograd import Tensor, raw
from ..ops.layout import flat, memory_order
from ..ops.update import AVERAGES, STEPS, adam_step, ema_step
from . import update_loops  # noqa: F401  (they put themselves on the steps)
from .cpu.adam import ALIGN, adam_steps
from .cpu.kernels import compiled
from .cpu.layout import COMPILED
from .cpu.threads import num_threads, parallel_chunks
from .cuda import Source, current_capture
from .cuda.elementwise import laid_out_as, lie_alike
from .cuda.translate import HELPERS, Formula
from .replay.lazy_product import LazyProduct, owner
from .replay.program import CONSUMERS

THREADED = 1 << 18  # to wake a thread takes as long as the step of about this many elements
LARGE = 1 << 14  # elements of a parameter whose step is worth to be shared by threads


# --- loops ---


def variants(update):
    """All ways in which arrays that an option needs may be missing: the names of those that are
    None."""
    optional = [
        n for n, p in inspect.signature(update.loop).parameters.items() if p.default is None
    ]
    return [
        frozenset(some)
        for k in range(len(optional) + 1)
        for some in itertools.combinations(optional, k)
    ]


# what goes into the 4 KB of a kernel's arguments; elements of a block
TENSORS, MOST_ARRAYS = 64, 5
MOST_NUMBERS, CHUNK = 12, 2048
TABLE = np.dtype(
    [
        ("arrays", np.uint64, (MOST_ARRAYS, TENSORS)),
        ("size", np.int64, (TENSORS,)),
        ("first", np.int64, (TENSORS + 1,)),
    ]
)
NUMBERS = np.dtype([("v", np.float64, (MOST_NUMBERS,))])


@functools.cache
def kernel(update, none=frozenset()):
    """(source, names of the arrays) of the step where the arrays `none` are None: the loop above,
    translated."""
    formula = Formula(update.loop, none)
    names = [n for n in formula.arguments[1:] if n not in none]
    pointers = "\n".join(
        f"    REAL* {n} = (REAL*)table.arrays[{i}][t];" for i, n in enumerate(names)
    )
    code = f"""{HELPERS}
struct Table {{ u64 arrays[{MOST_ARRAYS}][{TENSORS}]; i64 size[{TENSORS}], first[{TENSORS + 1}]; }};
struct Numbers {{ double v[{MOST_NUMBERS}]; }};

extern "C" __global__ void step(Table table, Numbers numbers, const double* fed, i64 tensors) {{
int t = 0;
while (t + 1 < tensors && (i64)blockIdx.x >= table.first[t + 1]) t++;
REAL c[{MOST_NUMBERS}];
for (int k = 0; k < {formula.constants}; k++) c[k] = (REAL)(fed ? fed[k] : numbers.v[k]);
{pointers}
const i64 begin = ((i64)blockIdx.x - table.first[t]) * {CHUNK},
    end = begin + {CHUNK} < table.size[t] ? begin + {CHUNK} : table.size[t];
for (i64 i = begin + threadIdx.x; i < end; i += blockDim.x) {{
{formula.body}
}}
}}
"""
    return Source(f"{update.__name__}:{','.join(names)}", code), names


def on_device(update, compute, jobs):
    """The step of all `jobs`: (g, p, *state), without gaps and laid out alike, of one dtype on one
    device.

    compute() : the numbers; while a step is captured it is called at each replay
    """
    recorder, fed = current_capture(), None
    numbers = np.zeros(1, NUMBERS)
    if recorder is None:
        values = compute()
        numbers["v"][0, : len(values)] = values
    else:
        fed = recorder.feed(compute, Formula(update.loop).constants)
    jobs = [job for job in jobs if job[0].size]
    names = list(inspect.signature(update.loop).parameters)[1:]
    for start in range(0, len(jobs), TENSORS):
        part = jobs[start : start + TENSORS]
        there = [k for k, a in enumerate(part[0]) if a is not None]
        source, _ = kernel(update, frozenset(n for k, n in enumerate(names) if k not in there))
        table, block = np.zeros(1, TABLE), 0
        for t, (g, *rest) in enumerate(part):
            g = g if lie_alike(g, rest[0]) else laid_out_as(rest[0], g)
            part[t] = g, *rest  # which keeps a copy alive until the launch
            for row, k in enumerate(there):
                table["arrays"][0, row, t] = part[t][k].data.ptr
            table["size"][0, t], table["first"][0, t] = g.size, block
            block += -(-g.size // CHUNK)
        table["first"][0, len(part) :] = block
        source.launch("step", part[0][0], (block,), (256,), table, numbers, fed, len(part))


def run_steps(jobs):
    """Run compiled steps, given as (loop, c, arrays): if they are large, every thread does its part
    of each of them.

    Threads are woken once for all jobs: a network has many parameters, and a wake-up costs as much
    as a middling one's step.
    """
    threads = num_threads() if sum(arrays[0].size for _, _, arrays in jobs) >= THREADED else 1
    if threads == 1:
        for loop, c, arrays in jobs:
            loop(c, *arrays)
        return

    def work(parts):
        for loop, c, arrays in jobs:
            size = arrays[0].size
            low, high = (
                size if part == threads else size * part // threads // ALIGN * ALIGN
                for part in (parts[0], parts[-1] + 1)
            )
            loop(c, *[a if a is None else a[low:high] for a in arrays])

    parallel_chunks(work, threads, range(threads), min_chunk=1)


# --- optimisers ---


class Views:
    """What the loop needs of one parameter, prepared once: flat views of its memory and of its
    state's.

    They hold as long as `param.array` is the same array, and are made anew when it is not (`.data
    =`, `.to(device)`).
    """

    __slots__ = ("kind", "run", "large", "order", "views", "array_type")

    def __init__(self, slot, optimizer):
        array = slot.array
        order, update = memory_order(array), optimizer.update
        quick = isinstance(array, np.ndarray) and order is not None and array.dtype in COMPILED
        self.array_type = type(array)
        self.kind = array.dtype if quick else None  # the dtype that the numbers must have
        self.run = compiled(update.loop) if quick else update.reference
        self.large = quick and array.size >= LARGE
        views = [array, *slot.states(optimizer)]
        self.views = views if order is None else [v if v is None else flat(v, order) for v in views]
        # How to flatten a gradient: row by row, as NumPy stores arrays (then None), in another
        # order, or (False) not at all.
        self.order = (
            False if order is None else None if order == tuple(range(array.ndim)) else order
        )


def _attach(slot, optimizer, names):
    slot.attach(optimizer, names)
    slot.prepared = Views(slot, optimizer)


def step(optimizer, gradients):
    """One step of an optimiser on the CPU."""
    optimizer.ready(gradients)
    slots, counted = optimizer._slots, optimizer.counted
    jobs = []
    group = kind = last = names = numbers = None
    if any(g.__class__ is LazyProduct for g in gradients):
        gradients = _with_lazy_products(optimizer, gradients)
    optimizer._step_count += 1
    for slot, g in zip(slots, gradients):
        if g is None:
            continue
        if isinstance(g, Tensor):
            g = g.array
        if slot.group is not group:
            group, last = slot.group, None
            names = optimizer._names(group)
        param = slot.param
        if param.array is not slot.array or slot.names != names or slot.prepared is None:
            _attach(slot, optimizer, names)
        views = slot.prepared
        lazy = g.__class__ is LazyProduct
        if (
            g.shape != slot.shape
            or g.dtype is not slot.dtype
            or (g.__class__ is not views.array_type and not lazy)
        ):
            optimizer._check_gradient(slot, g)
        number = slot.step = slot.step + 1
        # they are the same for all parameters of a group that started together
        if number != last or kind is not views.kind:
            last, kind = number, views.kind
            numbers = optimizer._numbers(group, number)
            if kind is not None:
                numbers = np.array(numbers, kind)
        if views.order:
            g = flat(g, views.order)
        elif views.order is None and not lazy:
            g = g.ravel()
        if views.large:
            jobs.append((views.run, numbers, (g, *views.views)))
        else:
            views.run(numbers, g, *views.views)
        param._version[0] += 1  # backward through values from before the step is now an error
        if counted:
            slot.state["step"] = number
    if jobs:
        if optimizer._repeats:  # a parameter twice: one step after the other
            for run, numbers, arrays in jobs:
                run(numbers, *arrays)
        elif _is_adam(optimizer):
            adam_steps([(numbers, arrays) for _, numbers, arrays in jobs])
        else:
            run_steps(jobs)


def _is_adam(optimizer):
    """Is it an Adam whose every group has m and v and nothing else?"""
    return optimizer.update is adam_step and not any(
        group["amsgrad"] for group in optimizer.param_groups
    )


def _with_lazy_products(optimizer, gradients):
    """These gradients; a product that is not computed yet stays one only where Adam's loop over
    rows can take it, and where it does not read what the step writes."""
    slots = optimizer._slots
    memory, is_adam = {id(owner(slot.param.array)) for slot in slots}, _is_adam(optimizer)

    def ready(slot):
        known = is_adam and slot.param.array is slot.array and slot.prepared
        return known and known.large and known.order is None

    def taken(slot, g):
        keep = g.__class__ is not LazyProduct or (ready(slot) and not g.reads(memory))
        return g if keep else g.array()

    return [taken(slot, g) for slot, g in zip(slots, gradients)]


def step_on_device(optimizer, gradients):
    """The same on CUDA: one launch for all parameters of a group. In a captured step what is
    counted here is counted by each replay."""
    optimizer.ready(gradients)
    batches = {}  # (group, step so far, dtype) -> [(slot, gradient)]
    for slot, g in zip(optimizer._slots, gradients):
        if g is None:
            continue
        g, names = raw(g), optimizer._names(slot.group)
        if slot.param.array is not slot.array or slot.names != names or slot.prepared is None:
            _attach(slot, optimizer, names)
        if (
            g.shape != slot.shape
            or g.dtype is not slot.dtype
            or g.__class__ is not slot.prepared.array_type
        ):
            optimizer._check_gradient(slot, g)
        if slot.prepared.order is False or not has_kernels(slot.array):
            raise RuntimeError(
                f"{optimizer._name}: on CUDA parameters must be float32 or float64, without gaps "
                "in memory"
            )
        batches.setdefault((id(slot.group), slot.step, slot.dtype), []).append((slot, g))
    if not batches and current_capture() is None:
        optimizer._step_count += 1
    for n, batch in enumerate(batches.values()):
        slots = [slot for slot, _ in batch]
        on_device(
            optimizer.update,
            _numbers_of(optimizer, slots, first=n == 0),
            [(g, slot.array, *slot.states(optimizer)) for slot, g in batch],
        )


def _numbers_of(optimizer, slots, first):
    """A function that counts one step of these parameters, which have been stepped equally often,
    and gives its numbers. first: it also counts the step of the optimiser."""
    group = slots[0].group
    maximize = group.get("maximize")

    def next_numbers():
        optimizer._step_count += first
        for slot in slots:
            slot.step += 1
            slot.param._version[0] += 1
            if optimizer.counted:
                slot.state["step"] = slot.step
        if "maximize" in group:
            group["maximize"] = maximize  # as it was when the step was captured
        return optimizer._numbers(group, slots[0].step)

    return next_numbers


# --- averages ---


def update_average(average):
    """`EMA.update` on the CPU."""
    average.updates += 1
    numbers = ema_step.numbers(average.updates, average.decay)
    jobs, typed = [], {}
    for name, p in average.params.items():
        plan = average._plans.get(name)
        if plan is None or plan[0] is not p.array:
            plan = average._plans[name] = _plan(average, name, p)
        _, kind, views = plan
        if kind is None:
            ema_step.reference(numbers, *views)
        else:
            if kind not in typed:
                typed[kind] = np.array(numbers, kind)
            jobs.append((compiled(ema_step.loop), typed[kind], views))
    run_steps(jobs)


def _plan(average, name, p):
    """How to update one average: (the parameter's array, the dtype of the numbers, flat views of
    parameter and average)."""
    array, mean = p.array, average.conformed(name)
    order = memory_order(p.array)
    if order is not None and array.dtype in COMPILED:
        return array, array.dtype, (flat(array, order), flat(mean, order))
    return array, None, (array, mean)


def update_average_on_device(average):
    """The same on CUDA: one launch for all parameters of a dtype. In a captured step each replay
    counts the update."""
    by_dtype, first = {}, True
    for name, p in average.params.items():
        if average._plans.get(name) is not p.array:
            average.conformed(name)
            average._plans[name] = p.array
        by_dtype.setdefault(p.dtype, []).append((p.array, average.averages[name].array))

    def next_numbers(first):
        average.updates += first
        return ema_step.numbers(average.updates, average.decay)

    for jobs in by_dtype.values():
        on_device(ema_step, lambda first=first: next_numbers(first), jobs)
        first = False


CONSUMERS.add(step)
STEPS.update(cpu=step, cuda=step_on_device)
AVERAGES.update(cpu=update_average, cuda=update_average_on_device)
