"""Functions that see a gradient as it passes: `tensor.register_hook(f)` and
`tensor.retain_grad()`."""

import weakref
from collections.abc import Callable
from typing import Any

from ..engine.backward import AFTERWARDS, HOOKS
from ..engine.tensor import Tensor


class Handle:
    """Takes a hook away again: `remove()`, or the end of a `with` block."""

    def __init__(self, hooks: dict, key: object) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        self._hooks.pop(self._key, None)

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> Handle:
    """Call hook(gradient) whenever the whole gradient of this Tensor has been computed, before it
    flows on (or into `.grad`).

    A Tensor that it returns takes the gradient's place. The handle's `remove()` ends this.
    """
    if not self.requires_grad:
        raise RuntimeError(
            "register_hook: this tensor does not require a gradient, so none will come by"
        )
    edge = self._node or self
    number, key = id(edge), object()
    if number not in HOOKS:
        HOOKS[number] = weakref.ref(edge, lambda _: HOOKS.pop(number, None)), {}
    hooks = HOOKS[number][1]
    hooks[key] = hook
    return Handle(hooks, key)


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> Handle:
    """Call hook(this leaf) after each `backward` that has left a gradient in its `.grad`."""
    if self._node is not None or not self.requires_grad:
        raise RuntimeError(
            "register_post_accumulate_grad_hook: only leaves that require a gradient receive one"
        )
    number, key = id(self), object()
    if number not in AFTERWARDS:
        AFTERWARDS[number] = weakref.ref(self, lambda _: AFTERWARDS.pop(number, None)), {}
    hooks = AFTERWARDS[number][1]
    hooks[key] = hook
    return Handle(hooks, key)


def retain_grad(self: Tensor) -> None:
    """Let backward leave the gradient in `.grad`, as it does for leaves; after a recorded write of
    the new value."""
    if not self.requires_grad:
        raise RuntimeError(
            "retain_grad: this tensor does not require a gradient: none will come by"
        )
    if not self.is_leaf and not self.retains_grad:
        _retain(self)


def _retain(self):
    kept = weakref.ref(self)

    def keep(gradient):
        tensor = kept()
        if tensor is not None:
            tensor.grad = gradient.clone() if tensor.grad is None else tensor.grad + gradient

    self._retained = register_hook(self, keep)


def rebase(tensor, node):
    """Give a Tensor that was written into its new place on the tape.

    Of its hooks only the one that retains the gradient goes along.
    """
    retains = HOOKS and tensor.retains_grad  # asked for first: with its old place its hooks may go
    tensor._node, tensor._wanted = node, True
    if retains:
        tensor._retained.remove()
        _retain(tensor)
