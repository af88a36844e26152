"""Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", table 1.

Perceptual losses take `vgg19().features[:k]`, whose layers are numbered as torchvision numbers
them.
"""

from __future__ import annotations

from .... import nn
from ....autograd import Tensor
from .weights import named, ready

# Columns A, B, D and E of the table: channels of the 3x3 convolutions of the five stages, each
# followed by a max pool.
STAGES = {
    11: ((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),
    13: ((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2),
    16: ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
    19: ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),
}


class VGG(nn.Module):
    """Images (N, 3, H, W), H and W at least 32 -> logits (N, num_classes).

    features     the convolutions; `avgpool` brings what they make of any size to 7x7
    init_weights  He's initialisation, as torchvision's; False keeps the layers' own
    """

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(True), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )  # fmt: skip
        if init_weights:
            self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)


def convolutions(depth: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    n_in = 3
    for stage in STAGES[depth]:
        for n_out in stage:
            layers.append(nn.Conv2d(n_in, n_out, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(n_out))
            layers.append(nn.ReLU(inplace=True))
            n_in = n_out
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def _network(depth: int, batch_norm: bool):
    """The function vgg19 (or vgg19_bn ...) and the enumeration of its weights."""
    name = f"vgg{depth}{'_bn' if batch_norm else ''}"
    choices = named(name, "IMAGENET1K_V1")

    def vgg(
        weights=None, progress: bool = True, *, pretrained: bool | None = None, **options
    ) -> VGG:
        return ready(
            lambda: VGG(convolutions(depth, batch_norm), **options),
            name,
            choices,
            weights,
            pretrained,
        )

    vgg.__name__ = vgg.__qualname__ = name
    vgg.__doc__ = f"""A VGG of {depth} layers{" with batch normalisation" if batch_norm else ""}.

    weights     None: random; "DEFAULT" (or pretrained=True): a file made once from torchvision's,
                which the error names; a path
    progress    accepted: nothing is downloaded
    options     VGG's: num_classes, init_weights, dropout
    """
    return vgg, choices


vgg11, VGG11_Weights = _network(11, False)
vgg13, VGG13_Weights = _network(13, False)
vgg16, VGG16_Weights = _network(16, False)
vgg19, VGG19_Weights = _network(19, False)
vgg11_bn, VGG11_BN_Weights = _network(11, True)
vgg13_bn, VGG13_BN_Weights = _network(13, True)
vgg16_bn, VGG16_BN_Weights = _network(16, True)
vgg19_bn, VGG19_BN_Weights = _network(19, True)
