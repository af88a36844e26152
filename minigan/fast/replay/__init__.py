"""A step replayed: on the CPU as one straight function (jit, program), on CUDA as a graph."""

import sys


def followed() -> bool:
    """Does a debugger, a tracer or a coverage tool follow the Python code? Then nothing is
    replayed: what is read is what runs.

    (From Python 3.12 on they may use sys.monitoring instead of sys.settrace.)
    """
    if sys.gettrace() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)
    return monitoring is not None and any(
        map(monitoring.get_tool, (monitoring.DEBUGGER_ID, monitoring.COVERAGE_ID))
    )
