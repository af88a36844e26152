"""Running statistics that belong to the weights."""

from __future__ import annotations

from .. import nn
from ..arrays import Generator
from ..autograd import no_grad, tensor_of

BATCHES, BATCH_SIZE = 8, 64


def recalibrate_batch_norm(generator: nn.Module, latent_dim: int) -> None:
    """Replace the running statistics of batch normalisation by those that the generator has with its present weights.

    Averaged weights need it. The running statistics were seen with other weights, whose activations vary more (what differs from
    step to step averages out), and with them the averaged network would draw pale pictures: Izmailov et al. 2018, section 3.2;
    "standing statistics" in Brock et al. 2019. Always the same latents are used, and nothing is drawn from the default generator.
    """
    layers = [m for m in generator.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)) and m.track_running_stats]
    if not layers:
        return
    modes, momenta = [(m, m.training) for m in generator.modules()], [m.momentum for m in layers]
    latents = Generator(0).normal((BATCHES, BATCH_SIZE, latent_dim), device=next(generator.parameters()).device)
    generator.eval()  # dropout stays off
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum, layer.training = None, True  # a plain mean over the batches
        with no_grad():
            for z in latents:
                generator(tensor_of(z))
    finally:
        for layer, momentum in zip(layers, momenta):
            layer.momentum = momentum
        for module, training in modes:
            module.training = training
