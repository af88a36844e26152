"""Calls that mypy must accept, and calls that it must refuse: there an `ignore` that is not needed
is an error."""

import numpy as np

import minigan
from minigan import Tensor, nn
from minigan.nn import functional as F


def right(x: Tensor, index: Tensor) -> None:
    y: Tensor = minigan.relu(x)
    y = minigan.add(x, 2, alpha=3)
    y = minigan.add(2 + x, np.ones(3))
    y = minigan.softmax(x, dim=-1)
    y = minigan.where(x > 0, x, 0.0)
    y = minigan.sum(x, (0, 1), keepdim=True, dtype=np.float64)
    y = F.leaky_relu(x, 0.2, inplace=True)
    y = F.cross_entropy(x, index, label_smoothing=0.1)
    y = F.conv2d(x, y, stride=(2, 2), padding=1)
    y = F.interpolate(x, scale_factor=2, mode="nearest")
    y = x.exp().sum(dim=0).add(1).t()
    y = x.reshape(2, -1).permute((1, 0)).to("cpu", dtype=np.float32)
    y = x.add_(1).clamp_(0, 1).normal_(std=2.0).unsqueeze_(0)
    y = (2 - x) / 3 @ y**2
    y = (x == 3) | ~(x < 1)
    y = x[..., None, index, 1:2]
    x[0] = 1.0
    x += 1
    x *= y
    values, where = x.max(dim=1)
    y = x.max()
    order: Tensor = x.sort(descending=True).indices
    n: int = x.numel() + x.size(0) + x.stride(1)
    y.register_hook(lambda gradient: gradient * 2).remove()
    y = nn.Linear(3, 4, bias=False)(x)
    print(values, where, order, n, x.T, x.dtype, x.float(), x.is_cuda)


def wrong_keywords(x: Tensor) -> None:
    minigan.relu(x, slope=2)  # type: ignore[call-arg]
    minigan.add(x, 2, beta=3)  # type: ignore[call-arg]
    minigan.softmax(x, axes=1)  # type: ignore[call-arg]
    minigan.exp(x, 2)  # type: ignore[call-arg]
    F.leaky_relu(x, slope=0.2)  # type: ignore[call-arg]
    F.mse_loss(x, x, reduce_by="sum")  # type: ignore[call-arg]
    F.conv2d(x, x, strides=2)  # type: ignore[call-arg]
    x.exp(3)  # type: ignore[call-arg]
    x.sum(dims=2)  # type: ignore[call-arg]
    x.add_(1, beta=2)  # type: ignore[call-arg]
    x.unsqueeze_(0, 1)  # type: ignore[call-arg]
    x.sort(reverse=True)  # type: ignore[call-arg]
    x.size(axis=0)  # type: ignore[call-overload]
    x.numel(0)  # type: ignore[call-arg]
    x.exponential()  # type: ignore[attr-defined]
    nn.Linear(3, 4, biased=False)  # type: ignore[call-arg]
    nn.Conv2d(3, 4, 3, strides=2)  # type: ignore[call-arg]
    nn.BatchNorm2d(3, epsilon=1e-5)  # type: ignore[call-arg]


def wrong_types(x: Tensor) -> None:
    minigan.relu("x")  # type: ignore[arg-type]
    minigan.add(x, "2")  # type: ignore[arg-type]
    minigan.softmax(x, dim="last")  # type: ignore[arg-type]
    minigan.zeros(2, dtype=3)  # type: ignore[arg-type]
    minigan.sum(x, dtype=0.5)  # type: ignore[arg-type]
    F.leaky_relu(x, "steep")  # type: ignore[arg-type]
    F.cross_entropy(x, 3)  # type: ignore[arg-type]
    F.interpolate(x, mode=2)  # type: ignore[arg-type]
    x.add("s")  # type: ignore[arg-type]
    x + "s"  # type: ignore[arg-type]
    x.pow_([2])  # type: ignore[arg-type]
    x.argmax("rows")  # type: ignore[arg-type]
    x.flip("rows")  # type: ignore[arg-type]
    x.transpose(0, None)  # type: ignore[arg-type]
    x.masked_fill_([True], 0.0)  # type: ignore[arg-type]
    x.grad = np.ones(3)  # type: ignore[assignment]
    x.shape = (2, 3)  # type: ignore[assignment, misc]
    nn.Linear("three", 4)  # type: ignore[arg-type]
