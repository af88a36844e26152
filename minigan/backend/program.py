"""A step written down as the calls on arrays that it makes, and made into one straight Python function without tape and dispatch.

While a `Recording` is active, whoever computes with arrays tells it: ops their forward functions, the backward walk its rules and sums,
generators their draws, optimisers their steps. What computes with arrays and does not tell is noticed: an array that nobody told of is
either the same in each step (then it is a constant), or the two recordings that a program is made of differ in it.
"""

import contextlib
import functools
import itertools
import keyword
import math
import re
import threading

import numpy as np

active: list["Recording"] = []  # the recording that is going on, if there is one


class Recording:
    """The calls of one step, in order. `problem`: why the step cannot be repeated, or None."""

    def __init__(self):
        self.calls, self.problem, self.thread = [], None, threading.get_ident()

    def call(self, function, args, result):
        """`function(*args)` gave `result`: an array, a tuple of arrays and other things, or None. args: arrays, lists of arrays,
        and things that must be the same in each step."""
        self.calls.append((function, args, result))


@contextlib.contextmanager
def recording():
    """Inside, a new recording is active."""
    new = Recording()
    active.append(new)
    try:
        yield new
    finally:
        active.clear()


def told(function, *args):
    """function(*args), as one call of the active recording whatever happens inside."""
    if not active or active[-1].thread != threading.get_ident():
        return function(*args)
    now = active.pop()
    try:
        result = function(*args)
    finally:
        active.append(now)
    now.call(function, args, result)
    return result


def refuse(why):
    """The step does something that cannot be repeated."""
    if active:
        active[-1].problem = active[-1].problem or why


def drawn(method):
    """Decorator: what a generator's method draws is drawn anew in each repetition."""

    @functools.wraps(method)
    def draw(self, *args, **named):
        if not active or active[-1].thread != threading.get_ident():
            return method(self, *args, **named)
        return told(_draw, method, self, args, tuple(named.items()))

    return draw


def _draw(method, generator, args, named):
    return method(generator, *args, **dict(named))


