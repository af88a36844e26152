"""A program as one function in machine code: for steps of tiny networks, where Python's calls take
longer than what they compute.

All arrays are fixed ones here. Each call of the program has a form that says which calls in machine
code it consists of (`elements`, `sums`, `products`, `steps`). A rule of the backward walk needs
none: it is written in ops, and recording it on these arrays gives calls that have forms.
"""

import contextlib

import numpy as np

from ....autograd import OPS, no_grad, tensor_of
from ....data.batches import gather, gather_scaled
from ....engine.tensor import keep_layout
from ...cpu.threads import run_on_workers
from ..program import DEFERRABLE, Symbol, record_step
from .code import Code, Unknown
from .forms import FORMS

__all__ = ["Native", "Unknown"]

MOST = 1 << 17  # elements of an array; beside the work on larger ones Python's calls are little


class Native:
    """`run(*arrays)` does what `program.run` does, on arrays like those given here.

    checks : functions; `run` may be called while all of them give True (`holds`)
    before : [(count, its opposite or None)]: what Python counts of a step, called by each run

    Unknown, with the reason, where something has no form.
    """

    def __init__(self, program, given):
        from . import elements, products, steps, sums  # noqa: F401  (they put themselves in FORMS)

        self.code = Code()
        self.checks, self.before = [], []
        self._errors = []  # [(what raises, how many of `before` count for what came earlier)]
        self.most = 1  # threads that share a product
        self._forms, self._rules = _known_functions()
        self._inputs = [np.array(a, copy=True, order="K") for a in given]
        self._values = dict(zip(program.given, self._inputs, strict=True))
        for call in program.calls:
            self._append(*call)
        self._results = [self._values[name] for name in program.returned]
        self._step = self.code.finish()

    def holds(self):
        return all([check() for check in self.checks])

    def run(self, *arrays):
        for buffer, array in zip(self._inputs, arrays, strict=True):
            buffer[...] = array
        for count, _ in self.before:
            count()
        if self.most > 1:
            run_on_workers(self._step, self.most)
        else:
            self._step(0, 0)
        if stopped := int(self.code.stopped[0]):
            self._raise(stopped - 1)
        return [a.copy("K") for a in self._results]

    def stop_unless(self, truth, error):
        """The step ends here with error(), an exception, where a Boolean is not true."""
        self._errors.append((error, len(self.before)))
        self.code.stop_unless(truth, len(self._errors))

    def _raise(self, i):
        """As the program would: what comes behind has not been done, nor counted."""
        self.code.stopped[0] = 0
        error, done = self._errors[i]
        for _, uncount in reversed(self.before[done:]):
            if uncount is not None:
                uncount()
        raise error()

    def _append(self, function, args, names):
        """One call of the program."""
        results = self._call(function, [self._at(x) for x in args])
        if isinstance(names, list):
            self._values.update((k, x) for k, x in zip(names, results, strict=True) if k)
        elif names:
            self._values[names] = results

    def _at(self, x):
        """An argument, with arrays in the places of Symbols."""
        if isinstance(x, Symbol):
            return self._values[x]
        if x.__class__ in (list, tuple):
            return x.__class__(map(self._at, x))
        return np.asarray(x) if isinstance(x, np.generic) else x

    def is_given(self, array):
        """Is it, or is it a view of, one of the arrays that `run` is given?"""
        return any(np.shares_memory(array, buffer) for buffer in self._inputs)

    def _call(self, function, args):
        for x in _arrays(args):
            if x.size > MOST and function not in (gather, gather_scaled):  # of a data set
                raise Unknown(f"an array of {x.size} elements, which is large")
        if function in self._forms:
            return self._forms[function](self, *args)
        if (method := getattr(function, "__func__", None)) in self._forms:
            return self._forms[method](self, function.__self__, *args)
        if type(function) in self._forms:
            return self._forms[type(function)](self, function, *args)
        if function in self._rules:
            return self._rule(self._rules[function], args)
        name = getattr(function, "__qualname__", type(function).__qualname__)
        raise Unknown(f"{name}, which has no form in machine code")

    def _rule(self, rule, args):
        """The ops that a rule consists of."""
        arrays = list({id(x): x for x in _arrays(args)}.values())
        boxed = [tensor_of(x) if isinstance(x, np.ndarray) else x for x in args]
        with record_step(arrays) as recording, _as_arrays(), np.errstate(all="ignore"):
            results = rule(*boxed)
            several = isinstance(results, tuple)
            names = recording.written(results if several else (results,))
        if recording.problem:
            raise Unknown(f"{rule.__qualname__}, of which {recording.problem}")
        outside, self._values = self._values, dict(zip(recording.given, arrays))
        for call in recording.calls:
            self._append(*call)
        results, self._values = self._at(names), outside
        return results if several else results[0]


@contextlib.contextmanager
def _as_arrays():
    """Inside, ops on Tensors do what they do on arrays: nothing is recorded on the tape, nor laid
    out as torch does."""
    layout, keep_layout[:] = list(keep_layout), []
    try:
        with no_grad():
            yield
    finally:
        keep_layout[:] = layout


def _arrays(x):
    """All arrays in an argument."""
    if isinstance(x, np.ndarray):
        yield x
    elif x.__class__ in (list, tuple):
        for y in x:
            yield from _arrays(y)


def _known_functions():
    """({function: form}, {function: rule}) of what a program may call."""
    forms = {key: form for key, form in FORMS.items() if not isinstance(key, str)}
    rules = {op.card.rule: op.card.rule for op in OPS.values() if op.card.rule is not None}
    for name, op in OPS.items():
        if name in FORMS:  # which is that of the kernel, where there is one
            forms[op.card.kernels.get("cpu", op.card.forward)] = FORMS[name]
    for rule, (_, deferred) in DEFERRABLE.items():
        rules[deferred] = rule
        if rule in forms:
            forms[deferred] = forms[rule]
    return forms, rules
