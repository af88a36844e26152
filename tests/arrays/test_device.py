"""Names of devices, and the sentence for those who have none."""

import sys
import types

import fakecuda
import numpy as np
import pytest

from minigan.arrays import (
    CPU,
    DeviceError,
    array_module,
    cuda_problem,
    device,
    device_of,
    is_array,
    module_for,
    resolve_device,
    to_device,
    to_numpy,
)
from minigan.autograd import tensor_of


@pytest.mark.parametrize("args, text, kind, index", [
    (("cpu",), "cpu", "cpu", None), (("cuda",), "cuda:0", "cuda", 0),
    (("cuda:1",), "cuda:1", "cuda", 1),
    (("cuda", 2), "cuda:2", "cuda", 2),
    ((device("cuda:3"),), "cuda:3", "cuda", 3), ((), "cpu", "cpu", None),
    (("cpu:0",), "cpu", "cpu", None),
])  # fmt: skip
def test_names(args, text, kind, index):
    d = device(*args)
    assert str(d) == text and (d.type, d.index) == (kind, index)
    assert d == text and d == device(text) and hash(d) == hash(device(text)) and eval(repr(d)) == d


@pytest.mark.parametrize("bad", ["gpu", "cuda:x", "cuda:-1", "tpu:0", "", "cuda:1:2", 0])
def test_bad_names(bad):
    with pytest.raises(ValueError, match="expected 'cpu', 'cuda' or 'cuda:N'"):
        device(bad)


def test_different_devices_differ():
    assert (
        device("cuda:0") != device("cuda:1")
        and device("cpu") != device("cuda")
        and device("cpu") != 3
    )


@pytest.fixture
def without_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # `import cupy` raises ImportError
    cuda_problem.cache_clear()
    yield
    cuda_problem.cache_clear()


def test_cuda_without_cupy(without_cupy):
    """One sentence with the command that helps; auto takes the CPU."""
    with pytest.raises(DeviceError) as error:
        resolve_device("cuda")
    message = str(error.value)
    assert (
        "--device cuda" in message
        and "pip install 'minigan[cuda12]'" in message
        and "--device cpu" in message
        and "\n" not in message
    )
    with pytest.raises(DeviceError, match="pip install"):
        module_for(device("cuda"))
    with pytest.raises(DeviceError, match="pip install"):
        to_device(np.ones(2), device("cuda"))
    assert resolve_device("auto") == "cpu" == resolve_device("cpu")
    with pytest.raises(DeviceError):
        np_tensor().cuda()


def np_tensor():

    return tensor_of(np.ones(2))


def fake_cupy(monkeypatch, count, **runtime):
    """A CuPy that imports; `count` says how many GPUs it sees, or raises."""
    cupy = types.ModuleType("cupy")
    runtime = {name: (lambda value=value: value) for name, value in runtime.items()}
    cupy.cuda = types.SimpleNamespace(
        runtime=types.SimpleNamespace(getDeviceCount=count, **runtime), Device=fakecuda.cuda.Device
    )
    cupy.get_default_memory_pool = lambda: types.SimpleNamespace(total_bytes=lambda: 3 << 30)
    cupy.zeros = lambda n, dtype: fakecuda.asarray(np.zeros(n, dtype))
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    cuda_problem.cache_clear()


def test_cupy_without_gpu(monkeypatch):
    def none():
        raise RuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected\nmore lines")

    try:
        for count, words in ((none, "no CUDA-capable device"), (lambda: 0, "no CUDA device")):
            fake_cupy(monkeypatch, count)
            with pytest.raises(DeviceError, match=words) as error:
                resolve_device("cuda")
            assert "\n" not in str(error.value) and "nvidia-smi" in str(error.value)
            assert resolve_device("auto") == CPU
    finally:
        cuda_problem.cache_clear()


def test_out_of_memory_says_what_to_lower(monkeypatch):
    """An op whose array does not fit: what was asked, what is free, who has the rest, what helps;
    it is a MemoryError, too."""
    import minigan
    from minigan.autograd import OPS, op

    @op
    def enormous(x):
        raise MemoryError(
            "Out of memory allocating 4,294,967,296 bytes (allocated so far: 1,024 bytes)."
        )

    del OPS["enormous"]
    with fakecuda.installed():
        x = tensor_of(fakecuda.asarray(np.ones((3, 2), np.float32)), True)
        monkeypatch.setattr(fakecuda.runtime, "free", 1 << 30)
        with pytest.raises(MemoryError, match=r"allocating 4,294,967,296 bytes.*of 16.0 GiB 1.0 "
                                              r"are free.*other programs.*float32\[3, 2\]"
                           r" on cuda:0.*lower the batch size") as error:  # fmt: skip
            enormous(x)
    assert isinstance(error.value, minigan.OpError)


def test_a_gpu_that_is_not_there(monkeypatch):
    try:
        fake_cupy(monkeypatch, lambda: 2)
        assert resolve_device("auto") == "cuda:0" and resolve_device("cuda:1") == "cuda:1"
        with pytest.raises(DeviceError, match=r"cuda:2.*2 CUDA device\(s\)"):
            resolve_device("cuda:2")
    finally:
        fakecuda.runtime.current = 0
        cuda_problem.cache_clear()


def test_an_unknown_device_is_an_error():
    with pytest.raises(ValueError, match="device 'gpu'"):
        resolve_device("gpu")


def test_arrays_of_either_library():
    host, there = np.ones(2, np.float32), fakecuda.asarray(np.ones(2, np.float32), place=1)
    assert is_array(host) and is_array(there) and not is_array([1.0]) and not is_array(2.0)
    assert array_module(host) is np and array_module(there) is fakecuda
    assert (
        device_of(host) == CPU and device_of(there) == "cuda:1" and device_of(np.float32(1)) == CPU
    )
    assert (
        to_numpy(host) is host
        and isinstance(to_numpy(there), np.ndarray)
        and to_numpy(there).tolist() == [1, 1]
    )
    assert to_device(host, CPU) is host and to_device(there, device("cuda:1")) is there
    assert isinstance(to_device(there, CPU), np.ndarray)


@pytest.mark.gpu
def test_there_and_back():
    import cupy

    x = to_device(np.arange(3.0), device("cuda"))
    assert (
        isinstance(x, cupy.ndarray)
        and device_of(x) == "cuda:0"
        and to_device(x, CPU).tolist() == [0, 1, 2]
    )
    assert resolve_device("auto") == "cuda:0"
