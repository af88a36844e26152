"""What Tensors lie in: dicts (mappings), lists and tuples, of them and of each other. Whatever else
there is, is a leaf."""

from collections.abc import Callable, Mapping
from typing import Any

from .tensor import Tensor

TREES = (Mapping, list, tuple)


def leaves(tree: Any) -> list[Any]:
    """The leaves, in order."""
    if not isinstance(tree, TREES):
        return [tree]
    parts = tree.values() if isinstance(tree, Mapping) else tree
    return [leaf for part in parts for leaf in leaves(part)]


def tensors(tree: Any) -> list[Tensor]:
    """Those leaves that are Tensors."""
    return [x for x in leaves(tree) if isinstance(x, Tensor)]


def mapped(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The same tree with function(leaf, ...) in the place of each leaf, called in the order of
    `leaves`; `others`, whose leaves it is also given, have the tree's form."""
    if isinstance(tree, Mapping):
        parts = {k: mapped(function, v, *(other[k] for other in others)) for k, v in tree.items()}
        return parts if type(tree) is dict else type(tree)(parts)  # type: ignore[call-arg]
    if isinstance(tree, (list, tuple)):
        found = [mapped(function, *both) for both in zip(tree, *others)]
        return type(tree)(*found) if hasattr(tree, "_fields") else type(tree)(found)
    return function(tree, *others)
