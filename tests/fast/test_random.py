"""Philox 4x32-10 compiled for the CPU."""

import numpy as np
from arrays.test_random import test_blocks_against_the_definition as check_blocks

from minigan.arrays.random import philox_reference
from minigan.fast.cpu.random import philox_fill


def filled(counter, key, n):
    out = np.empty((n, 4), np.uint32)
    philox_fill(out, np.uint64(counter), np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32))
    return out


def test_kernel_against_the_definition():
    check_blocks(filled)


def test_kernel_is_the_reference():
    assert (
        filled(17, 0xABCDEF0123456789, 1000) == philox_reference(17, 0xABCDEF0123456789, 1000)
    ).all()
