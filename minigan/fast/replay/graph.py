"""A whole training step as one CUDA graph: captured once, then launched again and again without
Python in between.

A graph repeats launches with the same arguments on the same memory. So the step must be the same
sequence of launches every time: no shape may change, and no value may be needed on the host. What
differs from step to step (numbers of optimiser steps, learning rates, positions in random streams)
is sent along by the `Recorder` of `minigan.fast.cuda`.
"""

from __future__ import annotations

import functools
import linecache
import os
import sys
import traceback
import types
from operator import is_
from typing import Any

import numpy as np

from ...arrays import Generator, array_module, default_generator
from ...arrays.device import on_gpu
from ...arrays.seam import CaptureError
from ...autograd import Tensor, raw, tensor_of
from ...optim import EMA, Optimizer
from ..cuda.cublas import leased
from ..cuda.recorder import Recorder, capturing


def graph(step, warmup: int = 3) -> Graph:
    """`step` as a function of the same arguments that launches a CUDA graph, which is captured in
    the first call.

    step : a function of Tensors or arrays on CUDA (whose values may change from call to call) and
        other things (which must not). It may do all that training does: forward passes, `backward`
        or `grad`, optimiser steps, averages, random numbers
    warmup : how often the step is run before it is captured, to compile kernels and create the
        optimisers' state. What these runs change is undone: parameters, buffers, optimisers,
        averages and random streams that the step can reach, and the lists, dicts and numbers of
        objects that it refers to

    Returns what the step returns: the same Tensors in every call, whose memory each launch
    overwrites. Read them after the call, and seldom: `.item()` waits until the GPU is done. A step
    that calls `backward` must clear the gradients itself.

    CaptureError where the step needs a value on the host, sends one, changes shapes, or exchanges a
    parameter's memory.
    """
    return Graph(step, warmup)


class Graph:
    """See `graph`. `launches`: how often it was launched."""

    def __init__(self, step, warmup: int = 3):
        if warmup < 1:
            raise ValueError(
                f"graph: warmup={warmup}: at least one run is needed, which creates state and "
                "compiles kernels"
            )
        self.step, self.warmup = step, warmup
        self.launches = 0
        self._executable: Any = None
        functools.update_wrapper(self, step, updated=())

    def __call__(self, *args):
        if self._executable is None or self._moved():
            self._capture(args)
        for i, (new, static, there) in enumerate(zip(args, self._statics, self._args, strict=True)):
            if static is None:
                if new is not there and new != there:
                    raise CaptureError(
                        f"argument {i} was {there!r} when the step was captured, now {new!r}: "
                        "pass it as a Tensor on CUDA"
                    )
                continue
            new = raw(new)
            if not on_gpu(new) or new.shape != static.shape or new.dtype != static.dtype:
                there, here = (f"{a.dtype} {tuple(a.shape)}" for a in (static, new))
                message = (
                    f"argument {i} was {there} when the step was captured, now "
                    f"{here}{_where_is(new)}"
                )
                raise CaptureError(f"{message}: the shapes of a graph stay as they are")
            static[...] = new
        self._recorder.push()
        self._executable.launch()
        self.launches += 1
        return self._outputs

    def _moved(self):
        """Has a parameter other memory, an optimiser other state, or the step other settings than
        when it was captured?"""
        if any(t.array is not a for t, a in self._places) or any(
            o._slots is not s for o, s in self._slots
        ):
            return True
        return not self._settings.same()

    def _capture(self, args):
        device = next((raw(a) for a in args if on_gpu(raw(a))), None)
        found = Reachable((self.step, args))
        if device is None:
            device = next((t.array for t in found.tensors if on_gpu(t.array)), None)
        if device is None:
            raise CaptureError(
                "graph: the step uses nothing on CUDA: move its modules and arguments there, e.g. "
                "with .cuda()"
            )
        xp = array_module(device)
        here = xp.cuda.Device(device.device.id)
        with here:
            self._args, self._statics = args, []
            boxed = []
            for a in args:
                array = raw(a)
                static = array.copy() if on_gpu(array) else None
                self._statics.append(static)
                boxed.append(
                    a
                    if static is None
                    else tensor_of(static, a.requires_grad)
                    if isinstance(a, Tensor)
                    else static
                )
            before = Snapshot(found)
            here.synchronize()
            self._pool, stream = xp.cuda.MemoryPool(), xp.cuda.Stream(non_blocking=True)
            private = xp.cuda.using_allocator(self._pool.malloc)
            with stream, private, leased(xp, here.id, stream.ptr) as self._products:
                try:
                    for _ in range(self.warmup):
                        self.step(*boxed)
                finally:
                    before.restore()
                    stream.synchronize()
                self._recorder = Recorder(xp)
                stream.synchronize()
                stream.begin_capture()
                try:
                    with capturing(self._recorder):
                        outputs = _detached(self.step(*boxed))
                except Exception as error:
                    _end(stream)
                    self._recorder.finish()
                    before.restore_host()
                    raise _explained(error) from error
                self._executable = stream.end_capture()
                self._recorder.finish()
            here.synchronize()
        self._outputs, self._stream = outputs, stream
        self._places = [(t, a) for t, a, _ in before.tensors if t.array is a or t in before.leaves]
        self._settings = Settings(found)
        self._slots = [(o, o._slots) for o in found.optimizers]
        if exchanged := [t for t, a in self._places if t.array is not a]:
            self._executable = None
            raise CaptureError(
                f"the step gives a tensor of shape {tuple(exchanged[0].shape)} other memory "
                "(.data = ..., or a module that is moved or "
                "loaded): a graph would go on with the old; write into it instead, e.g. with "
                "copy_()"
            )


