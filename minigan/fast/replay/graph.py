"""A whole training step as one CUDA graph: captured once, then launched again and again without
Python in between.

A graph repeats launches with the same arguments on the same memory. So the step must be the same
sequence of launches every time: no shape may change, and no value may be needed on the host. What
differs from step to step (numbers of optimiser steps, learning rates, positions in random streams)
is sent along by the `Recorder` of `minigan.fast.cuda`.
"""

from __future__ import annotations

import functools
import linecache
import os
import sys
import traceback
from typing import Any

from ...arrays import array_module
from ...arrays.device import on_gpu
from ...arrays.seam import CaptureError
from ...autograd import Tensor, raw, tensor_of
from ...machine import pools
from ..cuda.cublas import leased
from ..cuda.recorder import Recorder, capturing
from .reachable import Reachable, Settings, Snapshot


def graph(step, warmup: int = 3) -> Graph:
    """`step` as a function of the same arguments that launches a CUDA graph, which is captured in
    the first call.

    step : a function of Tensors or arrays on CUDA (whose values may change from call to call) and
        other things (which must not). It may do all that training does: forward passes, `backward`
        or `grad`, optimiser steps, averages, random numbers
    warmup : how often the step is run before it is captured, to compile kernels and create the
        optimisers' state. What these runs change is undone: parameters, buffers, optimisers,
        averages and random streams that the step can reach, and the lists, dicts and numbers of
        objects that it refers to

    Returns what the step returns: the same Tensors in every call, whose memory each launch
    overwrites. Read them after the call, and seldom: `.item()` waits until the GPU is done. A step
    that calls `backward` must clear the gradients itself.

    CaptureError where the step needs a value on the host, sends one, changes shapes, or exchanges a
    parameter's memory.
    """
    return Graph(step, warmup)


class Graph:
    """See `graph`. `launches`: how often it was launched."""

    repeats_a_step = True

    def __init__(self, step, warmup: int = 3):
        if warmup < 1:
            raise ValueError(
                f"graph: warmup={warmup}: at least one run is needed, which creates state and "
                "compiles kernels"
            )
        self.step, self.warmup = step, warmup
        self.launches = 0
        self._executable: Any = None
        functools.update_wrapper(self, step, updated=())

    def __del__(self):
        self.__dict__.clear()
        if not sys.is_finalizing():
            pools.release()

    def __call__(self, *args):
        if self._executable is None or self._moved():
            self._capture(args)
        for i, (new, static, there) in enumerate(zip(args, self._statics, self._args, strict=True)):
            if static is None:
                if new is not there and new != there:
                    raise CaptureError(
                        f"argument {i} was {there!r} when the step was captured, now {new!r}: "
                        "pass it as a Tensor on CUDA"
                    )
                continue
            new = raw(new)
            if not on_gpu(new) or new.shape != static.shape or new.dtype != static.dtype:
                there, here = (f"{a.dtype} {tuple(a.shape)}" for a in (static, new))
                message = (
                    f"argument {i} was {there} when the step was captured, now "
                    f"{here}{_where_is(new)}"
                )
                raise CaptureError(f"{message}: the shapes of a graph stay as they are")
            static[...] = new
        self._recorder.push()
        self._executable.launch()
        self.launches += 1
        return self._outputs

    def _moved(self):
        """Has a parameter other memory, an optimiser other state, or the step other settings than
        when it was captured?"""
        if any(t.array is not a for t, a in self._places) or any(
            o._slots is not s for o, s in self._slots
        ):
            return True
        return not self._settings.same()

    def _capture(self, args):
        device = next((raw(a) for a in args if on_gpu(raw(a))), None)
        found = Reachable((self.step, args))
        if device is None:
            device = next((t.array for t in found.tensors if on_gpu(t.array)), None)
        if device is None:
            raise CaptureError(
                "graph: the step uses nothing on CUDA: move its modules and arguments there, e.g. "
                "with .cuda()"
            )
        xp = array_module(device)
        here = xp.cuda.Device(device.device.id)
        with here:
            self._args, self._statics = args, []
            boxed = []
            for a in args:
                array = raw(a)
                static = array.copy() if on_gpu(array) else None
                self._statics.append(static)
                boxed.append(
                    a
                    if static is None
                    else tensor_of(static, a.requires_grad)
                    if isinstance(a, Tensor)
                    else static
                )
            before = Snapshot(found)
            here.synchronize()
            # the memory of a capture before goes back
            self._executable = self._outputs = self._recorder = self._memory = None
            self._products = None
            self._memory, stream = pools.Private(xp), xp.cuda.Stream(non_blocking=True)
            private = xp.cuda.using_allocator(self._memory.pool.malloc)
            with stream, private, leased(xp, here.id, stream.ptr) as self._products:
                try:
                    for _ in range(self.warmup):
                        self.step(*boxed)
                finally:
                    before.restore()
                    stream.synchronize()
                self._recorder = Recorder(xp)
                stream.synchronize()
                stream.begin_capture()
                try:
                    with capturing(self._recorder):
                        outputs = _detached(self.step(*boxed))
                except Exception as error:
                    _end(stream)
                    self._recorder.finish()
                    before.restore_host()
                    raise _explained(error) from error
                self._executable = stream.end_capture()
                self._recorder.finish()
            here.synchronize()
        self._outputs, self._stream = outputs, stream
        self._places = [(t, a) for t, a, _ in before.tensors if t.array is a or t in before.leaves]
        self._settings = Settings(found)
        self._slots = [(o, o._slots) for o in found.optimizers]
        if exchanged := [t for t, a in self._places if t.array is not a]:
            self._executable = None
            raise CaptureError(
                f"the step gives a tensor of shape {tuple(exchanged[0].shape)} other memory "
                "(.data = ..., or a module that is moved or "
                "loaded): a graph would go on with the old; write into it instead, e.g. with "
                "copy_()"
            )


