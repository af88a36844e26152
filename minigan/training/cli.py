"""What commands that train share: options of every run, checked numbers, and how a run's ends
become messages and exit codes."""

from __future__ import annotations

import argparse
import math
import shlex
import sys
from collections.abc import Callable
from typing import Any

from .. import nn
from ..arrays import DeviceError
from ..arrays import device as Device
from ..data import ImageSet, Pairs, load_dataset
from ..data.files import write_atomic
from ..distributed import group
from .callbacks import Callback, usual
from .checkpoint import CheckpointError, newest
from .divergence import Diverged
from .ranks import join
from .run import Interrupted, Run


def number(
    kind: Callable, low: float = -math.inf, high: float = math.inf, *, above: float | None = None,
    below: float | None = None
) -> Callable:  # fmt: skip
    """An argparse type: kind(text), a finite int or float, if it is in [low, high] and in the open
    interval (above, below)."""
    bounds = [f"at least {low}" * (low > -math.inf), f"above {above}" * (above is not None)]
    bounds += [f"at most {high}" * (high < math.inf), f"below {below}" * (below is not None)]
    wanted = ("a whole number" if kind is int else "a number") + "".join(
        f", {b}" for b in [" and ".join(filter(None, bounds))] if b
    )

    def parse(text):
        try:
            value = kind(text)
            fits = math.isfinite(value) and low <= value <= high
        except (ValueError, OverflowError):
            fits = False
        if not (fits and (above is None or value > above) and (below is None or value < below)):
            raise argparse.ArgumentTypeError(f"expected {wanted}, not {text!r}")
        return value

    return parse


SEED = number(int, -(2**63), 2**64 - 1)


def add_run_options(p: argparse._ActionsContainer, out: str, sample_interval: int) -> None:
    """The options of every run: where, how long, how often what is written. They do not change its
    numbers, but for --seed."""
    p.add_argument("--out", default=out, help="folder of the run (default %(default)s)")
    p.add_argument(
        "--seed",
        type=SEED,
        default=0,
        help="the same seed gives the same run (default %(default)s)",
    )
    p.add_argument(
        "--max-steps", type=number(int, 1), help="stop after this many steps at the latest"
    )
    p.add_argument(
        "--sample-interval",
        type=number(int, 1),
        default=sample_interval,
        help="steps between grids (default %(default)s)",
    )
    p.add_argument(
        "--checkpoint-seconds",
        type=number(float, 0),
        default=60.0,
        help="between checkpoints (default %(default)s)",
    )
    p.add_argument(
        "--keep",
        type=number(int, 1),
        default=2,
        help="how many of the newest checkpoints are kept (default %(default)s)",
    )
    p.add_argument("--resume", action="store_true", help="go on with the run in --out")
    p.add_argument(
        "--sync-bn",
        action="store_true",
        help="with mpirun: batch normalisation by the statistics of all processes together",
    )
    p.add_argument(
        "--new-data",
        action="store_true",
        help="with --resume: the data may have changed; their order begins anew from here",
    )
    p.add_argument(
        "--evaluate",
        type=number(int, 1),
        metavar="EPOCHS",
        help="measure samples every so many epochs, keep the best state",
    )
    p.add_argument(
        "--no-graph",
        action="store_true",
        help="call every op by itself, not a step as one CUDA graph (CPU: function)",
    )
    p.add_argument(
        "--no-doctor", action="store_true", help="do not look for diseases of the training"
    )
    p.add_argument(
        "--tensorboard",
        action="store_true",
        help="write for TensorBoard, too (needs: pip install 'minigan[tensorboard]')",
    )
    p.add_argument(
        "--quiet",
        action="store_true",
        help="no progress line; there is none anyway where stderr is no terminal",
    )


def usual_callbacks(
    options: argparse.Namespace, generator: nn.Module | str | None, data: ImageSet, device: Device,
    exhibit: Callable | None = None, what: dict[str, str] | None = None, hands_on: bool = False,
) -> list[Callback]:  # fmt: skip
    """The callbacks that `add_run_options` (and an option --ema) describe, for a run on `data`;
    exhibit: what the samples show, where it is not the game's own picture; what: is trained, for
    people (see `Report`); hands_on: do later stages go on with the averaged weights?."""
    # those that the package's classifier knows
    digits = data.name in ("mnist", "strokes") and data.images.shape[1:] == (1, 28, 28)
    measure, classify = None, None
    if digits and (options.evaluate or not options.no_doctor):
        from ..metrics import Reference, describe, evaluate, load_classifier

        classifier = load_classifier(device=str(device))
        classify = lambda images: describe(images, classifier).digits
        if options.evaluate:
            test = load_dataset(data.name, "test", getattr(options, "data_dir", None))
            reference = Reference(test.images, classifier)
            measure = lambda images: evaluate(images, reference)
    elif options.evaluate:
        from ..metrics import Principal

        measure = Principal(data.targets if isinstance(data, Pairs) else data.images)
        print(f"--evaluate: no classifier knows {data.name}: {measure.what}")
    callbacks = usual(
        generator, ema=options.ema, seed=options.seed, sample_interval=options.sample_interval,
        keep=options.keep,
        checkpoint_seconds=options.checkpoint_seconds, doctor=not options.no_doctor,
        quiet=options.quiet, tensorboard=options.tensorboard,
        measure=measure, evaluate_epochs=options.evaluate or 1, classify=classify, exhibit=exhibit,
        about=what, hands_on=hands_on,
    )  # fmt: skip
    return [LeftOut(data.left_out), *callbacks] if data.left_out else callbacks


