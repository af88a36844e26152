"""What the two players want, as functions of D's logits (D(x) = sigmoid(logit)), in forms that cannot overflow.

log D = logsigmoid(logit) and log(1 - D) = logsigmoid(-logit).
"""

from ..autograd import Tensor
from ..ops.loss import mean_logsigmoid


class Minimax:
    """Goodfellow et al. 2014, eq. 1: V(D, G) = E log D(x) + E log(1 - D(G(z))). D ascends V, G descends it.

    Where D rejects G's samples with confidence, G's gradient vanishes (it saturates): hence `NonSaturating`.
    """

    name = "minimax"

    def d_value(self, real: Tensor, fake: Tensor) -> Tensor:
        """V(D, G), which D ascends. real, fake: logits of any shape."""
        return mean_logsigmoid(real) + mean_logsigmoid(fake, -1)

    def g_loss(self, fake: Tensor) -> Tensor:
        """E log(1 - D(G(z))), which G descends."""
        return mean_logsigmoid(fake, -1)


class NonSaturating(Minimax):
    """The same V for D; G ascends E log D(G(z)) instead (Goodfellow et al. 2014, section 3): the same fixed point, with a
    gradient that is strong where G is bad."""

    name = "nonsaturating"

    def g_loss(self, fake: Tensor) -> Tensor:
        """-E log D(G(z)), which G descends."""
        return -mean_logsigmoid(fake)


OBJECTIVES = {o.name: o for o in (NonSaturating, Minimax)}
