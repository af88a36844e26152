"""The networks of the examples."""

import math

from .. import nn


def mlp_generator(latent_dim: int = 100, image_shape: tuple[int, ...] = (1, 28, 28)) -> nn.Sequential:
    """latent_dim-128-256-512-1024-pixels, LeakyReLU(0.2), tanh: z (N, latent_dim) -> images (N, *image_shape) in [-1, 1].

    BatchNorm1d on 256, 512 and 1024 with eps = 0.8 (not momentum): the widely used "gan.py" network, whose second
    argument that is. 1,510,032 parameters for 100 latents and 28x28 pixels.
    """
    layers: list[nn.Module] = []
    sizes = (latent_dim, 128, 256, 512, 1024)
    for i, (n_in, n_out) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(n_in, n_out))
        if i > 0:
            layers.append(nn.BatchNorm1d(n_out, eps=0.8))
        layers.append(nn.LeakyReLU(0.2))
    return nn.Sequential(*layers, nn.Linear(sizes[-1], math.prod(image_shape)), nn.Tanh(), nn.Unflatten(1, image_shape))


def mlp_discriminator(image_shape: tuple[int, ...] = (1, 28, 28)) -> nn.Sequential:
    """pixels-512-256-1 with LeakyReLU(0.2): images (N, *image_shape) -> logits (N, 1). 533,505 parameters for 28x28."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(math.prod(image_shape), 512),
        nn.LeakyReLU(0.2),
        nn.Linear(512, 256),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 1),
    )
