"""A whole training step on the CPU as one straight function: recorded in two calls, checked in a
third, then repeated.

What an engine costs beside the arithmetic (making Tensors, the tape, finding the rules) is most of
the time where layers are small. The step is the same sequence of calls on arrays each time;
`minigan.fast.replay.program` writes it down.
"""

from __future__ import annotations

import functools
import hashlib
import warnings

import numpy as np

from ...autograd import raw
from ...distributed import group
from ...engine.grad_mode import mode
from .. import deferred as deferred
from . import followed
from .native import Native, Unknown
from .program import Program, Recording, record_step, same
from .reachable import Reachable, Settings, Snapshot


def graph(step) -> Repeated:
    """`step` as a function of the same arguments that repeats its computations without the tape and
    the Python around them.

    step : a function of Tensors or arrays on the CPU (whose values may change from call to call)
        and other things (which must not). It may do all that training does: forward passes,
        `backward` or `grad`, optimiser steps, averages, random numbers

    The first two calls run the step and record it (up to four, until two did the same). The next
    one runs it, goes back, repeats it from the recording, and compares all that the step can reach,
    to the bit. From then on calls repeat the recording; one with arguments of other shapes runs the
    step itself, and where an attribute, a list or a dict that the step can reach is changed from
    outside (or a parameter's memory is exchanged) it begins anew.

    Where all arrays are small and all ops known, calls after the first 200 repetitions run in
    machine code without Python in between (`minigan.fast.replay.native`), with the same results.

    Returns what the step returns: the same Tensors in every call, which hold the values of the
    last, outside the tape.

    Python code of the step runs no more: a value that it counts, prints or decides by stays as it
    was. (Under a debugger or a tracer it runs, each time.) A step that needs a value (`.item()`),
    writes in place what is on the tape, or computes with arrays outside of ops is played as it is,
    after a warning that says why.
    """
    return Repeated(step)


TINY = 200  # repetitions after which machine code is made: that takes as long as some hundred steps
PATIENCE = 4  # recordings: the first steps may make what later ones find (an optimiser's state)


