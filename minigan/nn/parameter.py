"""Parameter: a Tensor that a Module owns and an optimiser changes."""

import copy

from ..autograd import Tensor


class Parameter(Tensor):
    """A leaf Tensor that a Module registers when it is assigned as an attribute.

    data : Tensor or array; its memory is shared
    requires_grad : default True
    name : "Linear.weight" and the like, set by the first Module that registers it; error messages of the engine say it
    """

    __slots__ = ()
    name = None

    def __init__(self, data, requires_grad=True):
        if isinstance(data, Tensor):
            super().__init__(data.array, requires_grad, None, data._version)
        else:
            super().__init__(data, requires_grad)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = new = type(self)(self.array.copy(order="K"), self.requires_grad)
            new.grad = None if self.grad is None else Tensor(self.grad.array.copy(order="K"))
            new.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return memo[id(self)]

    def __repr__(self):
        return f"Parameter containing:\n{super().__repr__()}"
