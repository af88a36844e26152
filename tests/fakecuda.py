"""A device that is not there: arrays that behave towards minigan as CuPy's do, with NumPy storage.

They refuse to meet NumPy arrays and to turn into them implicitly, and count how often a value is
fetched to the host. The module itself stands for `cupy`: it has NumPy's functions, for these
arrays.

kernels : False: an op computes by its `forward`. True (see `with_kernels`): by its CUDA kernels,
    which are compiled for the host (see hostcuda), and products by a stand-in for cuBLAS. So both
    ways are held against the CPU's.

While a stream captures, nothing may be fetched, sent or waited for, and CuPy's own products are
refused, as on CUDA. What is launched is recorded; the graph's `launch` does it again on the same
memory, and the memory that capturing wrote into gets its old values back.
"""

import contextlib
import ctypes
import math
import sys
import types
from unittest import mock

import hostcuda
import numpy as np

syncs = 0  # how many values were fetched to the host
kernels = False
capture = None  # the Capture that is going on
NO_COMPILER = None if hostcuda.COMPILER else "no C++ compiler to compile CUDA kernels for the host"


class Capture:
    """Launches in their order, and what was in the memory that they wrote into."""

    def __init__(self):
        self.launches, self.old = [], {}
        self.kept = []  # the memory that was allocated: a graph's addresses stay good

    def wrote(self, storage, before):
        """`storage` was written into; it held `before`."""
        self.old.setdefault(
            (storage.__array_interface__["data"][0], storage.shape, storage.strides),
            (storage, before),
        )

    def undo(self):
        for storage, before in reversed(self.old.values()):
            storage[...] = before


def _recorded(run):
    """Note a launch: run() does it again."""
    if capture is not None:
        capture.launches.append(run)


def _written(*arrays):
    """These arrays are about to be written into."""
    if capture is not None:
        for a in arrays:
            capture.wrote(a, a.copy())


def _refused(what):
    if capture is not None:
        raise RuntimeError(
            "cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing "
            f"({what})"
        )


JOINS = ("concatenate", "stack", "vstack", "hstack", "dstack", "column_stack")


def _refused_join(function, args):
    """CuPy joins more than 8 arrays (small, of one dtype) in one kernel, and copies their addresses
    to the device for it."""
    if function.__name__ in JOINS and len(args[0]) > 8 and all(a.nbytes < 2 << 20 for a in args[0]):
        _refused("a copy from the host: the addresses of more than 8 arrays to be joined")


def _refused_index(index):
    """CuPy sends the indices that the host has, lists among them."""
    for i in index if isinstance(index, tuple) else (index,):
        if (isinstance(i, list) and i) or (isinstance(i, np.ndarray) and i.ndim):
            _refused("a copy from the host: an index")


