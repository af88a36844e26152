"""Random programs, run by minigan and by PyTorch from the same text: views, writes, indexing,
reductions, layers, autograd, optimisers.

    python tests/pytorch/fuzz.py --minutes 10 --seed 0 ten minutes of programs; the seeds of
    failures are printed
    python tests/pytorch/fuzz.py --program 1234             one program: its text, and what differs

After every line both worlds are compared: values, dtypes, shapes, `requires_grad`, `is_leaf`,
`.grad`, whether both raised; at the end also which tensors share memory. A failing program is made
smaller until no line can be left out, and printed so that it can be run.
"""

import argparse
import re
import sys
import time
import warnings
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from pytorch.bridge import short
from pytorch.programs import PRELUDE, Writer, scope
from pytorch.statements import write

import minigan

# Where both may differ: a pattern of the error that one of the two raises, and why. `known_state`,
# `of_equal` and `constant` tell the rest.
KNOWN = {
    "minigan": {
        r"float(16|32|64).* float(16|32|64)": "two kinds of floats in one operation are an error "
        "(docs/porting.md)",
        r"backward of (RNN|LSTM|GRU|\w+_steps): its result was changed": "one op for all steps "
        "keeps its outputs; torch's has copies",
        r"backward through where a second time": "triu and tril keep their mask, PyTorch's nothing",
        r"backward of matmul: its argument": "PyTorch keeps the copy that it makes of a transposed "
        "argument",
        r"elements share memory": "PyTorch warns of index_put_ into expanded tensors: it is "
        "deprecated there",
        r"was changed in place after the forward pass": "only judged without `.data`, whose "
        "writes torch does not notice",
    },
    "torch": {
        r"is a view and is being modified inplace|is the output of a function that returns "
        r"multiple views": "minigan records such writes",
        r"view size is not compatible with input tensor's size and stride": "minigan's results may "
        "lie in memory in another order",
        r"modified by an inplace operation": "torch saved a value that minigan does not need, or "
        "saves as a copy",
        r"unsupported operation: (some elements of the input|more than one element)": "minigan "
        "computes what torch refuses",
        r"with a bool tensor is not supported": "minigan subtracts booleans as NumPy does",
        r"not implemented for '": "minigan takes integers as float32 (docs/porting.md)",
        r"is not differentiable with respect to argument": "minigan's losses are, also by their "
        "targets",
        r"Can't detach views in-place": "minigan's become constants of the same memory",
        r"A view was created in no_grad mode": "minigan records writes into a view of a constant",
        r"returned an invalid gradient at index": "minigan takes away the dimensions of size 1 "
        "that were added without being recorded",
        r"argm\w+\(\): does not support bool": "minigan takes False < True",
        r"derivative for \S+ is not implemented": "minigan's quotients that are rounded have 0",
        r"INTERNAL ASSERT FAILED": "PyTorch asks to report that",
        r"Boolean inputs not supported": "minigan's relu takes them",
        r"saved tensor that has been detached in-place": "minigan knows what it was saved as",
        r"graph a second time": "minigan keeps the graph where nothing was saved that takes memory",
        r"module 'torch' has no attribute": "a method that is no function",
    },
}


def of_older_view(line, theirs):
    """Is it a gradient of a view whose base was written after it was made, as by an optimiser? For
    PyTorch nothing leads from it any more: it gives None before it looks at what was changed."""
    named = re.match(r"(\w+) = torch\.autograd\.grad\(.*, (\w+), .*allow_unused=True\)", line)
    return named is not None and theirs[named[1]] is None and theirs[named[2]]._is_view()


def known_state(theirs):
    """Is there what minigan leaves out on purpose? Views made under no_grad of what requires a
    gradient: since 2.13 PyTorch calls them leaves that require one, though none reaches them;
    minigan's are constants, as PyTorch's were before. And results without a derivative, which
    require a gradient in PyTorch (unique)."""
    wanted = [t for t in theirs.values() if isinstance(t, torch.Tensor) and t.requires_grad]
    return any(
        leaf(t, False) and t._is_view() or not leaf(t, True) and "Unique" in t.grad_fn.name()
        for t in wanted
    )


