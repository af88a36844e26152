"""Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision": the network
behind the inception score and FID."""

from __future__ import annotations

from typing import NamedTuple

from .... import nn
from ....autograd import Tensor
from ....nn.functional import avg_pool2d, max_pool2d, relu
from ....ops import cat, stack
from .weights import named, ready

Inception_V3_Weights = named("inception_v3", "IMAGENET1K_V1")


class InceptionOutputs(NamedTuple):
    """What a training network gives: logits of its head and of its auxiliary head."""

    logits: Tensor
    aux_logits: Tensor | None


class BasicConv2d(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, n_in: int, n_out: int, kernel_size, **options):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, kernel_size, bias=False, **options)
        self.bn = nn.BatchNorm2d(n_out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv(x)))


class _Block(nn.Module):
    """Branches side by side, their channels one after the other.

    `layers` names every convolution as torchvision does, with (n_in, n_out, kernel_size, options);
    `branches` lists what x goes through: names, "avg" (3x3, stride 1) and "max" (3x3, stride 2).
    """

    def __init__(self, layers: dict, *branches: str):
        super().__init__()
        for name, (n_in, n_out, kernel_size, options) in layers.items():
            self.add_module(name, BasicConv2d(n_in, n_out, kernel_size, **options))
        self.branches = branches

    def forward(self, x: Tensor) -> Tensor:
        return cat([self._through(x, branch.split()) for branch in self.branches], 1)

    def _through(self, x: Tensor, names: list[str]) -> Tensor:
        for name in names:
            if name == "avg":
                x = avg_pool2d(x, 3, 1, 1)
            elif name == "max":
                x = max_pool2d(x, 3, 2)
            elif name.startswith("{"):  # {a,b}: both, side by side
                return cat([self._through(x, [one]) for one in name.strip("{}").split(",")], 1)
            else:
                x = getattr(self, name)(x)
        return x


SAME5 = {"padding": 2}
SAME3 = {"padding": 1}
S2 = {"stride": 2}


def block_a(n_in: int, pool: int) -> _Block:
    """35x35: 1x1, 5x5, two 3x3, pool; figure 5."""
    layers = {
        "branch1x1": (n_in, 64, 1, {}), "branch5x5_1": (n_in, 48, 1, {}),
        "branch5x5_2": (48, 64, 5, SAME5),
        "branch3x3dbl_1": (n_in, 64, 1, {}), "branch3x3dbl_2": (64, 96, 3, SAME3),
        "branch3x3dbl_3": (96, 96, 3, SAME3),
        "branch_pool": (n_in, pool, 1, {}),
    }  # fmt: skip
    return _Block(
        layers,
        "branch1x1",
        "branch5x5_1 branch5x5_2",
        "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3",
        "avg branch_pool",
    )


def block_b(n_in: int) -> _Block:
    """35x35 -> 17x17; figure 10."""
    layers = {
        "branch3x3": (n_in, 384, 3, S2), "branch3x3dbl_1": (n_in, 64, 1, {}),
        "branch3x3dbl_2": (64, 96, 3, SAME3),
        "branch3x3dbl_3": (96, 96, 3, S2),
    }  # fmt: skip
    return _Block(layers, "branch3x3", "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3", "max")


def block_c(n_in: int, c: int) -> _Block:
    """17x17: rows and columns of 7; figure 6."""
    row, column = ((1, 7), {"padding": (0, 3)}), ((7, 1), {"padding": (3, 0)})
    layers = {
        "branch1x1": (n_in, 192, 1, {}),
        "branch7x7_1": (n_in, c, 1, {}), "branch7x7_2": (c, c, *row),
        "branch7x7_3": (c, 192, *column),
        "branch7x7dbl_1": (n_in, c, 1, {}), "branch7x7dbl_2": (c, c, *column),
        "branch7x7dbl_3": (c, c, *row),
        "branch7x7dbl_4": (c, c, *column), "branch7x7dbl_5": (c, 192, *row),
        "branch_pool": (n_in, 192, 1, {}),
    }  # fmt: skip
    double = " ".join(f"branch7x7dbl_{i}" for i in range(1, 6))
    return _Block(
        layers, "branch1x1", "branch7x7_1 branch7x7_2 branch7x7_3", double, "avg branch_pool"
    )


def block_d(n_in: int) -> _Block:
    """17x17 -> 8x8."""
    layers = {
        "branch3x3_1": (n_in, 192, 1, {}), "branch3x3_2": (192, 320, 3, S2),
        "branch7x7x3_1": (n_in, 192, 1, {}), "branch7x7x3_2": (192, 192, (1, 7), {"padding": (0,
                    3)}),
        "branch7x7x3_3": (192, 192, (7, 1), {"padding": (3, 0)}),
        "branch7x7x3_4": (192, 192, 3, S2),
    }  # fmt: skip
    return _Block(
        layers, "branch3x3_1 branch3x3_2", " ".join(f"branch7x7x3_{i}" for i in range(1, 5)), "max"
    )


