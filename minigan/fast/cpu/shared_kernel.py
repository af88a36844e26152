"""Work in machine code that threads share, from Python: what `handoff` does with addresses, for
arrays."""

import functools

import numpy as np

from .handoff import dispatch
from .kernels import OPTIONS, Intrinsic, announce_compilation, cached
from .threads import run_on_workers, sched_yield

__all__ = ["SharedKernel", "carray", "dispatch", "pointer", "record_at", "room"]


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
    from numba import carray

    return carray


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