class Program:
    """The function of two recordings of a step: `run(*arrays)` repeats it and returns the arrays that were asked for.

    first, second : the recordings;  arguments : of each, the arrays that the step was given
    results : arrays of the second that `run` returns if it computes them (see `among`)

    text : the function as Python;  memory : the ids of the arrays that it refers to, parameters among them

    ValueError with the reason where the step is not the same both times.
    """

    def __init__(self, first, second, arguments, results):
        problem = first.problem or second.problem
        if not problem and len(first.calls) != len(second.calls):
            problem = f"it computed {len(first.calls)} things in one step and {len(second.calls)} in the next"
        if problem:
            raise ValueError(problem)
        self._names, self._constants, self._lines = ({}, {}), {}, []
        self._known = {}  # id of a constant -> its name
        for i, pair in enumerate(zip(*arguments, strict=True)):
            self._name(pair, f"input{i}")
        for i, pair in enumerate(zip(first.calls, second.calls, strict=True)):
            self._line(i, *pair)
        self._results = [i for i, r in enumerate(results) if id(r) in self._names[1]]
        returned = [self._names[1][id(results[i])] for i in self._results]
        text = "\n    ".join([f"def run({', '.join(f'input{i}' for i in range(len(arguments[0])))}):", *self._freed(returned)])
        exec(compile(f"{text}\n    return [{', '.join(returned)}]\n", "<program>", "exec"), self._constants)
        self.text, self.run = text, self._constants["run"]
        self.memory = {id(c) for c in self._constants.values() if isinstance(c, np.ndarray)}
        del self._names

    def among(self, results):
        """Of a list of results of the step those that `run` computes, in its order."""
        return [results[i] for i in self._results]

    def _name(self, pair, name):
        for known, array in zip(self._names, pair):
            known[id(array)] = name

    def _line(self, i, one, other):
        (f, args, result), (g, more, again) = one, other
        if f != g or len(args) != len(more):
            raise ValueError(f"it called {_called(f)} in one step where it called {_called(g)} in the next")
        text = f"{self._constant(_called(f), f)}({', '.join(self._argument(f, x, y) for x, y in zip(args, more))})"
        several = isinstance(result, (tuple, list))
        if several != isinstance(again, (tuple, list)) or (several and len(result) != len(again)):
            raise ValueError(f"{_called(f)} gave other kinds of things in one step than in the next")
        targets = []
        for k, pair in enumerate(zip(result, again) if several else [(result, again)]):
            if isinstance(pair[0], (np.ndarray, np.generic)):
                targets.append(f"v{i}_{k}" if several else f"v{i}")
                self._name(pair, targets[-1])
            else:
                targets.append("_")
        self._lines.append(text if set(targets) <= {"_"} else f"{', '.join(targets)}{',' if several else ''} = {text}")

    def _argument(self, function, x, y):
        """The text that stands for an argument, which was x in one recording and y in the other."""
        names = [known.get(id(v)) for known, v in zip(self._names, (x, y))]
        if names[0] != names[1]:
            raise ValueError(f"{_called(function)} was given different things in two steps")
        if names[0] is not None:
            return names[0]
        if x.__class__ is not y.__class__:
            raise ValueError(f"{_called(function)} was given {type(x).__name__} in one step and {type(y).__name__} in the next")
        if isinstance(x, (list, tuple)):
            if len(x) != len(y):
                raise ValueError(f"{_called(function)} was given {len(x)} things in one step and {len(y)} in the next")
            parts = [self._argument(function, *pair) for pair in zip(x, y)]
            return f"[{', '.join(parts)}]" if isinstance(x, list) else f"({''.join(p + ', ' for p in parts)})"
        if hasattr(x, "array") and x.array.__class__ is np.ndarray:  # a Tensor: those who are given them take arrays, too
            return self._argument(function, x.array, y.array)
        if x is not y and not same(x, y):
            raise ValueError(f"{_called(function)} was given {_shown(x)} in one step and {_shown(y)} in the next, which no op has computed")
        if y.__class__ in PLAIN or (y.__class__ is float and math.isfinite(y)):
            return repr(y)
        return self._constant(_kind(y), y)

    def _constant(self, name, value):
        """The name under which the program finds something that is the same in each step."""
        if id(value) not in self._known:
            numbered = (f"{name}_{i}" if i else name for i in itertools.count())
            self._known[id(value)] = name = next(n for n in numbered if n not in self._constants and n not in RESERVED)
            self._constants[name] = value
        return self._known[id(value)]

    def _freed(self, returned):
        """The lines, each variable deleted after its last use."""
        last = {}
        words = [VARIABLE.findall(line) for line in self._lines]
        for i, used in enumerate(words):
            last.update(dict.fromkeys(used, i))
        for i, line in enumerate(self._lines):
            yield line
            if over := sorted({w for w in words[i] if last[w] == i} - set(returned)):
                yield f"del {', '.join(over)}"


PLAIN = (int, bool, str, type(None))
VARIABLE = re.compile(r"\bv\d+(?:_\d+)?\b")
RESERVED = {*keyword.kwlist, "run", "_"}


def same(x, y):
    """Are two arrays equal, NaN included, or two other things?"""
    if isinstance(x, np.ndarray):
        return x.shape == y.shape and x.dtype == y.dtype and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
    try:
        return bool(x == y)
    except (TypeError, ValueError):
        return False


def _kind(x):
    """What a constant is called in the program."""
    return "array" + "x".join(map(str, x.shape)) if isinstance(x, np.ndarray) else type(x).__name__.strip("_").lower()


def _shown(x):
    return f"an array {x.shape}" if isinstance(x, np.ndarray) else repr(x)[:40]


def _called(function):
    """Its name for people: of a card's functions that of the op."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return name.removesuffix(".forward").removesuffix(".cpu").replace(".", "_").lstrip("_")
