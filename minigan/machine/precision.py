"""In what precision CUDA multiplies matrices: settings of the program."""

import contextlib


class Precision:
    """In what precision float32 matrices are multiplied; sums are always float32.

    matmul_tf32 : may plain products use TF32 (10 bits)? False, as in torch
    conv_tf32 : may convolutions? True, as in torch
    half : inputs are rounded to bfloat16 (7 bits); set by `autocast`
    """

    def __init__(self):
        self.matmul_tf32 = False
        self.conv_tf32 = True
        self.half = False


precision = Precision()


@contextlib.contextmanager
def rounded(enabled=True):
    """Inside, the inputs of float32 products are rounded to bfloat16."""
    before, precision.half = precision.half, enabled
    try:
        yield
    finally:
        precision.half = before
