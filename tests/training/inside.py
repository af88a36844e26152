"""A program in this process, examples/mnist_gan.py or another: what `subprocess.run` gives, without
the seconds of a start. What a process itself does (signals, two at a time) is tested by processes.
"""

import contextlib
import functools
import io
import warnings
from pathlib import Path
from subprocess import CompletedProcess

from load_script import load_script

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "mnist_gan.py"


@functools.cache
def _main(path):
    return load_script(path).main


def inside(*words, script=SCRIPT, main=None):
    """The program with these words: that of a script, or `main`. An exception that it lets through
    is not caught: it fails the test, as a traceback would."""
    main = main or _main(Path(script))
    words = list(map(str, words))
    said, errors = io.StringIO(), io.StringIO()
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(said):
        warnings.simplefilter("default")
        with contextlib.redirect_stderr(errors):
            try:
                code = main(words)
            except SystemExit as stopped:  # argparse
                code = stopped.code
    lines = [f"{w.category.__name__}: {w.message}\n" for w in warned]
    return CompletedProcess(words, code, said.getvalue(), errors.getvalue() + "".join(lines))
