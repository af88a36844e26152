"""The tape: an entry for each recorded op, which knows where its arguments came from and what it
kept for backward."""

import itertools

import numpy as np

from ..messages import backward as problems
from .tensor import Tensor, fresh

ndarray = np.ndarray
# entries are numbered in the order in which they are made
next_number = itertools.count(1).__next__


class Node:
    """A tape entry: which op, where its arguments came from, and what it kept.

    edges : for each argument, the Node that made it, the leaf Tensor itself, or None where no
        gradient is wanted
    number : order of creation; going down the numbers meets every node after all nodes that use its
        result
    saved : what `backward` needs: arrays, numbers, shapes; None once it was freed
    sources : of each array that came from a Tensor the memory's version, its number then, the
        argument (-1: the result), the Tensor, the place in `saved`. A Tensor that is given other
        memory later (`.data = ...`) changes nothing in `saved`
    """

    __slots__ = (
        "op", "edges", "saved", "sources", "number", "shape", "dtype", "line", "holds",
        "__weakref__",
    )  # fmt: skip

    def __init__(self, op, edges, shape, dtype, number):
        self.op = op
        self.edges = edges
        self.shape = shape
        self.dtype = dtype
        self.number = number
        self.saved = self.sources = ()
        self.line, self.holds = None, False

    def save(self, places, inputs, extra, out):
        """Keep what the card's `saves` names, as bare arrays; of those that came from Tensors also
        these and their versions. (Not the Tensor of the result: it points back to this node, which
        would be a cycle.)"""
        saved = []
        sources = []
        edges = self.edges
        holds = False  # arrays, which are dropped after use; numbers and shapes may stay
        for kind, i, only_for in places:
            if only_for is not None and edges[only_for] is None:
                x = None
            elif kind == "argument":
                x = inputs[i]
                if isinstance(x, Tensor):
                    version = x._version
                    sources.append((version, version[0], i, x, len(saved)))
                    x = x.array
                elif x.__class__ is ndarray:
                    holds = True
            elif kind == "out":
                x, version = out.array, out._version
                sources.append((version, version[0], -1, None, len(saved)))
            elif kind == "shape":
                x = getattr(inputs[i], "shape", ())
            elif kind == "extra":
                x = extra[i]
                holds = True
            elif kind == "rest shapes":
                x = tuple(y.shape for y in inputs[i:])
            else:  # "rest": all of a variable number of arguments
                x = [y.array if isinstance(y, Tensor) else y for y in inputs[i:]]
                sources.extend(
                    (y._version, y._version[0], i + j, y, len(saved))
                    for j, y in enumerate(inputs[i:])
                    if isinstance(y, Tensor)
                )
            saved.append(x)
        self.saved = saved
        self.sources = sources
        self.holds = holds or bool(sources)

    def unpack(self, as_tensors):
        """What was saved, as arrays, or as Tensors that lead on along the tape."""
        if self.saved is None:
            raise problems.freed(self.op)
        for version, number, i, _, _ in self.sources:
            if version[0] != number:
                raise problems.changed_in_place(self, i)
        if not as_tensors:
            return self.saved
        saved = [list(x) if x.__class__ is list else x for x in self.saved]
        rest = len(self.op.card.names)  # arguments from here on are in a list of their own
        for _, _, i, tensor, slot in self.sources:
            if i < 0:
                saved[slot] = fresh(saved[slot], True, self)
            elif i < rest:
                saved[slot] = _as_saved(tensor, saved[slot])
            else:
                saved[slot][i - rest] = _as_saved(tensor, saved[slot][i - rest])
        return saved

    def free(self):
        """Drop what was saved."""
        self.saved, self.sources = None, ()

    def __repr__(self):
        return f"<{self.op.__name__} #{self.number} {tuple(self.shape)}>"


def _as_saved(tensor, array):
    """A saved argument as a Tensor: itself, or what it was before its memory was exchanged."""
    if tensor.array is array:
        return tensor
    if tensor._wanted and tensor._node is None:
        return entry(tensor, array)
    return fresh(array, tensor._wanted, tensor._node)


def entry(tensor, array=None):
    """A Tensor as the result of a tape entry of its own, without a copy.

    array : its values, if they are no longer in its memory
    """
    from .primitives import identity

    own = array is None
    array = tensor.array if own else array
    node = Node(identity, (tensor._node or tensor,), array.shape, array.dtype, next_number())
    return fresh(array, True, node, tensor._version if own else None)


def places(saves, names):
    """Where each name in a card's `saves` is found: (kind, index, index of the argument for whose
    gradient alone it is needed).

    names : of the card's arguments
    """
    found = []
    for saved in saves:
        saved, _, only = saved.partition(" for ")
        base, _, shape = saved.partition(".")
        if saved == "out":
            place = "out", 0
        elif base in names:
            place = "shape" if shape else "argument", names.index(base)
        elif base.startswith("*"):
            place = "rest shapes" if shape else "rest", len(names)
        else:
            place = "extra", sum(kind == "extra" for kind, *_ in found)
        found.append((*place, names.index(only) if only else None))
    return found
