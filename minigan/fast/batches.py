"""Batches gathered and scaled in one pass: `data.batches.gather_scaled` by compiled loops."""

import numpy as np

from ..arrays import array_module
from ..data.batches import gather_scaled
from .cpu.kernels import kernel
from .cuda import Source
from .cuda.source import blocks


@kernel
def _gather(images, index, out):
    for i in range(len(index)):
        row = images[index[i]]
        for j in range(row.size):
            out[i, j] = np.float32(row[j]) / np.float32(127.5) - np.float32(1)


SOURCE = Source("gather", """
extern "C" __global__ void gather_scaled(
        const unsigned char* images, const i64* index, REAL* out, i64 size, i64 n) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = (REAL)images[index[i / size] * size + i % size] / (REAL)127.5 - (REAL)1;
}
""")  # fmt: skip


@gather_scaled.kernel("cpu")
def gather(images, index):
    out = np.empty((len(index), images[0].size), np.float32)
    _gather(images.reshape(len(images), -1), index, out)
    return out.reshape(len(index), *images.shape[1:])


@gather_scaled.kernel("cuda")
def gather_on_device(images, index):
    if not images.flags.c_contiguous or index.dtype != np.int64:
        return gather_scaled.reference(images, index)
    out = array_module(images).empty((len(index), *images.shape[1:]), np.float32)
    if out.size:
        SOURCE.launch(
            "gather_scaled",
            out,
            blocks(out.size),
            (256,),
            images,
            index,
            out,
            images[0].size,
            out.size,
        )
    return out
