"""PyTorch's own samples for its modules (torch.testing's ModuleInfo), computed by minigan and by
torch with the same weights.

    python tests/pytorch/moduleinfo.py              every module that minigan has
    python tests/pytorch/moduleinfo.py LSTM 'Conv*' these modules
    python tests/pytorch/moduleinfo.py --missing    the modules that minigan does not have

In training and in evaluation, float32 and float64: results, names in the state dict, running
statistics; in float64 the first and second derivatives by inputs and parameters; modules that have
`inplace` also with it.
"""

import argparse
import fnmatch
import inspect
import random
import sys
import time
import warnings
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from pytorch.bridge import Different, Uncovered, compare, short, tensors, translate
from pytorch.grads import check
from pytorch.opinfo import Count
from torch.testing._internal.common_modules import module_db

from minigan import nn


def states(ours, theirs, what):
    """Both state dicts have the same names and values."""
    a, b = ours.state_dict(), theirs.state_dict()
    if list(a) != list(b):
        raise Different(f"state dict has {list(a)}, torch's {list(b)}")
    for name in a:
        compare(a[name].detach(), b[name].detach(), f"{what} {name}: ")


def both(info, sample, dtype, memo, **more):
    """The module of a sample in both worlds, with torch's initial weights."""
    made = sample.constructor_input
    theirs = info.module_cls(*made.args, **{**made.kwargs, **more}).to(dtype)
    ours = getattr(nn, info.module_cls.__name__)(
        *translate(made.args, memo), **translate(made.kwargs, memo), **more
    )
    ours = ours.to(translate(dtype, memo))
    state = {k: translate(v.detach().clone(), {}) for k, v in theirs.state_dict().items()}
    ours.load_state_dict(state)
    states(ours, theirs, "initial")
    return ours, theirs


def run_sample(count, info, sample, dtype, training, inplace):
    """One sample: forward, statistics, derivatives."""
    given, made = sample.forward_input, sample.constructor_input
    described = (
        short([*made.args])
        + short(made.kwargs)
        + " on "
        + short([*given.args])
        + short(given.kwargs)
    )
    described += f" {'training' if training else 'eval'} {str(dtype).removeprefix('torch.')}"
    memo = {}
    more = {"inplace": True} if inplace else {}
    try:
        ours, theirs = both(info, sample, dtype, memo, **more)
        ours.train(training), theirs.train(training)
        our_arguments = translate([given.args, given.kwargs], memo)
    except Uncovered:
        return
    except Exception as error:
        return count.add("forward", error, described)
    args, kwargs = given.args, given.kwargs
    if inplace:
        args = (args[0].clone(), *args[1:])
        our_arguments[0] = (our_arguments[0][0].clone(), *our_arguments[0][1:])
    try:
        expected = theirs(*args, **kwargs)
    except Exception:
        return
    try:
        found = ours(*our_arguments[0], **our_arguments[1])
        compare(found, expected)
        states(ours, theirs, "afterwards")
        if inplace:
            compare(our_arguments[0][0], args[0], "the input: ")
    except Exception as error:
        return count.add("forward", error, described)
    count.add("forward")
    if dtype is not torch.float64:
        return
    inputs = [t for t in tensors([given.args, given.kwargs], torch.Tensor) if t.requires_grad]
    our_inputs = [translate(t, memo) for t in inputs] + list(ours.parameters())
    try:
        orders = check(
            found, expected, our_inputs, inputs + list(theirs.parameters()), info.supports_gradgrad
        )
    except Uncovered:
        return
    except Exception as error:
        order = getattr(error, "order", 1)
        if order == 2:
            count.add("first")
        return count.add(("first", "second")[order - 1], error, described)
    for stage in ("first", "second")[:orders]:
        count.add(stage)


def run_module(info, thorough=True):
    """The Count of all samples of a ModuleInfo; unless `thorough` in float64, and in evaluation
    only where that differs."""
    count = Count(info.module_cls.__name__)
    forms = (
        (False, True) if "inplace" in inspect.signature(info.module_cls).parameters else (False,)
    )
    for dtype in (torch.float64, torch.float32)[: 1 + thorough]:
        if dtype not in info.supported_dtypes("cpu"):
            continue
        for training in (True, False) if thorough or info.train_and_eval_differ else (True,):
            for inplace in forms:
                torch.manual_seed(0), random.seed(0), np.random.seed(0)
                for sample in info.module_inputs_func(info, "cpu", dtype, True, training):
                    run_sample(count, info, sample, dtype, training, inplace)
    return count


def chosen(patterns):
    """The ModuleInfos whose class name matches one of the patterns; without patterns all."""
    return [
        m
        for m in module_db
        if not patterns or any(fnmatch.fnmatch(m.module_cls.__name__, p) for p in patterns)
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", help="names or patterns")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="every failing sample, not only the first"
    )
    parser.add_argument("--missing", action="store_true", help="list what minigan does not have")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    passed = {}
    failed = {}
    absent = []
    began = time.time()
    for info in chosen(options.modules):
        if not hasattr(nn, info.module_cls.__name__):
            absent.append(info.module_cls.__name__)
            continue
        count = run_module(info)
        print(count.line(), flush=True)
        shown = set()
        for stage, text, sample in count.failures:
            failed[stage] = failed.get(stage, 0) + 1
            if options.verbose or stage not in shown:
                print(f"       {stage}: {text}\n         at {sample}")
            shown.add(stage)
        for stage, n in count.passed.items():
            passed[stage] = passed.get(stage, 0) + n
    parts = [f"{stage} {n} of {n + failed.get(stage, 0)}" for stage, n in passed.items()]
    print(
        f"samples that pass: {', '.join(parts)}; {len(absent)} not there; "
        f"{time.time() - began:.0f} s"
    )
    if options.missing:
        print(" ".join(absent))


if __name__ == "__main__":
    main()
