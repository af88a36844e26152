"""examples/mnist_gan.py in this process: what `subprocess.run` gives, without the seconds of a
start. What a process itself does (signals, two at a time) is tested by processes."""

import contextlib
import functools
import importlib.util
import io
import warnings
from pathlib import Path
from subprocess import CompletedProcess

SCRIPT = Path(__file__).parents[2] / "examples" / "mnist_gan.py"


@functools.cache
def _module():
    spec = importlib.util.spec_from_file_location("mnist_gan", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def inside(*words):
    """The program with these words. An exception that it lets through is not caught: it fails the
    test, as a traceback would."""
    words = list(map(str, words))
    said, errors = io.StringIO(), io.StringIO()
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(said):
        warnings.simplefilter("default")
        with contextlib.redirect_stderr(errors):
            try:
                code = _module().main(words)
            except SystemExit as stopped:  # argparse
                code = stopped.code
    lines = [f"{w.category.__name__}: {w.message}\n" for w in warned]
    return CompletedProcess(words, code, said.getvalue(), errors.getvalue() + "".join(lines))
