"""A gradient turned round on purpose."""

from ..autograd import Tensor, op

__all__ = ["gradient_reversal"]


@op(saves=("scale",), view=True)
def gradient_reversal(x: Tensor, scale: float = 1.0) -> Tensor:
    """y = x.
    "dL/dx" = -scale g: whoever is before it ascends what those behind it descend. Ganin et al.
    2016, section 4.1

    Not the derivative of what it computes, on purpose. Of higher orders: the rule is linear in g
    and is differentiated as such.
    """
    return x


@gradient_reversal.backward
def _(g, need, scale):
    return g * -scale
