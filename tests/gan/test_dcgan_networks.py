"""The networks of Radford, Metz and Chintala 2016, in the sizes that pictures come in."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.gan import build_networks, dcgan_discriminator, dcgan_generator


def layers(network, size):
    """(type, output shape without N) of each layer."""
    return [(kind, shape[1:]) for _, kind, shape, _ in minigan.summary(network, size).rows]


def test_28x28_layer_by_layer():
    G, D = dcgan_generator(100, 1, 28, 28), dcgan_discriminator(1, 28, 28)
    assert layers(G, (100,)) == [
        ("Linear", (6272,)), ("Unflatten", (128, 7, 7)), ("BatchNorm2d", (128, 7, 7)),
        ("ReLU", (128, 7, 7)),
        ("ConvTranspose2d", (64, 14, 14)), ("BatchNorm2d", (64, 14, 14)), ("ReLU", (64, 14, 14)),
        ("ConvTranspose2d", (1, 28, 28)), ("Tanh", (1, 28, 28)),
    ]  # fmt: skip
    assert layers(D, (1, 28, 28)) == [
        ("Conv2d", (64, 14, 14)), ("LeakyReLU", (64, 14, 14)),
        ("Conv2d", (128, 7, 7)), ("BatchNorm2d", (128, 7, 7)), ("LeakyReLU", (128, 7, 7)),
        ("Flatten", (6272,)), ("Linear", (1,)),
    ]  # fmt: skip
    assert {m.negative_slope for m in D.modules() if isinstance(m, nn.LeakyReLU)} == {0.2}
    for m in [*G.modules(), *D.modules()]:
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
            assert (m.kernel_size, m.stride, m.padding) == ((4, 4), (2, 2), (1, 1))


def test_64x64_has_the_channels_of_the_paper():
    """Figure 1, with its 1024 channels for features = 128."""
    maps = [
        shape
        for kind, shape in layers(dcgan_generator(100, 3, 64, 64, 128), (100,))
        if kind in ("Unflatten", "ConvTranspose2d")
    ]
    assert maps == [(1024, 4, 4), (512, 8, 8), (256, 16, 16), (128, 32, 32), (3, 64, 64)]


SIZES = [(8, 8), (12, 12), (16, 16), (20, 20), (28, 28), (32, 32), (36, 36), (40, 40), (44, 44),
    (48, 48), (60, 60), (64, 64), (96, 96),
         (96, 128), (100, 100), (112, 112), (128, 128), (12, 128), (128, 8), (64, 36)]  # fmt: skip


@pytest.mark.parametrize("height, width", SIZES)
def test_sizes(height, width):
    """From latents to pictures to logits; D is G's mirror image; the smallest maps are as small as
    halving gets, down to 3."""
    G, D = (
        dcgan_generator(5, 3, height, width, features=2),
        dcgan_discriminator(3, height, width, features=2),
    )
    up = [shape for kind, shape in layers(G, (5,)) if kind in ("Unflatten", "ConvTranspose2d")]
    down = [shape for kind, shape in layers(D, (3, height, width)) if kind == "Conv2d"]
    assert (
        up[-1] == (3, height, width)
        and down == up[-2::-1]
        and layers(D, (3, height, width))[-1] == ("Linear", (1,))
    )
    _, h, w = up[0]
    assert min(h, w) >= 3 and (h % 2 or w % 2 or min(h, w) < 6 or max(h, w) <= 8)
    assert [c for c, _, _ in up[-2::-1]] == [2, 4, 8, 16, 16][: len(up) - 1]


def test_gradients_reach_every_parameter():
    minigan.manual_seed(0)
    G, D = dcgan_generator(3, 1, 12, 8, 4), dcgan_discriminator(1, 12, 8, 4)
    images = G(minigan.randn(6, 3))
    assert images.shape == (6, 1, 12, 8) and np.abs(images.detach().numpy()).max() <= 1
    D(images).sum().backward()
    for name, p in [*G.named_parameters(), *D.named_parameters()]:
        assert p.grad is not None and np.abs(p.grad.numpy()).max() > 0, name


def test_first_weights():
    minigan.manual_seed(0)
    for network in (dcgan_generator(), dcgan_discriminator()):
        for m in network.modules():
            mean, std = (1.0, 0.02) if isinstance(m, nn.BatchNorm2d) else (0.0, 0.02)
            if isinstance(m, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)):
                w = m.weight.detach().numpy()
                assert (
                    abs(w.mean() - mean) < 5 * std / w.size**0.5
                    and abs(w.std() / std - 1) < 4 / w.size**0.5
                )
                assert m.bias is None or not m.bias.detach().numpy().any()


@pytest.mark.parametrize(
    "make", [lambda h, w: dcgan_generator(9, 1, h, w), lambda h, w: dcgan_discriminator(1, h, w)]
)
@pytest.mark.parametrize("size", [(27, 28), (28, 30), (4, 28), (0, 0), (-8, 8)])
def test_other_sizes_are_refused(make, size):
    with pytest.raises(ValueError, match="multiples of 4"):
        make(*size)
    with pytest.raises(ValueError, match="features"):
        dcgan_generator(features=0)


def test_networks_by_name():
    config = {"model": "dcgan", "latent_dim": 7, "image_shape": [1, 8, 12], "features": 3}
    G, D = build_networks(config)
    assert D(G(tensor_of(np.zeros((2, 7), np.float32)))).shape == (2, 1) and G[4].in_channels == 3
    G, D = build_networks({"model": "mlp", "latent_dim": 7, "image_shape": [3, 8, 12]})
    assert D(G(tensor_of(np.zeros((2, 7), np.float32)))).shape == (2, 1)
    with pytest.raises(ValueError, match="mlp, conv, dcgan"):
        build_networks({**config, "model": "stylegan"})


@pytest.mark.torch
def test_the_same_numbers_as_the_same_network_in_torch():
    torch = pytest.importorskip("torch")
    minigan.manual_seed(1)

    def twin(network):
        made = []
        for m in network:
            if isinstance(m, nn.Linear):
                made.append(torch.nn.Linear(m.in_features, m.out_features, bias=m.bias is not None))
            elif isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
                kind = getattr(torch.nn, type(m).__name__)
                made.append(kind(m.in_channels, m.out_channels, 4, 2, 1, bias=m.bias is not None))
            elif isinstance(m, nn.BatchNorm2d):
                made.append(torch.nn.BatchNorm2d(m.num_features))
            elif isinstance(m, nn.Unflatten):
                made.append(torch.nn.Unflatten(1, m.unflattened_size))
            else:
                made.append({"ReLU": torch.nn.ReLU(), "LeakyReLU": torch.nn.LeakyReLU(0.2),
                    "Tanh": torch.nn.Tanh(),
                             "Flatten": torch.nn.Flatten()}[type(m).__name__])  # fmt: skip
        made = torch.nn.Sequential(*made)
        made.load_state_dict(
            {k: torch.from_numpy(v.numpy().copy()) for k, v in network.state_dict().items()}
        )
        return made

    G, D = dcgan_generator(10, 3, 16, 24, 8), dcgan_discriminator(3, 16, 24, 8)
    theirs_g, theirs_d = twin(G), twin(D)
    z = minigan.randn(5, 10)
    ours, theirs = D(G(z)), theirs_d(theirs_g(torch.from_numpy(z.numpy())))
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-3, atol=1e-5)
    ours.sum().backward(), theirs.sum().backward()
    for (name, p), q in zip(G.named_parameters(), theirs_g.parameters()):
        np.testing.assert_allclose(
            p.grad.numpy(),
            q.grad.numpy(),
            rtol=1e-2,
            atol=1e-4 * np.abs(q.grad.numpy()).max(),
            err_msg=name,
        )
