"""The networks of the examples."""

import math
from collections.abc import Callable
from typing import Any

from .. import nn
from ..nn import init
from ..ops import cat
from .cgan import Joined


def mlp_generator(
    latent_dim: int = 100, image_shape: tuple[int, ...] = (1, 28, 28)
) -> nn.Sequential:
    """latent_dim-128-256-512-1024-pixels, LeakyReLU(0.2), tanh: z (N, latent_dim) -> images (N,
    *image_shape) in [-1, 1].

    BatchNorm1d on 256, 512 and 1024 with eps = 0.8 (not momentum): the widely used "gan.py"
    network, whose second argument that is. 1,510,032 parameters for 100 latents and 28x28 pixels.
    """
    layers: list[nn.Module] = []
    sizes = (latent_dim, 128, 256, 512, 1024)
    for i, (n_in, n_out) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(n_in, n_out))
        if i > 0:
            layers.append(nn.BatchNorm1d(n_out, eps=0.8))
        layers.append(nn.LeakyReLU(0.2))
    return nn.Sequential(
        *layers,
        nn.Linear(sizes[-1], math.prod(image_shape)),
        nn.Tanh(),
        nn.Unflatten(1, image_shape),
    )


def mlp_discriminator(
    image_shape: tuple[int, ...] = (1, 28, 28), outputs: int = 1
) -> nn.Sequential:
    """pixels-512-256-outputs with LeakyReLU(0.2): images (N, *image_shape) -> logits (N, outputs).
    533,505 parameters for 28x28 and one output."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(math.prod(image_shape), 512),
        nn.LeakyReLU(0.2),
        nn.Linear(512, 256),
        nn.LeakyReLU(0.2),
        nn.Linear(256, outputs),
    )


# --- convolutions ---


def _plan(height: int, width: int, features: int) -> tuple[int, int, list[int]]:
    """Height and width of the smallest maps, and the channels from the image's side on: [f, 2f, 4f,
    ...].

    Sizes are halved while both stay whole and at least 3, four times as in the paper, or more often
    until at most 8 is left: 28 -> 14 -> 7; 48 -> 24 -> 12 -> 6 -> 3; 64 -> ... -> 4; 96 -> ... ->
    6; 128 -> ... -> 8. Channels end at 8 f.
    """
    if height < 8 or width < 8 or height % 4 or width % 4:
        raise ValueError(
            f"images of {height}x{width}: convolutional networks need multiples of 4, at least 8"
        )
    if features < 1:
        raise ValueError(f"features={features}: expected at least 1")
    channels: list[int] = []
    while (
        height % 2 == width % 2 == 0
        and min(height, width) >= 6
        and (len(channels) < 4 or max(height, width) > 8)
    ):
        height, width = height // 2, width // 2
        channels.append(features * min(8, 2 ** len(channels)))
    return height, width, channels


# --- DCGAN: Radford, Metz, Chintala 2016, section 3 and figure 1 ---


def _dcgan_weights(module: nn.Module) -> None:
    """Section 4: weights N(0, 0.02^2). Of batch normalisation N(1, 0.02^2), as in the authors'
    code. Biases 0."""
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        init.normal_(module.weight, 1.0, 0.02)
    else:
        return
    if module.bias is not None:
        init.zeros_(module.bias)


def dcgan_generator(
    latent_dim: int = 100, channels: int = 3, height: int = 64, width: int = 64, features: int = 64
) -> nn.Sequential:
    """z (N, latent_dim) -> images (N, channels, height, width) in [-1, 1].

    z is projected to small maps with many channels, and each ConvTranspose2d(4, 2, 1) doubles their
    size: BatchNorm2d and ReLU after all but the last, which ends in tanh. The last but one has
    `features` channels, those before it twice as many each. 28x28: 128 x 7 x 7, 64 x 14 x 14.
    64x64: 512 x 4 x 4, 256 x 8 x 8, 128 x 16 x 16, 64 x 32 x 32.

    height, width : multiples of 4, of at least 8 (else ValueError)
    """
    h, w, sizes = _plan(height, width, features)
    top, *rest = reversed(sizes)
    # Batch normalisation takes away what a bias before it adds.
    layers: list[nn.Module] = [
        nn.Linear(latent_dim, top * h * w, bias=False),
        nn.Unflatten(1, (top, h, w)),
        nn.BatchNorm2d(top),
        nn.ReLU(),
    ]
    for n_in, n_out in zip([top, *rest], rest):
        layers += [
            nn.ConvTranspose2d(n_in, n_out, 4, 2, 1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(sizes[0], channels, 4, 2, 1), nn.Tanh()).apply(
        _dcgan_weights
    )


def dcgan_discriminator(
    channels: int = 3, height: int = 64, width: int = 64, features: int = 64, outputs: int = 1
) -> nn.Sequential:
    """Images (N, channels, height, width) -> logits (N, outputs): the generator's mirror image.

    Conv2d(4, 2, 1) halve the maps; LeakyReLU(0.2) after each, BatchNorm2d on all but the first;
    then linear units. Other arguments and errors as for `dcgan_generator`.
    """
    h, w, sizes = _plan(height, width, features)
    layers: list[nn.Module] = [nn.Conv2d(channels, sizes[0], 4, 2, 1), nn.LeakyReLU(0.2)]
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [
            nn.Conv2d(n_in, n_out, 4, 2, 1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.LeakyReLU(0.2),
        ]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(sizes[-1] * h * w, outputs)).apply(
        _dcgan_weights
    )


# --- small convolutional networks with a dense trunk, for a few minutes of a CPU ---


def he_weights(module: nn.Module) -> None:
    """He et al. 2015, equation 14: weights N(0, 2 / ((1 + 0.2^2) n)), n numbers that an output sums
    over. Biases 0."""
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.Conv3d)):
        init.kaiming_normal_(module.weight, 0.2)
    elif isinstance(module, (nn.ConvTranspose2d, nn.ConvTranspose3d)):
        # of the 16 taps of a kernel of 4x4 in steps of 2, 4 meet in an output
        taps = math.prod(module.kernel_size) / math.prod(module.stride)
        init.normal_(module.weight, 0.0, math.sqrt(2 / 1.04 / (taps * module.in_channels)))
    else:
        return
    if module.bias is not None:
        init.zeros_(module.bias)


def leaky_relu() -> nn.Module:
    """LeakyReLU(0.2)."""
    return nn.LeakyReLU(0.2)


def conv_generator(
    latent_dim: int = 64, channels: int = 1, height: int = 28, width: int = 28,
    features: int = 16, hidden: int = 256, norm: bool = True,
    activation: Callable[[], nn.Module] = leaky_relu,
) -> nn.Sequential:  # fmt: skip
    """z (N, latent_dim) -> images (N, channels, height, width) in [-1, 1].

    Two linear layers, latent_dim-hidden-maps, then ConvTranspose2d(4, 2, 1) as in
    `dcgan_generator`; batch normalisation and `activation()` after all but the last, which ends in
    tanh. 28x28: 64-256-1568, 32 x 7 x 7, 16 x 14 x 14. Linear maps are normalised number by number,
    the others map by map.

    height, width : multiples of 4, of at least 8 (else ValueError)
    norm : without it the mirror image of `conv_discriminator`, for an auto-encoder as D
    """
    h, w, sizes = _plan(height, width, features)
    top, *rest = reversed(sizes)

    def then(layer: nn.Module, normalisation: Callable[[int], nn.Module], n: int):
        return [layer, *([normalisation(n)] if norm else []), activation()]

    layers: list[nn.Module] = []
    for n_in, n_out in ((latent_dim, hidden), (hidden, top * h * w)):
        layers += then(nn.Linear(n_in, n_out, bias=not norm), nn.BatchNorm1d, n_out)
    layers.append(nn.Unflatten(1, (top, h, w)))
    for n_in, n_out in zip([top, *rest], rest):
        convolution = nn.ConvTranspose2d(n_in, n_out, 4, 2, 1, bias=not norm)
        layers += then(convolution, nn.BatchNorm2d, n_out)
    layers += [nn.ConvTranspose2d(sizes[0], channels, 4, 2, 1), nn.Tanh()]
    return nn.Sequential(*layers).apply(he_weights)


def conv_discriminator(
    channels: int = 1, height: int = 28, width: int = 28, features: int = 16, outputs: int = 1,
    hidden: int = 256, activation: Callable[[], nn.Module] = leaky_relu,
) -> nn.Sequential:  # fmt: skip
    """Images (N, channels, height, width) -> logits (N, outputs): Conv2d(4, 2, 1) halve the maps,
    then linear layers maps-hidden-outputs; `activation()` after all but the last. No normalisation,
    so that gradients of each example can be penalised. Errors as for `conv_generator`."""
    h, w, sizes = _plan(height, width, features)
    layers: list[nn.Module] = []
    for n_in, n_out in zip([channels, *sizes], sizes):
        layers += [nn.Conv2d(n_in, n_out, 4, 2, 1), activation()]
    trunk = [nn.Linear(sizes[-1] * h * w, hidden), activation(), nn.Linear(hidden, outputs)]
    return nn.Sequential(*layers, nn.Flatten(), *trunk).apply(he_weights)


class ImageAndNumbers(nn.Module):
    """(N, numbers of an image + more) -> (N, n): a D of pairs, such as VEEGAN's of an image and a
    latent vector. The layers of `network` until its Flatten see the image; those after it, linear
    ones, what comes of it and the other numbers.

    network : a `conv_discriminator`, whose first linear layer is made anew with more inputs
    shape : (channels, height, width) of an image
    """

    def __init__(self, network: nn.Sequential, shape: tuple[int, ...], more: int):
        super().__init__()
        self.shape = tuple(shape)
        layers: list[Any] = list(network)
        i = next(i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten)) + 1
        first = nn.Linear(layers[i].in_features + more, layers[i].out_features)
        self.maps = nn.Sequential(*layers[:i])
        self.trunk = nn.Sequential(first.apply(he_weights), *layers[i + 1 :])

    @property
    def per_example(self):
        return self.maps.per_example and self.trunk.per_example

    def forward(self, input):
        n = math.prod(self.shape)
        maps = self.maps(input[:, :n].reshape(-1, *self.shape))
        return self.trunk(cat([maps, input[:, n:]], 1))


# --- by name ---

# model -> (generator(latent_dim, image_shape, ...), discriminator(image_shape, ...)), image_shape =
# (channels, height, width)
NETWORKS: dict[str, tuple[Callable[..., nn.Module], Callable[..., nn.Module]]] = {
    "mlp": (mlp_generator, mlp_discriminator),
    "conv": (
        lambda latent_dim, shape, **options: conv_generator(latent_dim, *shape, **options),
        lambda shape, **options: conv_discriminator(*shape, **options),
    ),
    "dcgan": (
        lambda latent_dim, shape, **options: dcgan_generator(latent_dim, *shape, **options),
        lambda shape, **options: dcgan_discriminator(*shape, **options),
    ),
}


def build_networks(config: dict[str, Any]) -> tuple[nn.Module, nn.Module]:
    """New networks (generator, discriminator) as a run's config describes them.

    It names the "model" (one of NETWORKS), "latent_dim", "image_shape" (channels, height, width),
    for some "features", for a D of another width "d_features", for a D of several heads the
    "outputs", and for conditional ones "classes": they are then called with labels, too (see
    `Joined`).
    """
    if config.get("model") not in NETWORKS:
        raise ValueError(f"model {config.get('model')!r}: expected one of {', '.join(NETWORKS)}")
    make_generator, make_discriminator = NETWORKS[config["model"]]
    wide = config.get("features")
    of_g, of_d = ({"features": n} if n else {} for n in (wide, config.get("d_features") or wide))
    latent_dim = config["latent_dim"]
    shape = tuple(config["image_shape"])
    classes = config.get("classes", 0)
    outputs = config.get("outputs", 1)
    if not classes:
        G = make_generator(latent_dim, shape, **of_g)
        return G, make_discriminator(shape, outputs=outputs, **of_d)
    flat = config["model"] == "mlp"  # its first layer looks at numbers, not at maps
    seen = (math.prod(shape) + classes, 1, 1) if flat else (shape[0] + classes, *shape[1:])
    G = make_generator(latent_dim + classes, shape, **of_g)
    D = make_discriminator(seen, outputs=outputs, **of_d)
    return Joined(G, classes), Joined(D, classes, flat)
