"""Matrix products inside kernels: the BLAS that NumPy uses, called by its address without Python in
between.

A thread that calls NumPy for each of many small products waits for the GIL as often; a kernel with
`gemm` in it never does.
"""

import ctypes
import functools

import numpy as np

from .blas import blas_libraries
from .kernels import Intrinsic

NO_TRANS, TRANS = 111, 112  # CblasNoTrans, CblasTrans


def _make_call_address():
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def call_address(typing, address):
        def codegen(context, builder, signature, args):
            builder.call(
                builder.inttoptr(args[0], ir.FunctionType(ir.IntType(32), []).as_pointer()), []
            )
            return context.get_dummy_value()

        return types.void(types.intp), codegen

    return call_address


def _make_gemm():
    from llvmlite import ir
    from numba import types
    from numba.core.errors import TypingError
    from numba.extending import intrinsic

    # Whole numbers go as 64 bits: a BLAS that wants 32 finds them in the lower half of the same
    # register or place on the stack.
    whole, pointer = ir.IntType(64), ir.IntType(8).as_pointer()

    @intrinsic
    def gemm(typing, address, trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc):
        if not a.dtype == b.dtype == c.dtype:
            raise TypingError(
                f"gemm: matrices of different dtypes: {a.dtype}, {b.dtype}, {c.dtype}"
            )
        size = types.intp
        signature = types.void(
            size, size, size, size, size, size, a, size, b, size, c.dtype, c, size
        )

        def codegen(context, builder, signature, args):
            address, *numbers, a, lda, b, ldb, beta, c, ldc = args
            real = context.get_value_type(signature.args[10])

            def data(value, kind):
                return builder.bitcast(
                    context.make_array(kind)(context, builder, value).data, pointer
                )

            kinds = [whole] * 6 + [real, pointer, whole, pointer, whole, real, pointer, whole]
            function = builder.inttoptr(address, ir.FunctionType(ir.VoidType(), kinds).as_pointer())
            matrices = [data(v, signature.args[i]) for v, i in ((a, 6), (b, 8), (c, 11))]
            row_major, one = ir.Constant(whole, 101), ir.Constant(real, 1.0)
            arguments = [
                row_major,
                *numbers,
                one,
                matrices[0],
                lda,
                matrices[1],
                ldb,
                beta,
                matrices[2],
                ldc,
            ]
            builder.call(function, arguments)
            return context.get_dummy_value()

        return signature, codegen

    return gemm


# In a kernel: call_address(address) calls the C function there, which takes nothing.
call_address = Intrinsic(_make_call_address)

# In a kernel: gemm(address, trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc),
# c = op(a) op(b) + beta c, all row by row.
# address: `gemm_address` of the dtype of the arrays a, b, c, which begin at the first number of
#     each matrix
# trans_a, trans_b: NO_TRANS or TRANS;  op(a) (m, k), op(b) (k, n), c (m, n)
# lda, ldb, ldc: numbers from row to row
gemm = Intrinsic(_make_gemm)


@functools.cache
def gemm_address(dtype):
    """Where cblas_sgemm or cblas_dgemm of NumPy's BLAS is; of a substitute that calls NumPy, where
    it cannot be found."""
    letter = {"float32": "s", "float64": "d"}[np.dtype(dtype).name]
    for library in blas_libraries():
        loaded = ctypes.CDLL(library.filepath)
        for prefix, suffix in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
            function = getattr(loaded, f"{prefix}cblas_{letter}gemm{suffix}", None)
            if function is not None:
                return ctypes.cast(function, ctypes.c_void_p).value
    _kept.append(substitute(dtype))
    return ctypes.cast(_kept[-1], ctypes.c_void_p).value


_kept: list[object] = []  # a callback lives as long as Python knows it


def substitute(dtype):
    """cblas_?gemm as a C function that calls NumPy."""
    real, whole = np.ctypeslib.as_ctypes_type(dtype), ctypes.c_int64

    def view(address, rows, columns, step):
        n = (rows - 1) * step + columns
        flat = np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(real)), (n,))
        return np.lib.stride_tricks.as_strided(
            flat, (rows, columns), (step * flat.itemsize, flat.itemsize)
        )

    def call(order, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
        a = view(a, m, k, lda) if trans_a == NO_TRANS else view(a, k, m, lda).T
        b = view(b, k, n, ldb) if trans_b == NO_TRANS else view(b, n, k, ldb).T
        c = view(c, m, n, ldc)
        c[...] = a @ b if beta == 0 else a @ b + np.dtype(dtype).type(beta) * c

    kinds = [
        *[whole] * 6,
        real,
        ctypes.c_void_p,
        whole,
        ctypes.c_void_p,
        whole,
        real,
        ctypes.c_void_p,
        whole,
    ]
    return ctypes.CFUNCTYPE(None, *kinds)(call)
