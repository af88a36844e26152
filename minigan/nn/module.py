"""Module: a function with parameters. What it holds is what has been assigned to its attributes, in
that order."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from ..autograd import Tensor
from . import hooks
from .module_state import ModuleState
from .parameter import Parameter

__all__ = ["Module"]


class Module(ModuleState):
    """Base class of all layers and networks. Assign Parameters and Modules in `__init__`, compute
    in `forward`.

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(2, 1)

            def forward(self, x):
                return self.layer(x).tanh()

    Attributes are ordinary ones: `self.layer` costs no more than in any Python object. Parameters,
    buffers and submodules are found by their type (buffers by the names in `_buffer_names`).

    training : mode of layers like BatchNorm and Dropout; set it with `train()` and `eval()`
    per_example : does row i of the output depend on row i of the input only, in the current mode?
        Then two batches may go through together. False unless a class knows better.
    convolves : do its parameters of more than two dimensions lie on CUDA as convolutions there read
        them, (O, ..., C)?
    """

    training: bool = True
    _buffer_names: dict[str, bool]
    per_example = False
    convolves = False
    # each replaced by a dict of its own in a module that has some
    _hooks: Mapping = MappingProxyType({})
    _pre_hooks: Mapping = MappingProxyType({})
    _backward_hooks: Mapping = MappingProxyType({})
    _backward_pre_hooks: Mapping = MappingProxyType({})

    def __new__(cls, *args: Any, **named: Any) -> Self:
        self = super().__new__(cls)
        # name -> persistent? Here and not in __init__: a subclass may forget super().__init__()
        self.__dict__["_buffer_names"] = {}
        return self

    call_super_init = False  # whether __init__ goes on to the classes behind Module

    def __init__(self, *args: Any, **named: Any) -> None:
        """Ends the chain of super().__init__(), as torch's: a mixin behind Module is initialised by
        who uses it."""
        if self.call_super_init:
            super().__init__(*args, **named)
        elif args or named:
            raise TypeError(
                f"{type(self).__name__}: Module.__init__ takes no arguments, got {args or named}"
            )

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        if self._hooks or self._pre_hooks:
            return hooks.call(self, inputs, named)
        return self.forward(*inputs, **named)

    def forward(self, *inputs):
        """What the module computes; every subclass defines it."""
        raise NotImplementedError(
            f"{type(self).__name__} has no forward(): define `def forward(self, x): ...` in the "
            "class"
        )

    # --- attributes ---

    def __setattr__(self, name, value):
        own, buffers = self.__dict__, self.__dict__["_buffer_names"]
        old, fix = own.get(name), None
        kind = type(None) if name in buffers else None
        if kind is None:
            kind = next((k for k in (Parameter, Module) if isinstance(old, k)), None)
        if kind is Parameter and value is not None and not isinstance(value, Parameter):
            fix = (
                "a parameter: assign nn.Parameter(...), copy into it under no_grad(), or `del` "
                "it first"
            )
        elif kind is Module and value is not None and not isinstance(value, (Parameter, Module)):
            fix = "a submodule: assign a Module, or `del` it first"
        elif name in buffers and value is not None and not isinstance(value, (Tensor, Module)):
            fix = "a buffer: assign a Tensor or None, or `del` it first"
        if fix:
            raise TypeError(
                f"{type(self).__name__}.{name} cannot become {type(value).__name__}, it is {fix}"
            )
        if not isinstance(value, (Parameter, Module)):
            object.__setattr__(self, name, value)
            return
        buffers.pop(name, None)
        if isinstance(value, Parameter) and value.name is None:
            value.name = f"{type(self).__name__}.{name}"
        if kind is None or not isinstance(value, kind):
            own.pop(name, None)  # registered now: the order is that of registration
        own[name] = value

    def __delattr__(self, name):
        object.__delattr__(self, name)
        self._buffer_names.pop(name, None)

    if not TYPE_CHECKING:  # with it, checkers would believe that there is every attribute

        def __getattr__(self, name):  # called only where there is no such attribute
            import difflib

            close = [] if name.startswith("_") else difflib.get_close_matches(name, dir(self), 1)
            raise AttributeError(
                f"{type(self).__name__!r} has no attribute {name!r}"
                + (f"; did you mean {close[0]!r}?" if close else "")
            )

    def _free_name(self, what, name, free):
        """Check a name under which something is about to be registered."""
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(
                f"{type(self).__name__}: the name of a {what} must be a string without '.', not "
                f"empty; got {name!r}"
            )
        taken = self.__dict__.get(name, getattr(type(self), name, None))
        if taken is not None and not free(taken):
            raise KeyError(
                f"{type(self).__name__}: attribute {name!r} already exists, it cannot be a {what}"
            )

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Assign a Parameter, or None for one that this module does without."""
        mine = self._buffer_names
        self._free_name("parameter", name, lambda x: isinstance(x, Parameter) and name not in mine)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"{type(self).__name__}: parameter {name!r} must be an nn.Parameter or None, got "
                f"{type(param).__name__}"
            )
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Assign a Tensor that is state but no parameter (it moves with the module, and is in
        `state_dict` if persistent)."""
        self._free_name("buffer", name, lambda old: name in self._buffer_names)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"{type(self).__name__}: buffer {name!r} must be a Tensor or None, got "
                f"{type(tensor).__name__}"
            )
        self.__dict__.pop(name, None)
        self._buffer_names[name] = persistent
        object.__setattr__(self, name, tensor)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Assign a submodule, also under a name that is no Python identifier."""
        self._free_name("submodule", name, lambda old: isinstance(old, Module))
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: submodule {name!r} must be a Module or None, got "
                f"{type(module).__name__}"
            )
        setattr(self, name, module)

    register_module = add_module

    # --- what it holds ---

    @property
    def _parameters(self):
        own, buffers = self.__dict__, self._buffer_names  # a Parameter can be a buffer
        found = {k: v for k, v in own.items() if isinstance(v, Parameter) and k not in buffers}
        return _Members(self, found)

    @property
    def _modules(self):
        return _Members(self, {k: v for k, v in self.__dict__.items() if isinstance(v, Module)})

    @property
    def _buffers(self):
        return _Buffers(self, {k: self.__dict__[k] for k in self._buffer_names})

    def named_modules(
        self, memo=None, prefix: str = "", remove_duplicate: bool = True
    ) -> "Iterator[tuple[str, Module]]":
        """("", self) and all submodules at any depth, as ("block.0", module) pairs; shared ones
        once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            path = f"{prefix}.{name}" if prefix else name
            yield from module.named_modules(memo, path, remove_duplicate)

    def named_children(self) -> "Iterator[tuple[str, Module]]":
        """The direct submodules as (name, module); shared ones once."""
        seen = set()
        for name, module in self._modules.items():
            if module not in seen:
                seen.add(module)
                yield name, module

    def _named_members(self, members, prefix, recurse, remove_duplicate):
        seen = set()
        within = [(prefix, self)]
        if recurse:
            within = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in within:
            for name, tensor in members(module).items():
                if tensor is not None and tensor not in seen:
                    if remove_duplicate:
                        seen.add(tensor)
                    yield (f"{path}.{name}" if path else name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:  # fmt: skip
        """All Parameters as ("block.0.weight", parameter), in order of registration; shared ones
        once."""
        return self._named_members(lambda m: m._parameters, prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:  # fmt: skip
        """All buffers as ("block.1.running_mean", tensor); shared ones once."""
        return self._named_members(lambda m: m._buffers, prefix, recurse, remove_duplicate)

    def modules(self) -> "Iterator[Module]":
        """This module and all submodules at any depth; shared ones once."""
        return (m for _, m in self.named_modules())

    def children(self) -> "Iterator[Module]":
        """The direct submodules."""
        return (m for _, m in self.named_children())

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All Parameters: what an optimiser takes."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> "Module":
        """The submodule at a path such as "block.0"; "" is the module itself."""
        module = self
        for name in target.split(".") if target else ():
            found = module.__dict__.get(name)
            if not isinstance(found, Module):
                names = ", ".join(module._modules) or "none"
                raise AttributeError(
                    f"{type(module).__name__} has no submodule {name!r} (of the path {target!r}); "
                    f"it has {names}"
                )
            module = found
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The Parameter at a path such as "block.0.weight"."""
        return self._named("parameter", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as "block.1.running_mean"."""
        return self._named("buffer", target)

    def _named(self, kind, target):
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        here = module._parameters if kind == "parameter" else module._buffers
        if name not in here:
            raise AttributeError(
                f"{type(module).__name__} has no {kind} {name!r}; it has "
                f"{', '.join(here) or 'none'}"
            )
        return here[name]

    # --- to all of it ---

    def apply(self, fn: "Callable[[Module], object]") -> Self:
        """Call fn(module) on every submodule, then on this one; e.g. to initialise weights."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Training mode for this module and all submodules (False: evaluation mode)."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Evaluation mode: running statistics, no dropout."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Shall gradients be computed for all parameters?"""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; set_to_none=False fills them with zeros
        instead."""
        for p in self.parameters():
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad.detach_().zero_()

    # --- hooks ---

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """Call hook(module, inputs, output) after each forward; what it returns, unless None,
        replaces the output.

        prepend : before the hooks that are there already
        with_kwargs : call hook(module, inputs, keywords, output)

        Returns a handle whose `remove()` ends that.
        """
        return hooks.register(self, "_hooks", hook, prepend, with_kwargs)

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Call hook(module, inputs) before each forward; what it returns, unless None, replaces the
        inputs (a tuple).

        with_kwargs : call hook(module, inputs, keywords), which returns None or (inputs, keywords)
        """
        return hooks.register(self, "_pre_hooks", hook, prepend, with_kwargs)

    def register_full_backward_hook(self, hook, prepend=False):
        """Call hook(module, grad_input, grad_output) when the gradients of a forward's inputs have
        been computed.

        Both are tuples, with None for what has no gradient; a tuple that it returns takes
        grad_input's place.
        """
        return hooks.register(self, "_backward_hooks", hook, prepend)

    register_backward_hook = register_full_backward_hook

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Call hook(module, grad_output) before the gradients of the inputs are computed; what it
        returns takes grad_output's place."""
        return hooks.register(self, "_backward_pre_hooks", hook, prepend)

    # --- looks ---

    def extra_repr(self) -> str:
        """The options that `repr` shows in parentheses."""
        return ""

    def _get_name(self):
        """The name that `repr` shows."""
        return type(self).__name__

    def _repr_children(self):
        return [f"({name}): {module!r}" for name, module in self._modules.items()]

    def __repr__(self):
        options, children = self.extra_repr(), self._repr_children()
        if not children and "\n" not in options:
            return f"{self._get_name()}({options})"
        lines = [*options.splitlines(), *children]
        return (
            f"{self._get_name()}(\n"
            + "\n".join("  " + line.replace("\n", "\n  ") for line in lines)
            + "\n)"
        )


class _Members(dict):
    """The parameters, submodules or buffers of a module by name. Setting and deleting here does so
    in the module, as in torch."""

    def __init__(self, module, members):
        super().__init__(members)
        self._module = module

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        setattr(self._module, name, value)

    def __delitem__(self, name):
        super().__delitem__(name)
        delattr(self._module, name)

    def pop(self, name, *default):
        value = super().pop(name, *default)
        if name in self._module.__dict__:
            delattr(self._module, name)
        return value


class _Buffers(_Members):
    """A Tensor that is set here becomes a buffer."""

    def __setitem__(self, name, value):
        self._module._buffer_names.setdefault(name, True)
        super().__setitem__(name, value)
