"""How a write goes on the tape: what becomes of the history of a Tensor, of what it is a view of,
and of the other views."""

import sys

import numpy as np

from ..arrays import address, seam
from ..arrays.device import on_gpu
from ..autograd import Tensor, enable_grad, tensor_of
from ..autograd.hooks import rebase
from ..engine.grad_mode import mode
from ..engine.tensor import fresh, refresh_views
from .indexing import _put, getitem
from .layout import constant


def is_recorded(self, sources):
    """Does this write belong on the tape?"""
    if not mode.grad_enabled:
        return False
    if refresh_views:
        refresh((self, *sources))
    return self._wanted or (
        self.array.dtype.kind == "f"
        # or a view that is older than its base's requires_grad_()
        and (any(isinstance(s, Tensor) and s._wanted for s in sources) or self.requires_grad)
    )


def write(self):
    """The array to write into, after announcing the write: backward must not use values saved
    before it."""
    self._version[0] += 1
    return self.array


def repeats(array):
    """Does memory stand in this array several times?"""
    steps = array.strides
    return (
        0 in steps
        and array.size > 0
        and any(n > 1 and not step for n, step in zip(array.shape, steps))
    )


def refuse_repeated(array, name):
    if repeats(array):
        what = "a tensor whose elements share memory, as expand() makes them"
        raise RuntimeError(f"{name} into {what}: write into its clone()")


def view_chain(self, name):
    """self, what it is a view of, what that is a view of, ..."""
    found = [self]
    while (base := getattr(found[-1], "_base", None)) is not None:
        if base is False:
            raise RuntimeError(
                f"{name} into a view made under no_grad(), of a tensor that is on the tape: make "
                "the view outside"
            )
        found.append(base)
    if any(t._wanted and t._node is None for t in found):
        raise RuntimeError(
            f"{name} would change a leaf that requires "
            f"grad{' through a view' if len(found) > 1 else ''} in place while recording: "
            "wrap it in `with no_grad():`, use .data, or the form that makes a new tensor"
        )
    return found


def record(self, name, compute, assign=None, is_card=True):
    """A write on the tape: self becomes compute(what it was), in memory and in history.

    assign(array) : writes the new values into self's array; default: all of them
    is_card : is compute one op card, so that all it saved is in the result's tape entry?
    """
    refuse_repeated(self.array, name)
    chain = view_chain(self, name)
    sole = is_sole_owner(self)
    old = _alias(self)
    if not is_card and not sole:
        old.array = seam.execute(copied, old.array)
    with enable_grad():
        result = compute(old)
        if result.shape != self.shape:
            raise RuntimeError(
                f"{name}: the result has shape {tuple(result.shape)}, it cannot be written into "
                f"{tuple(self.shape)}"
            )
        if not result.requires_grad:  # the new values are constants
            result = _put(old, ..., result)
        elif result.dtype != self.dtype:
            raise RuntimeError(
                f"{name}: the result is {result.dtype}, it cannot be written into {self.dtype}"
            )
        if sole and exchangeable(self, result.array):  # what was saved of the memory stays right
            self.array, self._version = result.array, [0]
            rebase(self, result._node)
            return self
        _unshare_saved(result._node, old.array)
        changed = [(self, result)]
        for view, base in zip(chain, chain[1:]):
            where = (_positions(base, view).reshape(-1),)
            flat = _put(_alias(base).reshape(-1), where, changed[-1][1].reshape(-1))
            changed.append((base, flat.reshape(base.shape)))
    for tensor, _ in changed:
        if tensor._node is not None:
            _unshare_result(tensor._node)
    array = write(self)
    if assign is None:
        seam.execute(put_into, array, ..., result.array)
    else:
        assign(array)
    self._version[1:] = [result._node.number]
    for tensor, value in changed[1:] or changed:  # the view itself follows when it is used next
        rebase(tensor, value._node)
    if not refresh_views:
        refresh_views.append(refresh)
    if self.__dict__ and self.retains_grad:
        refresh((self,))
    return self


def _alias(x):
    """x as it is on the tape now: x itself will soon be elsewhere on it."""
    return (tensor_of if hasattr(x, "_base") else fresh)(x.array, x._wanted, x._node)


def is_sole_owner(x):
    """Does nothing else use x's memory: no view, no detached Tensor, no array of the caller's, no
    saved value?"""
    if _references is None or getattr(x, "_base", None) is not None or x.array.base is not None:
        return False
    return _references(x.array) == _NO_OTHERS and seam.may_exchange()


def exchangeable(x, array):
    """Can x, whose memory nobody else uses, take this array instead? The order in memory, if known,
    must stay."""
    return array.strides == x.array.strides or not hasattr(x, "_base")


_references = getattr(sys, "getrefcount", None)  # CPython's
_NO_OTHERS = (lambda x: _references and _references(x.array))(tensor_of(np.empty(1)))


def _unshare_saved(node, array):
    """What a tape entry saved of `array` becomes a copy: the memory is about to be overwritten."""
    node.saved = [seam.execute(copied, s) if s is array else s for s in node.saved]


def _unshare_result(node):
    """A tape entry takes a copy of its result where it saved it: its memory is about to change in a
    way that is on the tape."""
    for version, number, i, _, slot in node.sources:
        if i < 0 and version[0] == number:
            node.saved[slot] = seam.execute(copied, node.saved[slot])
            node.sources = [s for s in node.sources if s[2] >= 0]
            node.sources.append(([0], 0, -1, None, slot))


def refresh(tensors):
    """Bring views up to date after writes that were recorded on what they are views of."""
    for x in tensors:
        base = getattr(x, "_base", None) if isinstance(x, Tensor) and len(x._version) > 1 else None
        # a leaf is what it was, but for its data
        if isinstance(base, Tensor) and base._node is not None:
            if (
                not x._wanted
                if x._node is None
                else x._node.number < min(x._version[1], base._node.number)
            ):
                where = (_positions(base, x).reshape(-1),)
                with enable_grad():
                    rebase(x, getitem(_alias(base).reshape(-1), where).reshape(x.shape)._node)


def _positions(base, view):
    """Where in base.reshape(-1) the elements of a view of it are: integers in the shape of the
    view."""
    wanted = address(view.array) - address(base.array) + _offsets(view.array)
    if base.array.flags.c_contiguous:
        found = wanted // base.array.itemsize
    else:
        places = _offsets(base.array).reshape(-1)
        order = np.argsort(places, kind="stable")
        found = order[np.searchsorted(places[order], wanted)]
    return constant(base.array, found) if on_gpu(base.array) else found


def _offsets(array):
    """The distance of each element from the first, in bytes."""
    out = np.zeros(array.shape, np.int64)
    for i, (n, stride) in enumerate(zip(array.shape, array.strides)):
        out += (np.arange(n) * stride).reshape((-1,) + (1,) * (array.ndim - 1 - i))
    return out


def copied(array):
    return array.copy()


def put_into(array, index, values):
    array[index] = values
