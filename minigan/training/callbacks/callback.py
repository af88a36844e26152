"""What a run does beside playing is done by callbacks; one of your own is no different from those
here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..run import Run


class Callback:
    """Override what is needed. Every method gets the run: `run.step`, `run.epoch`, `run.total`,
    `run.trainer`, `run.moves` (of the step just made), `run.row()` (its numbers),
    `run.note(name=value)` (one more number), `run.folder`, `run.say(text)`.

    They are called in the order of the run's list; what changes the run must be in it when the run
    is resumed, too. A callback must not draw from the default generator: a run with it would then
    not be the run without it.
    """

    # does on_step change what is trained (as a schedule of learning rates does)? Then a replay
    # calls it, too.
    trains = False
    # where several processes make the run: does each of them need it, or is it the first one's?
    everywhere = False

    def on_start(self, run: Run) -> None:
        """Before the first step; of a resumed run, after its state is restored."""

    def on_stage(self, run: Run) -> None:
        """Before the first step of a later stage of the run: `run.trainer` and `run.batches` are
        new."""

    def on_stage_end(self, run: Run) -> None:
        """After the last step of a stage behind which there is another: before its players are
        kept for those to come."""

    def on_step(self, run: Run) -> None:
        """After each step."""

    def on_epoch(self, run: Run) -> None:
        """After the last step of an epoch, `run.epoch` (from 1)."""

    def on_save(self, run: Run) -> None:
        """Before a checkpoint is written: what belongs to the steps up to now must be on the disk
        when this returns."""

    def on_stop(self, run: Run) -> None:
        """The run was asked to stop before its end (Ctrl-C, SIGTERM): after the last step."""

    def on_end(self, run: Run) -> None:
        """The run has made all its steps."""

    def on_close(self, run: Run) -> None:
        """Last of all, also after an error: close what was opened."""

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs to know: it goes into the checkpoint, under the name of the
        class."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
