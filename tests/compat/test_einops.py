"""einops on Tensors: values against einops on NumPy's arrays, and gradients."""

import numpy as np
import pytest

import minigan
from minigan import nn

pytest.importorskip("einops")

from minigan import einops

X = np.random.RandomState(0).randn(2, 3, 4, 6).astype(np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda e, x: e.rearrange(x, "b c h w -> b (c h w)"),
        lambda e, x: e.rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=2, q=3),
        lambda e, x: e.rearrange([x, x + 1], "n b c h w -> b n w h c"),
        lambda e, x: e.repeat(x, "b c h w -> b c (h 2) (w 3)"),
        lambda e, x: e.repeat(x[:, :, 0, 0], "b c -> b c h w", h=2, w=1),
        lambda e, x: e.reduce(x, "b c (h 2) (w 2) -> b c h w", "mean"),
        lambda e, x: e.reduce(x, "b c h w -> c", "max"),
        lambda e, x: e.reduce(x, "b c h w -> b 1 1 w", "min"),
        lambda e, x: e.reduce(x, "b c h w -> b c", "sum"),
        lambda e, x: e.reduce(x, "b c h w -> h", "prod"),
        lambda e, x: e.einsum(x, x, "b c h w, b d h w -> b c d"),
        lambda e, x: e.pack([x, x[:, 0]], "b * w")[0],
    ],
)
def test_as_on_arrays(call):
    found = call(einops, minigan.from_numpy(X))
    assert isinstance(found, minigan.Tensor)
    np.testing.assert_allclose(found.numpy(), call(einops, X), rtol=2e-5, atol=1e-6)


def test_gradients():
    x = minigan.tensor(X, requires_grad=True)
    einops.reduce(x, "b c (h 2) (w 2) -> b c h w", "mean").sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.full(X.shape, 0.25))
    (g,) = minigan.grad(einops.repeat(x, "b c h w -> b c h (w 3)").sum(), x)
    assert (g == 3).all()
    g = einops.rearrange(x, "b c h w -> b (c h w)")
    assert minigan.grad(g.sum(), x)[0].shape == x.shape


def test_layers():
    net = nn.Sequential(
        einops.Rearrange("b (c h w) -> b c h w", c=3, h=4), nn.Conv2d(3, 5, 1),
        einops.Reduce("b c h w -> b c", "mean"), nn.Linear(5, 1),
    )  # fmt: skip
    x = minigan.from_numpy(X.reshape(2, -1))
    assert net(x).shape == (2, 1) and "Rearrange('b (c h w) -> b c h w'" in repr(net)
