"""A step written down as the calls on arrays that it makes, and made into one straight Python
function without tape and dispatch.

During a recording `seam.execute` notes each call: ops call their forward functions through it, the
backward walk its rules and sums, generators their draws, optimisers their steps. What computes with
arrays without it is noticed: an array that no call has made is either the same in each step (then
it is a constant), or the two recordings that a program is made of differ in it.
"""

import contextlib
import functools
import itertools
import keyword
import math
import re
import threading
import weakref
from collections import Counter

import numpy as np

from ...arrays import seam
from ...arrays.device import to_numpy
from ...engine.zero import Zero
from ..table import Later

# rule -> (the place of a gradient that can stay a product, the rule that leaves it one)
DEFERRABLE: dict = {}
# functions that take products which are not computed yet among their arguments: the steps of
# optimisers
CONSUMERS: set = set()

current_recording: list["Recording"] = []  # the recording that is going on, if there is one


class Symbol(str):
    """Of an array in a program: what stands for it in a recorded call."""


class Recording:
    """The calls of one step, in order, as (function, arguments, results); arrays that the step was
    given or made are Symbols there.

    given : the arrays that the step is given
    problem : why the step cannot be repeated, or None
    """

    def __init__(self, given):
        self.calls, self.problem = [], None
        self.thread = threading.get_ident()
        # id -> Symbol, as long as the array lives: the recording keeps no memory
        self._names, self._references = {}, []
        self.given = [self._name(a, f"input{i}") for i, a in enumerate(given)]

    def call(self, function, args, result):
        """`function(*args)` gave `result`: an array, a tuple of arrays and other things, or None.
        args: arrays, lists of arrays, and things that must be the same in each step. What other
        threads do is not part of the step."""
        if threading.get_ident() != self.thread:
            return
        i, args = len(self.calls), self.written(args)
        if function is to_numpy or not (
            result is None or isinstance(result, (np.ndarray, np.generic, tuple, list, Zero))
        ):
            self.problem = self.problem or "it reads a Tensor's values (item, tolist, numpy)"
        if isinstance(result, (tuple, list)):
            made = [self._name(r, f"v{i}_{k}") for k, r in enumerate(result)]
        else:
            made = self._name(result, f"v{i}")
        self.calls.append((function, args, made))

    def written(self, x):
        """x with Symbols for arrays that have one."""
        # a Tensor: those who are given them take arrays, too
        if isinstance(array := getattr(x, "array", None), np.ndarray):
            x = array
        if isinstance(x, (np.ndarray, np.generic)):
            return self._names.get(id(x), x)
        return x.__class__(map(self.written, x)) if x.__class__ in (list, tuple) else x

    def _name(self, x, name):
        if isinstance(x, np.ndarray):
            self._references.append(weakref.ref(x, functools.partial(self._forget, id(x))))
        elif isinstance(x, np.generic):
            self._references.append(x)
        else:
            return None
        self._names[id(x)] = name = Symbol(name)
        return name

    def _forget(self, key, reference):
        self._names.pop(key, None)


@contextlib.contextmanager
def record_step(given):
    """Inside, a new recording of a step that is given these arrays is the current one."""
    new = Recording(given)
    current_recording.append(new)
    seam.execute = _record
    try:
        yield new
    finally:
        seam.execute = seam.plain
        current_recording.clear()


def _record(function, *args):
    """function(*args), as one call of the active recording whatever happens inside.

    A function that writes into memory that others may know returns None: by that the program sees
    it.
    """
    now = current_recording[-1]
    if now.thread != threading.get_ident():
        return function(*args)
    if function.__class__ is Later:
        function = function.kernel()
    seam.execute = _part
    try:
        result = function(*args)
    finally:
        seam.execute = _record
    now.call(function, args, result)
    return result


def _part(function, *args):
    """function(*args), inside of what is recorded as one call."""
    return function(*args)


