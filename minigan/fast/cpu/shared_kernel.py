"""Work in machine code that threads share, from Python: what `handoff` does with addresses, for
arrays."""

import contextlib
import functools
import types

import numpy as np

from ...machine.threads import num_threads
from . import kernels
from .blas import blas_alone
from .called import call_of
from .handoff import dispatch
from .kernels import OPTIONS, Intrinsic, announce_compilation, cached, compiled
from .threads import run_on_workers, sched_yield

__all__ = ["InPieces", "SharedKernel", "carray", "dispatch", "pointer", "record_at", "room"]


def _make_pointer():
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def pointer(typing, address, zero):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(zero).as_pointer())

        return types.CPointer(zero)(types.intp, zero), codegen

    return pointer


def _make_record_at(dtype):
    from numba import from_dtype, types
    from numba.extending import intrinsic

    record = from_dtype(dtype)

    @intrinsic
    def record_at(typing, address):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(record))

        return record(types.intp), codegen

    return record_at


def _make_room(dtype):
    from llvmlite import ir
    from numba import from_dtype, types
    from numba.core import cgutils
    from numba.extending import intrinsic

    record = from_dtype(dtype)

    @intrinsic
    def room(typing):
        def codegen(context, builder, signature, args):
            place = cgutils.alloca_once(builder, ir.ArrayType(ir.IntType(64), record.size // 8))
            return builder.ptrtoint(place, ir.IntType(64))

        return types.intp(), codegen

    return room


def _make_carray():
    # numba.carray is a function around it, which is compiled for each type
    from numba.np.arrayobj import get_cfarray_intrinsic

    return get_cfarray_intrinsic("C", None)


def record_at(dtype):
    """In a kernel record_at(dtype)(address) is the record there: its attributes are the fields of
    the structured dtype."""
    return Intrinsic(functools.partial(_make_record_at, dtype))


def room(dtype):
    """In a kernel room(dtype)() is the address of room for one such record, until the kernel
    returns; it holds no numbers yet."""
    return Intrinsic(functools.partial(_make_room, dtype))


pointer = Intrinsic(_make_pointer)  # pointer(address, zero): to numbers of the type of zero
carray = Intrinsic(_make_carray)  # carray(pointer, shape): the array there


class SharedKernel:
    """A function of arrays, `kernel(dtype, most, ...)`: the threads that wait for work
    share it.

    part32, part64 : work(args, part, parts) on float32 and float64, as `handoff` describes it
    begin : begin(records, workers, work, sched_yield, ...) puts what the parts need into a record
        and gives that to `dispatch`
    arguments : arguments(array, real, number) -> {name: Numba's type} of the other arguments of
        `begin`, in its order: real is float32 or float64, number float64, and array(type, ndim,
        layout="C", written=False) an array's type

    most : of so many parts; fewer where threads sleep
    """

    def __init__(self, part32, part64, begin, arguments):
        self.parts = {"f": part32, "d": part64}
        self.begin, self.arguments = begin, arguments
        self._compiled = functools.cache(self._compile)
        self._kept = []

    def _compile(self, dtype):
        if kernels.noted is not None:
            kernels.noted[self, dtype] = functools.partial(self._compile, dtype)
            return lambda *_, **__: 0, 0, 0
        import numba
        from numba import types
        from numba.core.ccallback import CFunc
        from numba.core.sigutils import normalize_signature

        announce_compilation()
        signature = normalize_signature("void(intp, intp, intp)")
        work = CFunc(self.parts[dtype], signature, {}, {"nopython": True, "error_model": "numpy"})
        cached(work).compile()

        def array(kind, ndim, layout="C", written=False):
            kind = numba.from_dtype(kind) if isinstance(kind, np.dtype) else kind
            return types.Array(kind, ndim, layout, readonly=not written)

        real = {"f": types.float32, "d": types.float64}[dtype]
        given = self.arguments(array, real, types.float64)
        begin = cached(numba.njit(**OPTIONS)(self.begin))
        begin.compile(types.intp(*[types.intp] * 4, *given.values()))
        begin.disable_compile()
        self._kept.append(work)  # its code lives as long as it does
        return begin, work.address, sched_yield()

    def __call__(self, dtype, most, *arguments, **named):
        begin, *addresses = self._compiled(dtype)
        if most <= 1:
            begin(0, 0, *addresses, *arguments, **named)
        else:
            run_on_workers(lambda *workers: begin(*workers, *addresses, *arguments, **named), most)


def _make_kept():
    from numba import types as t
    from numba.core import cgutils
    from numba.extending import intrinsic

    @intrinsic
    def kept(typing, pieces, args):
        def codegen(context, builder, signature, given):
            place = cgutils.alloca_once_value(builder, cgutils.pack_struct(builder, given))
            return builder.ptrtoint(place, context.get_value_type(t.intp))

        return t.intp(t.intp, args), codegen

    return kept


def _make_work_of(kernel):
    from llvmlite import ir
    from numba import types as t
    from numba.core import cgutils
    from numba.extending import intrinsic

    @intrinsic
    def work_of(typing, args):
        signature = kernel._numba_type_.get_call_type(typing, (t.intp, t.intp, *args), {})

        def codegen(context, builder, _, given):
            whole = ir.IntType(64)
            work = ir.Function(
                builder.module,
                ir.FunctionType(ir.VoidType(), [whole] * 3),
                builder.module.get_unique_name("minigan_work"),
            )
            work.linkage = "internal"
            inside = ir.IRBuilder(work.append_basic_block())
            address, part, parts = work.args
            kept = ir.LiteralStructType([whole, context.get_value_type(args)])
            pieces, values = cgutils.unpack_tuple(
                inside, inside.load(inside.inttoptr(address, kept.as_pointer())), 2
            )
            values = cgutils.unpack_tuple(inside, values, len(args))
            with cgutils.for_range_slice(inside, part, pieces, parts, whole) as (piece, _):
                call_of(context, inside, kernel, signature, [piece, pieces, *values])
            inside.ret_void()
            return builder.ptrtoint(work, whole)

        return t.intp(args), codegen

    return work_of


_kept = Intrinsic(_make_kept)  # _kept(pieces, args): the address of both, until the kernel returns


def _begin(records, workers, sched_yield, pieces, *args):
    work = _work_of(args)  # noqa: F821, each kernel has its own
    return dispatch(records, workers, work, _kept(pieces, args), sched_yield)


class InPieces:
    """`kernel(piece, pieces, *args)` for each piece, in the threads that wait for work; those that
    sleep are not waited for. Which thread does which piece makes no difference to the results: how
    many pieces there are does not depend on it.

    kernel : of a piece, 0 to pieces - 1; it gives nothing back, raises nothing, and its pieces are
        independent
    products : does it multiply matrices by the BLAS? Each thread's products then run in that
        thread alone
    """

    def __init__(self, kernel, products=False):
        name = f"{kernel.__name__}_in_pieces"
        names = {
            "__name__": kernel.__module__,
            "dispatch": dispatch,
            "_kept": _kept,
            "_work_of": Intrinsic(functools.partial(_make_work_of, kernel)),
        }
        self._begin = types.FunctionType(_begin.__code__, names, name)
        self._begin.__qualname__ = name  # under it the code is kept on disk
        self._products = products

    def __call__(self, pieces, long, *args):
        """long : see `run_on_workers`"""
        begin = compiled(self._begin)
        if pieces <= 1:
            begin(0, 0, 0, 1, *args)
            return
        alone = blas_alone if self._products else contextlib.nullcontext
        run_on_workers(
            lambda *workers: begin(*workers, sched_yield(), pieces, *args), pieces, long, alone
        )


LONG = 64  # of the least pieces that pay


def pieces_of(size, least):
    """(how many pieces of so many things pay, each at least `least` of them; are they `long`?)"""
    least = max(1, least)
    return min(num_threads(), max(1, size // least)), size >= LONG * least
