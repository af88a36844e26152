"""Kernels that other kernels call where they are.

What a kernel calls is otherwise copied into its code, optimised there and made machine code again:
a copy of patches in each of three convolutions took most of the time of a first step. Here it
is compiled once, and its callers are given its address.
"""

import functools
import inspect
import types

import numpy as np

from .kernels import Intrinsic, compiled


def call_of(context, builder, kernel, signature, values):
    """Put a call of a kernel, with these arguments, into the code of another."""
    found = kernel._numba_type_.dispatcher.overloads[signature.args]
    context.add_linking_libs([found.library])
    context.call_internal_no_propagate(builder, found.fndesc, signature, values)


def _make_call(kernel, kinds):
    from llvmlite import ir
    from numba import types as t
    from numba.core import cgutils
    from numba.extending import intrinsic

    def call(typing, address, *args):
        def codegen(context, builder, signature, given):
            address, *values = given
            place = cgutils.alloca_once_value(builder, cgutils.pack_struct(builder, values))
            whole = context.get_value_type(t.intp)
            function = ir.FunctionType(ir.VoidType(), [whole]).as_pointer()
            builder.call(builder.inttoptr(address, function), [builder.ptrtoint(place, whole)])
            return context.get_dummy_value()

        return t.void(t.intp, *kinds(getattr(args[0], "dtype", args[0]))), codegen

    names = ["typing", "address", *inspect.signature(kernel.reference).parameters]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    call.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    return intrinsic(call)


def _make_entry(kernel, kinds):
    from llvmlite import ir
    from numba import types as t
    from numba.core import cgutils
    from numba.extending import intrinsic

    @intrinsic
    def entry(typing, zero):
        given = kinds(zero)
        called = kernel._numba_type_.get_call_type(typing, given, {})

        def codegen(context, builder, signature, _):
            whole = context.get_value_type(t.intp)
            name = builder.module.get_unique_name("minigan_entry")
            function = ir.Function(builder.module, ir.FunctionType(ir.VoidType(), [whole]), name)
            function.linkage = "internal"
            inside = ir.IRBuilder(function.append_basic_block())
            kept = ir.LiteralStructType([context.get_value_type(kind) for kind in given])
            place = inside.inttoptr(function.args[0], kept.as_pointer())
            values = cgutils.unpack_tuple(inside, inside.load(place), len(given))
            call_of(context, inside, kernel, called, values)
            inside.ret_void()
            return builder.ptrtoint(function, whole)

        return t.intp(zero), codegen

    return entry


def _address(zero):
    return _entry(zero)  # noqa: F821, each kernel has its own


def array(kind, ndim, layout="C"):
    """Numba's type of an array; kind is its own or a structured dtype."""
    from numba import from_dtype, types

    return types.Array(from_dtype(kind) if isinstance(kind, np.dtype) else kind, ndim, layout)


class Called:
    """In a kernel called(address, *args) calls this one, compiled once for each dtype.

    kernel : gives nothing back and raises nothing. The first argument is an array or a number of
        the dtype
    kinds : kinds(real, whole, array) -> Numba's types of its arguments: real is the dtype's, whole
        that of integers, `array` makes those of arrays. Arguments are cast to these types
    """

    def __init__(self, kernel, kinds):
        def types_of(real):
            from numba import types

            return kinds(real, types.intp, array)

        name = f"{kernel.__name__}_address"
        entry = Intrinsic(functools.partial(_make_entry, kernel, types_of))
        names = {"__name__": kernel.__module__, "_entry": entry}
        self._function = types.FunctionType(_address.__code__, names, name)
        self._function.__qualname__ = name  # under it the code is kept on disk
        self._call = Intrinsic(functools.partial(_make_call, kernel, types_of))
        self._found = {}

    def address(self, dtype):
        """Where its code for arrays of this dtype is."""
        if dtype not in self._found:
            self._found[dtype] = compiled(self._function)(dtype.type(0))
        return self._found[dtype]

    @property
    def _numba_type_(self):
        return self._call._numba_type_
