"""Modules that hold modules."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from ..autograd import Tensor
from .module import Module
from .parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Numbered(Module):
    """Submodules under the names "0", "1", ...: what Sequential and ModuleList share."""

    def _list(self):
        return [m for m in self.__dict__.values() if isinstance(m, Module)]

    def _index(self, i):
        n = len(self)
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of range for {type(self).__name__} of {n} modules")
        return i % n

    def _rebuild(self, modules):
        """Hold exactly these, numbered from 0."""
        for name in list(self._modules):
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)
        return self

    def __len__(self) -> int:
        return len(self._list())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._list())

    def __contains__(self, module):
        return any(m is module for m in self._list())

    def __getitem__(self, i) -> Any:
        return self._list()[self._index(i)]

    def __setitem__(self, i, module):
        self.add_module(list(self._modules)[self._index(i)], module)

    def __delitem__(self, i):
        modules = self._list()
        del modules[i if isinstance(i, slice) else self._index(i)]
        self._rebuild(modules)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index, module):
        """Insert a module before position `index`; those after it are renumbered."""
        modules = self._list()
        modules.insert(index, module)
        return self._rebuild(modules)

    def extend(self, modules):
        """Append each of `modules`."""
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, index=-1):
        """Remove and return the module at `index`; those after it are renumbered."""
        module = self[index]
        del self[index]
        return module

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, modules: Iterable[Module]) -> Any:
        """A container of the same modules and then those of another."""
        both = [*self, *modules]
        return Sequential(*both) if isinstance(self, Sequential) else type(self)(both)


class Sequential(_Numbered):
    """Modules applied one after the other: Sequential(a, b, ...) or Sequential({"name": a, ...}).

    Indexing gives a module, a slice a Sequential of the same modules (under their names here).
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], dict):
            for name, module in modules[0].items():
                self.add_module(name, module)
            return
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                hint = ": write Sequential(*layers)" if isinstance(module, (list, tuple)) else ""
                raise TypeError(
                    f"Sequential: argument {i} is not a Module but {type(module).__name__}{hint}"
                )
            self.add_module(str(i), module)

    @property
    def per_example(self):
        return type(self).forward is Sequential.forward and all(m.per_example for m in self._list())

    def forward(self, input):
        for module in self._list():
            input = module(input)
        return input

    def __getitem__(self, i) -> Any:
        if isinstance(i, slice):
            return type(self)(dict(list(self._modules.items())[i]))
        return super().__getitem__(i)


class ModuleList(_Numbered):
    """A list of modules that are registered: `for layer in self.layers: ...`. It has no forward."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __getitem__(self, i) -> Any:
        return type(self)(self._list()[i]) if isinstance(i, slice) else super().__getitem__(i)

    def _repr_children(self):
        """Runs of equal modules on one line, as torch shows them: (0-2): 3 x Linear(...)."""
        runs = []  # [first, last, text]
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        return [
            f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}"
            for a, b, text in runs
        ]


class ModuleDict(Module):
    """A dict of modules that are registered: `self.heads["digit"](x)`. It has no forward."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules):
        """Set all of a mapping, or of (key, module) pairs."""
        for key, module in modules.items() if hasattr(modules, "items") else modules:
            self[key] = module

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        self._modules[key]  # KeyError for what is no module
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def keys(self):
        """The names."""
        return self._modules.keys()

    def values(self):
        """The modules."""
        return self._modules.values()

    def items(self):
        """(name, module) pairs."""
        return self._modules.items()

    def pop(self, key):
        """Remove and return a module."""
        module = self[key]
        del self[key]
        return module

    def clear(self):
        """Remove all."""
        for key in list(self._modules):
            del self[key]


class ParameterList(Module):
    """A list of Parameters that are registered."""

    def __init__(self, values: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.extend(values)

    def append(self, parameter):
        """Add a Parameter (or a Tensor, which becomes one) at the end."""
        self.register_parameter(str(len(self)), _parameter(parameter))
        return self

    def extend(self, parameters):
        """Append each of `parameters`."""
        for p in parameters:
            self.append(p)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._parameters.values())

    def __getitem__(self, i) -> Any:
        return list(self)[i]

    def __setitem__(self, i, parameter):
        self.register_parameter(list(self._parameters)[i], _parameter(parameter))

    def _repr_children(self):
        return _described(self._parameters)


class ParameterDict(Module):
    """A dict of Parameters that are registered: `self.scales["fine"] * x`."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def update(self, parameters: Any) -> None:
        """Set all of a mapping, or of (key, parameter) pairs."""
        items = parameters.items() if hasattr(parameters, "items") else parameters
        for key, parameter in items:
            self[key] = parameter

    def __getitem__(self, key: str) -> Parameter:
        return self._parameters[key]

    def __setitem__(self, key: str, parameter: Tensor) -> None:
        self.register_parameter(key, _parameter(parameter))

    def __delitem__(self, key: str) -> None:
        self._parameters[key]  # KeyError for what is no parameter
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, key: str) -> bool:
        return key in self._parameters

    def keys(self) -> Any:
        """The names."""
        return self._parameters.keys()

    def values(self) -> Any:
        """The Parameters."""
        return self._parameters.values()

    def items(self) -> Any:
        """(name, Parameter) pairs."""
        return self._parameters.items()

    def get(self, key: str, default: Any = None) -> Any:
        """The Parameter of a name, or `default`."""
        return self._parameters.get(key, default)

    def pop(self, key: str) -> Parameter:
        """Remove and return a Parameter."""
        parameter = self[key]
        del self[key]
        return parameter

    def clear(self) -> None:
        """Remove all."""
        for key in list(self._parameters):
            del self[key]

    def _repr_children(self):
        return _described(self._parameters)


def _parameter(tensor):
    return tensor if isinstance(tensor, Parameter) else Parameter(tensor)


def _described(parameters):
    return [
        f"({name}): Parameter of shape {tuple(p.shape)}, {p.dtype.name}"
        for name, p in parameters.items()
    ]
