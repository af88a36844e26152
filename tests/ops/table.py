"""The one table of cases: every `CASES` list of the files cases_*.py beside this one."""

import importlib
import pathlib

CASES = [
    case for path in sorted(pathlib.Path(__file__).parent.glob("cases_*.py")) for case in importlib.import_module(f"ops.{path.stem}").CASES
]
