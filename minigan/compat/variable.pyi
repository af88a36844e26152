"""To checkers Variable is a function: mypy does not look at how a class is called."""

from typing import Any

from ..autograd import Tensor

def Variable(data: Any, requires_grad: bool = False, volatile: bool = False) -> Tensor: ...
