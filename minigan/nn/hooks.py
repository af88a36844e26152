"""Functions that see what goes into a module and comes out of it, forward and backward."""

from ..autograd import Handle, Tensor, identity
from ..ops import cat


def register(module, where, hook, prepend=False, with_kwargs=False):
    """Keep a hook among those of one kind of a module; the handle takes it away again."""
    hooks, key = module.__dict__.setdefault(where, {}), _Key(with_kwargs)
    others = dict(hooks) if prepend else {}
    if prepend:
        hooks.clear()
    hooks[key] = hook
    hooks.update(others)
    # the call looks only at the forward's hooks, so that modules without any are fast
    if where.startswith("_backward"):
        seen = _Key()
        module.__dict__.setdefault("_hooks", {})[seen] = _nothing
        return _Both(Handle(hooks, key), Handle(module._hooks, seen))
    return Handle(hooks, key)


class _Key:
    def __init__(self, with_kwargs=False):
        self.with_kwargs = with_kwargs


class _Both(Handle):
    def __init__(self, *handles):
        self._handles = handles

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


def _nothing(module, inputs, output):
    return None


def call(module, inputs, named):
    """module.forward(*inputs, **named) with all hooks."""
    for key, hook in list(module._pre_hooks.items()):
        if getattr(key, "with_kwargs", False):
            changed = hook(module, inputs, named)
            inputs, named = (inputs, named) if changed is None else changed
            continue
        changed = hook(module, inputs)
        if changed is not None:
            inputs = changed if isinstance(changed, tuple) else (changed,)
    backward = _Backward(module) if module._backward_hooks or module._backward_pre_hooks else None
    if backward:
        inputs = backward.enter(inputs)
    output = module.forward(*inputs, **named)
    for key, hook in list(module._hooks.items()):
        changed = (
            hook(module, inputs, named, output)
            if getattr(key, "with_kwargs", False)
            else hook(module, inputs, output)
        )
        output = output if changed is None else changed
    return backward.leave(output) if backward else output


class _Backward:
    """The backward hooks of one call. Inputs and outputs pass an entry of the tape of their own,
    whose gradient is theirs."""

    def __init__(self, module):
        self.module = module
        self.grad_output = None
        self.places = []
        self.count = 0

    def enter(self, inputs):
        wanted = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
        self.places, self.count = wanted, len(inputs)
        return _passing(inputs, wanted, self._at_inputs)

    def leave(self, output):
        outputs = list(output) if isinstance(output, (tuple, list)) else [output]
        wanted = [i for i, x in enumerate(outputs) if isinstance(x, Tensor) and x.requires_grad]
        self.outputs, self.wanted = len(outputs), wanted
        passed = _passing(outputs, wanted, self._at_outputs)
        if not isinstance(output, (tuple, list)):
            return passed[0]
        return type(output)(*passed) if hasattr(output, "_fields") else type(output)(passed)

    def _at_outputs(self, gradients):
        found = [None] * self.outputs
        for i, g in zip(self.wanted, gradients):
            found[i] = g
        self.grad_output, changed = tuple(found), False
        for hook in list(self.module._backward_pre_hooks.values()):
            new = hook(self.module, self.grad_output)
            if new is not None:
                self.grad_output, changed = new if isinstance(new, tuple) else (new,), True
        if not self.places:  # no input wants a gradient, so none will come by
            self._run((None,) * self.count)
        return [self.grad_output[i] for i in self.wanted] if changed else None

    def _at_inputs(self, gradients):
        found = [None] * self.count
        for i, g in zip(self.places, gradients):
            found[i] = g
        new = self._run(tuple(found))
        return None if new is None else [new[i] for i in self.places]

    def _run(self, grad_input):
        changed = False
        for hook in list(self.module._backward_hooks.values()):
            new = hook(self.module, grad_input, self.grad_output)
            if new is not None:
                grad_input, changed = new if isinstance(new, tuple) else (new,), True
        return grad_input if changed else None


def _passing(tensors, places, seen):
    """The same values, of which those at `places` go through one entry of the tape; seen(their
    gradients) may give others."""
    out = list(tensors)
    if len(places) == 1:
        (i,) = places
        out[i] = identity(tensors[i])

        def one(g):
            new = seen([g])
            return None if new is None else new[0]

        out[i].register_hook(one)
    elif places:  # several: as one vector, whose gradient comes at once
        parts = [tensors[i] for i in places]
        vector, ends = cat([p.reshape(-1) for p in parts]), []
        for p in parts:
            ends.append((ends[-1] if ends else 0) + p.numel())

        def split(v):
            return [v[end - p.numel() : end].reshape(p.shape) for p, end in zip(parts, ends)]

        def all_of(g):
            new = seen(split(g))
            return None if new is None else cat([x.reshape(-1) for x in new])

        vector.register_hook(all_of)
        for i, x in zip(places, split(vector)):
            out[i] = x
    return tuple(out)
