"""torch.backends.cuda: in what precision float32 matrices are multiplied on CUDA.

minigan.backends.cuda.matmul.allow_tf32 = True
# TF32: inputs of 10 bits, several times faster; off by default, as in torch
"""

from ...machine.precision import precision

__all__ = ["matmul"]


class _Matmul:
    """Switches of plain matrix products, as those of Linear."""

    @property
    def allow_tf32(self) -> bool:
        """May products use TF32? Sums are float32 all the same."""
        return precision.matmul_tf32

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        precision.matmul_tf32 = bool(value)


matmul = _Matmul()