def block_e(n_in: int) -> _Block:
    """8x8: 3x3 spread into a row and a column beside each other; figure 7."""
    row, column = ((1, 3), {"padding": (0, 1)}), ((3, 1), {"padding": (1, 0)})
    layers = {
        "branch1x1": (n_in, 320, 1, {}),
        "branch3x3_1": (n_in, 384, 1, {}), "branch3x3_2a": (384, 384, *row),
        "branch3x3_2b": (384, 384, *column),
        "branch3x3dbl_1": (n_in, 448, 1, {}), "branch3x3dbl_2": (448, 384, 3, SAME3),
        "branch3x3dbl_3a": (384, 384, *row), "branch3x3dbl_3b": (384, 384, *column),
        "branch_pool": (n_in, 192, 1, {}),
    }  # fmt: skip
    return _Block(
        layers, "branch1x1", "branch3x3_1 {branch3x3_2a,branch3x3_2b}",
        "branch3x3dbl_1 branch3x3dbl_2 {branch3x3dbl_3a,branch3x3dbl_3b}", "avg branch_pool",
    )  # fmt: skip


class InceptionAux(nn.Module):
    """The auxiliary head, on the 17x17 features."""

    def __init__(self, n_in: int, num_classes: int):
        super().__init__()
        self.conv0 = BasicConv2d(n_in, 128, 1)
        self.conv1 = BasicConv2d(128, 768, 5)
        self.fc = nn.Linear(768, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.conv1(self.conv0(avg_pool2d(x, 5, 3))).mean((2, 3)))


class Inception3(nn.Module):
    """Images (N, 3, H, W), H and W at least 75 (299 as published) -> logits (N, num_classes).

    aux_logits       an auxiliary head; a training network (of 299x299) then gives
                     InceptionOutputs(logits, aux_logits)
    transform_input  the input was normalised as VGG's; bring it to [-1, 1], which the published
                     weights want
    """

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True,
        transform_input: bool = False, init_weights: bool | None = None,
                 dropout: float = 0.5):  # fmt: skip
        super().__init__()
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3, padding=1)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, 1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b, self.Mixed_5c = block_a(192, 32), block_a(256, 64)
        self.Mixed_5d, self.Mixed_6a = block_a(288, 64), block_b(288)
        self.Mixed_6b, self.Mixed_6c = block_c(768, 128), block_c(768, 160)
        self.Mixed_6d, self.Mixed_6e = block_c(768, 160), block_c(768, 192)
        self.AuxLogits = InceptionAux(768, num_classes) if aux_logits else None
        self.Mixed_7a = block_d(768)
        self.Mixed_7b = block_e(1280)
        self.Mixed_7c = block_e(2048)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, num_classes)
        if init_weights or init_weights is None:
            for module in self.modules():
                if isinstance(module, (nn.Conv2d, nn.Linear)):
                    nn.init.trunc_normal_(module.weight, mean=0.0, std=0.1, a=-2, b=2)

    def forward(self, x: Tensor) -> Tensor | InceptionOutputs:
        if self.transform_input:
            scales = zip((0.229, 0.224, 0.225), (0.485, 0.456, 0.406))
            x = stack(
                [
                    x[:, c] * (std / 0.5) + (mean - 0.5) / 0.5
                    for c, (std, mean) in enumerate(scales)
                ],
                1,
            )
        x = self.maxpool1(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        aux = self.AuxLogits(x) if self.training and self.AuxLogits is not None else None
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        logits = self.fc(self.dropout(self.avgpool(x)).flatten(1))
        return InceptionOutputs(logits, aux) if self.training and self.aux_logits else logits


def inception_v3(
    weights=None, progress: bool = True, *, pretrained: bool | None = None, **options
) -> Inception3:
    """Inception v3.

    weights     None: random; "DEFAULT" (or pretrained=True): a file made once from torchvision's,
                which the error names; a path. They bring transform_input=True, and an auxiliary
                head, which aux_logits=False takes away again
    progress    accepted: nothing is downloaded
    options     Inception3's: num_classes, aux_logits, transform_input, init_weights, dropout
    """
    given = weights if pretrained is None else pretrained
    if given is None or given is False:
        return Inception3(**options)
    auxiliary = options.pop("aux_logits", True)
    options = {"transform_input": True, "init_weights": False, **options}
    model = ready(lambda: Inception3(**options), "inception_v3", Inception_V3_Weights, given, None)
    if not auxiliary:
        model.aux_logits, model.AuxLogits = False, None
    return model
