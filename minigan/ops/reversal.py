"""A gradient turned round on purpose."""

from ..autograd import op

__all__ = ["gradient_reversal"]


@op
class gradient_reversal:
    """y = x.    "dL/dx" = -scale g: whoever is before it ascends what those behind it descend. Ganin et al. 2016, section 4.1

    Not the derivative of what it computes, on purpose. Of higher orders: the rule is linear in g and is differentiated as such.
    """

    saves = ("scale",)
    view = True

    def forward(x, scale=1.0):
        return x

    def backward(g, need, scale):
        return g * -scale
