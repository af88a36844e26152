"""Matrix products on CUDA: cuBLAS, called with a handle and a workspace of our own, so that a CUDA
graph can capture it.

CuPy's own products are refused during a capture, and without a workspace that it was given cuBLAS
would allocate one. All arrays are stored row by row here, cuBLAS counts by columns: what it sees of
a row-major matrix is its transpose, and c = a b is computed as c^T = b^T a^T.
"""

import contextlib
import ctypes
import functools

import numpy as np

from ...arrays.device import array_module
from ...machine.precision import precision
from .source import Source, blocks, on_device

WORKSPACE = 32 << 20  # bytes that cuBLAS asks for on Hopper
F32, F64 = 0, 1  # cudaDataType
BF16 = 14
COMPUTE_F32, COMPUTE_F64 = 68, 70  # cublasComputeType
COMPUTE_TF32 = 77
DEFAULT = -1  # cublasGemmAlgo

# m, n, k;  for a and b: address, kind, numbers from row to row (and from product to product)
_INT, _LONG, _PLACE = ctypes.c_int, ctypes.c_longlong, ctypes.c_void_p
_HEAD = [_PLACE, *[_INT] * 5, _PLACE]
_ONE = [_PLACE, _INT, _INT]
_MANY = [*_ONE, _LONG]
ARGUMENTS = {
    "cublasGemmEx": [*_HEAD, *_ONE, *_ONE, _PLACE, *_ONE, _INT, _INT],
    "cublasGemmStridedBatchedEx": [*_HEAD, *_MANY, *_MANY, _PLACE, *_MANY, _INT, _INT, _INT],
}

CAST = Source("bfloat16", """
// The nearest bfloat16 (ties to even) of each number; a NaN stays one.
extern "C" __global__ void to_bfloat16(const REAL* x, unsigned short* y, i64 n) {
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    union { float f; u32 u; } v;
    v.f = (float)x[i];
    y[i] = v.f != v.f ? 0x7fc0 : (unsigned short)((v.u + 0x7fff + ((v.u >> 16) & 1)) >> 16);
}
""")  # fmt: skip


@functools.cache
def _library():
    """cuBLAS as CuPy itself has found it, or as NVIDIA's packages bring it."""
    from cupy_backends.cuda.libs import cublas as loaded  # noqa: F401  (brings the library into the process)

    tried = []
    for name in ("libcublas.so.13", "libcublas.so.12", "libcublas.so"):
        try:
            return _typed(ctypes.CDLL(name))
        except OSError as error:
            tried.append(str(error))
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib

        return _typed(ctypes.CDLL(load_nvidia_dynamic_lib("cublas").abs_path))
    except Exception as error:  # not installed, or nothing found
        tried.append(str(error))
    raise RuntimeError(f"cuBLAS was not found ({'; '.join(tried)}): pip install nvidia-cublas")


def _typed(library):
    """The library, whose functions for products take Python's numbers: no object for each."""
    for name, types in ARGUMENTS.items():
        getattr(library, name).argtypes = types
    return library


class Handle:
    """A cuBLAS handle of one stream, with its workspace."""

    # does one product go to cublasGemmEx, and not through the call for many? False to compare
    single = True

    def __init__(self, xp):
        self.library = getattr(xp, "cublas_library", _library)()
        self.handle = ctypes.c_void_p()
        self._check("cublasCreate_v2", self.library.cublasCreate_v2(ctypes.byref(self.handle)))
        self.workspace = xp.empty(WORKSPACE, np.uint8)

    def work_on(self, stream):
        self._check(
            "cublasSetStream_v2",
            self.library.cublasSetStream_v2(self.handle, ctypes.c_void_p(stream)),
        )
        place = ctypes.c_void_p(self.workspace.data.ptr)
        self._check(
            "cublasSetWorkspace_v2",
            self.library.cublasSetWorkspace_v2(self.handle, place, ctypes.c_size_t(WORKSPACE)),
        )

    def _check(self, name, status):
        if status:
            raise RuntimeError(f"{name} failed with cuBLAS status {status}")

    def gemm(self, a, trans_a, b, trans_b, c, beta, sizes, steps, batch, kinds, compute):
        """c = op(a) op(b) + beta c, all row-major; sizes (m, n, k, lda, ldb, ldc), steps of a, b
        and c from product to product."""
        m, n, k, lda, ldb, ldc = sizes
        one, share = _number(1.0, kinds[2]), _number(beta, kinds[2])
        # for a long sum this one shares it among more multiprocessors
        if batch == 1 and self.single:
            status = self.library.cublasGemmEx(
                self.handle, trans_b, trans_a, n, m, k, one, b.data.ptr, kinds[1], ldb, a.data.ptr,
                kinds[0], lda, share, c.data.ptr, kinds[2], ldc, compute, DEFAULT
            )  # fmt: skip
            return self._check("cublasGemmEx", status)
        status = self.library.cublasGemmStridedBatchedEx(
            self.handle, trans_b, trans_a, n, m, k, one, b.data.ptr, kinds[1], ldb, steps[1],
            a.data.ptr, kinds[0], lda, steps[0], share, c.data.ptr, kinds[2], ldc, steps[2], batch,
            compute, DEFAULT
        )  # fmt: skip
        self._check("cublasGemmStridedBatchedEx", status)


@functools.cache
def _number(value, kind):
    """The address of a factor on the host."""
    return ctypes.byref((ctypes.c_double if kind == F64 else ctypes.c_float)(value))


