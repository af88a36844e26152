"""The state of a Module: its parameters and buffers, moved, saved and loaded."""

from collections import namedtuple
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..arrays import is_array, to_device
from ..arrays.device import on_gpu
from ..autograd import FLOATS, Tensor, no_grad, raw
from ..ops.layout import by_position
from ..ops.placement import move, parse_to
from .parameter import Parameter, as_device

if TYPE_CHECKING:
    from .module import Module


class ModuleState:
    """Base class of Module: what it does with all that it holds, whatever that is."""

    if TYPE_CHECKING:  # a Module has these
        _buffer_names: dict[str, bool]
        _parameters: Any
        _modules: Any

        def modules(self) -> Iterator[Module]: ...
        def parameters(self, recurse: bool = True) -> Iterator[Parameter]: ...
        def buffers(self, recurse: bool = True) -> Iterator[Tensor]: ...

    def to(
        self, *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False,
        memory_format: Any = None
    ) -> Self:  # fmt: skip
        """Move all parameters and buffers: to(device), to(dtype), to(device, dtype), to(tensor).
        Integers keep their dtype.

        In place: the Parameters stay the same objects, so that an optimiser keeps them.
        """
        device, dtype = parse_to(args, device, dtype)
        if dtype is not None and dtype not in FLOATS:
            raise TypeError(
                f"{type(self).__name__}.to: parameters must have a floating-point dtype, got "
                f"{dtype}"
            )
        kernels = {
            id(p)
            for module in self.modules()
            if module.convolves
            for p in module.parameters(False)
            if p.ndim > 2
        }
        for tensor in [*self.parameters(), *self.buffers()]:
            for t in (tensor, tensor.grad):
                if t is not None:
                    moved = move(t.array, device, dtype if t.dtype in FLOATS else None)
                    if moved is not t.array:
                        t.data = (
                            by_position(moved) if id(tensor) in kernels and on_gpu(moved) else moved
                        )
        return self

    def cpu(self) -> Self:
        """To the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = 0) -> Self:
        """To a CUDA device; DeviceError where there is none."""
        return self.to(as_device(device))

    def float(self) -> Self:
        """Parameters and buffers as float32."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Parameters and buffers as float64."""
        return self.to(np.float64)

    def half(self) -> Self:
        """Parameters and buffers as float16."""
        return self.to(np.float16)

    def type(self, dst_type: Any) -> Self:
        """Parameters and buffers with another dtype: a dtype, or a class such as `FloatTensor`."""
        return self.to(
            getattr(dst_type, "dtype", dst_type), device=getattr(dst_type, "device", None)
        )

    def share_memory(self) -> Self:
        """Itself: data loaders use threads, which share all memory."""
        return self

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Without effect, as minigan.compile."""

    # --- saving ---

    def __getstate__(self):
        """What copy and pickle take. A result of ops (a weight that a hook computed) as a constant:
        it would take its tape along."""
        return {
            k: v.detach() if isinstance(v, Tensor) and not v.is_leaf else v
            for k, v in self.__dict__.items()
        }

    def state_dict(
        self, destination=None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """{"block.0.weight": Tensor, ...} of all parameters and persistent buffers. Not copies:
        detached, memory is shared."""
        state = {} if destination is None else destination
        for name, persistent in {
            **dict.fromkeys(self._parameters, True),
            **self._buffer_names,
        }.items():
            tensor = self.__dict__[name]
            if persistent and tensor is not None:
                state[prefix + name] = tensor if keep_vars else tensor.detach()
        for name, module in self._modules.items():
            module.state_dict(state, f"{prefix}{name}.", keep_vars)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> "LoadedKeys":
        """Copy the values of a `state_dict()` (Tensors or arrays) into the parameters and buffers
        of the same names.

        strict : are missing and unexpected keys errors? Wrong shapes always are.
        All is checked before anything is copied: after an error the module is what it was. Returns
        the two lists of keys.
        """
        own = self.state_dict(keep_vars=True)
        missing = [k for k in own if k not in state_dict]
        unexpected = [k for k in state_dict if k not in own]
        values = {k: _values(state_dict[k]) for k in own if k in state_dict}
        for k, v in values.items():
            if v is not None and v.shape == (1,) and own[k].array.shape == ():
                values[k] = v.reshape(())  # as torch before 0.4 and ascontiguousarray leave it
        problems = []
        if strict and missing:
            problems.append(f"missing keys: {', '.join(missing)}")
        if strict and unexpected:
            problems.append(f"unexpected keys: {', '.join(map(str, unexpected))}")
        for k, v in values.items():
            if v is None:
                problems.append(
                    f"{k} is no Tensor or array of numbers but {type(state_dict[k]).__name__}"
                )
            elif v.shape != own[k].array.shape:
                problems.append(f"{k} has shape {v.shape}, here it is {own[k].array.shape}")
        if problems:
            raise RuntimeError(
                f"cannot load this state into {type(self).__name__} (nothing was changed):\n  "
                + "\n  ".join(problems)
            )
        with no_grad():
            for k, v in values.items():
                own[k].copy_(to_device(v, own[k].device))
        return LoadedKeys(missing, unexpected)


class LoadedKeys(namedtuple("LoadedKeys", ["missing_keys", "unexpected_keys"])):
    """What `load_state_dict` did not find in the state, and what it found there but not in the
    module."""

    def __repr__(self):
        return (
            super().__repr__()
            if self.missing_keys or self.unexpected_keys
            else "<All keys matched successfully>"
        )


def _values(value):
    """The array of a Tensor or array-like of numbers; None for anything else."""
    value = raw(value)
    if not is_array(value):
        try:
            value = np.asarray(value)
        except Exception:
            return None
    return value if value.dtype.kind in "fiub" else None
