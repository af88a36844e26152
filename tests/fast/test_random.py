"""Philox 4x32-10 compiled for the CPU."""

import numpy as np
from arrays.test_random import test_blocks_against_the_definition as check_blocks

from minigan.arrays.device import CPU
from minigan.arrays.random import Generator, philox_reference, uniform_reference
from minigan.fast.cpu import random
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


def test_uniform_numbers_are_those_of_the_reference():
    for n in (1, 7, 1000):
        fast, plain = Generator(3), Generator(3)
        drawn = random._uniform(fast, (n, 2), np.float32, CPU)
        np.testing.assert_array_equal(
            drawn, uniform_reference(plain, (n, 2), np.float32, CPU), strict=True
        )
        assert fast.get_state() == plain.get_state()
