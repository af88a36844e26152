"""Tensor: an array, whether it wants a gradient, and the tape node that made it.

Its mathematics (`+`, `.exp()`, `.sum(dim)` ...) are the ops of `minigan.ops`, which puts them on
this class as methods; what torch's Tensor tells of itself besides (`.size()`, `.float()`, hooks,
its storage ...) is in `minigan.autograd.attributes`.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..arrays import device as _device
from ..arrays import device_of, seam
from ..arrays.defaults import FLOATS as FLOATS

if TYPE_CHECKING:
    from ..ops.methods import TensorMethods as Attached
    from .tape import Node
else:
    Attached = object  # `attach` puts the methods on Tensor when their packages are imported

# Once a write has been recorded there may be views whose tape entries say what they were before it:
# here is then a function that brings a sequence of Tensors up to date (minigan.ops.writes). Until
# then this costs nothing.
refresh_views: list[Callable[[Sequence[Any]], None]] = []

# Once dimensions have been exchanged there are layouts that results take over from arguments, as in
# torch: here is then the function that does it (minigan.ops.strides). Until then this costs
# nothing.
keep_layout: list[Callable[..., None]] = []


class Tensor(Attached):
    """An n-dimensional array that ops record on the tape.

    data : as in torch: an array or nested lists of numbers, which become float32
        (`set_default_dtype`); a Tensor, whose memory is shared; or sizes: Tensor(2, 3) is
        uninitialised memory. `tensor`, `as_tensor` and `from_numpy` keep an array's dtype
    requires_grad : is a gradient wanted with respect to it?

    array : the numpy.ndarray or cupy.ndarray that holds the values
    grad : the gradient that `backward` accumulated (a Tensor), or None; only leaves receive one
    """

    __slots__ = (
        "array", "_wanted", "grad", "_node", "_version", "_base", "__weakref__", "__dict__"
    )  # fmt: skip
    __array_priority__ = 1000  # numpy_array * tensor calls the Tensor's operator
    array: Any
    grad: "Tensor | None"
    _wanted: bool
    _node: "Node | None"
    _version: list[int]
    _base: Any

    @property
    def shape(self) -> "Size":
        """The size of each dimension."""
        return Size(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the elements."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    @property
    def device(self) -> _device:
        """Where the array lives: cpu or cuda:N."""
        return device_of(self.array)

    # --- on the tape, and out of it ---

    @property
    def grad_fn(self) -> "Node | None":
        """The tape node that made it, or None."""
        node = _current(self)._node
        return None if node is None or node.op.__name__ == "cut" else node

    @property
    def is_leaf(self) -> bool:
        """Was it made by a user, not by a recorded op?"""
        return self.grad_fn is None

    @property
    def requires_grad(self) -> bool:
        """Is a gradient wanted with respect to it, or what it is a view of? Leaves of floats can be
        told so."""
        if self._wanted and not refresh_views:
            return True
        base = getattr(self, "_base", None)
        if not _current(self)._wanted and isinstance(base, Tensor) and base._wanted:
            from .views import cut_off

            cut_off(self)
        return self._wanted

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set `requires_grad` of a leaf, in place."""
        if requires_grad and self.array.dtype not in FLOATS:
            raise RuntimeError(_no_gradient(self.array))
        if not self.is_leaf and not requires_grad:
            raise RuntimeError("requires_grad_(False) on the result of an op: use .detach()")
        self._wanted = bool(requires_grad)
        return self

    def detach(self) -> "Tensor":
        """The same values and memory, as a constant: no gradient flows back through it. Writing
        into it is not recorded, and noticed by backward only where the old values were saved."""
        return tensor_of(lay_out(self).array, False, None, self._version)

    def backward(
        self, gradient: "Tensor | None" = None, retain_graph: bool | None = None,
        create_graph: bool = False, inputs: "Tensor | Sequence[Tensor] | None" = None,
    ) -> None:  # fmt: skip
        """Accumulate d(self)/d(leaf) into `.grad` of the leaves (all, or those in `inputs`) that
        require gradients.

        `gradient`: dL/d(self), of this shape; may be omitted only for one element (then 1).
        """
        from .backward import backward

        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    __hash__ = object.__hash__  # by identity: == compares elements


class Size(tuple[int, ...]):
    """A shape. A tuple with `numel()`, printed as torch prints it."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of an array of this shape."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"Size({list(self)})"


_new = Tensor.__new__


def tensor_of(
    array: Any, requires_grad: bool = False, node: Any = None, version: Any = None, into: Any = None
) -> Tensor:
    """A Tensor that holds this very array, with its dtype: what minigan itself makes Tensors with.

    node : the tape entry that computed it; None for a leaf
    version : that of the memory, where another Tensor shares it: one counter per memory, a
        one-element list, so that whoever writes can tell all who saved
    into : an object whose fields are set, instead of a new Tensor
    """
    if requires_grad and array.dtype not in FLOATS:
        raise RuntimeError(_no_gradient(array))
    self = _new(Tensor) if into is None else into
    self.array = array
    self._wanted = requires_grad
    self.grad = None
    self._node = node
    self._version = [0] if version is None else version
    # What it is a view of: a Tensor, or False for one that is on the tape where the view is not.
    # None: it is no view, but others may know its memory. Not set: no one else does, it may lie in
    # any order (see `lay_out`).
    self._base = None
    return self


def fresh(array: Any, wanted: bool = False, node: Any = None, version: Any = None) -> Tensor:
    """The Tensor of an array that nobody else has seen: it may lie in any order (see `lay_out`)."""
    x = tensor_of(array, wanted, node, version)
    del x._base
    return x


def lay_out(x: Tensor) -> Tensor:
    """x, before someone else gets to know its memory: a result in another order is laid out row by
    row.

    Results of `linear` and of what follows lie feature by feature: nobody can tell while there is
    no view of them.
    """
    if not x.array.flags.c_contiguous and not hasattr(x, "_base"):
        x.array = seam.execute(row_major, x.array)
    return x


@seam.dispatched
def row_major(x):
    """x laid out row by row: itself or a copy."""
    return x if x.flags.c_contiguous else x.copy(order="C")


def writable(view: Any, source: Any) -> Any:
    """A view that NumPy makes read-only (broadcast_to, diagonal), as writable as its source."""
    if not getattr(view.flags, "writeable", True) and source.flags.writeable:
        view.flags.writeable = True
    return view


def raw(x: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return x.array if isinstance(x, Tensor) else x


def _current(x: Tensor) -> Tensor:
    """x, brought up to date if it is a view of something that was written into on the tape."""
    if refresh_views:
        refresh_views[0]((x,))
    return x


def _no_gradient(array: Any) -> str:
    what = "only tensors of floating-point numbers can require gradients"
    return f"{what}, this one is {array.dtype}; convert it with .float()"
