"""What is recorded: gradient mode (per thread) and anomaly detection."""

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class _Mode(threading.local):
    grad_enabled = True  # do ops on Tensors that require gradients go on the tape?
    anomaly = False  # are all results checked for NaN and infinity?


mode = _Mode()


class Switch:
    """A context manager and decorator that sets one field of `mode` and puts the old value back."""

    __slots__ = ("value", "previous")
    value: bool
    previous: bool
    field = ""

    def __enter__(self) -> None:
        self.previous = getattr(mode, self.field)
        setattr(mode, self.field, self.value)

    def __exit__(self, *exc: object) -> None:
        setattr(mode, self.field, self.previous)

    def __call__(self, function: F) -> F:
        value = self.value

        def switch():
            made = type(self)()
            made.value = value
            return made

        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            with switch():
                return function(*args, **kwargs)

        @functools.wraps(function)
        def resumed(*args, **kwargs):
            return (yield from _resumed(function(*args, **kwargs), switch))

        return cast(F, resumed if inspect.isgeneratorfunction(function) else wrapper)


def _resumed(generator, switch):
    """What a generator yields, whose code runs with the switch set; the code of who asks does
    not."""
    proceed, argument = generator.send, None
    while True:
        try:
            with switch():
                made = proceed(argument)
        except StopIteration as stop:
            return stop.value
        proceed = generator.send
        try:
            argument = yield made
        except GeneratorExit:
            with switch():
                generator.close()
            raise
        except BaseException as error:
            proceed, argument = generator.throw, error


class set_grad_enabled(Switch):
    """`set_grad_enabled(False)` — record, or not, from here on; `with set_grad_enabled(False):
    ...`: only inside."""

    field = "grad_enabled"

    def __init__(self, mode: bool = True) -> None:
        state = globals()["mode"]
        self.value, self.previous = bool(mode), state.grad_enabled
        state.grad_enabled = self.value

    def __enter__(self) -> None:  # `previous` is from before the call
        mode.grad_enabled = self.value

    def __call__(self, function: F) -> F:
        mode.grad_enabled = self.previous
        return super().__call__(function)


class no_grad(Switch):
    """`with no_grad():`, `@no_grad()` or `@no_grad`: nothing inside is recorded, and results
    require no gradient."""

    field = "grad_enabled"

    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self, function: Any = None) -> None:
        self.value = False


class enable_grad(Switch):
    """The tape on again inside a `no_grad` block."""

    field = "grad_enabled"

    def __init__(self) -> None:
        self.value = True


def is_grad_enabled() -> bool:
    """Is the tape recording in this thread?"""
    return mode.grad_enabled
