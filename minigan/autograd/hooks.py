"""Functions that see a gradient as it passes: `tensor.register_hook(f)` and
`tensor.retain_grad()`."""

import weakref
from collections.abc import Callable
from typing import Any

from ..engine.backward import AFTERWARDS, HOOKS
from ..engine.tensor import Tensor, fresh, raw


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


class _Hooks(dict):
    """The hooks of a leaf or tape entry, {key: hook}: in a table of the engine's as long as it
    lives."""

    def __init__(self, table, edge):
        number = id(edge)
        self.edge = weakref.ref(edge, lambda _: table.pop(number, None))
        table[number] = self

    def add(self, hook):
        key = object()
        self[key] = hook
        return Handle(self, key)


class _GradientHooks(_Hooks):
    def __call__(self, gradient, create_graph):
        """What they make of a gradient (an array, or with create_graph a Tensor)."""
        for hook in list(self.values()):
            seen = gradient if create_graph else fresh(gradient)
            changed = hook(seen)
            if changed is None:  # but the hook may have written into it
                gradient = seen if create_graph else seen.array
                continue
            if changed.shape != seen.shape or changed.dtype != seen.dtype:
                raise RuntimeError(
                    f"a hook made a {changed.dtype} {tuple(changed.shape)} gradient of a "
                    f"{seen.dtype} {tuple(seen.shape)} one"
                )
            gradient = changed if create_graph else raw(changed).copy()
        return gradient


class _LeafHooks(_Hooks):
    def __call__(self, leaf):
        for hook in list(self.values()):
            hook(leaf)


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
    return (HOOKS.get(id(edge)) or _GradientHooks(HOOKS, edge)).add(hook)


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> Handle:
    """Call hook(this leaf) after each `backward` that has left a gradient in its `.grad`."""
    if self._node is not None or not self.requires_grad:
        raise RuntimeError(
            "register_post_accumulate_grad_hook: only leaves that require a gradient receive one"
        )
    return (AFTERWARDS.get(id(self)) or _LeafHooks(AFTERWARDS, self)).add(hook)


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
