"""From PyTorch's values to minigan's, and the comparison of what the two computed."""

import types

import numpy as np
import torch

import minigan
from minigan.autograd import tensor_of

# Relative and absolute tolerance, by dtype of the value.
TOLERANCE = {"float16": (1e-2, 2e-2), "float32": (2e-5, 2e-5), "float64": (1e-7, 1e-9)}


class Uncovered(Exception):
    """The sample asks for what minigan does not have: complex numbers, bfloat16, sparse or
    quantised tensors, named dimensions."""


class Different(AssertionError):
    """The two programs disagree."""


def reload(t, memo):
    """minigan's Tensor with the values, the layout and the `requires_grad` of a PyTorch leaf; one
    for each."""
    if id(t) not in memo:
        if (
            t.layout is not torch.strided
            or t.is_quantized
            or t.dtype.is_complex
            or t.is_conj()
            or t.is_neg()
        ):
            raise Uncovered(f"{t.layout} {t.dtype}")
        if not hasattr(np, str(t.dtype).removeprefix("torch.")):
            raise Uncovered(str(t.dtype))
        where = t.untyped_storage().data_ptr(), t.dtype
        if where not in memo or not t.numel():  # tensors that share memory share it here
            flat = t.detach().as_strided(
                (t.untyped_storage().nbytes() // t.element_size(),), (1,), 0
            )
            memo[where] = flat.numpy().copy()
        strides = [n * t.element_size() for n in t.stride()]
        start = (
            memo[where][t.storage_offset() :] if t.numel() else np.empty(t.shape, memo[where].dtype)
        )
        array = np.lib.stride_tricks.as_strided(start, t.shape, strides) if t.numel() else start
        memo[id(t)] = tensor_of(array, t.requires_grad)
        memo.setdefault("kept", []).append(t)  # an id stays taken
    return memo[id(t)]


def translate(x, memo):
    """`x` of PyTorch's world (tensors, dtypes, devices, nested in lists, tuples, dicts) as
    minigan's."""
    if isinstance(x, torch.Tensor):
        return reload(x, memo)
    if isinstance(x, torch.dtype):
        if not hasattr(minigan, str(x).removeprefix("torch.")) or x.is_complex:
            raise Uncovered(str(x))
        return getattr(minigan, str(x).removeprefix("torch."))
    if isinstance(x, complex):
        raise Uncovered("complex")
    if isinstance(x, torch.device):
        return str(x)
    if isinstance(x, torch.Size):
        return minigan.Size(x)
    if isinstance(x, (list, tuple)):
        values = [translate(v, memo) for v in x]
        return type(x)(*values) if hasattr(x, "_fields") else type(x)(values)
    if isinstance(x, dict):
        return {k: translate(v, memo) for k, v in x.items()}
    if isinstance(x, (torch.layout, torch.memory_format)):
        name = str(x).removeprefix("torch.")
        if not hasattr(minigan, name):
            raise Uncovered(name)
        return getattr(minigan, name)
    if isinstance(x, torch.nn.Module):
        return module(x, memo)
    if callable(x) and getattr(torch.nn.functional, getattr(x, "__name__", ""), None) is x:
        return getattr(minigan.nn.functional, x.__name__)
    if isinstance(x, types.FunctionType) and "torch" in x.__code__.co_names:
        return rebound(x)
    return x


def module(x, memo):
    """minigan's module like one of PyTorch's that is an argument, with its weights."""
    name = type(x).__name__
    if name == "TransformerEncoderLayer":
        made = dict(d_model=x.linear1.in_features, nhead=x.self_attn.num_heads,
            dim_feedforward=x.linear1.out_features, dropout=x.dropout.p,
                    activation=translate(x.activation, memo), layer_norm_eps=x.norm1.eps,
                    batch_first=x.self_attn.batch_first,
                    norm_first=x.norm_first, bias=x.linear1.bias is not None)  # fmt: skip
    elif name == "PairwiseDistance":
        made = dict(p=x.norm, eps=x.eps, keepdim=x.keepdim)
    elif name == "LayerNorm":
        made = dict(normalized_shape=x.normalized_shape, eps=x.eps)
    else:
        raise Uncovered(name)
    ours = getattr(minigan.nn, name)(**made)
    weights = {k: translate(v.detach().clone(), memo) for k, v in x.state_dict().items()}
    ours = ours.double() if any(w.dtype == np.float64 for w in weights.values()) else ours
    ours.load_state_dict(weights)
    return ours


def rebound(f, **names):
    """A Python function of PyTorch's tests, with minigan where it says `torch`."""
    scope = {**f.__globals__, "torch": minigan, **names}
    return types.FunctionType(f.__code__, scope, f.__name__, f.__defaults__, f.__closure__)


def tensors(x, kind):
    """The Tensors of class `kind` in nested lists, tuples, dicts, in order."""
    if isinstance(x, kind):
        return [x]
    if isinstance(x, dict):
        x = list(x.values())
    return [t for v in x for t in tensors(v, kind)] if isinstance(x, (list, tuple)) else []


def compare(ours, theirs, what="", values=True, widen=1.0):
    """Raise Different unless both are alike: dtype, shape, `requires_grad`, and values (if
    `values`)."""
    if isinstance(theirs, torch.Tensor):
        if not isinstance(ours, minigan.Tensor):
            raise Different(f"{what}{type(ours).__name__} where torch gives a Tensor")
        dtype = str(theirs.dtype).removeprefix("torch.")
        if ours.dtype.name != dtype:
            raise Different(f"{what}dtype {ours.dtype.name}, torch {dtype}")
        if tuple(ours.shape) != tuple(theirs.shape):
            raise Different(f"{what}shape {tuple(ours.shape)}, torch {tuple(theirs.shape)}")
        if ours.requires_grad != theirs.requires_grad:
            raise Different(
                f"{what}requires_grad {ours.requires_grad}, torch {theirs.requires_grad}"
            )
        if values:
            numbers(ours.detach().numpy(), theirs.detach().numpy(force=True), what, widen)
    elif isinstance(theirs, (list, tuple)):
        if not isinstance(ours, (list, tuple)) or len(ours) != len(theirs):
            raise Different(f"{what}{short(ours)}, torch {short(theirs)}")
        for i, (a, b) in enumerate(zip(ours, theirs)):
            compare(a, b, f"{what}[{i}] ", values, widen)
    elif theirs is None or isinstance(theirs, (bool, int, str)):
        if values and ours != theirs:
            raise Different(f"{what}{short(ours)}, torch {short(theirs)}")
    elif isinstance(theirs, float):
        if not isinstance(ours, float):
            raise Different(f"{what}{short(ours)}, torch {short(theirs)}")
        if values:
            numbers(np.float64(ours), np.float64(theirs), what, widen * 1e3)
    elif isinstance(theirs, torch.dtype):
        if str(ours) != str(theirs).removeprefix("torch."):
            raise Different(f"{what}{ours}, torch {theirs}")


def numbers(a, b, what="", widen=1.0):
    """Raise Different unless two arrays hold the same numbers up to the tolerance of their
    dtype."""
    if a.dtype.kind != "f":
        same = a == b
    else:
        relative, absolute = (widen * t for t in TOLERANCE[a.dtype.name])
        same = np.isclose(a, b, relative, absolute, equal_nan=True)
    if not np.all(same):
        at = tuple(int(i) for i in np.argwhere(~np.atleast_1d(same))[0])
        ours, theirs = np.atleast_1d(a)[at], np.atleast_1d(b)[at]
        count = np.size(same) - np.count_nonzero(same)
        raise Different(
            f"{what}{count} of {np.size(same)} values differ, at {list(at)} {ours!r}, torch "
            f"{theirs!r}"
        )


def short(x):
    """A text of at most 100 characters that says what `x` is."""
    if isinstance(x, (torch.Tensor, minigan.Tensor)):
        name = str(x.dtype).removeprefix("torch.")
        value = f" {x.item()}" if x.numel() == 1 else ""
        dense = x.is_contiguous() or not x.numel()
        return f"<{name}{list(x.shape)}{value}{'' if dense else f' strides {x.stride()}'}>"
    if isinstance(x, (list, tuple)):
        return "[" + ", ".join(map(short, x[:8])) + (", ..." if len(x) > 8 else "") + "]"
    if isinstance(x, dict):
        return "{" + ", ".join(f"{k}={short(v)}" for k, v in x.items()) + "}"
    return repr(x)[:100]
