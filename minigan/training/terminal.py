"""What a command needs around its main function so that nothing that happens to its terminal, pipe
or log ends in a traceback."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .memory import NoRoom


class _Stream:
    """Passes on to a stream."""

    def __init__(self, stream: Any):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Stdout(_Stream):
    """Its errors tell that they are its own."""

    def write(self, text: str) -> int:
        return self._named(self._stream.write, text)

    def flush(self) -> None:
        self._named(self._stream.flush)

    @staticmethod
    def _named(call, *args):
        try:
            return call(*args)
        except OSError as error:
            error.filename = "standard output"
            raise


class _Stderr(_Stream):
    """Nobody depends on it: what cannot be written is left out."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


@contextlib.contextmanager
def _streams() -> Iterator[None]:
    """Inside, stdout takes every name (what its encoding lacks is written as an escape) and tells
    at each line whether it can be written; stderr never fails; either may have been closed from the
    beginning."""
    before = sys.stdout, sys.stderr
    with contextlib.ExitStack() as stack:
        out: Any
        out, err = (
            s if s is not None else stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            for s in before
        )
        settings = None
        if hasattr(out, "reconfigure"):
            settings = {"errors": out.errors, "line_buffering": out.line_buffering}
            out.reconfigure(errors="backslashreplace", line_buffering=True)
        sys.stdout, sys.stderr = _Stdout(out), _Stderr(err)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            try:
                out.flush()
            except OSError:  # what waits in the buffer would fail again at the end of the program
                os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            except ValueError:  # somebody closed it
                settings = None
            if settings:
                out.reconfigure(**settings)


def program(main: Callable[[Any], int]) -> Callable[..., int]:
    """Decorates a command's main(arguments): what goes wrong outside of it becomes a sentence and
    an exit code.

    130 after Ctrl-C, 141 where nobody reads stdout any more (`| head -1`), 1 where a file or stdout
    cannot be written or memory runs out.
    """

    @functools.wraps(main)
    def guarded(arguments=None):
        with _streams():
            try:
                code = main(arguments)
                sys.stdout.flush()
                return code
            except BrokenPipeError:
                return 141
            except KeyboardInterrupt:
                print("\nstopped", file=sys.stderr)
                return 130
            except NoRoom as error:
                print(f"error: {error}", file=sys.stderr)
                return 2
            except MemoryError as error:
                print(
                    f"error: out of memory ({error or 'an allocation failed'}): ask for less, or "
                    "stop other programs",
                    file=sys.stderr,
                )
                return 1
            except OSError as error:
                print(
                    f"error: {error.strerror or error}"
                    + f" ({error.filename})" * bool(error.filename),
                    file=sys.stderr,
                )
                return 1

    return guarded
