"""Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks": AlexNet in
one column."""

from __future__ import annotations

from .... import nn
from ....autograd import Tensor
from .weights import named, ready

AlexNet_Weights = named("alexnet", "IMAGENET1K_V1")


class AlexNet(nn.Module):
    """Images (N, 3, H, W), H and W at least 63 -> logits (N, num_classes)."""

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2),
        )  # fmt: skip
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True),
            nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def alexnet(
    weights=None, progress: bool = True, *, pretrained: bool | None = None, **options
) -> AlexNet:
    """AlexNet.

    weights     None: random; "DEFAULT" (or pretrained=True): a file made once from torchvision's,
                which the error names; a path
    progress    accepted: nothing is downloaded
    options     AlexNet's: num_classes, dropout
    """
    return ready(lambda: AlexNet(**options), "alexnet", AlexNet_Weights, weights, pretrained)
