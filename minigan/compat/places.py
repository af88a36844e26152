"""torch's other places for what minigan has, and one sentence for what it does not have.

`from minigan.nn.modules.conv import Conv2d`, `import minigan.utils.data`: the import system asks
`_Finder` first. It gives a module of this package where torch has one (`MODULES`), a module with
the names of another (`PLACES`), and leaves all other imports to the others. A name that is nowhere
is an ImportError or AttributeError that says where to read on.
"""

import importlib
import importlib.machinery
import sys
import types

# place in minigan -> the module of this package that stands there, itself and what is below it
MODULES = {
    name: name
    for name in (
        "accelerator",
        "amp",
        "backends",
        "cuda",
        "distributions",
        "einops",
        "utils",
        "version",
        "vision",
    )
}
MODULES |= {"autograd.variable": "variable", "nn.parallel": "parallel"}
# module of minigan -> names that only torch has there, and the modules of this package that hold
# them
ADDED = {
    "autograd": {"Variable": "variable"},
    "nn": {"DataParallel": "parallel"},
    "nn.init": {"_calculate_correct_fan": "private", "_calculate_fan_in_and_fan_out": "private"},
}
# These, once loaded, have torch's other names, too, and say of a missing one where to read on.
COMPLETED = {
    "accelerator", "amp", "autograd", "backends", "cuda", "distributed", "distributions", "func",
    "nn", "nn.functional", "nn.init", "nn.parallel",
    "nn.utils", "optim", "optim.lr_scheduler", "utils", "utils.data", "vision", "vision.models",
    "vision.utils",
}  # fmt: skip
PLACES = {
    "autograd.anomaly_mode": "autograd.anomaly", "autograd.functional": "ops.derivatives",
    "autograd.grad_mode": "engine.grad_mode",
    "cuda.amp": "cuda", "cuda.amp.autocast_mode": "cuda", "cuda.amp.grad_scaler": "cuda",
    "cuda.random": "cuda",
    "amp.autocast_mode": "amp", "amp.grad_scaler": "amp",
    "functional": "ops", "multiprocessing": "/multiprocessing", "random": "ops.seeding",
    "distributions.normal": "distributions", "distributions.categorical": "distributions",
    "distributions.uniform": "distributions",
    "distributions.bernoulli": "distributions", "distributions.kl": "distributions",
    "distributions.multivariate_normal": "distributions",
    "distributions.independent": "distributions", "distributions.laplace": "distributions",
    "distributions.relaxed_bernoulli": "distributions",
    "distributions.relaxed_categorical": "distributions",
    "nn.modules": "nn", "nn.modules.flatten": "nn.linear", "nn.modules.fold": "nn",
    "nn.modules.instancenorm": "nn.normalization",
    "nn.modules.pixelshuffle": "nn.resample", "nn.modules.rnn": "nn.recurrent",
    "nn.modules.sparse": "nn.embedding",
    "nn.modules.upsampling": "nn.resample", "nn.modules.utils": "nn.tuples",
    "distributed.distributed_c10d": "distributed",
    "nn.parallel.data_parallel": "nn.parallel", "nn.parallel.distributed": "nn.parallel",
    "nn.utils.clip_grad": "nn.utils", "nn.utils.convert_parameters": "nn.utils",
    "nn.utils.parametrizations": "nn.parametrizations",
    "nn.utils.parametrize": "nn.parametrize", "nn.utils.rnn": "nn.sequences",
    "nn.utils.spectral_norm": "nn.reparametrize",
    "nn.utils.stateless": "nn.stateless", "nn.utils.weight_norm": "nn.reparametrize",
    "optim.adamw": "optim.adam", "optim.swa_utils": "optim.averaging",
    "utils.data.dataloader": "utils.data", "utils.data.dataset": "utils.data",
    "utils.data.distributed": "utils.data",
    "utils.data.sampler": "utils.data",
    "utils.tensorboard.writer": "utils.tensorboard",
}  # fmt: skip
NN = {"activation", "batchnorm", "container", "conv", "distance", "dropout", "linear", "loss",
    "module", "normalization", "padding",
      "pooling"}  # fmt: skip
PLACES |= {f"nn.modules.{name}": f"nn.{name}" for name in NN}
ROOT, HERE = __name__.partition(".")[0], __name__.rpartition(".")[0]
INSTEAD = {
    "hub": "networks are in vision.models, their weights come from files",
    "jit": "minigan.cpu.graph and minigan.cuda.graph repeat a step without its Python",
    "onnx": "weights travel as safetensors, by minigan.save", "quantization": "", "sparse": "",
    "fft": "",
    "model_zoo": "weights come from files: vision.models",
}  # fmt: skip


def not_there(path):
    """The sentence about a name that minigan does not have: "nn.Transformer"."""
    instead = INSTEAD.get(path.rpartition(".")[2])
    return (
        f"; {instead + '; ' if instead else ''}what of torch is there, and what instead: "
        "docs/porting.md"
    )