class Repeated:
    """See `graph`. `program`: what is repeated (its `text` is Python), or None; `why`: the reason
    if there will be none. `native`: the program in machine code, or None; `why_not_native`: the
    reason if there will be none.

    warn : is that reason a warning?
    """

    repeats_a_step = True

    def __init__(self, step, warn: bool = True):
        self.step, self.warn = step, warn
        self.why: str | None = None
        self.program: Program | None = None
        self.native: Native | None = None
        self.why_not_native: str | None = None
        self._times = 0  # that the program was repeated
        self._recordings: list[Recording] = []  # of the first calls
        self._like = self._outputs = self._seen = None
        # (tensor, its gradient) of those whose gradient the step finds from the one before, and
        # reads
        self._carried: list = []
        functools.update_wrapper(self, step, updated=())

    @property
    def repeats(self):
        """Has a recording been checked, so that calls repeat it?"""
        return self._seen is not None

    def __call__(self, *args):
        like = [(a.shape, a.dtype) if isinstance(a := raw(x), np.ndarray) else a for x in args]
        if (
            self.why is not None
            or mode.anomaly
            or followed()
            or (self._like is not None and not _equal(like, self._like))
        ):
            return self.step(*args)
        if self._seen is not None:
            if self._seen.same() and all(t.grad is g for t, g in self._carried):
                self._times += 1
                if self._times == TINY:
                    self._make_native(args)
                else:
                    self._repeat(args)
                return self._outputs
            self.program = self._seen = None  # begin anew
            self.native = self.why_not_native = None
            self._times = 0
        self._like = like
        if self.program is not None:
            return self._check(args)
        return self._record(args)

    def _record(self, args):
        """One of the first calls: until two in a row did the same."""
        arrays = _arrays(args)
        arguments, left = len(arrays), _with_gradients(Reachable((self.step, args)))
        arrays += [t.grad.array for t in left]
        with record_step(arrays) as new:
            outputs = self.step(*args)
        if len({id(a) for a in arrays}) < len(arrays):
            new.problem = "it was given the same array twice"
        self._recordings.append(new)
        if len(self._recordings) > 1:
            try:
                self.program = Program(
                    *self._recordings[-2:],
                    [t.array for t in self._left_behind(args, outputs)],
                    arguments,
                )
                self._recordings = []
            except ValueError as error:
                if len(self._recordings) == PATIENCE:
                    self._recordings = []
                    self._give_up(str(error))
        return outputs

    def _left_behind(self, args, outputs):
        """The Tensors that a step leaves behind; those it was given are the caller's, unless it
        gave them back."""
        given = {id(x) for x in args}.difference(map(id, Reachable((outputs,)).tensors))
        found = Reachable((self.step, args, outputs)).tensors
        return [t for t in found if id(t) not in given]

    def _check(self, args):
        """The third call: the step, then the same again from the program, and a comparison."""
        found = Reachable((self.step, args))
        left = _with_gradients(found)
        if len(left) <= max(self.program.carried, default=-1):
            self._give_up("it finds other gradients from the step before than when it was recorded")
            return self.step(*args)
        carriers = [left[i] for i in self.program.carried]
        self._carried = [(t, t.grad) for t in carriers]
        before, settings = Snapshot(found), Settings(found, computed=True)
        with group.keeping() as exchanged:
            self._outputs = outputs = self.step(*args)
        try:
            self._targets = self.program.among(self._left_behind(args, outputs))
        except ValueError as error:
            self._give_up(str(error))
            return outputs
        renewed = {id(t) for t in self._targets}
        left = list(settings.changed())
        if others := [key for _, key, new in left if id(new) not in renewed]:
            self._give_up(f"its Python code changes {others[0]!r}, which a repetition would not")
            return outputs
        gradients = [(t, t.grad) for t in found.tensors]
        expected = _state(found, self._targets)
        before.restore()
        try:
            with group.repeating(exchanged, exactly=True):  # other processes may be elsewhere
                self._repeat(args)
            difference = _difference(expected, _state(found, self._targets))
        except Exception as error:
            difference = f"something else ({type(error).__name__}: {error})"
        if difference:
            before.restore()
            self._give_up(f"it changes {difference} in a way that is not an op")
            with group.repeating(exchanged, exactly=False):
                return self.step(*args)
        for container, key, new in left:
            container[key] = new
        for tensor, gradient in gradients:
            tensor.grad = gradient
        for tensor in self._targets:
            tensor._node, tensor._wanted = None, False
        self._carried = [(t, t.grad) for t in carriers]
        self._seen = Settings(found, self.program.memory, renewed)
        return outputs

    def _give_up(self, why):
        self.program, self.why = None, why
        if self.warn:
            warnings.warn(
                f"cpu.graph: every op is called by itself: {why}", RuntimeWarning, stacklevel=4
            )

    def _repeat(self, args):
        if self.native is not None and not self.native.holds():
            self.native, self._times = None, 0
        run = self.program.run if self.native is None else self.native.run
        for tensor, array in zip(self._targets, run(*self._given(args)), strict=True):
            tensor.array = array

    def _given(self, args):
        return _arrays(args) + [gradient.array for _, gradient in self._carried]

    def _make_native(self, args):
        """A repetition by the program, then the same again in machine code, and a comparison."""
        try:
            native = Native(self.program, self._given(args))
        except Unknown as reason:
            self.why_not_native = str(reason)
            return self._repeat(args)
        except Exception as error:  # of another Numba or LLVM, say: nothing has changed yet
            self.why_not_native = f"{type(error).__name__}: {error}"
            return self._repeat(args)
        found = Reachable((self.step, args))
        before = Snapshot(found)
        self._repeat(args)
        expected = _state(found, self._targets)
        before.restore()
        self.native = native
        self._repeat(args)
        if difference := _difference(expected, _state(found, self._targets)):
            self.native, self.why_not_native = None, f"{difference} would be another"
            before.restore()
            self._repeat(args)


def _arrays(args):
    return [a for x in args if isinstance(a := raw(x), np.ndarray)]


def _with_gradients(found):
    """The Tensors that have a gradient on the CPU."""
    return [t for t in found.tensors if t.grad is not None and isinstance(t.grad.array, np.ndarray)]


def _equal(given, like):
    return len(given) == len(like) and all(a is b or same(a, b) for a, b in zip(given, like))


def _state(found, outputs):
    """[(what it is, its value, of an array a checksum)] of all that a step can change."""
    things = [(f"a Tensor of shape {tuple(t.shape)}", _digest(t.array)) for t in found.tensors]
    things += [("random numbers", g.get_state()) for g in found.generators]
    things += [("an optimiser's count", [slot.step for slot in o._slots]) for o in found.optimizers]
    things += [("an average's count", e.updates) for e in found.averages]
    return things + [(f"its result of shape {tuple(t.shape)}", _digest(t.array)) for t in outputs]


def _difference(expected, state):
    """What of two states differs first, or None."""
    return next((a[0] for a, b in zip(expected, state, strict=True) if a != b), None)


def _digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).data).digest()
