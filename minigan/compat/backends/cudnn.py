"""torch.backends.cudnn. `allow_tf32`: may convolutions on CUDA use TF32? Yes by default, as in
torch. The other switches have no effect: minigan's kernels give the same result in every run, and
search for no other."""

import sys
import types

from ...machine.precision import precision

benchmark = False
deterministic = True
enabled = True


class _Switches(types.ModuleType):
    @property
    def allow_tf32(self) -> bool:
        """May the products of convolutions use TF32?"""
        return precision.conv_tf32

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        precision.conv_tf32 = bool(value)


sys.modules[__name__].__class__ = _Switches
