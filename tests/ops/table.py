"""The one table of cases: every `CASES` list of the files cases_*.py beside this one, and of the
fast path's own ops where it is there."""

import importlib
import pathlib

import minigan

TESTS = pathlib.Path(__file__).parents[1]
FOLDERS = ["ops", "fast"] if hasattr(minigan, "fast") else ["ops"]
MODULES = [
    importlib.import_module(f"{folder}.{path.stem}")
    for folder in FOLDERS
    for path in sorted((TESTS / folder).glob("cases_*.py"))
]
CASES = [case for module in MODULES for case in module.CASES]
# ops that are tested in files of their own
ELSEWHERE = {name for module in MODULES for name in getattr(module, "ELSEWHERE", "").split()}
