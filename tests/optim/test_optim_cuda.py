"""Optimisers and averages on CUDA: the CPU's steps, by kernels translated from the same loops, in
one launch for all parameters."""

import fakecuda
import numpy as np
import pytest

from minigan.autograd import tensor_of
from minigan.optim import EMA, SGD, Adagrad, Adam, AdamW, RMSprop

pytestmark = pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))

MAKERS = {
    "sgd": lambda p: SGD(p, 0.1),
    "momentum": lambda p: SGD(
        p, 0.1, momentum=0.9, dampening=0.2, weight_decay=0.01, maximize=True
    ),
    "nesterov": lambda p: SGD(p, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: Adam(p, 0.01, (0.5, 0.9)),
    "amsgrad": lambda p: Adam(p, 0.01, amsgrad=True, weight_decay=0.1),
    "adamw": lambda p: AdamW(p, 0.01),
    "rmsprop": lambda p: RMSprop(p, 0.01),
    "rmsprop centered": lambda p: RMSprop(p, 0.01, centered=True, momentum=0.5),
    "rmsprop momentum": lambda p: RMSprop(p, 0.01, momentum=0.5),
    "adagrad": lambda p: Adagrad(p, 0.01, lr_decay=0.1),
}
SHAPES = [(3, 4), (), (0,), (5000,), (2, 3, 2, 2)] + [(2,)] * 70  # more than one launch takes


def arrays(seed, dtype):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(s)).astype(dtype) for s in SHAPES]


def steps(maker, place, dtype, turned=False):
    """The parameters and states after five steps, of which some leave a parameter out."""
    params = [tensor_of(place(a), True) for a in arrays(0, dtype)]
    if turned:
        params[0].data = (
            params[0].data.array.T.copy().T
            if place is np.array
            else fakecuda.DeviceArray(params[0].array.storage.copy("F"))
        )
    groups = [{"params": params[:2], "lr": 0.02}, {"params": params[2:]}]
    optimizer = maker(groups)
    for k in range(5):
        gradients = [tensor_of(place(g)) for g in arrays(k + 1, dtype)]
        if k == 2:
            gradients[0] = None
        optimizer.step_with(gradients)
    state = [t for p in params for n, t in optimizer.state[p].items() if n != "step"]
    counts = [optimizer.state[p].get("step") for p in params]
    return [getattr(t.array, "storage", t.array) for t in (*params, *state)], counts


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", MAKERS)
def test_same_steps(name, dtype):
    expected, counts = steps(MAKERS[name], np.array, dtype)
    with fakecuda.with_kernels():
        fakecuda.syncs = 0
        for turned in (False, True):
            found, there = steps(MAKERS[name], fakecuda.asarray, dtype, turned)
            assert there == counts
            for f, e in zip(found, expected):
                np.testing.assert_allclose(
                    f,
                    e,
                    rtol=1e-5 if dtype == np.float32 else 1e-12,
                    atol=1e-6 if dtype == np.float32 else 1e-14,
                )
        assert fakecuda.syncs == 0


def test_averages():
    def averaged(place):
        params = {str(i): tensor_of(place(a), True) for i, a in enumerate(arrays(0, np.float32))}
        ema = EMA(params.items(), 0.9)
        for k in range(3):
            for p, new in zip(params.values(), arrays(k + 1, np.float32)):
                p.array[...] = place(new)
            ema.update()
        assert ema.updates == 3
        return [getattr(t.array, "storage", t.array) for t in ema.averages.values()]

    expected = averaged(np.array)
    with fakecuda.with_kernels():
        for f, e in zip(averaged(fakecuda.asarray), expected):
            np.testing.assert_allclose(f, e, rtol=1e-6, atol=1e-6)
