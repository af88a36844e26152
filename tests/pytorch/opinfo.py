"""PyTorch's own samples for its functions (torch.testing's OpInfo), computed by minigan and by
torch.

    python tests/pytorch/opinfo.py                    every op that minigan has
    python tests/pytorch/opinfo.py sum nn.functional.pad these ops (whole names; * and ? as in file
    names)
    python tests/pytorch/opinfo.py -v sum             with every failing sample
    python tests/pytorch/opinfo.py --missing          the ops that minigan does not have

For each op as function, method, in-place method and operator: values, dtypes and shapes for several
dtypes; first and second derivatives in float64.
"""

import argparse
import fnmatch
import itertools
import random
import sys
import time
import types
import warnings
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from pytorch.bridge import Different, Uncovered, compare, rebound, short, tensors, translate
from pytorch.grads import check
from torch.testing._internal.common_methods_invocations import op_db

import minigan

DTYPES = [torch.float64, torch.float32, torch.int64, torch.uint8, torch.bool, torch.float16]
LARGE = 20_000  # elements: samples above are left out

# Their values are random, or whatever the memory held.
VALUELESS = {
    "bernoulli", "empty", "empty_like", "multinomial", "new_empty", "nn.functional.alpha_dropout",
    "nn.functional.dropout",
    "nn.functional.dropout2d", "nn.functional.dropout3d", "normal", "rand_like", "randint",
    "randint_like", "randn", "randn_like",
    "resize_", "resize_as_", "cauchy", "exponential", "geometric", "log_normal", "uniform",
    "nn.functional.rrelu",
    "nn.functional.feature_alpha_dropout", "new_empty_strided", "empty_strided", "empty_permuted",
}  # fmt: skip

# The signs of their vectors are what the library makes them: compared is what the samples make of
# the results.
SIGNS = {"linalg.eigh", "linalg.svd", "svd"}


def lookup(root, path):
    """`root.a.b.c`, or None."""
    for name in path.split("."):
        root = getattr(root, name, None)
    return root


def function_of(op):
    """minigan's function for an OpInfo, or None."""
    f = op.op
    if isinstance(f, types.FunctionType) and (f.__module__ or "").startswith("torch.testing"):
        if lookup(minigan, op.name) or hasattr(minigan.Tensor, op.name):
            return rebound(f, wrapper_set_seed=lambda function, *a, **k: function(*a, **k))
        return None
    return lookup(minigan, op.name) or getattr(minigan.Tensor, op.name, None)


def variants(op):
    """[(how it is called, torch's callable, minigan's or None)] of an OpInfo."""
    found = [("function", op.op, function_of(op))]
    for how in ("method", "inplace", "operator", "inplace_operator"):
        theirs = getattr(op, f"{how}_variant")
        if theirs is not None and theirs is not op.op:
            name = getattr(theirs, "__name__", "")
            found.append((how, theirs, getattr(minigan.Tensor, name, None)))
    for alias in op.aliases:
        theirs = lookup(torch, alias.name)
        if theirs is not None:
            found.append((f"alias {alias.name}", theirs, lookup(minigan, alias.name)))
    return found


