"""Optimizer: parameter groups, their state, and the loop that updates every parameter in one pass
over its memory."""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import device_of, seam
from ..autograd import Tensor, enable_grad, raw, tensor_of
from ..messages import warn
from ..ops.layout import conform, full_like
from ..ops.update import STEPS, place_of

Params = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]]


class _Required:
    def __repr__(self):
        return "<required parameter>"


required = _Required()  # as a default: each group must give this option


class Slot:
    """One parameter of an optimiser: its group, its state, how many steps it has made.

    array : the memory that `names`, its state arrays, were made for; another one is met by `attach`
        (`.data =`, `.to(device)`)
    prepared : what a faster executor keeps of it; None where `attach` was called since
    """

    __slots__ = ("param", "group", "state", "step", "names", "array", "shape", "dtype", "prepared")

    def __init__(self, param, group, state) -> None:
        self.param = param
        self.group = group
        self.state = state
        self.array = self.names = self.prepared = None
        self.step = 0

    def attach(self, optimizer, names):
        """Create the state arrays `names` where they are missing."""
        array, state = self.param.array, self.state
        if isinstance(array, np.ndarray) and not array.flags.writeable:
            raise ValueError(
                f"{optimizer._name}: a parameter of shape {array.shape} is read-only memory; make "
                "it from a copy"
            )
        # SGD does not save its number of steps: what matters there is only whether the first was
        # made, which leaves a buffer. (A parameter that is given twice makes its first twice.)
        begun = all(n in state for n in names)
        if begun and optimizer._repeats:
            begun = optimizer._began.get(id(state)) != optimizer._step_count
        self.step = int(state.get("step", begun))
        for name in names:
            if name not in state:
                optimizer._began[id(state)] = optimizer._step_count
                state[name] = tensor_of(full_like(array, optimizer._initial(name, self.group)))
                continue
            kept = raw(state[name])
            if kept.shape != array.shape:
                raise ValueError(
                    f"{optimizer._name}: state {name!r} has shape {kept.shape}, its parameter "
                    f"{array.shape}; make a new optimizer after changing shapes"
                )
            if (fit := conform(kept, array)) is not kept or not isinstance(state[name], Tensor):
                state[name] = tensor_of(fit)
        self.array = array
        self.shape = array.shape
        self.dtype = array.dtype
        self.names = names
        self.prepared = None

    def states(self, optimizer):
        """The state arrays as the update takes them."""
        return [self.state[n].array if n else None for n in optimizer._ordered(self.names)]


def step_by_reference(optimizer, gradients):
    """One step, parameter by parameter, by the formula of `optimizer.update` in array operations of
    either library."""
    optimizer.ready(gradients)
    optimizer._step_count += 1
    for slot, g in zip(optimizer._slots, gradients):
        if g is None:
            continue
        g, names = raw(g), optimizer._names(slot.group)
        if slot.param.array is not slot.array or slot.names != names:
            slot.attach(optimizer, names)
        optimizer._check_gradient(slot, g)
        slot.step += 1
        optimizer.update(
            optimizer._numbers(slot.group, slot.step), g, slot.array, *slot.states(optimizer)
        )
        slot.param._version[0] += 1  # backward through values from before the step is now an error
        if optimizer.counted:
            slot.state["step"] = slot.step


