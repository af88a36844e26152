"""torch's other places for what minigan has, and one sentence for what it does not have.

`from minigan.nn.modules.conv import Conv2d`: the import system asks `_Finder` after it found no such file, which gives a module
with the names of the one in `PLACES`. A name that is nowhere is an ImportError or AttributeError that says where to read on.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types

PLACES = {
    "autograd.anomaly_mode": "autograd.mode", "autograd.grad_mode": "autograd.mode",
    "cuda.amp": "cuda", "cuda.amp.autocast_mode": "cuda", "cuda.amp.grad_scaler": "cuda", "cuda.random": "cuda",
    "amp.autocast_mode": "amp", "amp.grad_scaler": "amp",
    "functional": "ops", "multiprocessing": "/multiprocessing", "random": "arrays.random",
    "distributions.normal": "distributions", "distributions.categorical": "distributions", "distributions.uniform": "distributions",
    "distributions.bernoulli": "distributions", "distributions.kl": "distributions", "distributions.multivariate_normal": "distributions",
    "distributions.independent": "distributions", "distributions.laplace": "distributions",
    "nn.modules": "nn", "nn.modules.flatten": "nn.linear", "nn.modules.fold": "nn", "nn.modules.instancenorm": "nn.normalization",
    "nn.modules.pixelshuffle": "nn.resample", "nn.modules.rnn": "nn.recurrent", "nn.modules.sparse": "nn.embedding",
    "nn.modules.upsampling": "nn.resample", "nn.modules.utils": "nn.tuples", "nn.parallel.data_parallel": "nn.parallel",
    "nn.utils.clip_grad": "nn.utils", "nn.utils.convert_parameters": "nn.utils", "nn.utils.parametrizations": "nn.parametrizations",
    "nn.utils.parametrize": "nn.parametrize", "nn.utils.rnn": "nn.sequences", "nn.utils.spectral_norm": "nn.reparametrize",
    "nn.utils.stateless": "nn.stateless", "nn.utils.weight_norm": "nn.reparametrize",
    "optim.adamw": "optim.adam", "optim.swa_utils": "optim.averaging",
    "utils.data.dataloader": "utils.data", "utils.data.dataset": "utils.data", "utils.data.sampler": "utils.data",
    "utils.tensorboard.writer": "utils.tensorboard",
}  # fmt: skip
NN = {"activation", "batchnorm", "container", "conv", "distance", "dropout", "linear", "loss", "module", "normalization", "padding",
      "pooling"}  # fmt: skip
PLACES |= {f"nn.modules.{name}": f"nn.{name}" for name in NN}
ROOT = __name__.partition(".")[0]
INSTEAD = {
    "distributed": "minigan computes in one process", "DistributedDataParallel": "minigan computes in one process",
    "hub": "networks are in vision.models, their weights come from files",
    "jit": "minigan.cpu.graph and minigan.cuda.graph repeat a step without its Python",
    "onnx": "weights travel as safetensors, by minigan.save", "quantization": "", "sparse": "", "fft": "",
    "model_zoo": "weights come from files: vision.models",
}  # fmt: skip


def not_there(path):
    """The sentence about a name that minigan does not have: "nn.Transformer"."""
    instead = INSTEAD.get(path.rpartition(".")[2])
    return f"; {instead + '; ' if instead else ''}what of torch is there, and what instead: docs/porting.md"


def elsewhere(module):
    """`__getattr__` for a module: its submodules in torch's places; an AttributeError for what is not there."""

    def __getattr__(name):
        if f"{module}.{name}".partition(".")[2] in PLACES:
            return importlib.import_module(f"{module}.{name}")
        if name.startswith("_"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}{not_there(f'{module}.{name}')}")

    return __getattr__


def complete(module):
    """Give a module `elsewhere`'s __getattr__; and a path, so that Python asks for what is below it, too."""
    there = sys.modules[module]
    there.__getattr__ = elsewhere(module)
    if not hasattr(there, "__path__"):
        there.__path__ = []


class _Place(types.ModuleType):
    """The names of another module. torch has functions that are called as their module is (spectral_norm): so it can be called."""

    def __call__(self, *args, **named):
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **named)


class _Loader(importlib.abc.Loader):
    def __init__(self, real):
        self.real = real

    def create_module(self, spec):
        return _Place(spec.name)

    def exec_module(self, module):
        real = importlib.import_module(self.real)
        module.__dict__.update({k: v for k, v in vars(real).items() if not k.startswith("__") or k == "__all__"})
        module.__doc__, module.__path__, module.__getattr__ = real.__doc__, [], elsewhere(module.__name__)


class _Finder(importlib.abc.MetaPathFinder):
    """Asked last, for names that begin with minigan's."""

    def find_spec(self, fullname, path, target=None):
        root, _, name = fullname.partition(".")
        last = name.rpartition(".")[2]
        if root != ROOT or not name or last.startswith("_"):
            return None
        if name in PLACES:
            real = PLACES[name]
            return importlib.machinery.ModuleSpec(fullname, _Loader(real[1:] if real[0] == "/" else f"{ROOT}.{real}"))
        parent = fullname.rpartition(".")[0]
        # (Not with `name=fullname`: for `from minigan.nn import Foo` Python would then say a sentence of its own.)
        raise ModuleNotFoundError(f"{parent} has no {last!r}{not_there(name)}")


def install():
    """Called once, when minigan is imported."""
    if not any(type(finder).__name__ == "_Finder" and type(finder).__module__ == __name__ for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