def _where_is(array):
    return "" if on_gpu(array) else " on the CPU"


def _end(stream):
    """End a capture that has failed; CUDA reports that it has."""
    try:
        stream.end_capture()
    except Exception:  # the error is known already
        pass


def _detached(outputs):
    """The outputs without the tape behind them."""
    if isinstance(outputs, Tensor):
        return outputs.detach()
    if isinstance(outputs, (list, tuple)) and type(outputs) in (list, tuple):
        return type(outputs)(_detached(x) for x in outputs)
    if type(outputs) is dict:
        return {k: _detached(v) for k, v in outputs.items()}
    return outputs


PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REASONS = (
    ({"item", "get", "tolist", "__bool__", "__float__", "__int__", "__index__", "numpy",
            "to_numpy"},
     "it needs a value on the host; return the Tensor and read it after the step, or compute on "
     "the device (e.g. with where)"),
    ({"asarray", "array", "set", "tensor", "as_tensor", "from_numpy", "to_device"},
     "it sends data from the host; make the Tensor on the device before the step, and pass it or "
     "keep it"),
    ({"synchronize", "deviceSynchronize"}, "it waits for the device"),
    ({"nonzero", "masked_select", "unique"},
        "the shape of its result depends on values; use where or a mask of fixed shape"),
)  # fmt: skip


