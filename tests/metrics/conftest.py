"""Each test starts its module's RNG from the beginning: what it draws does not depend on which
tests ran before."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def same_numbers(request):
    if hasattr(request.module, "RNG"):
        request.module.RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state