def samples(op, dtype, most=None):
    """The samples of an op for a dtype: those of its tests, for elementwise ops some of the larger
    set of references; at most `most`."""
    torch.manual_seed(0), random.seed(0), np.random.seed(0)
    grad = dtype.is_floating_point and op.supports_autograd
    found = list(
        itertools.islice(
            op.sample_inputs("cpu", dtype, requires_grad=grad), None if most is None else 30 * most
        )
    )
    if dtype in (torch.float32, torch.int64) and op.reference_inputs_func is not None:
        try:
            more = list(op.reference_inputs("cpu", dtype, requires_grad=grad))
        except (RuntimeError, TypeError, ValueError):
            more = []
        found += more[len(found) :: max(1, len(more) // 60)]
    found = [
        s
        for s in found
        if sum(t.numel() for t in tensors([s.input, s.args, s.kwargs], torch.Tensor)) <= LARGE
    ]
    return found if most is None else found[:: -(-len(found) // most) or 1]


def drops(op, sample):
    """Does the op draw which elements of this sample it drops?"""
    function = lookup(torch, op.name)
    names = function.__code__.co_varnames if isinstance(function, types.FunctionType) else ()
    named = dict(zip(names, [sample.input, *sample.args])) | sample.kwargs
    return bool(named.get("dropout_p")) and named.get("training", True)


class Count:
    """Samples of one call of one op: how many passed, by stage (forward, first, second), and the
    failures."""

    def __init__(self, title):
        self.title = title
        self.passed = {}
        self.failures = []

    def add(self, stage, error=None, sample=""):
        if error is None:
            self.passed[stage] = self.passed.get(stage, 0) + 1
        else:
            text = (
                str(error) if isinstance(error, Different) else f"{type(error).__name__}: {error}"
            )
            self.failures.append((stage, " ".join(text.split())[:300], sample))

    def line(self):
        stages = ("forward", "first", "second")
        failed = [s for s, *_ in self.failures]
        counts = " ".join(
            f"{s} {self.passed.get(s, 0)}/{self.passed.get(s, 0) + failed.count(s)}" for s in stages
        )
        return f"{'FAIL' if failed else 'ok  '} {self.title:58s} {counts}"


def run_sample(count, op, how, theirs, ours, sample, dtype):
    """Compute one sample in both worlds; every stage is counted."""
    described = short([sample.input, *sample.args]) + " " + short(sample.kwargs)
    memo = {}
    try:
        mine = translate(
            [sample.input, sample.args, sample.kwargs, sample.output_process_fn_grad], memo
        )
    except Uncovered:
        return
    arguments, options = [sample.input, *sample.args], sample.kwargs
    written = "inplace" in how
    try:
        first = arguments[0].clone() if written else arguments[0]
        expected = theirs(first, *arguments[1:], **options)
    except Exception:
        return  # not a sample of this variant
    if any(
        t.dtype.is_complex or t.layout is not torch.strided for t in tensors(expected, torch.Tensor)
    ):
        return
    try:
        first = mine[0].clone() if written else mine[0]
        found = ours(first, *mine[1], **mine[2])
        random_values = op.name in VALUELESS or drops(op, sample)
        compare(found, expected, values=not random_values and op.name not in SIGNS)
        if op.name in SIGNS:
            compare(mine[3](found), sample.output_process_fn_grad(expected))
        if written:
            compare(first, expected, "the written tensor: ", not random_values)
    except Exception as error:
        return count.add("forward", error, described)
    count.add("forward")
    if dtype is not torch.float64 or not op.supports_autograd or random_values:
        return
    their_inputs = [t for t in tensors([arguments, options], torch.Tensor) if t.requires_grad]
    our_inputs = [translate(t, memo) for t in their_inputs]
    try:
        found, expected = mine[3](found), sample.output_process_fn_grad(expected)
        orders = check(found, expected, our_inputs, their_inputs, op.supports_gradgrad)
    except Uncovered:
        return
    except Exception as error:
        order = getattr(error, "order", 1)
        if order == 2:
            count.add("first")
        return count.add(("first", "second")[order - 1], error, described)
    for stage in ("first", "second")[:orders]:
        count.add(stage)


def title(op, how):
    """`name`, `name.variant`, `name (method)`."""
    variant = f".{op.variant_test_name}" if op.variant_test_name else ""
    return f"{op.name}{variant}" + ("" if how == "function" else f" ({how})")


def run_op(op, most=None):
    """[Count] of every way to call an OpInfo that minigan has; and the names of those that it
    lacks. At most `most` samples a dtype."""
    counts = []
    lacking = []
    drawn = {}
    for how, theirs, ours in variants(op):
        if ours is None:
            lacking.append(title(op, how))
            continue
        count = Count(title(op, how))
        kinds = [torch.float32] if how.startswith("alias") else DTYPES
        for dtype in kinds:
            if dtype not in op.supported_dtypes("cpu"):
                continue
            if "inplace" in how and dtype is not torch.float64 and dtype is not torch.int64:
                continue
            if dtype not in drawn:
                drawn[dtype] = samples(op, dtype, most)
            for sample in drawn[dtype]:
                run_sample(count, op, how, theirs, ours, sample, dtype)
        counts.append(count)
    return counts, lacking


def chosen(patterns):
    """The OpInfos whose name (or name.variant) matches one of the patterns; without patterns
    all."""

    def fits(op):
        return not patterns or any(
            fnmatch.fnmatch(n, p) for p in patterns for n in (op.name, title(op, "function"))
        )

    return [op for op in op_db if fits(op)]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ops", nargs="*", help="names or patterns")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="every failing sample, not only the first"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="only what fails")
    parser.add_argument("--missing", action="store_true", help="list what minigan does not have")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    total = {}
    good = 0
    absent = []
    began = time.time()
    for op in chosen(options.ops):
        counts, lacking = run_op(op)
        absent += lacking
        for count in counts if not options.missing else []:
            for stage in ("forward", "first", "second"):
                failed = sum(s == stage for s, *_ in count.failures)
                tried = count.passed.get(stage, 0) + failed
                have = total.setdefault(stage, [0, 0])
                have[0] += bool(tried and not failed)
                have[1] += bool(tried)
            good += not count.failures
            if count.failures or not options.quiet:
                print(count.line(), flush=True)
            shown = {}
            for stage, text, sample in count.failures:
                if options.verbose or stage not in shown:
                    print(f"       {stage}: {text}\n         at {sample}")
                shown[stage] = True
    if options.missing:
        print("\n".join(absent))
    else:
        parts = ", ".join(f"{stage} {a} of {b}" for stage, (a, b) in total.items())
        print(
            f"calls of ops that pass all their samples: {parts}; {len(absent)} not there; "
            f"{time.time() - began:.0f} s"
        )


if __name__ == "__main__":
    main()
