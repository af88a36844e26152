"""torch.nn.utils.parametrize: a parameter that is computed from others whenever it is read, by
modules that can be put on and taken off.

The parameter `weight` of a layer becomes a property of its class, a class of its own; what it is
computed from is in `layer.parametrizations.weight`: `original` (or original0, original1, ...), and
the modules "0", "1", ... in order.
"""

import contextlib
from typing import Any

from ..autograd import Tensor, no_grad
from .container import ModuleDict, ModuleList
from .module import Module
from .parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
]

_cache: list[dict[Any, Tensor]] = []  # {(id of the list): what it gave}, inside `cached`


@contextlib.contextmanager
def cached():
    """`with cached(): ...`: inside, each parametrized parameter is computed once, at its first
    use."""
    _cache.append(_cache[-1] if _cache else {})
    try:
        yield
    finally:
        _cache.pop()


class ParametrizationList(ModuleList):
    """The modules that compute one parameter, and what they compute it from.

    A module with `right_inverse(value)` says from what it would compute `value`; without it, from
    the value itself.
    """

    def __init__(self, modules: Any, original: Tensor, unsafe: bool = False) -> None:
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with no_grad():
            found = self._inverse(original)
        self.is_tensor = isinstance(found, Tensor)
        self.ntensors = 1 if self.is_tensor else len(found)
        if self.is_tensor:
            if found is not original:
                original.data = found.detach()
            self._register("original", original)
        else:
            for i, part in enumerate(found):
                self._register(
                    f"original{i}",
                    Parameter(part, original.requires_grad)
                    if isinstance(original, Parameter)
                    else part,
                )
        if not unsafe:
            self._check(self(), shape, dtype)

    def _inverse(self, value, needed=False):
        for module in reversed(self._list()):
            if hasattr(module, "right_inverse"):
                try:
                    value = module.right_inverse(value)
                except NotImplementedError:
                    if needed:
                        raise
            elif needed:
                raise RuntimeError(
                    f"parametrization {type(module).__name__} has no right_inverse: its value "
                    "cannot be set"
                )
        return value

    def _register(self, name, tensor):
        if isinstance(tensor, Parameter):
            self.register_parameter(name, tensor)
        else:
            self.register_buffer(name, tensor)

    @staticmethod
    def _check(value, shape, dtype):
        if not isinstance(value, Tensor) or value.shape != shape or value.dtype != dtype:
            what = (
                f"{value.dtype} {tuple(value.shape)}"
                if isinstance(value, Tensor)
                else type(value).__name__
            )
            raise ValueError(
                f"a parametrization made {what} of {dtype} {tuple(shape)}; unsafe=True allows that"
            )

    def _originals(self):
        return (
            [self.original]
            if self.is_tensor
            else [getattr(self, f"original{i}") for i in range(self.ntensors)]
        )

    def right_inverse(self, value: Tensor) -> None:
        """Set what it is computed from so that it is `value`, as far as the modules can."""
        with no_grad():
            found = self._inverse(value, needed=True)
            for own, part in zip(self._originals(), [found] if self.is_tensor else found):
                own.copy_(part)

    def forward(self):
        first, *rest = self._list()
        value = first(*self._originals())
        for module in rest:
            value = module(value)
        return value


def _property(name):
    def get(self):
        parametrization = self.parametrizations[name]
        if not _cache:
            return parametrization()
        if id(parametrization) not in _cache[-1]:
            _cache[-1][id(parametrization)] = parametrization()
        return _cache[-1][id(parametrization)]

    return property(get, lambda self, value: self.parametrizations[name].right_inverse(value))


def register_parametrization(
    module: Any, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:  # fmt: skip
    """Let `parametrization` compute the parameter or buffer `tensor_name` of a module from now on,
    after those that do so already.

    parametrization : a Module whose forward takes the parameter and gives another of its shape and
        dtype (any, if unsafe)

    State: parametrizations.<name>.original instead of <name>. Returns the module.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        parametrizations = module.parametrizations[tensor_name]
        before = getattr(module, tensor_name)
        if not unsafe:
            with no_grad():
                ParametrizationList._check(parametrization(before), before.shape, before.dtype)
        parametrizations.append(parametrization)
        parametrizations.unsafe |= unsafe
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        have = ", ".join([*module._parameters, *module._buffers]) or "none"
        raise ValueError(
            f"{type(module).__name__} has no parameter or buffer {tensor_name!r} to be "
            f"parametrized; it has {have}"
        )
    parametrizations = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.__class__ = type(
            f"Parametrized{type(module).__name__}", (type(module),), {"__module__": __name__}
        )
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _property(tensor_name))
    module.parametrizations[tensor_name] = parametrizations
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Has the module a parametrization (of this name)?"""
    found = module.__dict__.get("parametrizations")
    return isinstance(found, ModuleDict) and (
        len(found) > 0 if tensor_name is None else tensor_name in found
    )


def remove_parametrizations(
    module: Any, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Take all parametrizations of a parameter off: it is what they computed last (else the
    original) and again the module's own."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"{type(module).__name__} has no parametrization of {tensor_name!r}")
    parametrizations = module.parametrizations[tensor_name]
    if not leave_parametrized and not parametrizations.is_tensor:
        raise ValueError(
            f"remove_parametrizations: {tensor_name!r} has several originals: leave_parametrized "
            "must be True"
        )
    original = parametrizations._originals()[0]
    if leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name)
        if parametrizations.is_tensor:
            original.data = value.detach().clone()
        else:
            original = (
                Parameter(value.detach(), original.requires_grad)
                if isinstance(original, Parameter)
                else value.detach()
            )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if not is_parametrized(module):
        module.__class__ = type(module).__bases__[0]
        del module.parametrizations
    if isinstance(original, Parameter):
        module.register_parameter(tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
    return module
