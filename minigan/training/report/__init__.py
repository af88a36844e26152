"""A page of a run: one file with all that it left, for people who were not there."""

from .page import PAGE, MissingJinja, write_report

__all__ = ["PAGE", "MissingJinja", "write_report"]
