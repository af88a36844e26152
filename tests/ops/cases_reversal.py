"""Cases: gradient reversal. Its rule is not the derivative of what it computes:
tests/nn/test_adversarial.py has the gradients."""

from hypothesis import strategies as st
from ops.case import Case, one

CASES = [
    Case("gradient_reversal", one(st.sampled_from([1.0, 0.3])), lambda x, scale: x, orders=0),
]
