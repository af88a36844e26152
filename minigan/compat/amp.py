"""torch.amp: mixed precision. minigan's products round to bfloat16 on CUDA, which needs no scaling
of the loss; the CPU stays float32."""

import functools
from typing import Any

import numpy as np

from ..arrays import cuda_problem
from ..machine.precision import precision, rounded
from ..messages import warn

__all__ = [
    "GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available",
    "is_autocast_enabled",
]  # fmt: skip


class autocast:
    """`with autocast("cuda"): ...` or `@autocast("cuda")`: products of float32 matrices,
    convolutions included, round their inputs to bfloat16 and sum up in float32. Everything else,
    losses, parameters and optimisers among it, stays float32.

    device_type : "cuda" or "cpu"; on the CPU it has no effect, nor where there is no CUDA (a
        warning says so once)
    dtype : float16 means bfloat16, too, whose range is float32's
    """

    def __init__(
        self,
        device_type: str = "cuda",
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: Any = None,
    ) -> None:
        kind = str(device_type).partition(":")[0]
        if kind not in ("cpu", "cuda"):
            raise ValueError(f"autocast: device_type={device_type!r}: expected 'cpu' or 'cuda'")
        if enabled and kind == "cpu":
            warn("autocast has no effect on the CPU: all is computed in float32")
        elif enabled and cuda_problem():
            warn(f"autocast('cuda') has no effect here: {cuda_problem()}")
        elif enabled and np.dtype("float32") == _dtype(dtype):
            raise ValueError(
                "autocast: dtype=float32 is what is computed in without it; expected bfloat16"
            )
        self.enabled = bool(enabled) and kind == "cuda" and cuda_problem() is None
        self._stack: list[Any] = []

    def __enter__(self) -> "autocast":
        self._stack.append(rounded() if self.enabled else None)
        if self._stack[-1]:
            self._stack[-1].__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if inner := self._stack.pop():
            inner.__exit__(*error)

    def __call__(self, function):
        @functools.wraps(function)
        def wrapper(*args, **named):
            with self:
                return function(*args, **named)

        return wrapper


def _dtype(dtype):
    try:
        return np.dtype(dtype) if dtype is not None else None
    except TypeError:  # bfloat16, which NumPy does not know
        return None


def is_autocast_available(device_type: str) -> bool:
    """Does `autocast` have an effect on this kind of device?"""
    return device_type == "cuda" and cuda_problem() is None


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Inside an `autocast` that has an effect on this kind of device?"""
    return device_type == "cuda" and precision.half


class GradScaler:
    """torch's scaler of losses, as torch's own is with enabled=False: float32 and bfloat16 need no
    scaling.

    scale(loss) is loss, step(optimizer) is optimizer.step(), the scale is 1 and the state empty.
    The arguments have no effect.
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 65536.0, growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        pass

    def scale(self, outputs: Any) -> Any:
        """The losses as they are."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Nothing to do."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """optimizer.step(...)"""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Nothing to do."""

    def get_scale(self) -> float:
        """1.0"""
        return 1.0

    def is_enabled(self) -> bool:
        """Is the loss scaled? No."""
        return False

    def get_growth_factor(self) -> float:
        """1.0: the scale stays."""
        return 1.0

    def get_backoff_factor(self) -> float:
        """1.0: the scale stays."""
        return 1.0

    def get_growth_interval(self) -> int:
        """0: the scale stays."""
        return 0

    def state_dict(self) -> dict[str, Any]:
        """{}"""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing to take over: also what a scaler that scaled has saved."""


def custom_fwd(fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None) -> Any:
    """`@custom_fwd` on a Function's forward: itself, as products alone are rounded."""
    return (lambda f: f) if fwd is None else fwd


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Any:
    """`@custom_bwd` on a Function's backward: itself."""
    return (lambda f: f) if bwd is None else bwd
