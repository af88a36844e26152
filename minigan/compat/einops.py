"""einops on minigan's Tensors, for programs that use it: `from minigan.einops import rearrange` in
the place of `from einops import rearrange`, and `from minigan.einops import Rearrange` in that of
`from einops.layers.torch import Rearrange`.

einops finds out which library a tensor is of by asking the subclasses of its AbstractBackend: here
is minigan's.
"""

from typing import Any

from einops import einsum, pack, parse_shape, rearrange, reduce, repeat, unpack
from einops._backends import AbstractBackend
from einops.layers import RearrangeMixin, ReduceMixin

from ..autograd import FLOATS, Tensor
from ..nn import Module
from ..ops import arange, cat, from_numpy, stack
from ..ops import einsum as einsum_of_letters

__all__ = [
    "Rearrange", "Reduce", "einsum", "pack", "parse_shape", "rearrange", "reduce", "repeat",
    "unpack",
]  # fmt: skip


class MiniganBackend(AbstractBackend):
    """What einops asks a library to do."""

    framework_name = "minigan"
    from_numpy = staticmethod(from_numpy)
    arange = staticmethod(arange)
    stack_on_zeroth_dimension = staticmethod(stack)

    def is_appropriate_type(self, tensor: Any) -> bool:
        return isinstance(tensor, Tensor)

    def to_numpy(self, x):
        return x.detach().cpu().numpy()

    def reduce(self, x, operation, axes):
        if operation in ("min", "max"):
            return getattr(x, f"a{operation}")(axes)
        if operation in ("sum", "mean"):
            return getattr(x, operation)(axes)
        for axis in sorted(axes, reverse=True):  # prod, any, all: one dimension at a time
            x = getattr(x, operation)(axis)
        return x

    def transpose(self, x, axes):
        return x.permute(axes)

    def add_axis(self, x, new_position):
        return x.unsqueeze(new_position)

    def tile(self, x, repeats):
        return x.expand(*[n if n > 1 else -1 for n in repeats])

    def concat(self, tensors, axis):
        return cat(tensors, axis)

    def is_float_type(self, x):
        return x.dtype in FLOATS

    def einsum(self, pattern, *x):
        return einsum_of_letters(pattern, *x)


class Rearrange(RearrangeMixin, Module):
    """`rearrange` as a layer."""

    def forward(self, input):
        return self._apply_recipe(input)


class Reduce(ReduceMixin, Module):
    """`reduce` as a layer."""

    def forward(self, input):
        return self._apply_recipe(input)