def other_layout(line, ours, theirs):
    """Is this a copy in one world and the same memory in the other, as results may lie in memory in
    another order (a batch-first RNN's)?"""
    asked = re.search(r"(\w+)\.(contiguous|reshape|flatten|ravel)\(", line)
    pair = [world.get(asked[1]) for world in (ours, theirs)] if asked else []
    return (
        all(hasattr(t, "is_contiguous") for t in pair)
        and len({t.is_contiguous() for t in pair}) == 2
    )


def unseen_write(line, ours, theirs):
    """PyTorch gives a view a new place in history when its memory was written, also under no_grad:
    what was computed from it before then has no gradient by it. In minigan it has the one of the
    old value."""
    asked = re.search(r"^(\w+) = .*autograd.grad\(.*, (\w+), \w+_graph=", line)
    view = theirs.get(asked[2]) if asked else None
    gone = theirs.get(asked[1]) is None and ours.get(asked[1]) is not None if asked else False
    return (
        view is not None and view._is_view() and (gone or view._version > 0 and view._base.is_leaf)
    ) or any(
        t._is_view() and t.retains_grad and t._version
        for t in theirs.values()
        if isinstance(t, torch.Tensor)
    )


def of_equal(line, theirs):
    """Is the line a search among elements some of which are equal? Which of them is found is
    PyTorch's choice."""
    asked = re.search(
        r"(\w+)\.(topk|sort|argsort|kthvalue|mode|median|argmax|argmin|max|min)\(", line
    )
    source = theirs.get(asked[1]) if asked else None
    return isinstance(source, torch.Tensor) and source.unique().numel() < source.numel()


def mixed_values(lines):
    """Was a gradient asked for after a write into `.data`? PyTorch does not notice such a write and
    may mix old and new values; minigan says so, or goes on with those of the forward pass."""
    named = [m[1] for line in lines if (m := re.match(r"(\w+) = \w+\.data$", line))]
    pattern = (
        rf"({'|'.join([r'[.]data', *named])})(\.detach\(\))?(\[.*\] |\.\w+_\(| [-+*/]+=)|[.]data ="
    )
    wrote = [i for i, line in enumerate(lines) if re.search(pattern, line)]
    return bool(wrote) and any(
        "backward(" in line or "autograd.grad(" in line for line in lines[wrote[0] :]
    )


def shared_gradient(lines, theirs):
    """Was a gradient written whose elements share memory in PyTorch (that of a sum, say)? minigan's
    have memory of their own."""
    return any(
        re.search(
            rf"\b{n}(\.data|\.detach\(\))?(\[.*\] \W?=| [-+*/]+=|\.\w+_\(|,.* inplace=True)", line
        )
        for n in repeated_gradients(theirs)
        for line in lines
    )


def repeated_gradients(theirs):
    """The names of PyTorch's gradients whose elements share memory, and of their views."""
    tensors = {n: t for n, t in theirs.items() if isinstance(t, torch.Tensor) and 0 in t.stride()}
    memory = lambda t: t.untyped_storage().data_ptr()
    gradients = {memory(t) for n, t in tensors.items() if re.match(r"g\d", n)}
    return [n for n, t in tensors.items() if memory(t) in gradients]


def constant(gradient):
    """Does a PyTorch gradient that requires a gradient depend on nothing? (That of a relu, say:
    minigan's is then a constant.)"""
    leaves = []
    entries = [gradient.grad_fn]
    seen = set()
    while entries:
        entry = entries.pop()
        if entry is not None and entry not in seen:
            seen.add(entry)
            leaves += [entry.variable] if hasattr(entry, "variable") else []
            entries += [e for e, _ in entry.next_functions]
    try:
        weights = torch.rand_like(gradient) + 0.5
        found = torch.autograd.grad(gradient, leaves, weights, retain_graph=True, allow_unused=True)
    except RuntimeError as error:
        # PyTorch's unique() has no derivative, but requires one. What a graph that was freed would
        # have given is not to be told.
        return "is not implemented" in str(error) or "second time" in str(error)
    return all(g is None or not g.numel() or g.abs().max() < 1e-6 for g in found)


