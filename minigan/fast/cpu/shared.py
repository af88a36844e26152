"""Work in machine code that threads share, from Python: what `handover` does with addresses, for arrays."""

import functools

from .handoff import lead
from .kernels import OPTIONS, Intrinsic, announce_compilation, cached
from .threads import sched_yield, together

__all__ = ["Shared", "carray", "lead", "pointer"]


def _make_pointer():
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def pointer(typing, address, zero):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(zero).as_pointer())

        return types.CPointer(zero)(types.intp, zero), codegen

    return pointer


def _make_carray():
    from numba import carray

    return carray


pointer = Intrinsic(_make_pointer)  # pointer(address, zero): to numbers of the type of zero
carray = Intrinsic(_make_carray)  # carray(pointer, shape): the array there


class Shared:
    """A function of arrays whose work is shared by the threads that wait for some: `shared(dtype, most, *arguments)`.

    part32, part64 : work(args, part, parts) on float32 and float64, as `handover` describes it
    begin : begin(rows, work, sched_yield, *arguments) puts what the parts need into an int64 array and gives that to `lead`
    arguments : arguments(array, real, number) -> Numba's types of the arguments: real is float32 or float64, number float64, and
        array(type, ndim, layout="C", written=False) an array's type

    most : of so many parts; fewer where threads sleep
    """

    def __init__(self, part32, part64, begin, arguments):
        self.parts, self.begin, self.arguments = {"f": part32, "d": part64}, begin, arguments
        self._compiled = functools.cache(self._compile)

    def _compile(self, dtype):
        import numba
        from numba import types
        from numba.core.ccallback import CFunc
        from numba.core.sigutils import normalize_signature

        announce_compilation()
        work = CFunc(self.parts[dtype], normalize_signature("void(intp, intp, intp)"), {}, {"nopython": True, "error_model": "numpy"})
        cached(work).compile()

        def array(kind, ndim, layout="C", written=False):
            return types.Array(kind, ndim, layout, readonly=not written)

        real = {"f": types.float32, "d": types.float64}[dtype]
        given = self.arguments(array, real, types.float64)
        begin = cached(numba.njit(**OPTIONS)(self.begin))
        begin.compile(types.intp(array(types.int64, 2, written=True), types.intp, types.intp, *given))
        begin.disable_compile()
        return begin, work

    def __call__(self, dtype, most, *arguments):
        run, work = self._compiled(dtype)
        together(lambda rows: run(rows, work.address, sched_yield(), *arguments), most)