_handles: dict[tuple, Handle] = {}  # (library, device, stream) -> its handle
# (library, device) -> those of graphs that are gone; to destroy one would wait for the GPU
_spare: dict[tuple, list[Handle]] = {}


def _handle(xp, device):
    stream = xp.cuda.get_current_stream().ptr
    key = xp, device, stream
    if key not in _handles:
        spare = _spare.get((xp, device))
        handle = spare.pop() if spare else Handle(xp)
        handle.work_on(stream)
        _handles[key] = handle
    return _handles[key]


class Lease:
    """The handle with which a stream captured a graph: as long as this object lives nobody else
    writes into its workspace."""

    def __init__(self, spare):
        self.handle, self.spare = None, spare

    def __del__(self):
        if self.handle is not None:
            self.spare.append(self.handle)


@contextlib.contextmanager
def leased(xp, device, stream):
    """Inside, products on `stream`, which is used for nothing else, belong to one graph: to who
    keeps the Lease."""
    lease = Lease(_spare.setdefault((xp, device), []))
    try:
        yield lease
    finally:
        lease.handle = _handles.pop((xp, device, stream), None)


def _matrix(x):
    """(x or a row-major copy, is it the transpose that lies row by row?, numbers from row to row)
    of x (..., rows, columns)."""
    size = x.itemsize
    rows, columns = x.strides[-2:]
    if columns == size and (rows >= size * x.shape[-1] or x.shape[-2] == 1) and rows % size == 0:
        return (
            x,
            False,
            max(rows // size, x.shape[-1], 1) if x.shape[-2] > 1 else max(x.shape[-1], 1),
        )
    if rows == size and (columns >= size * x.shape[-2] or x.shape[-1] == 1) and columns % size == 0:
        return (
            x,
            True,
            max(columns // size, x.shape[-2], 1) if x.shape[-1] > 1 else max(x.shape[-2], 1),
        )
    return array_module(x).ascontiguousarray(x), False, max(x.shape[-1], 1)


def halved(*arrays):
    """The arrays as `gemm` takes them inside `rounded`: those of float32 rounded to bfloat16, as
    unsigned short, laid out alike."""
    return [_to_bfloat16(x) if precision.half and x.dtype == np.float32 else x for x in arrays]


def _to_bfloat16(x):
    from .elementwise import dense

    x = dense(x)
    y = array_module(x).empty_like(x, dtype=np.uint16)
    CAST.launch("to_bfloat16", x, blocks(x.size), (256,), x, y, x.size)
    return y


def gemm(a, b, out=None, beta=0.0, conv=False):
    """a @ b for stacks of matrices of float32 or float64 (or `halved`) on CUDA with equal leading
    sizes, at most one of them: (m, k) @ (k, n), or (batch, m, k) @ (batch, k, n).

    out : a C-contiguous array for the result; beta : its share in it
    conv : is it part of a convolution, so that `conv_tf32` counts?
    """
    xp = array_module(a)
    *batch, m, k = a.shape
    n = b.shape[-1]
    if out is None:
        out = xp.empty((*batch, m, n), a.dtype if a.dtype != np.uint16 else np.float32)
    if not out.size:
        return out
    if not k:
        out *= beta
        return out
    single = out.dtype == np.float32
    a, b = halved(a, b)
    half = a.dtype == np.uint16
    kind = F32 if single else F64
    (a, trans_a, lda), (b, trans_b, ldb) = _matrix(a), _matrix(b)
    tf32 = precision.conv_tf32 if conv else precision.matmul_tf32
    compute = COMPUTE_F64 if not single else COMPUTE_TF32 if tf32 and not half else COMPUTE_F32
    kinds = (BF16, BF16, F32) if half else (kind, kind, kind)
    steps = [x.strides[0] // x.itemsize if batch and len(x) > 1 else 0 for x in (a, b, out)]
    place = a.data.device_id
    with on_device(xp, place):
        sizes = (m, n, k, lda, ldb, n)
        _handle(xp, place).gemm(
            a,
            trans_a,
            b,
            trans_b,
            out,
            beta,
            sizes,
            steps,
            batch[0] if batch else 1,
            kinds,
            compute,
        )
    return out


def matmul(a, b):
    """np.matmul for arrays on CUDA: vectors, matrices, and stacks of matrices that broadcast."""
    if (
        a.dtype != b.dtype
        or a.dtype.char not in "fd"
        or 0 in (a.ndim, b.ndim)
        or a.data.device_id != b.data.device_id
    ):
        return np.matmul(a, b)  # other dtypes, and errors
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(f"matmul: {tuple(a.shape)} @ {tuple(b.shape)}: the inner sizes differ")
    row, column = a.ndim == 1, b.ndim == 1
    a, b = a[None, :] if row else a, b[:, None] if column else b
    if a.ndim == b.ndim == 2:
        y = gemm(a, b)
    elif b.ndim == 2 and a.flags.c_contiguous:
        # one matrix for all: the rows of all stacks together
        y = gemm(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[-1])
    else:
        leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        xp = array_module(a)
        stacks = [_stack(xp, x, leading) for x in (a, b)]
        y = gemm(*stacks).reshape(*leading, a.shape[-2], b.shape[-1])
    if row:
        y = y[..., 0, :]
    return y[..., 0] if column else y


def _stack(xp, x, leading):
    """x (..., rows, columns), broadcast to the leading sizes `leading`, with these as one."""
    if x.shape[:-2] != leading:
        x = xp.broadcast_to(x, (*leading, *x.shape[-2:]))
    return (
        x
        if len(leading) == 1 and x.strides[0]
        else xp.ascontiguousarray(x).reshape(-1, *x.shape[-2:])
    )