class Found(Exception):
    """A line after which the two worlds differ."""

    def __init__(self, line, kind, text):
        super().__init__(text)
        self.line, self.kind = line, kind


def error_of(line, names):
    """Run a line; the exception or None."""
    try:
        exec(compile(line, "<program>", "exec"), names)
    except Exception as error:
        return error


def leaf(t, otherwise):
    """`t.is_leaf`, which PyTorch does not say of one of several views whose base was written."""
    try:
        return t.is_leaf
    except RuntimeError:
        return otherwise


def value_difference(a, b, tolerance):
    """What differs between minigan's `a` and PyTorch's `b`, or None: (kind, text)."""
    if isinstance(b, torch.Tensor):
        if not isinstance(a, minigan.Tensor):
            return "type", f"{short(a)}, torch {short(b)}"
        array, other = a.array, b.detach().numpy(force=True)
        if type(array) is not np.ndarray:
            return "type", f"holds a {type(array).__name__}, not an array"
        facts = [("dtype", array.dtype.name, other.dtype.name), ("shape", array.shape, other.shape)]
        facts += [
            ("requires_grad", a.requires_grad, b.requires_grad),
            ("is_leaf", a.is_leaf, leaf(b, a.is_leaf)),
        ]
        for what, mine, theirs in facts:
            if mine != theirs:
                # what was assigned to integers
                known = what == "requires_grad" and not b.is_floating_point()
                # a view that is older than its base's requires_grad
                known = known or what in ("is_leaf", "requires_grad") and "cut" in repr(a._node)
                known = (
                    known
                    or what == "requires_grad"
                    and (not leaf(b, True) and constant(b) if theirs else not array.any())
                )
                return "known" if known else what, f"{what} {mine}, torch {theirs}"
        return number_difference(array, other, tolerance)
    if isinstance(b, (list, tuple)):
        if not isinstance(a, (list, tuple)) or len(a) != len(b):
            return "type", f"{short(a)}, torch {short(b)}"
        return next((d for x, y in zip(a, b) if (d := value_difference(x, y, tolerance))), None)
    if isinstance(b, (bool, int, float)) or b is None:
        if type(a) is not type(b):
            return "type", f"{a!r}, torch {b!r}"
        return None if b is None else number_difference(np.array(a), np.array(b), tolerance)
    return None


def number_difference(array, other, tolerance):
    """What differs between two arrays, beyond rounding that is relative to the largest value."""
    if array.dtype.kind != "f":
        same = np.array_equal(array, other)
    else:
        with np.errstate(all="ignore"):
            finite = np.abs(other[np.isfinite(other)])
            scale = max(1.0, float(finite.max())) if finite.size else 1.0
            same = np.allclose(array, other, tolerance, tolerance * scale, equal_nan=True)
    text = lambda x: np.array2string(x, threshold=12, precision=6).replace("\n", "")
    return None if same else ("values", f"{text(array)}, torch {text(other)}")


def difference(ours, theirs, tolerance):
    """The first name whose values differ: (kind, text) or None."""
    for name, b in theirs.items():
        if name.startswith("_") or name not in ours:
            continue
        a = ours[name]
        if isinstance(b, torch.nn.Module):
            pairs = [*zip(a.state_dict().values(), b.state_dict().values())]
            pairs += [(p.grad, q.grad) for p, q in zip(a.parameters(), b.parameters())]
            for p, q in pairs:
                p, q = (x.detach() if x is not None and x.is_leaf else x for x in (p, q))
                if found := value_difference(p, q, tolerance):
                    return found[0], f"in {name}: {found[1]}"
        elif found := value_difference(a, b, tolerance):
            return found[0], f"{name}: {found[1]}"
        elif isinstance(b, torch.Tensor) and (leaf(b, False) or b.retains_grad):
            if found := value_difference(a.grad, b.grad, tolerance):
                return f"grad {found[0]}", f"{name}.grad: {found[1]}"
    return None


