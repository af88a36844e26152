"""Calls of functions in machine code, one behind the other, as one function without Python.

What is called is there already: the loops that Numba has compiled, and those inside of NumPy's
ufuncs. Here are only the calls of them, with the addresses of fixed arrays. So LLVM has next to
nothing to do, and the results are those of the same calls by Python.
"""

import contextlib
import ctypes
import functools
import inspect
import itertools

import numpy as np

__all__ = ["Code", "Unknown"]


class Unknown(Exception):
    """Something has no form in machine code; the message says what."""


class Code:
    """A function that is being written: the methods append to it.

    A number that is only known when the function runs is a value of LLVM's (`number`).
    records, workers : its arguments, the threads that wait for work (see `fast.cpu.handoff`)
    parts : its result, in how many parts the last product was shared among them
    """

    def __init__(self):
        from llvmlite import ir
        from numba.core.cgutils import for_range
        from numba.core.registry import cpu_target

        self.ir, self.for_range = ir, for_range
        self.context = cpu_target.target_context
        self.whole = whole = ir.IntType(64)
        self.module = ir.Module("minigan_step")
        function = ir.Function(self.module, ir.FunctionType(whole, [whole, whole]), "step")
        self.builder = ir.IRBuilder(function.append_basic_block())
        self.records, self.workers = function.args
        self.parts = whole(1)
        self.kinds = {}  # number -> Numba's type of it, which says more than LLVM's
        self.kept = []  # whose addresses stand in the code
        self.stopped = np.zeros(1, np.int64)  # where the function ended early, or 0

    def finish(self):
        """The function, to be called by Python."""
        import llvmlite.binding as llvm

        self.builder.ret(self.parts)
        self.context.codegen()  # which has made LLVM ready for this processor
        machine = llvm.Target.from_default_triple().create_target_machine(opt=0)
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(str(self.module)), machine)
        self.engine.finalize_object()
        address = self.engine.get_function_address("step")
        return ctypes.CFUNCTYPE(*[ctypes.c_int64] * 3)(address)

    def stop_unless(self, truth, number):
        """End here, and leave this number in `stopped`, where a Boolean is not true."""
        wrong = self.builder.icmp_unsigned("==", truth, truth.type(0))
        with self.builder.if_then(wrong, likely=False):
            self.builder.store(self.whole(number), self._place(self.stopped, self.whole))
            self.builder.ret(self.parts)

    # --- numbers ---

    def number(self, array):
        """The number in an array of one element, when the function gets here."""
        from numba import from_dtype

        kind = {"f": self.ir.FloatType(), "d": self.ir.DoubleType()}.get(array.dtype.char)
        value = self.builder.load(self._place(array, kind or self.whole))
        self.kinds[value] = from_dtype(array.dtype)
        return value

    def store(self, value, array):
        """Put a double into a float32 or float64 array of one element."""
        if array.dtype.char == "f":
            value = self.builder.fptrunc(value, self.ir.FloatType())
        self.builder.store(value, self._place(array, value.type))

    def double(self, value):
        """A number as a double."""
        double = self.ir.DoubleType()
        if not isinstance(value, self.ir.Value):
            return self.ir.Constant(double, value)
        return value if value.type == double else self.builder.fpext(value, double)

    def _place(self, array, kind):
        self.kept.append(array)
        return self.whole(array.ctypes.data).inttoptr(kind.as_pointer())

    # --- what Numba has compiled ---

    def call(self, dispatcher, *args):
        """Call what Numba has compiled for arguments like these: arrays, numbers, None, and LLVM's
        values. The function's result, if it is a number."""
        found = self._compiled(dispatcher, args)
        self.kept.append(found)
        function = self.context.call_conv.get_function_type(
            found.fndesc.restype, found.fndesc.argtypes
        )
        result, error, *kinds = function.args
        words = itertools.chain.from_iterable(map(self._words, args))
        given = [self._as(word, kind) for word, kind in zip(words, kinds, strict=True)]
        address = found.library.get_pointer_to_function(found.fndesc.llvm_func_name)
        if not address:
            raise Unknown(f"{dispatcher.__name__}, whose machine code Numba has not kept")
        target = self.builder.inttoptr(self.whole(address), function.as_pointer())
        with self.builder.goto_entry_block():
            room, no_error = (self.builder.alloca(p.pointee) for p in (result, error))
        self.builder.call(target, [room, no_error, *given])
        return None if result.pointee.is_pointer else self.builder.load(room)

    def _compiled(self, dispatcher, args):
        from numba import types

        kinds = {"double": types.float64, "float": types.float32, "i64": types.int64}
        signature = tuple(
            self.kinds.get(a, kinds[str(a.type)])
            if isinstance(a, self.ir.Value)
            else dispatcher.typeof_pyval(a)
            for a in args
        )
        signature += tuple(map(types.Omitted, _defaults(dispatcher.py_func)[len(args) :]))
        if signature not in dispatcher.overloads:
            if not dispatcher._can_compile:  # it has one form, for arrays in any layout
                return next(iter(dispatcher.overloads.values()))
            dispatcher.compile(signature)
        return dispatcher.overloads[signature]

    def _words(self, x):
        """What Numba's functions are given for an argument: of arrays, which own no memory as far
        as they know, the sizes and the address."""
        if not isinstance(x, np.ndarray):
            return [0 if x is None else x]
        self.kept.append(x)
        return [0, 0, x.size, x.itemsize, x.ctypes.data, *x.shape, *x.strides]

    def _as(self, word, kind):
        if isinstance(word, self.ir.Value):
            return word
        return self.whole(word).inttoptr(kind) if kind.is_pointer else self.ir.Constant(kind, word)

    # --- loops of NumPy's ufuncs ---

    def ufunc(self, function, *xs, out=None):
        """function(*xs), an array: a new one, or `out`. Numbers among xs are of the arrays'
        dtype."""
        dtype = next(x.dtype for x in xs if isinstance(x, np.ndarray))
        if dtype.kind != "f" and any(isinstance(x, float) for x in xs):
            raise Unknown(f"{function.__name__} of integers and a float")
        xs = [np.asarray(x, None if isinstance(x, np.ndarray) else dtype) for x in xs]
        if out is None:
            with np.errstate(all="ignore"):  # for shape, dtype and layout
                out = np.asarray(function(*xs))
        operands = [*(np.broadcast_to(x, out.shape) for x in xs), out]
        self._lines(function, operands, _dimensions(operands, out))
        return out

    def copy(self, x, y):
        """y[...] = x, of one dtype; gives y."""
        xs = (x, x) if x.dtype == bool else (x,)
        return self.ufunc(np.logical_and if x.dtype == bool else np.positive, *xs, out=y)

    def reduce(self, function, x, axes, keepdims=False):
        """function.reduce(x, axes, keepdims=keepdims) in the same order; function: np.add, or
        np.maximum."""
        with np.errstate(all="ignore"):
            y = np.empty_like(function.reduce(x, axes, keepdims=True))
        if function is np.add:
            self.copy(np.zeros_like(y), y)
        else:
            self.copy(x[tuple(slice(0, 1) if i in axes else slice(None) for i in range(x.ndim))], y)
        so_far = np.broadcast_to(y, x.shape)
        operands = [so_far, x, so_far]
        self._lines(function, operands, _dimensions(operands, x))
        return y if keepdims else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])

    def matmul(self, a, b):
        """np.matmul(a, b) of matrices."""
        c = np.empty((len(a), b.shape[1]), a.dtype)
        strides = [0, 0, 0, *a.strides, *b.strides, *c.strides]
        self._loop(np.matmul, [a, b, c], [1, *a.shape, b.shape[1]], strides)
        return c

    def _lines(self, function, operands, dimensions):
        """Call the loop of a ufunc for each line along the innermost dimension, as NumPy does: the
        rounding of sums depends on it. (And np.negative of NumPy 2.3 and 2.4 is wrong where neither
        x nor y are contiguous.)"""
        if not operands[-1].size:
            raise Unknown("an array without elements")
        *outer, (size, strides) = dimensions
        places = [self.whole(x.ctypes.data) for x in operands]
        with contextlib.ExitStack() as stack:
            for n, steps in outer:
                loop = stack.enter_context(self.for_range(self.builder, self.whole(n)))
                moves = [self.builder.mul(loop.index, self.whole(step)) for step in steps]
                places = list(map(self.builder.add, places, moves))
            self._loop(function, operands, [size], strides, places if outer else ())

    def _loop(self, function, operands, sizes, strides, places=()):
        """Call the loop of a ufunc: `loop(addresses, sizes, strides, data)`, the first three the
        addresses of such numbers. places : where the operands begin, if not where these do."""
        *inputs, out = (x.dtype.char for x in operands)
        if (kinds := f"{''.join(inputs)}->{out}") not in function.types:
            raise Unknown(f"{function.__name__} of {kinds}")
        address, data = _loops(function)[function.types.index(kinds)]
        table = np.array([*(x.ctypes.data for x in operands), *sizes, *strides])
        self.kept += [table, *operands]
        for i, place in enumerate(places):
            self.builder.store(place, self._place(table[i : i + 1], self.whole))
        at, n = table.ctypes.data, len(operands)
        given = [at, at + 8 * n, at + 8 * (n + len(sizes)), data]
        pointer = self.ir.IntType(8).as_pointer()
        kind = self.ir.FunctionType(self.ir.VoidType(), [pointer] * 4)
        target = self.builder.inttoptr(self.whole(address), kind.as_pointer())
        self.builder.call(target, [self.whole(x).inttoptr(pointer) for x in given])