class DeviceArray:
    """An array on the device `cuda:<place>`."""

    __array_priority__ = 100

    def __init__(self, storage, base=None, place=0):
        self.storage = storage
        self.base = base
        self.place = place
        if capture is not None:
            capture.kept.append(storage)

    device = property(lambda self: types.SimpleNamespace(id=self.place))
    data = property(
        lambda self: types.SimpleNamespace(
            ptr=self.storage.__array_interface__["data"][0], device_id=self.place
        )
    )
    __cuda_array_interface__ = property(lambda self: {"shape": self.shape, "version": 3})
    shape = property(lambda self: self.storage.shape)
    dtype = property(lambda self: self.storage.dtype)
    ndim = property(lambda self: self.storage.ndim)
    size = property(lambda self: self.storage.size)
    itemsize = property(lambda self: self.storage.itemsize)
    nbytes = property(lambda self: self.storage.nbytes)
    flags = property(lambda self: self.storage.flags)
    strides = property(lambda self: self.storage.strides)
    T = property(lambda self: wrap(self.storage.T, self))
    __hash__ = None

    def __len__(self):
        return len(self.storage)

    def __getattr__(self, name):
        if name.startswith("__") or name in ("ctypes", "tobytes"):
            raise AttributeError(name)
        method = getattr(self.storage, name)
        if name in ("fill", "sort"):

            def in_place(*args, **kwargs):
                _written(self.storage)
                method(*args, **kwargs)
                _recorded(lambda: method(*args, **kwargs))

            return in_place
        return lambda *args, **kwargs: computed(method, args, kwargs, self)

    def __getitem__(self, index):
        _refused_index(index)
        return computed(lambda index: self.storage[index], (index,), {}, self, indices=True)

    def __setitem__(self, index, value):
        _refused_index(index)
        index, value = unwrap(index, indices=True), unwrap(value)
        _written(self.storage)
        self.storage[index] = value
        _recorded(lambda: self.storage.__setitem__(index, value))

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if ufunc is np.matmul:
            _refused("cuBLAS")
        out = kwargs.get("out")
        if out is not None:
            target = out[0] if isinstance(out, tuple) else out
            args, kwargs = unwrap(inputs), unwrap(kwargs)
            _written(target.storage)
            getattr(ufunc, method)(*args, **kwargs)
            _recorded(lambda: getattr(ufunc, method)(*args, **kwargs))
            return target
        if method == "at":
            _refused_index(inputs[1])
            args = unwrap(inputs)
            _written(args[0])
            ufunc.at(*args)
            _recorded(lambda: ufunc.at(*args))
            return None
        return computed(getattr(ufunc, method), inputs, kwargs, self)

    def __array_function__(self, function, types, args, kwargs):
        if function.__name__ in ("dot", "tensordot", "einsum", "vdot", "inner"):
            _refused("cuBLAS")
        _refused_join(function, args)
        return computed(function, args, kwargs, self)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def get(self):
        global syncs
        _refused("a copy to the host")
        syncs += 1
        return self.storage.copy()

    def item(self, *index):
        global syncs
        _refused("a copy to the host")
        syncs += 1
        return self.storage.item(*index)

    def tolist(self):
        return self.get().tolist()

    def __bool__(self):
        return bool(self.item())

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __repr__(self):
        return f"DeviceArray({self.storage!r})"


ndarray = DeviceArray  # as CuPy calls it


def _operator(name):
    def operator(self, other):
        if getattr(other, "__array_priority__", 0) > self.__array_priority__:
            return NotImplemented
        if "matmul" in name:
            _refused("cuBLAS")
        method = getattr(self.storage, name)
        if name.startswith("__i") and name not in ("__invert__",):
            value = unwrap(other)
            _written(self.storage)
            method(value)
            _recorded(lambda: method(value))
            return self
        return computed(method, (other,), {}, self)

    return operator


_binary = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
for _name in [
    *_binary,
    *[f"r{n}" for n in _binary],
    *[f"i{n}" for n in _binary],
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
]:
    setattr(DeviceArray, f"__{_name}__", _operator(f"__{_name}__"))
for _name in ("neg", "invert", "abs", "pos"):
    setattr(
        DeviceArray,
        f"__{_name}__",
        lambda self, f=f"__{_name}__": computed(getattr(self.storage, f), (), {}, self),
    )


def computed(function, args, kwargs, source=None, indices=False):
    """function(*args) on the storages, as device arrays; noted as a launch where it computed
    something."""
    args, kwargs = unwrap(args, indices), unwrap(kwargs)
    if capture is not None and indices:
        for a in args:
            if any(
                isinstance(i, np.ndarray) and i.dtype.kind == "b"
                for i in (a if isinstance(a, tuple) else (a,))
            ):
                _refused("an index by a mask, whose result has a shape that only the device knows")
    result = function(*args, **kwargs)
    wrapped = wrap(result, source)
    if capture is not None:
        parts = wrapped if isinstance(wrapped, (tuple, list)) else [wrapped]
        fresh = [
            p for p in parts if isinstance(p, DeviceArray) and not _is_view(p.storage, args, source)
        ]
        if fresh:

            def again():
                new = function(*args, **kwargs)
                new = new if isinstance(new, (tuple, list)) else [new]
                for p, n in zip(parts, new):
                    if any(p is f for f in fresh):
                        p.storage[...] = n

            _recorded(again)
    return wrapped


