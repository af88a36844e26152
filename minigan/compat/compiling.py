"""torch.compile: a training step as one function."""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np

from .. import nn
from ..arrays.device import on_gpu
from ..autograd import Tensor, is_grad_enabled
from ..engine.trees import mapped, tensors
from .cuda import graph as cuda_graph

__all__ = ["compile"]

VALUES = int, float, complex, str, bytes, bool, type(None), np.generic  # that code may decide by
SEEN = {"print", "input", "open"}  # whose effects are not a step's


def compile(
    model: Any = None, *, fullgraph: bool = False, dynamic: Any = None, backend: Any = "inductor",
    mode: Any = None, options: Any = None,
    disable: bool = False,
) -> Any:  # fmt: skip
    """A training step, as a function that repeats its computations without Python between them
    (`minigan.cpu.graph`, on CUDA `minigan.cuda.graph`); also as a decorator, `@compile` or
    `@compile(...)`.

    model : a function that does a whole step: forward, `zero_grad`, `backward`, the steps of its
        optimisers. Its first calls run as they are. It is repeated if its results need no gradient
        any more; called with other shapes, or with names of its module or of the function around it
        bound to other numbers, it runs as it is. A module is given back itself, and so is what a
        step cannot be made of: its ops are quick one by one, and their gradients are wanted
    disable : True: give back the function itself

    The other arguments are torch's and without effect. The results of each call are Tensors of
    their own, without a gradient.
    """
    if model is None:
        return functools.partial(compile, disable=disable)
    return model if disable or isinstance(model, nn.Module) else Compiled(model)


class Compiled:
    """See `compile`. graphs : whether gradients are recorded -> the step as a graph, or None where
    it runs as it is."""

    repeats_a_step = True  # what it keeps is no state of the step's

    def __init__(self, function):
        self.function = function
        self.graphs: dict[bool, Any] = {}
        self._values: dict[bool, list] = {}
        functools.update_wrapper(self, function, updated=())

    def __get__(self, instance, owner=None):
        """A method is compiled for each object."""
        if instance is None:
            return self
        name = getattr(self.function, "__name__", "forward")
        bound = instance.__dict__.get(name)
        if not isinstance(bound, Compiled):
            bound = Compiled(self.function.__get__(instance, owner))
            object.__setattr__(instance, name, bound)
        return bound

    def __call__(self, *args, **kwargs):
        code = getattr(self.function, "__code__", None)
        if kwargs or code is None or SEEN & set(code.co_names):
            return self.function(*args, **kwargs)
        recorded = is_grad_enabled()
        if recorded not in self.graphs:
            result = self.function(*args)
            self.graphs[recorded] = self._graph(args, result)
            self._values[recorded] = _values(self.function, code)
            return result
        graph = self.graphs[recorded]
        if graph is None or not _equal(self._values[recorded], _values(self.function, code)):
            return self.function(*args)
        return _copied(graph(*args))

    def _graph(self, args, result):
        """The step as a graph, where it is one: what it gives is no longer on the tape."""
        if any(t.requires_grad and not t.is_leaf for t in tensors(result)):
            return None
        there = {on_gpu(t.array) for t in tensors([args, result])}
        if len(there) != 1 or "minigan.fast" not in sys.modules:
            return None
        if there.pop():
            return cuda_graph(self.function)
        from ..fast.replay.jit import graph

        return graph(self.function)


def _values(function, code):
    """What plain values the names of a function are bound to, outside of it."""
    names = function.__globals__
    found = [names[n] for n in code.co_names if isinstance(names.get(n, names), VALUES)]
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not bound yet
            continue
        found += [value] if isinstance(value, VALUES) else []
    return found


def _equal(these, those):
    return len(these) == len(those) and all(a is b or a == b for a, b in zip(these, those))


def _copied(tree):
    """The same with new Tensors: a graph's are the same in each call."""
    return mapped(lambda x: x.detach().clone() if isinstance(x, Tensor) else x, tree)
