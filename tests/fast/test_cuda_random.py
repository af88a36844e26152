"""The CUDA kernels of the random generator, compiled for the host: the CPU's integers, and so its
numbers."""

import fakecuda
import numpy as np
import pytest

from minigan.arrays import Generator, device, drawing_from
from minigan.fast.cuda.philox import PHILOX

pytestmark = pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))
GPU = device("cuda")


@pytest.fixture(autouse=True)
def kernels():
    with fakecuda.with_kernels():
        yield


KNOWN = """
extern "C" __global__ void known(u32* out, const u32* counter, const u32* key) {
    const Four32 f = philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
    for (int i = 0; i < 4; i++) out[i] = f.v[i];
}
"""


@pytest.mark.parametrize("counter, key, words", [  # Random123, kat_vectors, philox4x32 10
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1"),
])  # fmt: skip
def test_known_answers(counter, key, words):
    def numbers(text):
        return fakecuda.asarray(np.array([int(w, 16) for w in text.split()], np.uint32))

    out = numbers("0 0 0 0")
    fakecuda.RawModule(PHILOX.text("f") + KNOWN).get_function("known")(
        (1,), (1,), (out, numbers(counter), numbers(key))
    )
    assert [f"{w:08x}" for w in out.storage] == words.split()


@pytest.mark.parametrize("seed", [0, 1, 2**63 + 12345])
@pytest.mark.parametrize("n", [1, 4, 7, 600, 4099])
def test_same_numbers_as_on_the_cpu(seed, n):
    draws = {
        "integers32": lambda g, d: g.integers32(n, d),
        "uniform": lambda g, d: g.uniform((n, 3), np.float32, d),
        "uniform64": lambda g, d: g.uniform((n,), np.float64, d),
        "half": lambda g, d: g.uniform((n,), np.float16, d),
        "integers": lambda g, d: g.integers(-3, 11, (n,), d),
    }
    for name, draw in draws.items():
        here, there = Generator(seed), Generator(seed)
        here.counter = there.counter = 2**32 - 2  # over the edge of a word
        np.testing.assert_array_equal(
            draw(there, GPU).storage, draw(here, device("cpu")), err_msg=name
        )
        assert here.get_state() == there.get_state()
    for dtype, tolerance in ((np.float32, 2e-6), (np.float64, 1e-14)):
        here, there = Generator(seed), Generator(seed)
        np.testing.assert_allclose(
            there.normal((n,), dtype, GPU).storage,
            here.normal((n,), dtype),
            rtol=tolerance,
            atol=tolerance,
        )
        assert here.get_state() == there.get_state()


def test_a_thread_of_its_own_stream():
    mine = Generator(5)
    from minigan.arrays import default_generator

    before = default_generator.get_state()
    with drawing_from(mine):
        drawn = default_generator.uniform((5,), np.float32, GPU).storage
    np.testing.assert_array_equal(drawn, Generator(5).uniform((5,)))
    assert default_generator.get_state() == before and mine.counter == 2
