"""Kernels for NumPy's float32 and float64 arrays: importing this registers them on the cards."""

from . import (
    activation as activation,
    convolution as convolution,
    elementary as elementary,
    embedding as embedding,
    extremes as extremes,
    fused as fused,
    group_normalization as group_normalization,
    layout as layout,
    loss as loss,
    normalization_kernels as normalization_kernels,
    pooling as pooling,
    product as product,
    random as random,
    taps as taps,
)
