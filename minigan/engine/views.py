"""Results that share memory with an argument: they share its version too, and know what they are a
view of."""

from .tape import Node, next_number
from .tensor import Tensor


def shares(out, array):
    """Is `out` a view of `array`? (NumPy and CuPy keep the owner of the memory as `base`, not the
    whole chain.)"""
    return out is array or (out.base is not None and (out.base is array or out.base is array.base))


def make_view(result, source, recorded):
    """Make `result` known as a view of `source`, or of what that is a view of: no chain grows."""
    result._version = source._version
    base = getattr(source, "_base", None)
    if not recorded and source._node is not None:
        base = False
    elif base is None or (source._wanted and source._node is None):  # a leaf has its own gradient
        base = source
    result._base = base
    if source._wanted and not recorded:  # as in torch it requires a gradient, which goes nowhere
        cut_off(result)


def own(view):
    """A view of a result that nobody else knows: not a view, but that result in another shape."""
    if isinstance(getattr(view, "_base", None), Tensor):
        view._base = None
    return view


def cut_off(view):
    """Let a view require a gradient that goes nowhere: its base does, but the tape does not know
    it."""
    from .primitives import cut

    view._wanted = True
    view._node = Node(cut, (), view.array.shape, view.array.dtype, next_number())