class Optimizer:
    """Base of all optimisers.

    params : iterable of Tensors, of (name, Tensor) pairs, or of dicts {"params": ..., "lr": ...}
        with options of their own
    defaults : the options of groups that do not set them

    `param_groups` and `state` are as in torch.optim: a list of dicts, and {parameter: {name:
    Tensor, "step": int}}. A subclass gives `update` (a card of minigan.ops.update),
    `_names(group)`, `_numbers(group, step)` and `_check(group)`.
    """

    update: Any = None

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor) or hasattr(params, "named_parameters"):
            raise TypeError(
                f"{self._name}: params must be an iterable of Tensors or dicts, got one "
                f"{type(params).__name__}; pass module.parameters() or [tensor]"
            )
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self._slots: list[Slot] = []
        self._step_count = 0
        self._repeats = False  # does a parameter stand in its group several times?
        self._began: dict[int, int] = {}  # id of a parameter's state -> the step that made it
        if isinstance(params, (set, frozenset)):
            raise TypeError(f"{self._name}: params must be ordered, not a set: pass a list")
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError(f"{self._name}: got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    _name = property(lambda self: type(self).__name__)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """One more group: {"params": Tensors or (name, Tensor) pairs, option: value, ...}."""
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(
                f"{self._name}: a parameter group must be a dict with a key 'params', got "
                f"{type(param_group).__name__}"
            )
        params = param_group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError(f"{self._name}: params must be ordered, not a set: pass a list")
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names and len(names) != len(params):
            raise ValueError(f"{self._name}: give a name to all parameters of a group or to none")
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        known, here = {id(p) for group in self.param_groups for p in group["params"]}, set()
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                hint = ": pass its .parameters()" if hasattr(p, "parameters") else ""
                raise TypeError(
                    f"{self._name}: can only optimize Tensors, params[{i}] is "
                    f"{type(p).__name__}{hint}"
                )
            what = f"params[{i}] (shape {tuple(p.shape)})"
            if p.grad_fn is not None:
                raise ValueError(
                    f"{self._name}: can't optimize a non-leaf Tensor: {what} was computed by "
                    f"{p.grad_fn.op.__name__}"
                )
            if id(p) in known:
                raise ValueError(
                    f"{self._name}: {what} appears twice: each parameter belongs to one parameter "
                    "group"
                )
            if id(p) in here and not self._repeats:
                self._repeats = True
                message = (
                    f"{self._name}: {what} appears twice in its parameter group: each step "
                    "changes it twice, as in torch"
                )
                warn(message)
            here.add(id(p))
        group = {**self.defaults, **param_group, "params": params}
        if missing := [name for name, value in group.items() if value is required]:
            raise ValueError(
                f"{self._name}: the parameter group has no {missing[0]!r}, which it must give"
            )
        if names:
            group["param_names"] = names
        self._check(group)
        self.param_groups.append(group)
        self._slots += [Slot(p, group, self.state[p]) for p in params]

    # --- what a subclass says ---

    def _check(self, group):
        """Raise ValueError for options out of their range."""
        for name in (
            "lr",
            "eps",
            "weight_decay",
            "momentum",
            "alpha",
            "lr_decay",
            "initial_accumulator_value",
        ):
            if name in group and not float(group[name]) >= 0:
                raise ValueError(f"{self._name}: {name} must be at least 0, got {group[name]}")

    def _names(self, group):
        """The names of the state arrays that the options of `group` need."""
        return ()

    def _ordered(self, names):
        """The state arrays in the order that `update` takes them; None for one that is not
        needed."""
        return names

    def _initial(self, name, group):
        """The value that a state array starts with."""
        return 0.0

    def _numbers(self, group, step):
        """The scalars of step number `step` (1, 2, ...): update.numbers(...)."""
        raise NotImplementedError

    # --- steps ---

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a `.grad`. `closure` computes the loss and the
        gradients first; its result is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self.step_with([slot.param.grad for slot in self._slots])
        return loss

    def step_with(self, gradients: Sequence[Any]) -> None:
        """One update with these gradients instead of `.grad`: Tensors or arrays, in the order of
        all parameters; None skips one."""
        place = place_of(self._slots[0].param.array)
        seam.execute(STEPS.get(place, step_by_reference), self, list(gradients))

    def ready(self, gradients):
        """What every executor does first: see to it that there is a slot and a gradient (or None)
        for each parameter."""
        # someone has emptied or replaced it, as torch allows
        if len(self.state) != len(self._slots):
            self._renew()
        if len(gradients) != len(self._slots):
            raise ValueError(
                f"{self._name}.step_with: {len(gradients)} gradients for {len(self._slots)} "
                "parameters"
            )

    counted = True  # is the number of steps part of the state?

    def _check_gradient(self, slot, g):
        """Raise if a gradient does not fit its parameter (it may, after all: equal dtypes can be
        different objects)."""
        if g.shape != slot.shape or g.dtype != slot.dtype or device_of(g) != device_of(slot.array):
            gradient, parameter = (
                f"{x.dtype} {tuple(x.shape)} on {device_of(x)}" for x in (g, slot.array)
            )
            raise ValueError(
                f"{self._name}: the gradient of parameter {self._slots.index(slot)} is "
                f"{gradient}, the parameter {parameter}; "
                "after changing a parameter's dtype, shape or device call zero_grad()"
            )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; set_to_none=False fills them with zeros instead."""
        for slot in self._slots:
            if set_to_none:
                slot.param.grad = None
            elif slot.param.grad is not None:
                slot.param.grad.detach_().zero_()

    # --- saving ---

    def state_dict(self) -> dict[str, Any]:
        """{"state": {index: {name: Tensor, "step": int}}, "param_groups": [{..., "params":
        [indices]}]}, as in torch. Not a copy."""
        index = {id(slot.param): i for i, slot in enumerate(self._slots)}
        groups = [
            {**group, "params": [index[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        return {
            "state": {index[id(p)]: dict(s) for p, s in self.state.items() if s},
            "param_groups": groups,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the options and copies of the state of a `state_dict()` (of an optimizer with
        groups of the same lengths).

        Arrays may be Tensors or arrays; they move to the dtype and device of their parameters.
        """
        saved = state_dict["param_groups"]
        ours, theirs = ([len(g["params"]) for g in groups] for groups in (self.param_groups, saved))
        if ours != theirs:
            raise ValueError(
                f"{self._name}.load_state_dict: parameters per group: {theirs} saved, {ours} here"
            )
        place = {
            int(k): slot
            for k, slot in zip([k for group in saved for k in group["params"]], self._slots)
        }
        loaded = {}
        for k, values in state_dict["state"].items():
            if int(k) not in place:
                raise ValueError(
                    f"{self._name}.load_state_dict: state for parameter {k}, which no group has"
                )
            param = place[int(k)].param
            loaded[param] = {
                name: self._take(name, value, param)
                for name, value in values.items()
                if value is not None
            }
        for group, new in zip(self.param_groups, saved):
            group.update(
                {
                    name: value
                    for name, value in new.items()
                    if name not in ("params", "param_names")
                }
            )
            self._check(group)
        self.state = defaultdict(dict, loaded)
        self._renew()

    def _renew(self):
        """Prepare all parameters anew, for another state."""
        self._slots = [Slot(slot.param, slot.group, self.state[slot.param]) for slot in self._slots]

    def _take(self, name, value, param):
        """A copy of one saved value, like its parameter; numbers (the step) stay numbers."""
        if self.update is None:  # an optimiser of the user's own: whatever it keeps
            return copy.deepcopy(value)
        value = raw(value)
        if name == "step":
            return int(value.item() if hasattr(value, "item") else value)
        if value.shape != param.array.shape:
            raise ValueError(
                f"{self._name}.load_state_dict: {name!r} has shape {tuple(value.shape)}, its "
                f"parameter {tuple(param.shape)}"
            )
        fit = conform(value, param.array)
        return tensor_of(fit.copy(order="K") if fit is value else fit)

    def __repr__(self):
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines += [f"Parameter Group {i}"] + [
                f"    {k}: {group[k]}" for k in sorted(group) if k not in ("params", "param_names")
            ]
        return "\n".join(lines) + "\n)"
