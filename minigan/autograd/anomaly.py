"""torch's further modes: look at all results for NaN and infinity; and inference mode, which is
`no_grad`."""

from typing import Any

from ..engine.grad_mode import Switch
from ..engine.grad_mode import mode as _mode


class inference_mode(Switch):
    """As `no_grad`; inference_mode(False) changes nothing."""

    field = "grad_enabled"

    def __new__(cls, mode: Any = True) -> Any:
        return cls()(mode) if callable(mode) else super().__new__(cls)

    def __init__(self, mode: Any = True) -> None:
        self.value = not mode and _mode.grad_enabled


class detect_anomaly(Switch):
    """`with detect_anomaly():` the first op whose result or gradient has a NaN or infinity raises
    AnomalyError, which names the op and shows the line of the forward code that called it. Slow:
    every result is looked at."""

    field = "anomaly"

    def __init__(self, check_nan: bool = True) -> None:
        self.value = check_nan


class set_detect_anomaly(Switch):
    """`set_detect_anomaly(True)`: as `detect_anomaly`, from here on; `with
    set_detect_anomaly(True): ...`: only inside."""

    field = "anomaly"

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.value, self.previous = bool(mode), _mode.anomaly
        _mode.anomaly = self.value

    def __enter__(self) -> None:
        setattr(_mode, self.field, self.value)