def sharing(ours, theirs):
    """Which pairs of tensors share memory in one world only."""
    names = [
        n
        for n, v in theirs.items()
        if isinstance(v, torch.Tensor) and isinstance(ours.get(n), minigan.Tensor) and v.numel()
    ]
    arrays = {n: (ours[n].array, theirs[n].detach().numpy(force=True)) for n in names}
    for i, a in enumerate(names):
        for b in names[:i]:
            mine, torchs = (np.shares_memory(arrays[a][k], arrays[b][k]) for k in (0, 1))
            if mine != torchs and not repeated_gradients(theirs):
                yield a, b, mine


def run(lines, often=True):
    """Run a program in both worlds. Returns the number of lines until it ended (at a known
    difference); raises Found."""
    ours, theirs = scope(minigan), scope(torch)
    tolerance = 1e-3 if any("float32" in line for line in lines) else 1e-6
    for i, line in enumerate(lines):
        b = error_of(line, theirs)
        a = error_of(line, ours)
        if (a is None) != (b is None):
            who, error = ("torch", b) if a is None else ("minigan", a)
            mixed = mixed_values(lines[: i + 1])
            if "leaf Variable" in str(b) and re.search(r"\w+\[[^]]*\] \W=", line):
                return i  # PyTorch takes a view whose part was just written for a leaf
            if of_older_view(line, theirs) and "changed in place" in str(a):
                return i
            if any(
                re.search(p, str(error)) and (mixed or "forward pass" not in p) for p in KNOWN[who]
            ):
                return i
            raise Found(
                i,
                f"only {who} raises {type(error).__name__}",
                f"only {who} raises {type(error).__name__}: {error}",
            )
        if b is not None and "backward(" in line:
            return i  # PyTorch leaves those gradients that it had already accumulated
        if known_state(theirs) or other_layout(line, ours, theirs):
            return i
        if (often or i == len(lines) - 1) and (found := difference(ours, theirs, tolerance)):
            if (
                "known" in found[0]
                or unseen_write(line, ours, theirs)
                or of_equal(line, theirs)
                or mixed_values(lines[: i + 1])
            ):
                return i
            if shared_gradient(lines[: i + 1], theirs):
                return i
            if found[0].endswith("values") and badly_conditioned(lines[: i + 1], theirs, tolerance):
                return i
            raise Found(i, found[0], found[1])
    for a, b, mine in sharing(ours, theirs):
        text = (
            f"{a} and {b} share "
            f"memory{'' if mine else ' in torch, not here'}{', not in torch' if mine else ''}"
        )
        raise Found(len(lines) - 1, f"sharing {mine}", text)
    return len(lines)


def badly_conditioned(lines, names, tolerance):
    """Does PyTorch itself give other values when all random inputs move by a hundredth of the
    tolerance, or in float64?"""
    moved = scope(torch, tolerance / 100)
    exact = scope(torch)
    for line in lines:
        error_of(line, moved)
        error_of(line.replace("float32", "float64"), exact)
    return any(not same_values(names, other, tolerance / 2) for other in (moved, exact))


def same_values(names, others, tolerance):
    """Have two runs of a program the same values and gradients?"""
    for name, b in names.items():
        a = others.get(name)
        if not isinstance(a, torch.Tensor) or not isinstance(b, torch.Tensor):
            continue
        for x, y in [(a, b), (a.grad, b.grad)] if leaf(b, False) else [(a, b)]:
            if x is not None and y is not None:
                if x.shape != y.shape or number_difference(
                    x.detach().numpy(), y.detach().to(x.dtype).numpy(), tolerance
                ):
                    return False
    return True


