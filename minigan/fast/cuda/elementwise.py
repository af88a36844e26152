"""Kernels over the elements of arrays of one shape, translated from the CPU's formulas."""

import functools

from ...arrays.device import array_module, on_gpu
from .source import Source, blocks
from .translate import HELPERS, Formula

THREADS = 256
SMALL = 1 << 14  # elements that one block sums up


class Translated:
    """Kernels made from a Python function, one text for each kind of its arguments."""

    def __init__(self, function):
        self.function = getattr(function, "reference", function)
        functools.update_wrapper(self, self.function)
        self._sources = {}

    @functools.cached_property
    def _formula(self):
        return Formula(self.function)

    def source(self, kinds):
        """The kernels where the arguments are of these kinds: "a" array, "s" array without
        dimensions, "n" number, "N" None."""
        if kinds not in self._sources:
            name = f"{self.function.__module__}.{self.function.__qualname__}:{kinds}"
            self._sources[kinds] = Source(name, HELPERS + self._code(self._formula, kinds))
        return self._sources[kinds]


class Elementwise(Translated):
    """`y = kernel(x, *rest)`: a translated formula on device arrays; y is laid out in memory like
    x, or where x is in C order like the first image of its shape that is not: convolutions, which
    take y next, would bring it into that order each.

    function : either of numbers, which returns one; or a loop `loop(x, *rest, y)` over flat arrays,
        as `@kernel` takes it
    rest : arrays of the shape of x (they broadcast to it), arrays without dimensions, and numbers
    """

    def _code(self, formula, kinds):
        names, out = formula.arguments, "out"
        if formula.loops:
            *names, out = names
        parameters, prologue = _parameters(names, kinds, "a" if formula.loops else "v")
        return f"""
extern "C" __global__ void run({", ".join(parameters)}, REAL* {out}, i64 n) {{
    const i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
{prologue}
{formula.body}
{"" if formula.loops else f"    {out}[i] = {formula.result[0]};"}
}}
"""

    def __call__(self, x, *rest):
        like = x
        if x.ndim > 2 and x.flags.c_contiguous:
            same = (a for a in rest if on_gpu(a) and a.shape == x.shape)
            like = next((a for a in same if not a.flags.c_contiguous), x)
        y = array_module(x).empty_like(dense(like))
        if y.size:
            arguments, kinds = _arguments(self._formula, x, rest, y)
            self.source(kinds).launch(
                "run", y, blocks(y.size, THREADS), (THREADS,), *arguments, y, y.size
            )
        return y


class Summed(Translated):
    """`kernel(x, *rest, scale=1.0)`: the sum that a loop makes, times `scale`, as an array without
    dimensions. Always in one order."""

    def _code(self, formula, kinds):
        (total,) = formula.result
        parameters, prologue = _parameters(formula.arguments, kinds, "a")
        return f"""
extern "C" __global__ void partial(
        {", ".join(parameters)}, double* sums, REAL* out, double scale, i64 n) {{
    double sum_{total} = 0;
    for (i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x; i < n;
         i += (i64)gridDim.x * blockDim.x) {{
{prologue}
{formula.body}
    }}
    const double all = block_sum(sum_{total});
    if (threadIdx.x) return;
    if (out) *out = (REAL)(all * scale);
    else sums[blockIdx.x] = all;
}}

extern "C" __global__ void finish(const double* sums, REAL* out, double scale, i64 n) {{
    double sum = 0;
    for (i64 i = threadIdx.x; i < n; i += blockDim.x) sum += sums[i];
    sum = block_sum(sum);
    if (!threadIdx.x) *out = (REAL)(sum * scale);
}}
"""

    def __call__(self, x, *rest, scale=1.0):
        xp = array_module(x)
        out = xp.empty((), x.dtype)
        arguments, kinds = _arguments(self._formula, x, rest, dense(x))
        source = self.source(kinds)
        if x.size <= SMALL:
            source.launch(
                "partial", x, (1,), (THREADS,), *arguments, None, out, float(scale), x.size
            )
        else:
            count = min(-(-x.size // SMALL), 512)
            sums = xp.empty(count, "float64")
            source.launch("partial", x, (count,), (THREADS,), *arguments, sums, None, 0.0, x.size)
            source.launch("finish", x, (1,), (THREADS,), sums, out, float(scale), count)
        return out


elementwise, summed = Elementwise, Summed


def _parameters(names, kinds, array):
    """The kernel's parameters, and the statements that make REAL variables of them (array: "v": the
    element, "a": the array)."""
    parameters, prologue = [], []
    for name, kind in zip(names, kinds, strict=True):
        if kind == "a" and array == "a":
            parameters.append(f"const REAL* {name}")
        elif kind == "a":
            parameters.append(f"const REAL* {name}_")
            prologue.append(f"    REAL {name} = {name}_[i];")
        elif kind == "s":
            parameters.append(f"const REAL* {name}_")
            prologue.append(f"    REAL {name} = {name}_[0];")
        else:
            parameters.append(f"double {name}_")
            prologue.append(f"    REAL {name} = (REAL){name}_;")
    return parameters, "\n".join(prologue)


def _arguments(formula, x, rest, like):
    """The arguments as the kernel takes them, all arrays laid out as `like`; and their kinds."""
    arguments, kinds = [], ""
    for a, name in zip((x, *rest), formula.arguments):
        if on_gpu(a):
            if a.dtype != x.dtype:
                raise TypeError(f"arrays of different dtypes: {x.dtype} and {a.dtype}")
            single = name not in formula.elements if formula.loops else like.ndim > 0
            kind = "s" if a.ndim == 0 and single else "a"
            if kind == "a" and not lie_alike(a, like):
                a = laid_out_as(like, a)
        elif hasattr(a, "dtype") and a.ndim:
            raise TypeError("a NumPy array among arrays on CUDA: move it there")
        else:
            a, kind = float(a), "n"
        arguments.append(a)
        kinds += kind
    return arguments, kinds


def dense(x):
    """x, or a copy of it without gaps in memory."""
    if x.flags.c_contiguous or x.flags.f_contiguous:
        return x
    order = sorted(range(x.ndim), key=lambda i: -x.strides[i])
    return x if x.transpose(order).flags.c_contiguous else array_module(x).ascontiguousarray(x)


def lie_alike(a, b):
    """Have they one shape, and their elements one order in memory? Where an axis has one element
    its stride says nothing."""
    if a.shape != b.shape:
        return False
    return a.strides == b.strides or all(
        s == t or n == 1 for n, s, t in zip(a.shape, a.strides, b.strides)
    )


def laid_out_as(like, a):
    """The elements of `a`, broadcast to the shape of `like`, in the layout of `like` (which has no
    gaps)."""
    copy = array_module(a).empty_like(like, dtype=a.dtype)
    copy[...] = a
    return copy
