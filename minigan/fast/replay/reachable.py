"""What a step can change, and what decides how it goes: found from its function and arguments."""

from __future__ import annotations

import functools
import sys
import types
from itertools import chain
from operator import attrgetter, is_
from typing import Any

import numpy as np

from ...arrays import Generator, default_generator
from ...arrays.device import on_gpu
from ...autograd import Tensor
from ...optim import EMA, Optimizer

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
        # all lists and dicts but those of optimisers, averages and generators: what Python code
        # decides by
        self.settings: list[Any] = []
        # objects of classes, and functions, that are neither minigan's nor of a library it knows
        self.code: list[Any] = []
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
        if getattr(type(x), "repeats_a_step", False):
            return [x.__wrapped__]  # its recordings are no state of the step's
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
        # what was created stays, as a graph needs it before its first step
        for optimizer, slot, now, before in made:
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
        whole = [entry for entry in self.contents if entry[2] is None]
        self._parts = [entry for entry in self.contents if entry[2] is not None]
        self._dicts = [c for c, *_ in whole if isinstance(c, dict)]
        self._lists = [c for c, *_ in whole if not isinstance(c, dict)]
        self._values = [v for c in (*map(dict.values, self._dicts), *self._lists) for v in c]
        self._sized = [*self.empty, *self._dicts, *self._lists]
        self._sizes = list(map(len, self._sized))
        self._tensors = [[t for t, _ in pairs] for pairs in (self.places, self.flags)]
        self._arrays, self._flags = ([x for _, x in pairs] for pairs in (self.places, self.flags))

    def same(self) -> bool:
        """Is all of it as it was? (This is asked before each step: its loops are not Python's.)"""
        if list(map(len, self._sized)) != self._sizes:
            return False
        now = chain(chain.from_iterable(map(dict.values, self._dicts)), *self._lists)
        if not all(map(is_, now, self._values)):
            return False
        for container, size, keys, values in self._parts:
            if len(container) != size or not all(map(is_, map(container.get, keys), values)):
                return False
        placed, flagged = self._tensors
        return all(map(is_, map(_array, placed), self._arrays)) and all(
            map(is_, map(_wanted, flagged), self._flags)
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


_array, _wanted = attrgetter("array"), attrgetter("_wanted")
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