def _where_is(array):
    return "" if on_gpu(array) else " on the CPU"


def _end(stream):
    """End a capture that has failed; CUDA reports that it has."""
    try:
        stream.end_capture()
    except Exception:  # the error is known already
        pass


def _detached(outputs):
    """The outputs without the tape behind them."""
    if isinstance(outputs, Tensor):
        return outputs.detach()
    if isinstance(outputs, (list, tuple)) and type(outputs) in (list, tuple):
        return type(outputs)(_detached(x) for x in outputs)
    if type(outputs) is dict:
        return {k: _detached(v) for k, v in outputs.items()}
    return outputs


PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REASONS = (
    ({"item", "get", "tolist", "__bool__", "__float__", "__int__", "__index__", "numpy",
            "to_numpy"},
     "it needs a value on the host; return the Tensor and read it after the step, or compute on "
     "the device (e.g. with where)"),
    ({"asarray", "array", "set", "tensor", "as_tensor", "from_numpy", "to_device"},
     "it sends data from the host; make the Tensor on the device before the step, and pass it or "
     "keep it"),
    ({"synchronize", "deviceSynchronize"}, "it waits for the device"),
    ({"nonzero", "masked_select", "unique"},
        "the shape of its result depends on values; use where or a mask of fixed shape"),
)  # fmt: skip


def _explained(error: BaseException) -> CaptureError:
    """The error of a step while it was captured, with the line that caused it and the likely
    reason."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    outer, frames = (
        [(f.filename, f.lineno, f.name) for f in traceback.extract_tb(e.__traceback__)]
        for e in (error, cause)
    )
    lines = [f for f in (*outer, *frames) if not f[0].startswith(PACKAGE) and os.path.exists(f[0])]
    # the tests' device is no user's file
    lines = [f for f in lines if os.path.basename(f[0]) != "fakecuda.py"]
    where = "an unknown line"
    if lines:
        file, line, _ = lines[-1]
        where = f"{file}:{line} ({linecache.getline(file, line or 0).strip()})"
    names = {name.rpartition(".")[2] for *_, name in (*outer, *frames)}
    text = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    reason = next((why for known, why in REASONS if known & names), None)
    if "cuBLAS" in text or (isinstance(cause, NotImplementedError) and "captur" in text):
        reason = (
            "it multiplies matrices by CuPy itself; use minigan's matmul or linear, with "
            "float32 or float64"
        )
    return CaptureError(
        f"the step cannot be captured, at {where}: {reason or text} [{type(cause).__name__}: "
        f"{text}]"
    )