def elsewhere(module, real=None):
    """`__getattr__` for the module of that name, "nn.modules": torch's submodules and names there,
    else an AttributeError.

    real : the module whose names it has, if not its own
    """

    def __getattr__(name):
        path = f"{module}.{name}" if module else name
        if path in PLACES or path in MODULES:
            return importlib.import_module(f"{ROOT}.{path}")
        if holder := ADDED.get(real or module, {}).get(name):
            return getattr(importlib.import_module(f"{HERE}.{holder}"), name)
        where = "" if name.startswith("_") else not_there(path)
        raise AttributeError(
            f"module {'.'.join(filter(None, (ROOT, module)))!r} has no attribute {name!r}{where}"
        )

    return __getattr__


def complete(module, name):
    """Give a module, which stands at `name`, torch's other names; and a path, so that Python asks
    for what is below it, too."""
    module.__getattr__ = elsewhere(name)
    if name in ADDED:
        module.__all__ = [*module.__all__, *ADDED[name]]
    if not hasattr(module, "__path__"):
        module.__path__ = []


def _here(name):
    """The module of this package that stands at a place of minigan: "minigan.compat.utils.data" for
    "utils.data"; or None."""
    top = next((top for top in MODULES if f"{name}.".startswith(f"{top}.")), None)
    return top and f"{HERE}.{MODULES[top]}{name[len(top) :]}"


def place(name):
    """Where a module of this package stands: "minigan.nn.parallel" for
    "minigan.compat.parallel"."""
    top, _, rest = name.removeprefix(f"{HERE}.").partition(".")
    found = next((p for p, real in MODULES.items() if real == top and name.startswith(HERE)), None)
    return ".".join(filter(None, (ROOT, found, rest))) if found else name


class _Same:
    """A module under a second name."""

    def __init__(self, real):
        self.real = real

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        real, name = importlib.import_module(self.real), module.__name__.partition(".")[2]
        sys.modules[module.__name__] = real
        for where in COMPLETED:  # itself, and what it has imported below itself
            if f"{where}.".startswith(f"{name}.") and (
                there := sys.modules.get(_here(where) or "")
            ):
                complete(there, where)


class _Copy:
    """A module with the names of another."""

    def __init__(self, real):
        self.real = real

    def create_module(self, spec):
        return _Place(spec.name)

    def exec_module(self, module):
        real, name = importlib.import_module(self.real), module.__name__.partition(".")[2]
        module.__dict__.update(
            {k: v for k, v in vars(real).items() if not k.startswith("__") or k == "__all__"}
        )
        module.__doc__, module.__path__ = real.__doc__, []
        module.__getattr__ = elsewhere(name, self.real.partition(".")[2])


class _Place(types.ModuleType):
    """torch has functions that are called as their module is (spectral_norm): so this module can be
    called."""

    def __call__(self, *args, **named):
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **named)


class _Completing:
    """The loader of a module, which afterwards gets torch's other names."""

    def __init__(self, loader):
        self.loader = loader

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def exec_module(self, module):
        self.loader.exec_module(module)
        complete(module, module.__name__.partition(".")[2])


class _Finder:
    """Asked first; it answers for names that begin with minigan's."""

    def find_spec(self, fullname, path, target=None):
        root, _, name = fullname.partition(".")
        if root != ROOT or not name:
            return None
        if name in MODULES:
            return importlib.machinery.ModuleSpec(fullname, _Same(_here(name)))
        others = (
            finder.find_spec(fullname, path, target)
            for finder in sys.meta_path
            if finder is not self
        )
        if found := next(filter(None, others), None):
            # below one of them: the file is found by its path, but it is loaded once only
            if real := _here(name):
                return importlib.machinery.ModuleSpec(fullname, _Same(real))
            if name in COMPLETED:
                found.loader = _Completing(found.loader)
            return found
        if name in PLACES:
            real = PLACES[name]
            return importlib.machinery.ModuleSpec(
                fullname, _Copy(real[1:] if real[0] == "/" else f"{ROOT}.{real}")
            )
        parent, _, last = place(fullname).rpartition(".")
        if last.startswith("_"):
            return None
        # (Not with `name=fullname`: for `from minigan.nn import Foo` Python would then say a
        # sentence of its own.)
        raise ModuleNotFoundError(f"{parent} has no {last!r}{not_there(name)}")


def install():
    """Called once, when this package is imported."""
    if not any(
        type(finder).__name__ == "_Finder" and type(finder).__module__ == __name__
        for finder in sys.meta_path
    ):
        sys.meta_path.insert(0, _Finder())
    for name in COMPLETED & {
        loaded.partition(".")[2] for loaded in sys.modules if loaded.startswith(ROOT)
    }:
        complete(sys.modules[f"{ROOT}.{name}"], name)
