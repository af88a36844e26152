"""The path of CUDA arrays through layers and losses, on a device that is not there (see fakecuda):
the same numbers, no syncs."""

import fakecuda
import numpy as np
import pytest

from minigan import manual_seed, nn
from minigan.autograd import tensor_of
from minigan.nn import functional as F

X = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)
CLASSES = np.array([0, 2, 1, 1, 0, 2])
CHANCES = np.random.default_rng(1).uniform(0, 1, (6, 3)).astype(np.float32)
LOSSES = {
    "mse": lambda y, at: F.mse_loss(y, at(CHANCES)),
    "smooth_l1": lambda y, at: F.smooth_l1_loss(y, at(CHANCES)),
    "bce": lambda y, at: F.binary_cross_entropy(y.sigmoid(), at(CHANCES)),
    "bce_with_logits": lambda y, at: F.binary_cross_entropy_with_logits(y, at(CHANCES)),
    "cross_entropy": lambda y, at: F.cross_entropy(
        y, at(CLASSES), at(CHANCES[0]), ignore_index=1, label_smoothing=0.1
    ),
    "kl_div": lambda y, at: F.kl_div(y, at(CHANCES), reduction="batchmean"),
    "hinge_embedding": lambda y, at: F.hinge_embedding_loss(y, at(np.sign(CHANCES - 0.5))),
}


def run(loss, place):
    """The loss, the gradients and the state after it, with all arrays made by `place`."""
    manual_seed(5)
    net = nn.Sequential(
        nn.Linear(5, 4), nn.BatchNorm1d(4, 0.8), nn.LeakyReLU(0.2), nn.PReLU(), nn.Linear(4, 3)
    )
    for t in [*net.parameters(), *net.buffers()]:
        t.data = place(t.array)
    fakecuda.syncs = 0
    value = LOSSES[loss](net(tensor_of(place(X))), lambda a: tensor_of(place(a)))
    value.backward()
    total = nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    syncs = fakecuda.syncs
    net.eval()(tensor_of(place(X)))
    found = [value.detach(), total, *[p.grad for p in net.parameters()], *net.state_dict().values()]
    return [getattr(t.array, "storage", t.array) for t in found], syncs


@pytest.mark.parametrize("loss", LOSSES)
def test_same_numbers_without_syncs(loss):
    with fakecuda.installed():
        there, syncs = run(loss, fakecuda.asarray)
    here, _ = run(loss, np.array)
    assert syncs == 0
    for a, b in zip(here, there):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)
