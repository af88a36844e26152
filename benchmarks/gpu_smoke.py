"""The first minute on a GPU: does every part of the CUDA side compute what the CPU computes, and
how far is each from the card's limits?

    PYTHONPATH=. python benchmarks/gpu_smoke.py [--seconds 60] [--tiny]

Each part is a line that is printed at once; one that fails says why, and stops no other. Checks
first, then times: of a launch, of a graph's node, of products, of a convolution's parts, of sums
over rows, with the bytes or operations a second that they come to. Kernels are timed as nodes of a
CUDA graph, so that Python's time is not counted.

--tiny : sizes for a stand-in of a GPU, to try the script itself (tests/test_gpu_scripts.py)
"""

import argparse
import contextlib
import sys
import time
import traceback

import numpy as np

import minigan
from minigan import nn
from minigan.arrays import Generator, device
from minigan.autograd import tensor_of
from minigan.data.batches import Batches
from minigan.fast.batch_norm_activation import batch_norm_activation
from minigan.fast.cuda import columns as rows
from minigan.fast.cuda import convolution as windows
from minigan.fast.cuda import cublas
from minigan.fast.cuda import normalization as norms
from minigan.gan import (
    GAN,
    NonSaturating,
    Trainer,
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
)
from minigan.machine.precision import precision
from minigan.ops.convolution import formula
from minigan.ops.convolution.geometry import Geometry
from minigan.ops.normalization import in_training
from minigan.optim import SGD, Adam
from minigan.training.run import round_of

GPU, CPU = device("cuda"), device("cpu")
PARTS = []  # (name, function of Sizes), in order
LAYERS = {
    "3 to 64": (3, 64, 64),
    "64 to 128": (64, 128, 32),
    "128 to 256": (128, 256, 16),
    "256 to 512": (256, 512, 8),
}
# of DCGAN-64: (channels of x, of y, side of x), 4x4 with stride 2; the transposed convolution goes
# from y to x