class LeftOut(Callback):
    """Writes the files, or series, that are not in the data into left_out.txt of the run's folder:
    a line has the name, a tab and the reason."""

    def __init__(self, files):
        self.files = files

    def on_start(self, run):
        lines = "".join(f"{name}\t{why}\n" for name, why in self.files)
        write_atomic(run.folder / "left_out.txt", lines.encode("utf-8", "surrogateescape"))
        run.say(
            f"all {len(self.files)} that are left out are named in {run.folder / 'left_out.txt'}"
        )


def own_command(*without: str) -> str:
    """The command that runs now, as a shell takes it, without these words."""
    script, *words = sys.argv
    inside = script.replace("\\", "/").endswith("minigan/__main__.py")
    words = [w for w in words if w not in without]
    n = group.processes()
    starter = ["mpirun", "-n", str(n)] if n > 1 else []
    return shlex.join([*starter, "python", *(["-m", "minigan"] if inside else [script]), *words])


def about(options: argparse.Namespace) -> dict[str, Any]:
    """For config.json: all options, and the command."""
    return {"options": vars(options), "command": own_command()}


def perform(build: Callable[[], Run], again: str = "--resume") -> int:
    """Train the run that `build()` makes, and tell how it ended. Started by mpirun, this process is
    one of several that make it; where one breaks, all end.

    The exit code: 0 at the end; 2 for bad options, data or folders; 1 where the run broke (a full
    disk, no memory, a NaN); 130 after Ctrl-C and 143 after SIGTERM. What was saved before is kept
    in each case.

    again : with this word the command that runs now goes on
    """
    try:
        join()
        run = build()
    except (DeviceError, ValueError, ImportError) as error:
        # options, data and run folders: their errors are ValueErrors
        return _fail(f"error: {error}", 2)
    except MemoryError as error:
        return _fail(_no_memory(error), 2)
    except OSError as error:
        if group.size() == 1:
            raise
        return _fail(f"error: {error}", 1)
    except KeyboardInterrupt:
        return _stopped("\nstopped before the training began")
    try:
        run.train()
    except Interrupted as stopped:
        print(f"\n{stopped}\n{_go_on(again)}")
        return 128 + stopped.signal
    except KeyboardInterrupt:
        return _stopped(f"\nstopped at once. {_kept(run, again)}")
    except Diverged as error:
        return _fail(f"\nerror: {error}", 1)
    except MemoryError as error:
        return _fail(f"\n{_no_memory(error)}\n{_kept(run, again)}", 1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else f" (in {run.folder})"
        return _fail(
            f"\nerror: {error.strerror or error}{where} at step {run.step}: make room or mend "
            f"it.\n{_kept(run, again)}",
            1,
        )
    except (DeviceError, ValueError) as error:
        return _fail(f"\nerror at step {run.step}: {error}\n{_kept(run, again)}", 1)
    return 0


def _fail(message: str, code: int) -> int:
    return group.fail(message, code)


def _stopped(message: str) -> int:
    if group.size() > 1:
        return _fail(message, 130)
    print(message)
    return 130


def _go_on(again: str) -> str:
    return f"to go on: {own_command(again)} {again}".rstrip()


def _kept(run: Run, again: str) -> str:
    """What is saved, and the command that goes on from it."""
    try:
        path, state = newest(run.folder, say=lambda text: None)
    except CheckpointError:
        if group.rank() > 0:  # its machine may not have the folder
            return f"What is saved is in {run.folder}, where the first rank runs; {_go_on(again)}"
        return f"Nothing was saved in {run.folder} yet"
    return f"The state of step {state['step']} is saved ({path}); {_go_on(again)}"


def _no_memory(error: MemoryError) -> str:
    said = str(error) or "an allocation failed"
    return (
        f"error: out of memory ({said}): lower --batch-size, the pictures' size or the "
        "networks' width, or stop other programs"
    )
