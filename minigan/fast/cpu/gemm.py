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
    from numba.extending import intrinsic

    # Whole numbers go as 64 bits: a BLAS that wants 32 finds them in the lower half of the same
    # register or place on the stack.
    whole, pointer = ir.IntType(64), ir.IntType(8).as_pointer()

    @intrinsic
    def gemm(typing, address, trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc):
        def codegen(context, builder, signature, args):
            address, *numbers, a, lda, b, ldb, beta, c, ldc = args
            real = context.get_value_type(signature.args[10])
            kinds = [whole] * 6 + [real, pointer, whole, pointer, whole, real, pointer, whole]
            function = builder.inttoptr(address, ir.FunctionType(ir.VoidType(), kinds).as_pointer())
            a, b, c = (builder.inttoptr(matrix, pointer) for matrix in (a, b, c))
            row_major, one = ir.Constant(whole, 101), ir.Constant(real, 1.0)
            builder.call(function, [row_major, *numbers, one, a, lda, b, ldb, beta, c, ldc])
            return context.get_dummy_value()

        return types.void(*[types.intp] * 10, beta, types.intp, types.intp), codegen

    return gemm


def _make_place():
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def place(typing, array, i):
        def codegen(context, builder, signature, args):
            kind = signature.args[0]
            start = context.make_array(kind)(context, builder, args[0]).data
            return builder.ptrtoint(
                builder.gep(start, [args[1]]), context.get_value_type(types.intp)
            )

        return types.intp(array, types.intp), codegen

    return place


# In a kernel: call_address(address) calls the C function there, which takes nothing.
call_address = Intrinsic(_make_call_address)

# In a kernel: gemm(address, trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc),
# c = op(a) op(b) + beta c, all row by row.
# address: `gemm_address` of the dtype of beta and the matrices
# a, b, c: where the first number of each matrix is, see `place`
# trans_a, trans_b: NO_TRANS or TRANS;  op(a) (m, k), op(b) (k, n), c (m, n)
# lda, ldb, ldc: numbers from row to row
gemm = Intrinsic(_make_gemm)
place = Intrinsic(_make_place)  # place(x, i): the address of number i of x, which has no gaps


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
