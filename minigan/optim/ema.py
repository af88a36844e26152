"""EMA: an average of a network's weights over training, which draws better samples than the last
weights do.

Yazici et al., "The unusual effectiveness of averaging in GAN training", 2019.
"""

from contextlib import contextmanager

from ..arrays import seam
from ..autograd import Tensor, raw, tensor_of
from ..ops.layout import conform
from ..ops.update import AVERAGES, ema_step, place_of


def update_by_reference(average):
    """One update of the averages in array operations of either library."""
    average.updates += 1
    numbers = ema_step.numbers(average.updates, average.decay)
    for name, p in average.params.items():
        ema_step(numbers, p.array, average.conformed(name))


class EMA:
    """Exponential moving averages of parameters: after t updates, the mean of the t values weighted
    by decay^age.

    module_or_params : a Module (its buffers are then copied along), or an iterable of Tensors or of
        (name, Tensor) pairs
    decay : weight of the past, in [0, 1)

    The weights are normalised to sum up to 1 (Adam's division by 1 - decay^t), so that early
    averages do not lean towards the start: after the first update the average is the parameter
    itself. Make it after the module is on its device.
    """

    def __init__(self, module_or_params, decay=0.999):
        if not 0 <= decay < 1:
            raise ValueError(f"EMA: decay must be at least 0 and below 1, got {decay}")
        self.decay = decay
        self.updates = 0
        self._applied = False
        self.params, self.buffers = _named(module_or_params)
        if not self.params:
            raise ValueError("EMA: got no parameters")
        self.averages = {
            name: tensor_of(p.array.copy(order="K")) for name, p in self.params.items()
        }
        self.kept = {name: tensor_of(b.array.copy(order="K")) for name, b in self.buffers.items()}
        self._plans = {}

    def update(self):
        """Take the present parameters into the averages, and copy the buffers: call it after each
        optimiser step."""
        seam.execute(self._update)

    def _update(self):
        if self._applied:
            raise RuntimeError(
                "EMA.update() inside applied(): the parameters are the averages there"
            )
        places = {place_of(p.array) for p in self.params.values()}
        AVERAGES.get(places.pop() if len(places) == 1 else None, update_by_reference)(self)
        for name, b in self.buffers.items():
            self.kept[name].array[...] = b.array

    def conformed(self, name):
        """The array of an average, laid out as its parameter is now."""
        average = self.averages[name]
        if (fit := conform(average.array, self.params[name].array)) is not average.array:
            average = self.averages[name] = tensor_of(fit)
        return average.array

    def copy_to(self, module_or_params=None):
        """Write the averages (and kept buffers) into a module or parameters of the same names;
        default: into the originals."""
        params, buffers = (
            (self.params, self.buffers) if module_or_params is None else _named(module_or_params)
        )
        for ours, theirs, kind in (
            (self.averages, params, "parameters"),
            (self.kept, buffers, "buffers"),
        ):
            if ours and theirs and ours.keys() != theirs.keys():
                raise ValueError(
                    f"EMA.copy_to: its {kind} differ: {sorted(ours.keys() ^ theirs.keys())[:4]} ..."
                )
            for name, target in theirs.items():
                if name in ours:
                    _overwrite(target, ours[name].array)

    @contextmanager
    def applied(self):
        """`with ema.applied(): ...` — the parameters and buffers are the averaged ones inside, and
        exactly the old ones after."""
        originals = [*self.params.values(), *self.buffers.values()]
        saved = [t.array.copy(order="K") for t in originals]
        outer, self._applied = self._applied, True
        try:
            self.copy_to()
            yield self
        finally:
            for t, array in zip(originals, saved):
                _overwrite(t, array)
            self._applied = outer

    def state_dict(self):
        """{"decay", "updates", "averages": {name: Tensor}, "buffers": {name: Tensor}}. Not a
        copy."""
        return {
            "decay": self.decay,
            "updates": self.updates,
            "averages": dict(self.averages),
            "buffers": dict(self.kept),
        }

    def load_state_dict(self, state_dict):
        """Take over copies of what `state_dict` saved (Tensors or arrays); parameters of the same
        names and shapes are needed."""
        for ours, key in ((self.averages, "averages"), (self.kept, "buffers")):
            theirs = state_dict[key]
            if ours.keys() != theirs.keys():
                raise ValueError(
                    f"EMA.load_state_dict: {key} of different names: "
                    f"{sorted(ours.keys() ^ theirs.keys())[:4]} ..."
                )
            for name, mine in ours.items():
                shape = raw(theirs[name]).shape
                if shape != mine.array.shape:
                    raise ValueError(
                        f"EMA.load_state_dict: {name!r} has shape {tuple(shape)}, here "
                        f"{tuple(mine.array.shape)}"
                    )
        for ours, key in ((self.averages, "averages"), (self.kept, "buffers")):
            for name, mine in list(ours.items()):
                value = raw(state_dict[key][name])
                fit = conform(value, mine.array)
                ours[name] = tensor_of(fit.copy(order="K") if fit is value else fit)
        self.decay, self.updates = float(state_dict["decay"]), int(state_dict["updates"])
        self._plans.clear()

    def __repr__(self):
        return (
            f"EMA(decay={self.decay}, updates={self.updates}, parameters={len(self.params)}, "
            f"buffers={len(self.buffers)})"
        )


def _named(source):
    """({name: parameter}, {name: buffer}) of a Module, or of an iterable of Tensors or (name,
    Tensor) pairs."""
    if hasattr(source, "named_parameters"):
        buffers = dict(source.named_buffers()) if hasattr(source, "named_buffers") else {}
        # each once, by the first name that is part of the module's state
        saved = source.state_dict() if buffers and hasattr(source, "state_dict") else buffers
        if saved is not buffers:
            first: dict = {}
            for name, b in source.named_buffers(remove_duplicate=False):
                if name in saved:
                    first.setdefault(id(b), (name, b))
            buffers = dict(first.values())
        return dict(source.named_parameters()), {k: b for k, b in buffers.items() if b is not None}
    pairs = [p if isinstance(p, tuple) else (str(i), p) for i, p in enumerate(source)]
    for name, p in pairs:
        if not isinstance(p, Tensor):
            raise TypeError(f"EMA: expected Tensors, item {name} is {type(p).__name__}")
    return dict(pairs), {}


def _overwrite(tensor, array):
    """New values in the same memory, known to backward."""
    if tensor.array.shape != array.shape:
        raise ValueError(
            f"EMA: an average of shape {array.shape} for a tensor of shape {tensor.array.shape}"
        )
    tensor.array[...] = array
    tensor._version[0] += 1
