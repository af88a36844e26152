"""Which rules can leave the gradient of a weight a product that the optimiser computes: see
`LazyProduct`."""

from ..ops.product import linear, linear_gradients
from .linear_activation import linear_activation, linear_activation_gradients
from .replay.lazy_product import lazy_product
from .replay.program import DEFERRABLE


def deferred_linear(*arguments):
    """The rule of `linear`, the gradient of its weight a `LazyProduct` where that pays."""
    return linear_gradients(*arguments, weight_grad=lazy_product)


def deferred_linear_activation(*arguments):
    """The rule of `linear_activation`, likewise."""
    return linear_activation_gradients(*arguments, outer=lazy_product)


DEFERRABLE[linear.card.rule] = 1, deferred_linear
DEFERRABLE[linear_activation.card.rule] = 1, deferred_linear_activation
