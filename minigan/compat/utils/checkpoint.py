"""torch.utils.checkpoint, for programs that ask for it: nothing is computed twice, and so no memory
is saved."""

from typing import Any

__all__ = ["checkpoint", "checkpoint_sequential"]


def checkpoint(
    function: Any, *args: Any, use_reentrant: Any = None, preserve_rng_state: bool = True,
    context_fn: Any = None,
    determinism_check: Any = None, debug: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    """function(*args, **kwargs), with values and gradients as without this call. Its intermediate
    results are kept."""
    return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: Any = None, **kwargs: Any
) -> Any:
    """The functions (or a Sequential's modules) one after the other. Their intermediate results are
    kept."""
    for function in functions:
        input = function(input)
    return input
