"""A module as a function of its parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..autograd import Tensor
from .module import Module


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: "Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]]",
    args: Any = None,
    kwargs: "Mapping[str, Any] | None" = None, *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """module(*args, **kwargs), computed with other parameters and buffers; afterwards the module
    has its own again, also on an error.

    parameter_and_buffer_dicts : {"block.0.weight": Tensor, ...}, or several such dicts without
        common names; what they do not name stays the module's own. Results lead back to these
        Tensors along the tape: a discriminator after k differentiable steps (Metz et al. 2017) is a
        call with other weights.
    args : a tuple of arguments, or one argument
    tie_weights : a parameter that the module has under several names is replaced under all of them
    strict : must every parameter and buffer be named?

    As torch.func.functional_call, but a name that the module does not have is an error here.
    Buffers that the call changes in place (running statistics) change: the given ones where they
    are given, else the module's own.
    """
    dicts = (
        [parameter_and_buffer_dicts]
        if isinstance(parameter_and_buffer_dicts, Mapping)
        else list(parameter_and_buffer_dicts)
    )
    given = {name: tensor for d in dicts for name, tensor in d.items()}
    if len(given) != sum(map(len, dicts)):
        raise ValueError("functional_call: several of the dicts name the same parameter")
    places: dict[str, tuple[Module, str]] = {}  # name -> the module that holds it, under which name
    for path, part in module.named_modules(remove_duplicate=False):
        for name in (*part._parameters, *part._buffers):
            places[f"{path}.{name}" if path else name] = (part, name)
    if unknown := [k for k in given if k not in places]:
        raise KeyError(
            f"functional_call: {type(module).__name__} has no parameter or buffer "
            f"{', '.join(map(repr, unknown))}"
        )
    if strict and (missing := [k for k in places if k not in given]):
        raise RuntimeError(
            f"functional_call: strict=True, and there is no value for {', '.join(missing)}"
        )
    values = _tied(given, places) if tie_weights else given
    own = []
    try:
        for key, tensor in values.items():
            part, name = places[key]
            own.append((part, name, part.__dict__[name]))
            part.__dict__[name] = tensor
        args = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*args, **(kwargs or {}))
    finally:
        for part, name, value in reversed(own):
            part.__dict__[name] = value


def _tied(given, places):
    """The given values, and for each name of the same parameter or buffer the same value."""
    names = {}
    for key, (part, name) in places.items():
        names.setdefault(id(part.__dict__[name]), []).append(key)
    values = {}
    for key, tensor in given.items():
        part, name = places[key]
        own = part.__dict__[name]
        for other in names[id(own)] if own is not None else [key]:
            if values.setdefault(other, tensor) is not tensor:
                raise ValueError(
                    f"functional_call: different values for {key!r} and another name of it, "
                    f"{other!r}; see tie_weights"
                )
    return values
