"""What torch keeps private and programs use all the same, for initial values of their own."""

from typing import Any

from ..nn.init import _fans


def _calculate_fan_in_and_fan_out(tensor: Any) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, ...): its numbers of inputs and outputs per unit."""
    return _fans("_calculate_fan_in_and_fan_out", tensor)


def _calculate_correct_fan(tensor: Any, mode: str) -> int:
    """The one that `mode` names, "fan_in" or "fan_out"."""
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"_calculate_correct_fan: mode={mode!r}; expected 'fan_in' or 'fan_out'")
    return _fans("_calculate_correct_fan", tensor)[mode == "fan_out"]
