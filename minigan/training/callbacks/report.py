"""A page about the run, at its end."""

from __future__ import annotations

from .callback import Callback


class Report(Callback):
    """report.html in the run's folder: see `minigan.training.report`. Without jinja2 one line says
    what to install.

    about : what was trained, for people (see `write_report`)
    """

    def __init__(self, about: dict[str, str] | None = None):
        self.about = about

    def on_end(self, run):
        from ..report import MissingJinja, write_report

        try:
            run.left(write_report(run.folder, self.about).name)
        except MissingJinja as error:
            run.say(f"no report.html: {error}")
