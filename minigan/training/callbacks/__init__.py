"""What a run does beside playing: samples, metrics, averages, checkpoints, progress, diagnoses.
Each is a `Callback`, as yours would be."""

from collections.abc import Callable

from .average import Average
from .callback import Callback
from .checkpoints import Checkpoints
from .doctor import Doctor
from .evaluate import Evaluate
from .metrics import Metrics
from .progress import Progress
from .report import Report
from .samples import Samples
from .schedule import Falling, Schedule
from .tensorboard import TensorBoard

__all__ = [
    "Average",
    "Callback",
    "Checkpoints",
    "Doctor",
    "Evaluate",
    "Falling",
    "Metrics",
    "Progress",
    "Report",
    "Samples",
    "Schedule",
    "TensorBoard",
    "usual",
]


def usual(
    generator, *, ema: float = 0.999, seed: int = 0, sample_interval: int = 400,
    checkpoint_seconds: float = 60.0, keep: int = 2,
    doctor: bool = True, quiet: bool = False, tensorboard: bool = False,
    measure: Callable | None = None, evaluate_epochs: int = 1,
    classify: Callable | None = None, exhibit: Callable | None = None,
    about: dict[str, str] | None = None, hands_on: bool = False,
) -> list[Callback]:  # fmt: skip
    """What the examples' runs do, in the order that it needs.

    generator : whose weights are averaged with the decay `ema` per step (0: not at all); or its
        name in the game
    seed : of the latents that are drawn every `sample_interval` steps
    checkpoint_seconds, keep : how often the state is saved, and how many of the newest are kept
    measure, evaluate_epochs : numbers of samples, found every so many epochs (`Evaluate`)
    hands_on : do later stages go on with the averaged weights?
    classify : images -> labels, for the doctor
    exhibit : what the samples show, where it is not the game's own picture (see `Samples`)
    about : what is trained, for people (see `Report`)
    doctor : look for diseases; quiet : no progress line; tensorboard : write for TensorBoard, too
    """
    average = [Average(generator, ema, hands_on)] if ema else []
    # first: its line ends before others have their last words
    callbacks: list[Callback] = [] if quiet else [Progress()]
    callbacks += [
        *average,
        Samples(sample_interval, seed, average[0] if average else None, exhibit),
    ]
    if doctor:
        callbacks.append(Doctor(classify=classify))
    if measure is not None:
        callbacks.append(
            Evaluate(measure, evaluate_epochs, average=average[0] if average else None)
        )
    callbacks.append(Metrics(min(50, sample_interval)))
    if tensorboard:
        callbacks.append(TensorBoard())
    return [*callbacks, Report(about), Checkpoints(checkpoint_seconds, keep)]