def _explained(error: BaseException) -> CaptureError:
    """The error of a step while it was captured, with the line that caused it and the likely
    reason."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    outer, frames = (
        [(f.filename, f.lineno, f.name) for f in traceback.extract_tb(e.__traceback__)]
        for e in (error, cause)
    )
    lines = [f for f in (*outer, *frames) if not f[0].startswith(PACKAGE) and os.path.exists(f[0])]
    lines = [
        f for f in lines if os.path.basename(f[0]) != "fakecuda.py"
    ]  # the tests' device is no user's file
    where = "an unknown line"
    if lines:
        file, line, _ = lines[-1]
        where = f"{file}:{line} ({linecache.getline(file, line or 0).strip()})"
    names = {name.rpartition(".")[2] for *_, name in (*outer, *frames)}
    text = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    reason = next((why for known, why in REASONS if known & names), None)
    if "cuBLAS" in text or (isinstance(cause, NotImplementedError) and "captur" in text):
        reason = (
            "it multiplies matrices by CuPy itself; use minigan's matmul or linear, with "
            "float32 or float64"
        )
    return CaptureError(
        f"the step cannot be captured, at {where}: {reason or text} [{type(cause).__name__}: "
        f"{text}]"
    )


# --- what a step can change ---

OPAQUE = (
    str,
    bytes,
    int,
    float,
    complex,
    bool,
    type(None),
    type,
    types.ModuleType,
    types.BuiltinFunctionType,
    np.ndarray,
    np.generic,
)


PACKAGE_NAME = __name__.partition(".")[0]
FOREIGN = {*sys.stdlib_module_names, "numpy", "cupy", "numba", "matplotlib", "PIL", "tqdm"} - {
    "__main__"
}
KNOWN = FOREIGN | {PACKAGE_NAME}


class Reachable:
    """All Tensors, optimisers, averages and generators, and other objects, that a function can
    reach: through its closure, its arguments and defaults, the object it is a method of, the global
    names that it uses, and from there through attributes."""

    def __init__(self, roots) -> None:
        self.tensors: list[Tensor] = []
        self.optimizers: list[Optimizer] = []
        self.averages: list[EMA] = []
        self.generators: list[Generator] = [default_generator]
        self.containers: list[Any] = []  # lists, dicts and objects of the user's
        self.settings: list[
            Any
            # all lists and dicts but those of optimisers, averages and generators: what Python
            # decides by
        ] = []
        self.code: list[
            Any
            # objects of classes, and functions, that are neither minigan's nor of a library it
            # knows
        ] = []
        seen, stack = {id(default_generator)}, [(x, True, True) for x in roots]
        alive = []  # an id is only good while its object lives
        while stack:
            # users: does it belong to the user, rather than to an object of minigan's? decides: is
            # it in no optimiser's inside?
            x, users, decides = stack.pop()
            if id(x) in seen or isinstance(x, OPAQUE) or on_gpu(x):
                continue
            seen.add(id(x))
            alive.append(x)
            if isinstance(x, (list, dict)):
                self.containers += [x] if users else []
                self.settings += [x] if decides else []
            if _top(x if isinstance(x, types.FunctionType) else type(x)) not in KNOWN:
                self.code.append(x)
            own = (
                users if isinstance(x, (list, tuple, dict, set)) else _top(type(x)) != PACKAGE_NAME
            )
            decides = decides and not isinstance(x, (Optimizer, EMA, Generator))
            stack.extend((child, own, decides) for child in self._visit(x))

    def _visit(self, x):
        if isinstance(x, Tensor):
            self.tensors.append(x)
            return [x.grad, vars(x)]
        if isinstance(x, types.FunctionType):
            return _of_function(x)
        if isinstance(x, types.MethodType):
            return [x.__self__, x.__func__]
        if isinstance(x, functools.partial):
            return [x.func, x.args, x.keywords]
        if isinstance(x, (list, tuple, set, frozenset)):
            return list(x)
        if isinstance(x, dict):
            return list(x.values())
        for kind, found in (
            (Optimizer, self.optimizers),
            (EMA, self.averages),
            (Generator, self.generators),
        ):
            if isinstance(x, kind):
                found.append(x)
        if _top(type(x)) in FOREIGN:
            return []
        slots = [
            getattr(x, n, None)
            for c in type(x).__mro__
            for n in getattr(c, "__slots__", ())
            if isinstance(n, str)
        ]
        fields = getattr(x, "__dict__", None)
        return slots if fields is None else [fields, *slots]


def _top(thing):
    """The package that a class or function comes from."""
    return (thing.__module__ or "").partition(".")[0]


def _of_function(f):
    found = [
        *(f.__defaults__ or ()),
        *(f.__kwdefaults__ or {}).values(),
        getattr(f, "__wrapped__", None),
    ]
    for cell in f.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # still empty
            pass
    if _top(f) == PACKAGE_NAME or _top(f) in FOREIGN:
        return found  # their globals are no state of the step's
    codes, names = [f.__code__], set()
    while codes:
        code = codes.pop()
        names |= set(code.co_names)
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return found + [f.__globals__[n] for n in names if n in f.__globals__]


def _steps(optimizer, slot):
    """How many steps a parameter has made; of one that the optimiser has not looked at yet, what
    its state says."""
    if slot.array is not None:
        return slot.step
    return int(slot.state.get("step", all(n in slot.state for n in optimizer._names(slot.group))))


class Snapshot:
    """The state of what is reachable, to go back to."""

    def __init__(self, found: Reachable):
        self.tensors = [(t, t.array, t.array.copy()) for t in found.tensors]
        self.leaves = {t for t in found.tensors if t._wanted and t._node is None}
        self.grads = [
            (t, t.grad, None if t.grad is None else t.grad.array.copy()) for t in found.tensors
        ]
        self.steps = [
            (o, o._step_count, [(s, _steps(o, s), dict(s.state)) for s in o._slots])
            for o in found.optimizers
        ]
        self.updates = [(e, e.updates) for e in found.averages]
        self.random = [(g, g.get_state()) for g in found.generators]
        self.contents = [(c, list(c) if isinstance(c, list) else dict(c)) for c in found.containers]

    def restore_host(self):
        """All that is not on the device."""
        for g, state in self.random:
            g.set_state(state)
        for e, updates in self.updates:
            e.updates = updates
        for container, content in self.contents:
            if isinstance(container, list):
                container[:] = content
            else:
                for k in [k for k in container if k not in content]:
                    del container[k]
                container.update(content)
        for optimizer, count, slots in self.steps:
            optimizer._step_count = count
            for slot, step, _ in slots:
                slot.step = step

    def restore(self):
        """Everything."""
        states = [(o, slot, before) for o, _, slots in self.steps for slot, _, before in slots]
        made = [(o, slot, dict(slot.state), before) for o, slot, before in states]
        self.restore_host()
        for t, array, values in self.tensors:
            t.array = array
            array[...] = values
        for t, grad, values in self.grads:
            t.grad = grad
            if grad is not None:
                grad.array[...] = values
        for (
            optimizer,
            slot,
            now,
            before,
        ) in made:  # what was created stays, as a graph needs it before its first step
            for name, value in now.items():
                if name not in before:
                    if isinstance(value, Tensor):
                        value.array[...] = optimizer._initial(name, slot.group)
                        slot.state[name] = value
                    else:
                        slot.state[name] = slot.step
                elif not isinstance(value, Tensor):
                    slot.state[name] = before[name]


class Settings:
    """What the Python code of a step can decide by: attributes, lists, dicts, flags of Tensors, and
    where parameters are.

    found : what the step can reach
    memory : the ids of arrays that must stay where they are (default: those of all leaves)
    renewed : the ids of Tensors that the step itself puts where they are
    computed : do results of ops count, such as weights that hooks compute? (default: no)
    """

    def __init__(self, found: Reachable, memory=None, renewed=frozenset(), computed=False):
        leaves = [t for t in found.tensors if t._node is None and id(t) not in renewed]
        self.empty = [c for c in found.settings if not c]
        self.contents = [(c, *_fixed(c, renewed, computed)) for c in found.settings if c]
        self.flags = [(t, t._wanted) for t in leaves]
        self.places = [
            (t, t.array)
            for t in (leaves if memory is None else found.tensors)
            if memory is None or id(t.array) in memory
        ]

    def same(self) -> bool:
        """Is all of it as it was? (This is asked before each step: some 10 us.)"""
        if any(self.empty):
            return False
        for container, size, keys, values in self.contents:
            now = container.values() if isinstance(container, dict) else container
            if len(container) != size or not all(
                map(is_, now if keys is None else [container.get(k) for k in keys], values)
            ):
                return False
        return all([t.array is a for t, a in self.places]) and all(
            [t._wanted is flag for t, flag in self.flags]
        )

    def changed(self):
        """(container, name or number of an entry, what it is now) for each that is not what it
        was."""
        for container, _, keys, values in [*self.contents, *((c, 0, None, []) for c in self.empty)]:
            now = container if isinstance(container, dict) else dict(enumerate(container))
            then = dict(zip(now if keys is None else keys, values))
            for key in [
                k
                for k in {**then, **(now if keys is None else {})}
                if k not in now or k not in then or now[k] is not then[k]
            ]:
                old, new = then.get(key), now.get(key)
                if not (type(old) is type(new) and type(new) in VALUES and old == new):
                    yield container, key, new


VALUES = (int, float, bool, str, type(None))


def _fixed(container, renewed, computed):
    """(length, keys, values) of what only other code than the step changes; keys None: all of
    it."""
    if not isinstance(container, dict):
        return len(container), None, list(container)
    keys = [
        k
        for k, v in container.items()
        if not isinstance(v, Tensor) or (id(v) not in renewed and (computed or v._node is None))
    ]
    return (
        len(container),
        None if len(keys) == len(container) else keys,
        [container[k] for k in keys],
    )