def program(seed, without=None):
    """A random program: its lines, none of which matches the pattern `without`."""
    w = Writer(seed)
    length = w.rng.randint(6, 26)
    for _ in range(3):
        w.lines.append(f"{w.name()} = {w.random(w.shape(1, 3))}")
        error_of(w.lines[-1], w.scope)
    for _ in range(20 * length):
        if len(w.lines) >= length:
            break
        try:
            text = write(w)
        except (RuntimeError, IndexError, ValueError):
            text = None
        for line in (text or "").split("\n"):
            if not line or without and re.search(without, line):
                break
            error = error_of(line, w.scope)
            if error is not None and not w.chance(0.04) or wild(w):
                w.scope = scope(torch)  # begin again, without the line
                for old in w.lines:
                    error_of(old, w.scope)
                break
            w.lines.append(line)
    return w.lines


def wild(w):
    """Are there new values that are too large, or not finite?"""
    for value in w.scope.values():
        if isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel():
            top = value.detach().abs().max().item()
            if not top < 1e3 or value.numel() > 2000:
                return True
    return False


def shrink(lines, often):
    """(fewer lines, Found) that still differ in the same way."""

    def fails(some):
        try:
            run(some, often)
        except Found as found:
            return found

    found = fails(lines)
    lines = lines[: found.line + 1]
    kind, at = found.kind, len(lines) - 1
    while at >= 0:
        fewer = lines[:at] + lines[at + 1 :]
        smaller = fails(fewer) if fewer else None
        if smaller is not None and smaller.kind == kind:
            lines, found = fewer[: smaller.line + 1], smaller
            at = min(at, len(lines))
        at -= 1
    return lines, found


def describe(lines, found):
    """Text that can be run, with what differs."""
    used = (
        PRELUDE.replace("NOISE", "0")
        if re.search(r"\b(rand|ints|bools|fill)\(", "\n".join(lines))
        else ""
    )
    return (
        f"{used}import torch  # or: import minigan as torch\n" + "\n".join(lines) + f"\n# {found}\n"
    )


def one(seed, without=None):
    """Run program number `seed`; None, or (lines, Found) made small."""
    lines = program(seed, without)
    often = seed % 3 > 0
    try:
        run(lines, often)
    except Found as found:
        if often or not ends_known(lines[: found.line + 1]):
            return shrink(lines, often)
    return None


def ends_known(lines):
    """Does a program come to a known difference, when one looks after every line?"""
    try:
        return run(lines) < len(lines)
    except Found:
        return False


def search(seed, seconds, without=None):
    """[(number, (lines, Found))] of the first program in each way in which some differ, from number
    `seed` on, for so many seconds."""
    end, found = time.time() + seconds, {}
    while time.time() < end:
        if result := one(seed, without):
            key = result[1].kind, re.sub(r"[\d.]+", "#", result[0][-1])[:60]
            if key not in found:
                found[key] = seed, result
        seed += 1
    return list(found.values())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument(
        "--seed", type=int, default=0, help="the first program's number (default: 0)"
    )
    parser.add_argument("--program", type=int, help="only this program")
    parser.add_argument("--without", help="leave out lines that match this pattern")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.program is not None:
        print("\n".join(program(options.program, options.without)), "\n")
        result = one(options.program, options.without)
        return print(describe(*result) if result else "no difference")
    end = time.time() + 60 * options.minutes
    seed = options.seed
    seen = {}
    while time.time() < end:
        if result := one(seed, options.without):
            key = result[1].kind, re.sub(r"[\d.]+", "#", result[0][-1])[:60]
            seen[key] = seen.get(key, 0) + 1
            if seen[key] == 1:
                print(
                    f"--- program {seed}\n" + "\n".join(result[0]) + f"\n# {result[1]}", flush=True
                )
        seed += 1
    failed = sum(seen.values())
    print(f"{seed - options.seed} programs, {failed} differ in {len(seen)} ways")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