def _is_view(storage, args, source):
    others = [a for a in args if isinstance(a, np.ndarray)] + (
        [source.storage] if source is not None else []
    )
    return any(np.may_share_memory(storage, a) for a in others)


def wrap(x, source=None):
    """NumPy's result as a device array; CuPy's results are arrays also without dimensions."""
    if isinstance(x, (tuple, list)):
        return (
            type(x)(*[wrap(y, source) for y in x])
            if hasattr(x, "_fields")
            else type(x)(wrap(y, source) for y in x)
        )
    if isinstance(x, np.generic):
        x = np.asarray(x)
    if not isinstance(x, np.ndarray):
        return x
    place = 0 if source is None else source.place
    if source is not None and x is source.storage:
        return source
    if source is not None and x.base is not None and np.may_share_memory(x, source.storage):
        return DeviceArray(x, source if source.base is None else source.base, place)
    return DeviceArray(x, None, place)


def unwrap(x, indices=False):
    """The storage of what CuPy would take; TypeError for the rest."""
    if isinstance(x, DeviceArray):
        return x.storage
    if isinstance(x, (tuple, list)):
        return type(x)(unwrap(y, indices) for y in x)
    if isinstance(x, dict):
        return {k: unwrap(v) for k, v in x.items()}
    if isinstance(x, np.ndarray) and not indices:
        raise TypeError(f"Unsupported type {type(x)}")
    return x


def asarray(x, dtype=None, place=None):
    """The host array `x` on the device."""
    if isinstance(x, DeviceArray):
        return x
    _refused("a copy from the host")
    return DeviceArray(np.array(x, dtype), None, runtime.getDevice() if place is None else place)


array = asarray


class _Function:
    """A ufunc of the library, with `at`."""

    def __init__(self, ufunc):
        self.ufunc = ufunc

    def __call__(self, *args, **kwargs):
        first = next(a for a in args if isinstance(a, DeviceArray))
        return first.__array_ufunc__(
            self.ufunc,
            "__call__",
            *args,
            **{k: (v,) if k == "out" else v for k, v in kwargs.items()},
        )

    def at(self, x, index, value):
        _refused_index(index)
        index, value = unwrap(index, indices=True), unwrap(value)
        _written(x.storage)
        self.ufunc.at(x.storage, index, value)
        _recorded(lambda: self.ufunc.at(x.storage, index, value))


class RawModule:
    """CUDA source, compiled for the host."""

    def __init__(self, code, options=()):
        self.code = code

    def get_function(self, name):
        function = hostcuda.Function(self.code, name)

        def launch(grid, block, args):
            constant = [t.startswith("const") for t in function.types]
            _written(
                *[a.storage for a, c in zip(args, constant) if isinstance(a, DeviceArray) and not c]
            )
            _written(
                *_pointed_to(args, np.dtype("f8" if "#define REAL double" in self.code else "f4"))
            )
            function(grid, block, args)
            _recorded(lambda: function(grid, block, args))

        return launch


def _pointed_to(args, real):
    """The memory whose addresses stand in a structure (with `arrays` and `size`) among the
    arguments."""
    for a in args:
        if isinstance(a, np.ndarray) and a.dtype.names and "arrays" in a.dtype.names:
            for row in a["arrays"][0]:
                for address, n in zip(row, a["size"][0]):
                    if address and n:
                        yield np.frombuffer(
                            (ctypes.c_char * (int(n) * real.itemsize)).from_address(int(address)),
                            real,
                        )


# --- cuBLAS ---