@functools.cache
def _defaults(function):
    """Of each argument."""
    return [p.default for p in inspect.signature(function).parameters.values()]


def _dimensions(operands, like):
    """[(size, strides of the operands)] of arrays of one shape, the outermost in memory of `like`,
    one of them, first; neighbours through which all go in equal steps are one."""
    dimensions = []
    for i in sorted(range(like.ndim), key=lambda i: -abs(like.strides[i])):
        size, strides = like.shape[i], [x.strides[i] for x in operands]
        if dimensions and size > 1 and dimensions[-1][1] == [size * s for s in strides]:
            size *= dimensions.pop()[0]
        if size > 1:
            dimensions.append((size, strides))
    return dimensions or [(1, [0] * len(operands))]


class _UFunc(ctypes.Structure):
    """The beginning of NumPy's PyUFuncObject (numpy/ufuncobject.h, part of its binary
    interface)."""

    _fields_ = [
        ("head", ctypes.c_byte * object.__basicsize__),
        *[(name, ctypes.c_int) for name in ("nin", "nout", "nargs", "identity")],
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_char_p),
    ]


@functools.cache
def _loops(function):
    """[(address, data)] of a ufunc's loops, in the order of its `types`."""
    there = _UFunc.from_address(id(function))
    known = function.nin, function.nout, function.ntypes, function.__name__.encode()
    if (there.nin, there.nout, there.ntypes, there.name) != known:
        raise Unknown("ufuncs, which are other objects in this version of NumPy")
    data = there.data
    return [(there.functions[i], (data[i] or 0) if data else 0) for i in range(there.ntypes)]
