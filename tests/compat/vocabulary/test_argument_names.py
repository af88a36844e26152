"""Every public signature accepts the argument names of torch's function of the same name.

`arguments.json` lists them: {"torch.flip": ["input", "dims"], "Tensor.flip": ["dims"], "nn.Linear":
[...], ...}, all overloads of PyTorch 2.13 together. `python
tests/compat/vocabulary/test_argument_names.py` writes it anew, where PyTorch is installed.
"""

import importlib
import inspect
import json
import pathlib

import pytest

import minigan
from minigan.engine.arguments import ALIASES

FILE = pathlib.Path(__file__).parent / "arguments.json"
TABLE = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
PLACES = {
    "torch": "minigan", "Tensor": "minigan:Tensor", "nn": "minigan.nn",
    "nn.functional": "minigan.nn.functional",
    "nn.init": "minigan.nn.init", "nn.utils": "minigan.nn.utils", "optim": "minigan.optim",
    "optim.lr_scheduler": "minigan.optim.lr_scheduler",
    "autograd": "minigan.autograd", "utils.data": "minigan.utils.data",
}  # fmt: skip

# Of results that are written into given memory, of layouts and of pickles there is nothing here;
# `from` is no name in a Python program.
NOT_HERE = {
    "out", "layout", "pin_memory", "memory_format", "non_blocking", "async", "names", "implicit",
    "pickle_module", "pickle_protocol",
    "from", "cudnn_enabled", "cudnn_enable", "reverse", "orig_func",
}  # fmt: skip
# Functions of another kind under torch's name, and overloads that only TorchScript sees.
OTHERS = {
    "Tensor.copy_",
    "autograd.gradcheck",
    "autograd.gradgradcheck",
    "torch.tensor",
    "torch.as_tensor",
    "torch.normal",
    "torch.split",
}


def place(name):
    module, _, attribute = PLACES[name].partition(":")
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found


def accepts(function, name):
    """Can the function be called with an argument of that name?"""
    parameters = inspect.signature(function).parameters
    names = {
        n for n, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    }
    if hasattr(function, "card") or hasattr(getattr(function, "__func__", None), "card"):
        names |= {ALIASES.get(n) for n in names}
    return name in names or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def function_of(key):
    where, _, name = key.rpartition(".")
    return getattr(place(where), name, None)


@pytest.mark.parametrize("key", TABLE)
def test_argument_names(key):
    function = function_of(key)
    assert function is not None, f"{key} is in the table only"
    missing = [n for n in TABLE[key] if n not in NOT_HERE and not accepts(function, n)]
    assert not missing, f"{key}{inspect.signature(function)} does not take {missing}"


def test_the_comparison_can_fail():
    assert accepts(minigan.flip, "dims") and not accepts(minigan.flip, "dimensions")
    assert accepts(minigan.exp, "input") and not accepts(minigan.exp, "output")


def _written():
    import torch

    schemas = {}
    for s in torch._C._jit_get_all_schemas():
        namespace, _, name = s.name.partition("::")
        on_tensors = any(str(x.type) == "Tensor" for x in (*s.arguments, *s.returns))
        strange = any(
            str(x.type) in ("t", "List[Tensor]") and x.name in ("a", "b", "t") for x in s.arguments
        )
        if (
            namespace == "aten"
            and on_tensors
            and not strange
            and s.overload_name not in ("sizes", "str")
        ):
            found = schemas.setdefault(name, [])
            found += [
                a.name
                for a in s.arguments
                if a.name not in found and not (a.is_out or a.name.startswith("out"))
            ]

    def of_schemas(name, method):
        found = [
            "input" if n == "self" else n
            for n in schemas.get(name, ())
            if not (n == "self" and method)
        ]
        return [n for n in found if not (method and n == "input")] or None

    def of_signature(function):
        try:
            parameters = inspect.signature(function).parameters.values()
        except (ValueError, TypeError):
            return None
        return [
            p.name
            for p in parameters
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and not p.name.startswith("_")
        ]

    theirs = {
        k: torch if k == "torch" else torch.Tensor if k == "Tensor" else getattr(torch, k, None)
        for k in PLACES
    }
    for k in PLACES:
        if theirs[k] is None:
            theirs[k] = importlib.import_module(f"torch.{k}")
    table = {}
    for where, module in theirs.items():
        for name in sorted(n for n in dir(place(where)) if not n.startswith("_")):
            ours, function = getattr(place(where), name), getattr(module, name, None)
            if not callable(ours) or not callable(function) or type(ours).__name__ == "TensorType":
                continue
            if f"{where}.{name}" in OTHERS:
                continue
            names = of_signature(function)
            if names is None or not (inspect.isfunction(function) or inspect.isclass(function)):
                names = of_schemas(name, where == "Tensor") or names
            if where == "Tensor" and names and names[0] == "self":
                names = names[1:]
            if names:
                table[f"{where}.{name}"] = names
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in table.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    _written()