class _Cublas:
    """The functions that minigan calls, on host memory."""

    def __init__(self):
        self.calls, self.created = [], 0

    def cublasCreate_v2(self, handle):
        _refused("cublasCreate")
        self.created += 1
        handle._obj.value = 1
        return 0

    def cublasSetStream_v2(self, handle, stream):
        return 0

    cublasSetMathMode = cublasSetStream_v2

    def cublasSetWorkspace_v2(self, handle, place, size):
        return 0

    def cublasGemmStridedBatchedEx(
        self, handle, ta, tb, m, n, k, alpha, a, at, lda, sa, b, bt, ldb, sb, beta, c, ct, ldc, sc,
        count, compute, algo
    ):  # fmt: skip
        """c = alpha op(a) op(b) + beta c, all column by column."""  # fmt: skip
        if lda < (k if ta else m) or ldb < (n if tb else k) or ldc < m or min(m, n, k) < 1:
            return 7  # CUBLAS_STATUS_INVALID_VALUE
        round = (lambda x: _tf32(x)) if compute == 77 else (lambda x: x)
        factor, share = alpha._obj.value, beta._obj.value

        def run():
            for i in range(count):
                x = round(_memory(a, at, i * sa, lda, (k, m) if ta else (m, k)))
                y = round(_memory(b, bt, i * sb, ldb, (n, k) if tb else (k, n)))
                z = _memory(c, ct, i * sc, ldc, (m, n), raw=True)
                product = factor * ((x.T if ta else x) @ (y.T if tb else y))
                z[...] = product if share == 0 else product + share * z

        _written(*[_memory(c, ct, i * sc, ldc, (m, n), raw=True) for i in range(count)])
        run()
        _recorded(run)
        self.calls.append((at, compute))
        return 0

    def cublasGemmEx(
        self, handle, ta, tb, m, n, k, alpha, a, at, lda, b, bt, ldb, beta, c, ct, ldc, compute,
        algo
    ):  # fmt: skip
        return self.cublasGemmStridedBatchedEx(
            handle, ta, tb, m, n, k, alpha, a, at, lda, 0, b, bt, ldb, 0, beta, c, ct, ldc, 0, 1,
            compute, algo
        )  # fmt: skip


KINDS = {0: np.float32, 1: np.float64, 14: np.uint16}


def _memory(address, kind, offset, step, shape, raw=False):
    """A column-major matrix in memory; bfloat16 as float32."""
    dtype = np.dtype(KINDS[kind])
    rows, columns = shape
    count = (columns - 1) * step + rows
    flat = np.frombuffer(
        (ctypes.c_char * (count * dtype.itemsize)).from_address(address + offset * dtype.itemsize),
        dtype,
    )
    x = np.lib.stride_tricks.as_strided(flat, shape, (dtype.itemsize, step * dtype.itemsize))
    return x if raw or kind != 14 else (x.astype(np.uint32) << 16).view(np.float32)


def _tf32(x):
    bits = np.ascontiguousarray(x).view(np.uint32)
    return ((bits + 0xFFF + ((bits >> 13) & 1)) & 0xFFFFE000).astype(np.uint32).view(np.float32)


_cublas = _Cublas()


def cublas_library():
    return _cublas


# --- cupy.cuda ---


class _Stream:
    """A stream; the module's `capture` is what it captures."""

    ptr = 0

    def __init__(self, null=False, non_blocking=False):
        self.ptr = 1000 + id(self) % 1000

    def __enter__(self):
        self.before, cuda.stream = cuda.stream, self
        return self

    def __exit__(self, *exc):
        cuda.stream = self.before

    def synchronize(self):
        _refused("cudaStreamSynchronize")

    def begin_capture(self, mode=None):
        global capture
        assert capture is None
        capture = Capture()

    def end_capture(self):
        global capture
        done, capture = capture, None
        done.undo()
        return _Graph(done)


class _Graph:
    def __init__(self, captured):
        self.launches = captured.launches
        self.kept = captured.kept
        self.count = 0

    def launch(self, stream=None):
        _refused("cudaGraphLaunch")
        self.count += 1
        for run in self.launches:
            run()


