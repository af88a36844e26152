"""torch's Variable: since Tensors record, just another name for them."""

from typing import TYPE_CHECKING, Any

from ..arrays import is_array
from ..engine.tensor import Tensor, tensor_of

if TYPE_CHECKING:  # to checkers it is a function: they do not look at how a class is called

    def Variable(data: Any, requires_grad: bool = False, volatile: bool = False) -> Tensor: ...

else:

    class _Variable(type):
        def __call__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Tensor:
            x = (
                data.detach()
                if isinstance(data, Tensor)
                else tensor_of(data)
                if is_array(data)
                else Tensor(data)
            )
            return x.requires_grad_() if requires_grad else x

        def __instancecheck__(cls, x):
            return isinstance(x, Tensor)

    class Variable(metaclass=_Variable):
        """Variable(tensor, requires_grad=False): the same memory as a leaf of its own. Every Tensor
        is an instance.

        volatile : accepted and without effect, as in torch; use `no_grad()`
        """
