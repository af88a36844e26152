"""Weights for a network, from a file that the user made once where torchvision is.

There is no download: torchvision's files are pickles, which `minigan.load` refuses.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from .... import nn
from ....data.imageset import DataUnavailable
from ....data.saving import load
from ..transforms import CenterCrop, Compose, Normalize, Resize, ToTensor

Network = TypeVar("Network", bound=nn.Module)


class Weights(Enum):
    """The weights that torchvision names so; a member's value is the network and torchvision's
    version of them."""

    @property
    def stem(self) -> str:
        """The name of their file, without .safetensors."""
        network, version = self.value
        return network if version == "IMAGENET1K_V1" else f"{network}-{version}"

    def transforms(self) -> Compose:
        """What pictures go through before the network."""
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        resize = 256 if self.value[1] == "IMAGENET1K_V1" else 232
        return Compose([Resize(resize), CenterCrop(224), ToTensor(), Normalize(mean, std)])


def named(network: str, *versions: str) -> Any:
    """The enumeration of a network's weights: X_Weights.IMAGENET1K_V1 ..., DEFAULT the last of
    them."""
    members = {version: (network, version) for version in versions} | {
        "DEFAULT": (network, versions[-1])
    }
    return Weights(f"{network}_weights", members)  # type: ignore[call-arg]


def ready(
    build: Callable[[], Network], name: str, choices: Any, weights: Any, pretrained: bool | None
) -> Network:
    """build(), with the weights that its caller asked for.

    weights a member of `choices` or its name, "DEFAULT", True, a path of a safetensors file; None
    or False: as it was built
    pretrained    weights, in torchvision's old word for it
    """
    weights = weights if pretrained is None else pretrained
    if weights is None or weights is False:
        return build()
    if isinstance(weights, os.PathLike) or str(weights).endswith(".safetensors"):
        file = Path(weights)
    else:
        file = found(name, member_of(choices, weights))
    model = build()
    model.load_state_dict(load(file))
    return model


def member_of(choices: Any, weights: Any) -> Weights:
    if isinstance(weights, (str, bool)):
        return choices["DEFAULT" if isinstance(weights, bool) else weights.rpartition(".")[2]]
    if not isinstance(weights, choices):
        raise TypeError(
            f"weights: expected a member of {choices.__name__}, its name or a .safetensors file, "
            f"got {weights!r}"
        )
    return weights


def found(name: str, member: Weights) -> Path:
    """The file of these weights: in $MINIGAN_DATA, or in the folder `models` of the user's
    cache."""
    folders = [Path(os.environ["MINIGAN_DATA"])] if os.environ.get("MINIGAN_DATA") else []
    try:
        from platformdirs import user_cache_dir

        folders.append(Path(user_cache_dir("minigan")) / "models")
    except ImportError:
        pass
    file = f"{member.stem}.safetensors"
    for folder in folders:
        if (folder / file).is_file():
            return folder / file
    places = " or ".join(map(str, folders)) or "a folder named by MINIGAN_DATA"
    raise DataUnavailable(
        f"{name}: no {file} in {places}. minigan downloads no weights; make the file once where "
        "torchvision is:\n"
        "  import torchvision, safetensors.torch\n"
        f'  model = torchvision.models.{name}(weights="{member.value[1]}")\n'
        f'  safetensors.torch.save_file(model.state_dict(), "{file}")\n'
        f"or give a path: {name}(weights='{file}'). {name}() alone has random weights."
    )