class _Device:
    """`with Device(1): ...`, `Device(1).use()`"""

    def __init__(self, id=None):
        self.id = runtime.getDevice() if id is None else id

    def use(self):
        runtime.current = self.id

    def __enter__(self):
        self.before, runtime.current = runtime.current, self.id

    def __exit__(self, *exc):
        runtime.current = self.before

    def synchronize(self):
        _refused("cudaDeviceSynchronize")


class _Runtime:
    current = 0
    count = 1
    free = 8 << 30
    total = 16 << 30

    def getDevice(self):
        return self.current

    def getDeviceCount(self):
        return self.count

    def deviceSynchronize(self):
        _refused("cudaDeviceSynchronize")

    def memGetInfo(self):
        return self.free, self.total

    def getDeviceProperties(self, number):
        return {"name": b"a stand-in"}


class _Pool:
    """Of which nobody has memory: what is freed is not seen here."""

    def malloc(self, size):
        raise NotImplementedError

    def used_bytes(self):
        return 0

    total_bytes = free_bytes = used_bytes

    def free_all_blocks(self):
        pass


runtime = _Runtime()
_default_stream = _Stream()
_default_stream.ptr = 0
cuda = types.SimpleNamespace(
    runtime=runtime, Stream=_Stream, Device=_Device, MemoryPool=_Pool,
    using_allocator=lambda malloc: contextlib.nullcontext(),
    stream=_default_stream, get_current_stream=lambda: cuda.stream,
)  # fmt: skip
_pool = _Pool()


def get_default_memory_pool():
    return _pool


@contextlib.contextmanager
def installed():
    """Inside, `cupy` and `cupyx` are there, as far as minigan uses them."""
    from minigan.arrays import cuda_problem

    special = types.ModuleType("cupyx.scipy.special")
    special.erf = lambda x: computed(np.vectorize(math.erf, otypes=[x.dtype]), (x,), {}, x)
    this = sys.modules[__name__]
    modules = {
        "cupy": this,
        "cupyx": special,
        "cupyx.scipy": special,
        "cupyx.scipy.special": special,
    }
    before = {name: sys.modules.get(name) for name in modules}
    # and no more: what is imported inside must stay (mock.patch.dict would take it out again)
    sys.modules.update(modules)
    cuda_problem.cache_clear()
    try:
        yield this
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
        cuda_problem.cache_clear()


@contextlib.contextmanager
def with_kernels():
    """Inside, ops on these arrays compute by their CUDA kernels."""
    with mock.patch.object(sys.modules[__name__], "kernels", True), installed() as this:
        yield this


def _created(function):
    """A function that makes an array from nothing."""

    def make(*args, **kwargs):
        args, kwargs = unwrap(args), unwrap(kwargs)
        out = wrap(function(*args, **kwargs))
        out.place = runtime.getDevice()
        if function is not np.empty:
            _recorded(lambda: out.storage.__setitem__(..., function(*args, **kwargs)))
        return out

    return make


def empty_like(x, dtype=None, order="K"):
    return DeviceArray(np.empty_like(x.storage, dtype, order), None, x.place)


def __getattr__(name):
    found = getattr(np, name)
    if isinstance(found, type) or not callable(found):
        return found
    if isinstance(found, np.ufunc):
        return _Function(found)
    if name in ("zeros", "ones", "empty", "full", "arange", "eye", "linspace"):
        return _created(found)

    def call(*args, **kwargs):
        source = next((a for a in args if isinstance(a, DeviceArray)), None)
        if source is None:
            source = next(
                (
                    b
                    for a in args
                    if isinstance(a, (tuple, list))
                    for b in a
                    if isinstance(b, DeviceArray)
                ),
                None,
            )
        if source is None and any(isinstance(a, np.ndarray) for a in args):
            raise TypeError(f"Unsupported type {np.ndarray}")
        _refused_join(found, args)
        return computed(found, args, kwargs, source)

    return call