class Program:
    """The function of two recordings of a step: `run(*arrays)` repeats it and returns the arrays
    that were asked for.

    first, second : the recordings
    results : arrays that the second left behind, of which `run` returns those that it computes (see
        `among`)
    arguments : how many of the arrays that it was given `run` takes in any case, the first ones

    text : the function as Python;  memory : the ids of the arrays that it refers to, parameters
        among them;  carried : numbers of the other arrays that it was given (0: the first of these)
        which it reads: `run` takes them, too;  calls, given, returned : what the text was made of

    ValueError with the reason where the step is not the same both times.
    """

    def __init__(self, first, second, results, arguments):
        problem = first.problem or second.problem
        if not problem and len(first.calls) != len(second.calls):
            problem = (
                f"it computed {len(first.calls)} things in one step and "
                f"{len(second.calls)} in the next"
            )
        if problem:
            raise ValueError(problem)
        self._constants, self._known = {}, {}  # name -> constant, id -> name
        results = [second.written(r) for r in results]
        lines = [self._line(*pair) for pair in zip(first.calls, second.calls, strict=True)]
        for i in _deferrable(second.calls, results):
            function, args, made = second.calls[i]
            second.calls[i] = DEFERRABLE[function][1], args, made
            lines[i] = self._line(second.calls[i], second.calls[i])
        self._asked = len(results)
        self._results = [i for i, r in enumerate(results) if isinstance(r, Symbol)]
        returned = [results[i] for i in self._results]
        read = {name for _, args, _ in second.calls for name in _names(args)} | set(returned)
        others = second.given[arguments:]
        self.carried = [i for i, name in enumerate(others) if name in read]
        self.calls, self.returned = second.calls, returned
        self.given = given = second.given[:arguments] + [others[i] for i in self.carried]
        text = "\n    ".join([f"def run({', '.join(given)}):", *_freed(lines, returned)])
        exec(
            compile(f"{text}\n    return [{', '.join(returned)}]\n", "<program>", "exec"),
            self._constants,
        )
        self.text, self.run = text, self._constants["run"]
        self.memory = {id(c) for c in self._constants.values() if isinstance(c, np.ndarray)}

    def among(self, results):
        """Of a list of what a later step left behind, in the order of `results`, those that `run`
        computes."""
        if len(results) != self._asked:
            raise ValueError(
                f"it left {self._asked} Tensors behind in one step and {len(results)} in the next"
            )
        return [results[i] for i in self._results]

    def _line(self, one, other):
        (f, args, made), (g, more, again) = one, other
        if f != g or len(args) != len(more):
            raise ValueError(
                f"it called {_called(f)} in one step where it called {_called(g)} in the next"
            )
        if made != again:
            raise ValueError(
                f"{_called(f)} gave other kinds of things in one step than in the next"
            )
        called = self._constant(_called(f), f)
        text = f"{called}({', '.join(self._argument(f, x, y) for x, y in zip(args, more))})"
        if isinstance(made, list):
            return (
                f"{''.join(f'{name or chr(95)}, ' for name in made)}= {text}" if any(made) else text
            )
        return f"{made} = {text}" if made else text

    def _argument(self, function, x, y):
        """The text that stands for an argument, which was x in one recording and y in the other."""
        if x.__class__ is not y.__class__:
            raise ValueError(
                f"{_called(function)} was given {_shown(x)} in one step and {_shown(y)} in the next"
            )
        if x.__class__ in (list, tuple):
            if len(x) != len(y):
                raise ValueError(
                    f"{_called(function)} was given {len(x)} things in one step and {len(y)} in "
                    "the next"
                )
            parts = [self._argument(function, *pair) for pair in zip(x, y)]
            return (
                f"[{', '.join(parts)}]"
                if isinstance(x, list)
                else f"({''.join(p + ', ' for p in parts)})"
            )
        if x is not y and not same(x, y):
            raise ValueError(
                f"{_called(function)} was given {_shown(x)} in one step and {_shown(y)} in the "
                "next, which no op has computed"
            )
        if isinstance(y, Symbol):
            return y
        if y.__class__ in LITERALS or (y.__class__ is float and math.isfinite(y)):
            return repr(y)
        return self._constant(_kind(y), y)

    def _constant(self, name, value):
        """The name under which the program finds something that is the same in each step."""
        if id(value) not in self._known:
            numbered = (f"{name}_{i}" if i else name for i in itertools.count())
            self._known[id(value)] = name = next(
                n for n in numbered if n not in self._constants and n not in RESERVED
            )
            self._constants[name] = value
        return self._known[id(value)]


def _deferrable(calls, results):
    """(number of the call, place of the result) of all gradients that only an optimiser takes,
    before anything else is written (by a call that returns None, see `seam`)."""
    uses = Counter(name for _, args, _ in calls for name in _names(args))
    uses.update(_names(results))
    made = {}  # name -> where it was made, since the last call that gave nothing
    for i, (function, args, names) in enumerate(calls):
        if function in CONSUMERS:
            yield from (made[name] for name in _names(args) if name in made and uses[name] == 1)
        if not names:
            made = {}
        if function in DEFERRABLE:
            made[names[DEFERRABLE[function][0]]] = i


def _names(x):
    """All Symbols in an argument, or in a list of arguments."""
    if isinstance(x, Symbol):
        yield x
    elif x.__class__ in (list, tuple):
        for y in x:
            yield from _names(y)


def _freed(lines, returned):
    """The lines, each variable deleted after its last use."""
    words = [VARIABLE.findall(line) for line in lines]
    last = {w: i for i, used in enumerate(words) for w in used}
    for i, line in enumerate(lines):
        yield line
        if over := sorted({w for w in words[i] if last[w] == i} - set(returned)):
            yield f"del {', '.join(over)}"


LITERALS = (int, bool, str, type(None))
VARIABLE = re.compile(r"\bv\d+(?:_\d+)?\b")
RESERVED = {*keyword.kwlist, "run", "_"}


def same(x, y):
    """Are two arrays equal, NaN included, or two other things?"""
    if isinstance(x, np.ndarray):
        return (
            x.shape == y.shape
            and x.dtype == y.dtype
            and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
        )
    try:
        return bool(x == y)
    except (TypeError, ValueError):
        return False


def _kind(x):
    """What a constant is called in the program."""
    if isinstance(x, np.ndarray):
        return "array" + "x".join(map(str, x.shape))
    name = getattr(x, "__name__", type(x).__name__.lower()).strip("_")
    return name if name.isidentifier() else "constant"


def _shown(x):
    if isinstance(x, Symbol):
        return "what an op had computed"
    return f"an array {x.shape}" if isinstance(x, np.ndarray) else repr(x)[:40]


def _called(function):
    """Its name for people: of a card's functions that of the op."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return name.removesuffix("_cpu").replace(".", "_").lstrip("_")
