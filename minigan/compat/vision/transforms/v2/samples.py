"""One transform for all pictures of a sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from .....arrays import default_generator
from .....autograd import Tensor
from .....engine.trees import leaves, mapped
from .....nn import Module
from ...tv_tensors import Image, wrap

IMAGE = "a picture of Pillow"
TENSOR = "a Tensor"
ARRAY = "an array"


def is_picture(x: Any) -> bool:
    """Is it one of Pillow's?"""
    from PIL import Image as pillow

    return isinstance(x, pillow.Image)


class Transform(Module):
    """Base of the transforms here. A subclass of one's own defines `transform(inpt, params)`, and
    `make_params(flat_inputs)` for what is drawn once a sample."""

    takes: tuple[str, ...] = (IMAGE, TENSOR)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What all pictures of a sample share."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The changed picture."""
        raise NotImplementedError(f"{type(self).__name__} must define transform(inpt, params)")

    def _which(self, leaves: list[Any]) -> list[bool]:
        """Which of the parts of a sample are pictures for this transform."""
        plain = not any(isinstance(x, Image) or is_picture(x) for x in leaves)
        chosen = []
        for x in leaves:
            if isinstance(x, Tensor) and not isinstance(x, Image):
                chosen.append(TENSOR in self.takes and plain)
                plain = False
            else:
                kind = (
                    TENSOR
                    if isinstance(x, Image)
                    else IMAGE
                    if is_picture(x)
                    else ARRAY
                    if isinstance(x, np.ndarray)
                    else ""
                )
                chosen.append(kind in self.takes)
        return chosen

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        parts = leaves(sample)
        chosen = self._which(parts)
        params = self.make_params([x for x, take in zip(parts, chosen) if take])
        marks = iter(chosen)
        return mapped(
            lambda x: wrap(self.transform(x, params), like=x) if next(marks) else x, sample
        )


class _OfSamples(Transform):
    """A transform of one picture, drawn anew from the same random numbers for each."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"state": default_generator.stream().get_state()} if flat_inputs else {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        default_generator.stream().set_state(params["state"])
        return self._one(inpt)

    def _one(self, picture: Any) -> Any:
        raise NotImplementedError


def of_samples(one: type) -> type:
    """The class of a transform of one picture, for whole samples."""
    name = "forward" if hasattr(one, "forward") else "__call__"
    body = {
        "_one": getattr(one, name),
        "__doc__": one.__doc__,
        "__module__": __package__,
        "__qualname__": one.__name__,
    }
    if name == "__call__":
        body["__call__"] = Module.__call__
    return type(one.__name__, (_OfSamples, one), body)
