"""He et al. 2016, "Deep Residual Learning for Image Recognition", table 1. The stride of a
bottleneck is on its 3x3 convolution, as in torchvision (version 1.5 of the network).
"""

from __future__ import annotations

from collections.abc import Sequence

from .... import nn
from ....autograd import Tensor
from .weights import named, ready


def conv3x3(n_in: int, n_out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)


def conv1x1(n_in: int, n_out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False)


class BasicBlock(nn.Module):
    """y = relu(F(x) + x), F two 3x3 convolutions; x goes through `downsample` where its shape
    changes."""

    expansion = 1

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None
    ):
        super().__init__()
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """y = relu(F(x) + x), F a 1x1, a 3x3 and a 1x1 convolution, the last of 4 * planes channels."""

    expansion = 4

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None
    ):
        super().__init__()
        self.conv1 = conv1x1(inplanes, planes)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = conv3x3(planes, planes, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = conv1x1(planes, planes * self.expansion)
        self.bn3 = nn.BatchNorm2d(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Images (N, 3, H, W) -> logits (N, num_classes).

    block    BasicBlock or Bottleneck
    layers   how many blocks each of the four stages has
    zero_init_residual   start every block as the identity: its last normalisation scales by 0
    """

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(
        self, block: type[BasicBlock] | type[Bottleneck], layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
    ):  # fmt: skip
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inplanes = 64
        for i, count in enumerate(layers):
            planes = 64 * 2**i
            self.add_module(
                f"layer{i + 1}", _stage(block, inplanes, planes, count, stride=1 if i == 0 else 2)
            )
            inplanes = planes * block.expansion
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(inplanes, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init_residual and isinstance(module, (BasicBlock, Bottleneck)):
                last = module.bn3 if isinstance(module, Bottleneck) else module.bn2
                nn.init.zeros_(last.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def _stage(block, inplanes: int, planes: int, count: int, stride: int) -> nn.Sequential:
    """`count` blocks; the first brings x to their shape."""
    n_out = planes * block.expansion
    downsample = None
    if stride != 1 or inplanes != n_out:
        downsample = nn.Sequential(conv1x1(inplanes, n_out, stride), nn.BatchNorm2d(n_out))
    first = block(inplanes, planes, stride, downsample)
    return nn.Sequential(first, *(block(n_out, planes) for _ in range(count - 1)))


def _network(
    depth: int, block: type[BasicBlock] | type[Bottleneck], layers: Sequence[int], *versions: str
):
    """The function resnet18 (or another) and the enumeration of its weights."""
    name = f"resnet{depth}"
    choices = named(name, *versions)

    def resnet(
        weights=None, progress: bool = True, *, pretrained: bool | None = None, **options
    ) -> ResNet:
        return ready(lambda: ResNet(block, layers, **options), name, choices, weights, pretrained)

    resnet.__name__ = resnet.__qualname__ = name
    resnet.__doc__ = f"""A ResNet of {depth} layers.

    weights     None: random; "DEFAULT" (or pretrained=True): a file made once from torchvision's,
                which the error names; a path
    progress    accepted: nothing is downloaded
    options     ResNet's: num_classes, zero_init_residual
    """
    return resnet, choices


V1, V2 = "IMAGENET1K_V1", "IMAGENET1K_V2"
resnet18, ResNet18_Weights = _network(18, BasicBlock, (2, 2, 2, 2), V1)
resnet34, ResNet34_Weights = _network(34, BasicBlock, (3, 4, 6, 3), V1)
resnet50, ResNet50_Weights = _network(50, Bottleneck, (3, 4, 6, 3), V1, V2)
resnet101, ResNet101_Weights = _network(101, Bottleneck, (3, 4, 23, 3), V1, V2)
resnet152, ResNet152_Weights = _network(152, Bottleneck, (3, 8, 36, 3), V1, V2)
