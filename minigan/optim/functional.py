"""Optimisers as functions: steps that can be differentiated, with respect to parameters, gradients
and state.

    parameters, state = adam(parameters, gradients, state, lr=1e-3)

What an `Optimizer` does to memory, these do with ops: they return new Tensors, and a loss after K
such steps can be differentiated through all of them (Metz et al. 2017; Maclaurin et al. 2015).
`follow` gives the functional step that an Optimizer would do next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..arrays import seam
from ..autograd import Tensor, tensor_of
from ..ops import cat, sqrt, update, where
from .adam import Adam
from .optimizer import Optimizer
from .sgd import SGD

Tensors = Sequence[Tensor]
State = dict[str, Any]  # {} before the first step
Step = Callable[[Tensors, Sequence[Tensor | None], State], tuple[list[Tensor], State]]

__all__ = ["adam", "follow", "sgd"]

steps: Any = update  # the cards, whose decorator no checker follows
ADAM = ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")  # what it keeps of each parameter


def sgd(
    parameters: Tensors, gradients: Sequence[Tensor | None], state: State, *, lr: float,
    momentum: float = 0, dampening: float = 0,
    weight_decay: float = 0, nesterov: bool = False, maximize: bool = False,
) -> tuple[list[Tensor], State]:  # fmt: skip
    """One step of `SGD` (its formula and options): new parameters and the state for the next step.
    None as gradient: no step."""
    buffers = state.get("momentum_buffer") or [None] * len(parameters)
    moved, kept = [], []
    for p, g, b in zip(parameters, gradients, buffers, strict=True):
        if g is not None:
            first = b is None
            c = steps.sgd_step.numbers(
                first, lr, momentum, dampening, weight_decay, nesterov, maximize
            )
            p, b = steps.sgd_step.formula(c, g, p, (0.0 if first else b) if momentum else None)
        moved.append(p)
        kept.append(b)
    return moved, {"momentum_buffer": kept}


def adam(
    parameters: Tensors, gradients: Sequence[Tensor | None], state: State, *, lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
    amsgrad: bool = False,
    maximize: bool = False, decoupled_weight_decay: bool = False,
) -> tuple[list[Tensor], State]:  # fmt: skip
    """One step of `Adam` (its formula and options): new parameters and the state for the next step.
    None as gradient: no step.

    Where all gradients so far were 0, v = 0 and the root of v has no derivative: there it counts as
    constant, so that the derivative of the step is that of -lr m' / eps.
    """
    n = len(parameters)
    counts, *averages = (state.get(k) or [0 if k == "step" else None] * n for k in ADAM)
    moved: list[Tensor] = []
    new: State = {k: [] for k in ADAM}
    for p, g, t, *kept in zip(parameters, gradients, counts, *averages, strict=True):
        if g is not None:
            t += 1
            m, v, top = (0.0 if x is None else x for x in kept)
            c = steps.adam_step.numbers(
                t, lr, betas, eps, weight_decay, decoupled_weight_decay, maximize
            )
            p, *kept = steps.adam_step.formula(c, g, p, m, v, top if amsgrad else None, _root)
        moved.append(p)
        for name, value in zip(ADAM, (t, *kept)):
            new[name].append(value)
    return moved, new


def _root(v):
    """sqrt(v), with derivative 0 instead of infinity where v = 0."""
    some = v > 0
    return where(some, sqrt(where(some, v, 1.0)), 0.0)


STEPS: dict[type, tuple[Callable[..., Any], tuple[str, ...], tuple[str, ...]]] = {
    SGD: (sgd, ("lr", "momentum", "dampening", "weight_decay", "nesterov"), ("momentum_buffer",)),
    Adam: (
        adam, ("lr", "betas", "eps", "weight_decay", "amsgrad", "decoupled_weight_decay"), ADAM,
    ),
}  # fmt: skip


def follow(
    optimizer: Optimizer, maximize: bool = False, joined: bool = False
) -> tuple[Step, State]:
    """(step, state): what `optimizer` would do next, as a function, and copies of the state that it
    would start from.

    step(parameters, gradients, state) -> (parameters, state), in the order of the optimizer's
    parameters, with the options that it has now; `maximize` replaces its own. The optimizer, an
    SGD, Adam or AdamW with one parameter group, is not changed.

    joined : the state for one parameter, all that require gradients as one vector: the same step in
        far fewer ops. They must have made equally many steps, else ValueError.
    """
    found = next((v for kind, v in STEPS.items() if isinstance(optimizer, kind)), None)
    if found is None or len(optimizer.param_groups) != 1:
        raise TypeError(
            f"follow: {type(optimizer).__name__} with {len(optimizer.param_groups)} parameter "
            "groups: expected SGD, Adam or AdamW with one group"
        )
    function, options, names = found
    group = optimizer.param_groups[0]
    chosen = {name: group[name] for name in options} | {
        "lr": float(group["lr"]),
        "maximize": maximize,
    }
    parameters = [p for p in group["params"] if p.requires_grad or not joined]
    per_parameter = [optimizer.state[p] if p in optimizer.state else {} for p in parameters]
    state = {}
    if "step" in names:
        seam.counted("the optimizer's step number")
    for name in names:
        values = [s.get(name, 0 if name == "step" else None) for s in per_parameter]
        state[name] = (
            [_join(name, values)]
            if joined
            else [tensor_of(v.array.copy()) if isinstance(v, Tensor) else v for v in values]
        )
    return lambda parameters, gradients, state: function(
        parameters, gradients, state, **chosen
    ), state


def _join(name, values):
    """The values of several parameters as that of one vector."""
    if name != "step" and not any(v is None for v in values):
        return cat([v.detach().flatten() for v in values])
    if len(set(values)) > 1:
        raise ValueError(
            f"follow(joined=True): the parameters have made different numbers of steps ({name})"
        )
    return values[0]