class Sizes:
    """How large the timed parts are."""

    def __init__(self, tiny):
        self.tiny = tiny
        self.batch, self.steps, self.repeats = (2, 3, 1) if tiny else (128, 20, 10)

    def of(self, n, least=2):
        """n, or little of it."""
        return max(least, n // 128) if self.tiny else n


def part(name):
    return lambda function: PARTS.append((name, function)) or function


# --- tools ---


def library():
    import cupy

    return cupy


def there(a):
    return library().asarray(a)


def normal(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def drawn(*shape):
    """Normal numbers made on the GPU."""
    return minigan.randn(*shape, device="cuda").array


def error(found, expected):
    """The largest difference, as a share of the largest number."""
    found = found.get() if hasattr(found, "get") else found
    expected = np.asarray(expected)
    if (
        found.shape != expected.shape
        or found.dtype != expected.dtype
        or not np.isfinite(found).all()
    ):
        raise AssertionError(
            f"{found.dtype} {found.shape}, finite: {np.isfinite(found).all()}, expected "
            f"{expected.dtype} {expected.shape}"
        )
    return float(
        np.abs(found.astype(np.float64) - expected).max() / max(np.abs(expected).max(), 1e-30)
    )


def close(what, found, expected, bound):
    """A piece of a line; AssertionError beyond the bound."""
    e = error(found, expected)
    if not e <= bound:
        raise AssertionError(f"{what}: off by {e:.1e} of the largest number, allowed {bound:.0e}")
    return f"{what} {e:.0e}"


def seconds(function, sizes):
    """GPU seconds of function(), a node or some of a graph."""
    xp = library()
    stream, pool = xp.cuda.Stream(non_blocking=True), xp.cuda.MemoryPool()
    xp.cuda.Device().synchronize()
    with stream, xp.cuda.using_allocator(pool.malloc), cublas.leased(xp, 0, stream.ptr) as lease:
        function()
        kept = [function()]  # what was captured must stay where it is
        stream.synchronize()
        stream.begin_capture()
        try:
            kept += [function() for _ in range(sizes.repeats)]
        finally:
            graph = stream.end_capture()
        graph.launch(stream)
        stream.synchronize()
        best = float("inf")
        for _ in range(1 if sizes.tiny else 5):
            began = time.perf_counter()
            graph.launch(stream)
            stream.synchronize()
            best = min(best, time.perf_counter() - began)
    del lease
    return best / sizes.repeats


def rate(name, took, read=0, flops=0):
    """A piece of a line: bytes and operations a second."""
    text = f"{name} {1e6 * took:.1f} us"
    text += f", {read / took / 1e9:.0f} GB/s" if read else ""
    return text + (f", {flops / took / 1e12:.1f} TFLOP/s" if flops else "")


@contextlib.contextmanager
def switched(**values):
    before = {k: getattr(precision, k) for k in values}
    vars(precision).update(values)
    try:
        yield
    finally:
        vars(precision).update(before)


FULL = {"matmul_tf32": False, "conv_tf32": False, "half": False}
WAYS = {
    "f32": FULL,
    "TF32": FULL | {"matmul_tf32": True, "conv_tf32": True},
    "bf16": FULL | {"half": True},
}


def geometry(size, kernel, stride, padding, groups=1):
    out = (size + 2 * padding - kernel) // stride + 1
    return Geometry(*[(v, v) for v in (size, out, kernel, stride, padding, 1)], groups)


# --- checks ---


@part("1 launches")
def launches(sizes):
    x = normal(1000)
    found = minigan.tanh(tensor_of(there(x))).array
    yield close("elementwise", found, np.tanh(x), 1e-6)
    total = nn.functional.mse_loss(tensor_of(there(x)), tensor_of(there(x[::-1].copy()))).array
    yield close("sum", total, np.float32(((x - x[::-1]) ** 2).mean()), 1e-5)
    if not (Generator(7).integers32(1000, GPU).get() == Generator(7).integers32(1000, CPU)).all():
        raise AssertionError("random integers differ from the CPU's")
    yield "random integers the CPU's"
    yield close(
        "normal",
        Generator(7).normal((1001,), np.float32, GPU),
        Generator(7).normal((1001,), np.float32, CPU),
        4e-6,
    )


@part("2 products")
def products(sizes):
    m = 65
    k = sizes.of(3000)
    n = 130
    a, b = normal(m, k), normal(k, n, seed=1)
    exact = (a.astype(np.float64) @ b).astype(np.float32)
    bounds = {"f32": 1e-5, "TF32": 2e-3, "bf16": 1e-2}
    for name, way in WAYS.items():
        with switched(**way):
            yield close(name, cublas.matmul(there(a), there(b)), exact, bounds[name])
    yield close(
        "f64",
        cublas.matmul(there(a.astype(np.float64)), there(b.astype(np.float64))),
        a.astype(np.float64) @ b,
        1e-13,
    )
    with switched(**FULL):
        yield close("turned", cublas.matmul(there(a.T.copy()).T, there(b.T.copy()).T), exact, 1e-5)
        yield close(
            "a stack",
            cublas.matmul(there(a.reshape(5, 13, k)), there(np.stack([b] * 5))),
            exact.reshape(5, 13, n),
            1e-5,
        )


@part("3 convolutions")
def convolutions(sizes):
    cases = {
        "4x4 s2": (geometry(8, 4, 2, 1), 8, 12), "4x4 s2 to 3": (geometry(8, 4, 2, 1), 3, 12),
        "3x3": (geometry(7, 3, 1, 1), 8, 3),
        "whole": (geometry(4, 4, 1, 0), 8, 16), "groups": (geometry(6, 3, 1, 1, 2), 8, 4),
    }  # fmt: skip
    for name, (g, c, o) in cases.items():
        x = normal(5, c, *g.size)
        w = normal(o, c // g.groups, *g.kernel, seed=1)
        y = normal(5, o, *g.out, seed=2)
        expected = (
            formula.conv(x, w, g),
            formula.conv_transpose(y, w, g),
            formula.conv_weight(x, y, g),
        )
        for way, bound in (("f32", 1e-5), ("TF32", 2e-3), ("bf16", 1e-2)):
            if g.groups > 1 and way != "f32":
                continue
            with switched(**WAYS[way]):
                found = (windows.conv(there(x), there(w), None, g),
                    windows.conv_transpose(there(y), there(w), None, g),
                         windows.conv_weight(there(x), there(y), g))  # fmt: skip
            texts = [
                close(what, f, e, bound)
                for what, f, e in zip(("conv", "transposed", "weight"), found, expected)
            ]
            yield f"{name} {way}: {', '.join(texts)}"


@part("4 normalisation, Adam")
def normalisation(sizes):
    for count, channels in ((64, 40), (sizes.of(5000, 600), 33)):
        x = normal(count, channels) * 2 + 3
        g = normal(count, channels, seed=1)
        w = normal(channels, seed=2)
        b = normal(channels, seed=3)
        results = []
        for make, dtype in ((there, np.float32), (np.asarray, np.float64)):
            boxes = [tensor_of(make(a.astype(dtype)), True) for a in (x, w, b)]
            running = [
                tensor_of(make(np.zeros(channels, dtype))),
                tensor_of(make(np.ones(channels, dtype))),
            ]
            y = in_training(batch_norm_activation, boxes[0], *running, *boxes[1:], 0.1, 1e-5, 0.2)
            results.append([y, *minigan.grad(y, boxes, tensor_of(make(g.astype(dtype)))), *running])
        names = "y", "dx", "dw", "db", "running mean", "running var"
        yield f"{count} x {channels}: " + ", ".join(
            close(n, f.array, e.array.astype(np.float32), 2e-5) for n, f, e in zip(names, *results)
        )
    p, ends = normal(300), []
    for make in (there, np.asarray):
        parameter = tensor_of(make(p.copy()), True)
        optimizer = Adam([parameter], 0.01, (0.5, 0.999))
        for i in range(3):
            optimizer.step_with([make(normal(300, seed=i))])
        ends.append(parameter.array)
    yield close("Adam", ends[0], ends[1], 1e-6)


def training(what, sizes):
    minigan.manual_seed(3)
    side = 8 if sizes.tiny else 28
    if what == "mlp":
        G, D = (mlp_generator(16), mlp_discriminator()) if not sizes.tiny else (
            nn.Sequential(nn.Linear(16, 64), nn.BatchNorm1d(64), nn.LeakyReLU(0.2),
                nn.Linear(64, 64), nn.Unflatten(1, (1, 8, 8))),
            nn.Sequential(nn.Flatten(), nn.Linear(64, 1)))  # fmt: skip
    else:
        G = dcgan_generator(16, 1, side, side, 4 if sizes.tiny else 16)
        D = dcgan_discriminator(1, side, side, 4 if sizes.tiny else 16)
    game = GAN(G.cuda(), D.cuda(), NonSaturating(), 16)
    trainer = Trainer(
        game, {n: Adam(p.parameters(), 1e-3, (0.5, 0.9)) for n, p in game.players.items()}
    )
    images = np.random.default_rng(0).integers(0, 256, (64, 1, side, side)).astype(np.uint8)
    return trainer, Batches(images, 16, 1, GPU)


@part("5 graphs")
def graphs(sizes):
    for what in ("mlp", "dcgan"):
        ends = []
        for captured in (False, True):
            trainer, batches = training(what, sizes)
            said = []
            play = round_of(trainer, batches, said.append, graph=captured)
            played, values = 0, []
            while played < sizes.steps:
                for numbers in batches.numbers(played):
                    values.append([m.value.array.get().item() for m in play(numbers)])
                    played += 1
            if said:
                raise AssertionError(f"{what}: {said[0]}")
            weights = [
                t.array.get()
                for p in trainer.game.players.values()
                for t in p.state_dict().values()
            ]
            ends.append((values, weights))
        same = ends[0][0] == ends[1][0] and all(
            (a == b).all() for a, b in zip(ends[0][1], ends[1][1])
        )
        if not same:
            raise AssertionError(
                f"{what}: a graph does not repeat the step to the bit: values {ends[0][0][-1]} "
                f"and {ends[1][0][-1]}"
            )
        yield f"{what}: {played} steps by a graph are those without, to the bit"


# --- times ---


@part("6 launches")
def launch_times(sizes):
    xp = library()
    x, slots = there(normal(1000)), 20 if sizes.tiny else 2000
    y, t = xp.empty_like(x), tensor_of(x)
    bias = there(normal(1000))
    actions = {
        "a kernel": lambda: rows.COLUMNS.launch("bias_activation", y, (4,), (256,), y, bias, 1000,
            1000, 0, 0.0),
        "a CuPy operation": lambda: xp.add(x, x), "an op with a tape": lambda: minigan.tanh(t),
        "a product": lambda: cublas.matmul(
            x.reshape(10, 100), x.reshape(100, 10)),
    }  # fmt: skip
    for name, action in actions.items():
        for _ in range(3):
            action()
        xp.cuda.Device().synchronize()
        began = time.perf_counter()
        for _ in range(slots):
            action()
        issued = time.perf_counter() - began
        xp.cuda.Device().synchronize()
        node = seconds(action, sizes)
        yield f"{name}: {1e6 * issued / slots:.1f} us from Python, {1e6 * node:.2f} us as a node"


@part("7 products: one, or a stack of one")
def gemm_times(sizes):
    xp = library()
    # m, n, k of DCGAN-64's weights
    gradients = ((128, 1024, 32768), (256, 2048, 8192), (512, 4096, 2048), (64, 48, 131072))
    for m, n, k in (*gradients, (131072, 64, 48), (4096, 4096, 4096), (64, 784, 512)):
        m, n, k = (sizes.of(v) for v in (m, n, k))
        a, b = drawn(k, m).T, drawn(k, n)  # as in the gradient of a weight
        c, texts = xp.empty((m, n), np.float32), []
        for name, way in WAYS.items():
            with switched(**way):
                left, right = cublas.halved(a, b)
                texts.append(
                    rate(
                        name,
                        seconds(lambda: cublas.gemm(left, right, c, conv=True), sizes),
                        flops=2 * m * n * k,
                    )
                )
        cublas.Handle.single = False
        try:
            with switched(**WAYS["TF32"]):
                took = seconds(lambda: cublas.gemm(a, b, c, conv=True), sizes)
        finally:
            cublas.Handle.single = True
        yield f"({m}, {n}, k {k}) {'; '.join(texts)}; TF32 by the batched call {1e6 * took:.1f} us"


@part("8 the four layers of DCGAN-64")
def layer_times(sizes):
    n = sizes.batch
    for name, (c, o, side) in LAYERS.items():
        c, o, side = (sizes.of(c, 3), sizes.of(o, 4), 8) if sizes.tiny else (c, o, side)
        g = geometry(side, 4, 2, 1)
        x, w, y = (
            rows.by_position(drawn(*s)) for s in ((n, c, side, side), (o, c, 4, 4), (n, o, *g.out))
        )
        flops = 2 * n * o * c * 16 * (side // 2) ** 2
        cols = 4 * 16 * c * n * (side // 2) ** 2
        points = 4 * n * (c * side**2 + o * (side // 2) ** 2)
        for way in ("TF32", "bf16"):
            with switched(**WAYS[way]):
                half = way == "bf16"
                timed = {
                    "conv": (lambda: windows.conv(x, w, None, g), 2 * cols // (2 if half else 1)),
                    "weight": (
                        lambda: windows.conv_weight(x, y, g),
                        2 * cols // (2 if half else 1),
                    ),
                    "transposed": (lambda: windows.conv_transpose(y, w, None, g), 2 * cols),
                }
                found = [
                    rate(what, seconds(f, sizes), read + points, flops)
                    for what, (f, read) in timed.items()
                ]
            yield f"{name} {way}: {'; '.join(found)}"


@part("9 kernels over rows")
def row_times(sizes):
    xp = library()
    shapes = (
        (64, 512),
        (1024, 1024),
        (2048, 512),
        (8192, 256),
        (32768, 128),
        (131072, 64),
        (524288, 64),
    )
    for count, channels in shapes[: 2 if sizes.tiny else None]:
        if sizes.tiny:
            count, channels = count // 64 * 33, 5
        x = drawn(count, channels)
        g = drawn(count, channels)
        w = drawn(channels)
        b = drawn(channels)
        y, mean, rstd = norms.norm_forward(x, w, b, None, None, 0.1, 1e-5, 0.2)
        size = 4 * count * channels
        timed = {
            "rule_sums": (lambda: rows.rule_and_sums(g, y, "leaky_relu", 0.2), 3),
            "column_sums": (lambda: rows.column_sums(g), 1),
            "norm_forward": (lambda: norms.norm_forward(x, w, b, None, None, 0.1, 1e-5, 0.2), 3),
            "norm_backward": (lambda: norms.norm_backward(g, x, w, b, mean, rstd, 0.2), 5),
            "copy": (lambda: xp.copyto(y, x), 2),
        }  # fmt: skip
        found = [
            rate(what, seconds(f, sizes), passes * size) for what, (f, passes) in timed.items()
        ]
        yield f"{count} x {channels}: {'; '.join(found)}"
    count, channels = (130, 5) if sizes.tiny else (1024, 512)
    x = drawn(count, channels)
    before, found = rows.ALONE, []
    for alone, name in ((1 << 30, "one block for a column"), (1, "several")):
        rows.ALONE = alone
        try:
            found.append(
                rate(
                    name,
                    seconds(
                        lambda: norms.norm_forward(x, None, None, None, None, 0.1, 1e-5),
                        sizes,
                    ),
                )
            )
        finally:
            rows.ALONE = before
    yield f"norm_forward {count} x {channels}: {'; '.join(found)} (ALONE = {rows.ALONE})"


@part("10 windows and taps alone")
def window_times(sizes):
    n = sizes.batch
    for name, (c, _, side) in LAYERS.items():
        c, side = (sizes.of(c, 3), 8) if sizes.tiny else (c, side)
        g = geometry(side, 4, 2, 1)
        x, half = drawn(n, side * side, c), library().zeros((n, side * side, c), np.uint16)
        cols = drawn(n * (side // 2) ** 2, 16 * c)
        out = library().empty((n, side * side, c), np.float32)
        four = c % 4 == 0
        kernel, positions = "back_four" if four else "back_one", out.size // c
        sizes_back = windows._sizes(g, c, back=True)
        grid, block, together = windows._shared(positions, c // 4 if four else c)

        def taps():
            windows.WINDOWS.launch(
                kernel, out, grid, block, cols, None, out, sizes_back, positions, together
            )

        yield f"{name}: " + "; ".join([
            rate("gather", seconds(lambda: windows._rows(x, g, n), sizes), x.nbytes + cols.nbytes),
            rate("gather of bfloat16", seconds(lambda: windows._rows(half, g, n), sizes),
                (x.nbytes + cols.nbytes) // 2),
            rate("taps", seconds(taps, sizes), x.nbytes + cols.nbytes),
        ])  # fmt: skip


@part("11 the whole step, SGD and Adam")
def step_times(sizes):
    for what in ("mlp", "dcgan"):
        for kind in (SGD, Adam)[: 1 if sizes.tiny else 2]:
            trainer, batches = training(what, sizes)
            trainer = Trainer(
                trainer.game,
                {n: kind(p.parameters(), 1e-4) for n, p in trainer.game.players.items()},
            )
            play = round_of(trainer, batches, lambda text: None)
            numbers = next(batches.numbers(0))
            play(numbers)
            minigan.cuda.synchronize()
            count = 1 if sizes.tiny else 200
            began = time.perf_counter()
            for _ in range(count):
                play(numbers)
            minigan.cuda.synchronize()
            yield (
                f"{what}, batch 16, {kind.__name__}: "
                f"{1e6 * (time.perf_counter() - began) / count:.0f} us"
            )


def run(sizes, limit):
    """All parts; returns the names of those that failed, and how many were left out for time."""
    began = time.monotonic()
    failed = []
    left = 0
    for name, function in PARTS:
        if time.monotonic() - began > limit:
            print(f"{name}: left out, no time", flush=True)
            left += 1
            continue
        start = time.monotonic()
        try:
            for text in function(sizes):
                print(f"{name} | {text}", flush=True)
        except Exception as error:
            failed.append(name)
            frames = traceback.extract_tb(error.__traceback__)[-3:]
            where = " < ".join(
                f"{f.filename.rpartition('/')[2]}:{f.lineno}" for f in reversed(frames)
            )
            print(
                f"{name} | FAILED: {type(error).__name__}: {str(error)[:600]} ({where})", flush=True
            )
        print(f"{name} | {time.monotonic() - start:.1f} s", flush=True)
    return failed, left


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--seconds",
        type=float,
        default=60,
        help="after these no further part is begun (default %(default)s)",
    )
    p.add_argument("--tiny", action="store_true", help="small sizes")
    options = p.parse_args(arguments)
    if problem := minigan.arrays.cuda_problem():
        print(f"error: {problem}")
        return 2
    print(f"{minigan.cuda.get_device_name()}", flush=True)
    failed, left = run(Sizes(options.tiny), options.seconds)
    print(f"failed: {', '.join(failed) or 'nothing'}" + (f"; left out: {left}" if left else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
