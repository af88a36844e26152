"""What only a GPU can show (pytest -m gpu): real launches, graphs and products; the same numbers as
on the CPU; no memory is lost."""

import contextlib
import os
import sys

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import Generator, default_generator, device, resolve_device
from minigan.arrays.seam import CaptureError
from minigan.autograd import tensor_of
from minigan.data.batches import Batches
from minigan.fast.replay.graph import graph
from minigan.gan import (
    GAN,
    NonSaturating,
    Trainer,
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
)
from minigan.machine.precision import precision
from minigan.optim import EMA, SGD, Adam, RMSprop
from minigan.training.run import round_of

pytestmark = pytest.mark.gpu
GPU, CPU = device("cuda"), device("cpu")
# enough that a difference grows; the stand-in for a GPU takes a second for each
STEPS = 2 if os.environ.get("MINIGAN_STAND_IN") else 20
IMAGES = np.random.default_rng(0).integers(0, 256, (400, 1, 28, 28)).astype(np.uint8)


@pytest.fixture(autouse=True)
def full_precision():
    before, precision.conv_tf32 = precision.conv_tf32, False
    yield
    precision.conv_tf32 = before


NETWORKS = {
    "mlp": lambda: (mlp_generator(16), mlp_discriminator()),
    "dcgan": lambda: (dcgan_generator(16, 1, 28, 28, 8), dcgan_discriminator(1, 28, 28, 8)),
}


def training(kind, place, optimizer=lambda p: Adam(p, 1e-3, (0.5, 0.9)), k=1):
    minigan.manual_seed(3)
    G, D = (m.to(place) for m in NETWORKS[kind]())
    game = GAN(G, D, NonSaturating(), 16, k)
    return Trainer(game, {n: optimizer(p.parameters()) for n, p in game.players.items()}), Batches(
        IMAGES, 32, 1, place
    )


def run(play, batches, steps):
    values, epoch = [], 0
    while len(values) < steps:
        for numbers in batches.numbers(epoch):
            if len(values) < steps:
                values.append([m.value.item() for m in play(numbers)])
        epoch += 1
    return values


def state(trainer):
    return {
        f"{n}.{k}": v.cpu().numpy()
        for n, p in trainer.game.players.items()
        for k, v in p.state_dict().items()
    }


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("optimizer, k", [
    (lambda p: Adam(p, 1e-3, (0.5, 0.9)), 1), (lambda p: SGD(p, 1e-2, momentum=0.5), 2),
    (lambda p: RMSprop(p, 1e-4), 1),
], ids=["adam", "sgd, k=2", "rmsprop"])  # fmt: skip
def test_graphs_give_what_launches_give(kind, optimizer, k):
    plain, batches = training(kind, GPU, optimizer, k)
    expected = run(round_of(plain, batches, graph=False), batches, 25)
    drawn = default_generator.get_state()
    trainer, batches = training(kind, GPU, optimizer, k)
    play = round_of(trainer, batches, pytest.fail)
    assert run(play, batches, 25) == expected
    assert play.graph.launches == 25 and default_generator.get_state() == drawn
    for name, value in state(plain).items():
        np.testing.assert_array_equal(state(trainer)[name], value, err_msg=name)


@pytest.mark.parametrize("kind", NETWORKS)
def test_two_runs_are_identical(kind):
    """No atomics, no other order of sums: the same bits every time."""
    ends = []
    for _ in range(2):
        trainer, batches = training(kind, GPU)
        run(round_of(trainer, batches, pytest.fail), batches, STEPS)
        ends.append(state(trainer))
    first, second = ends
    for name, value in first.items():
        np.testing.assert_array_equal(second[name], value, err_msg=name)


@pytest.mark.parametrize("captured", [False, True])
def test_memory_does_not_grow(captured):
    import cupy

    trainer, batches = training("mlp", GPU)
    play = round_of(trainer, batches, pytest.fail, captured)
    run(play, batches, 30)
    cupy.cuda.Device().synchronize()
    free, pool = cupy.cuda.runtime.memGetInfo()[0], cupy.get_default_memory_pool().total_bytes()
    run(play, batches, 1000)
    cupy.cuda.Device().synchronize()
    assert cupy.get_default_memory_pool().total_bytes() <= pool + (1 << 20)
    assert free - cupy.cuda.runtime.memGetInfo()[0] <= 8 << 20


@pytest.mark.parametrize("n", [1, 7, 600, 100_001])
def test_the_cpus_random_numbers(n):
    for draw in (
        lambda g, d: g.integers32(n, d),
        lambda g, d: g.uniform((n,), np.float32, d),
        lambda g, d: g.uniform((n,), np.float64, d),
        lambda g, d: g.integers(-3, 11, (n,), d),
        lambda g, d: g.permutation(n, d),
    ):
        here, there = Generator(2**40 + 5), Generator(2**40 + 5)
        np.testing.assert_array_equal(draw(there, GPU).get(), draw(here, CPU))
        assert here.get_state() == there.get_state()
    for dtype, tolerance in ((np.float32, 4e-6), (np.float64, 1e-13)):
        drawn = [Generator(1).normal((n,), dtype, place) for place in (GPU, CPU)]
        np.testing.assert_allclose(drawn[0].get(), drawn[1], rtol=tolerance, atol=tolerance)


@contextlib.contextmanager
def switched(**values):
    before = {k: getattr(precision, k) for k in values}
    vars(precision).update(values)
    yield
    vars(precision).update(before)


@pytest.mark.parametrize("shape", [(64, 784, 512), (7, 5, 3), (1, 1, 1), (128, 4096, 512)])
def test_products_in_every_precision(shape):
    m, k, n = shape
    rng = np.random.default_rng(0)
    a, b = (tensor_of(rng.standard_normal(s).astype(np.float32)) for s in ((m, k), (n, k)))
    exact = a.double().numpy() @ b.double().numpy().T
    scale = np.sqrt(k)
    for options, tolerance in (({}, 1e-6), ({"matmul_tf32": True}, 1e-3), ({"half": True}, 1e-2)):
        with switched(**options):
            found = minigan.linear(a.cuda(), b.cuda())
        assert found.dtype == np.float32 and found.is_contiguous()
        # of k products added one after the other, the worst of all elements
        in_order = 0 if options else 2e-7 * k
        assert np.abs(found.cpu().numpy() - exact).max() <= 5 * tolerance * scale + in_order
    turned = minigan.matmul(tensor_of(a.numpy().T.copy()).cuda().t(), b.cuda().t())
    np.testing.assert_allclose(turned.cpu().numpy(), exact, rtol=1e-4, atol=1e-5 * scale)


def test_products_in_bfloat16_train():
    """With products in bfloat16, and everything else in float32, training goes where it goes in
    float32."""
    finals = []
    for enabled in (False, True):
        trainer, batches = training("mlp", GPU)
        with switched(half=enabled):
            values = run(round_of(trainer, batches, pytest.fail), batches, 3 * STEPS)
        assert all(p.dtype == np.float32 for p in trainer.game.G.parameters())
        finals.append(np.mean(values[-20:], 0))
    np.testing.assert_allclose(finals[1], finals[0], atol=0.25)


@pytest.mark.parametrize("offence, words", [
    (lambda net, x: net(x).sum().item(), "needs a value on the host"),
    (lambda net, x: net(x) if net(x).sum() > 0 else x, "needs a value on the host"),
    (lambda net, x: net(x).detach().numpy(), "needs a value on the host"),
    (lambda net, x: x * tensor_of(np.ones(3, np.float32)).cuda(), "sends data from the host"),
    (lambda net, x: x[x > 0], "."),
    (lambda net, x: sys.modules["cupy"].cuda.runtime.deviceSynchronize(), "waits for the device|."),
], ids="item if numpy send mask synchronize".split())  # fmt: skip
def test_what_cannot_be_captured(offence, words):
    net, x = nn.Linear(3, 2).cuda(), tensor_of(np.ones((4, 3), np.float32)).cuda()
    before = net.weight.detach().cpu().numpy()
    with pytest.raises(CaptureError, match=words) as error:
        graph(lambda x: offence(net, x))(x)
    print(error.value)
    np.testing.assert_array_equal(net.weight.detach().cpu().numpy(), before)
    y = graph(lambda x: net(x))(x)  # the device is not left in a bad state
    np.testing.assert_allclose(y.detach().cpu().numpy(), net(x).detach().cpu().numpy(), rtol=1e-6)


def test_averages_and_gradients_in_a_graph():
    results = []
    for wrap in (lambda f: f, graph):
        minigan.manual_seed(0)
        net, x = (
            nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).cuda(),
            tensor_of(np.ones((4, 3), np.float32)).cuda(),
        )
        optimizer, ema = Adam(net.parameters(), 0.01), EMA(net, 0.9)

        @wrap
        def step(x):
            x = (x + minigan.randn(4, 3, device="cuda")).requires_grad_()
            (g,) = minigan.grad(net(x).sum(), x, create_graph=True)
            loss = ((g * g).sum(1).sqrt() - 1).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ema.update()
            return loss

        losses = [step(x).item() for _ in range(10)]
        results.append(
            (losses, [a.cpu().numpy().tolist() for a in ema.averages.values()], ema.updates)
        )
    assert results[0] == results[1]


def test_products_of_three_in_a_graph():
    arrays = [np.random.default_rng(i).normal(size=(4, 4)).astype(np.float32) for i in range(3)]
    found = []
    for wrap in (lambda f: f, graph):
        a, b, c = (tensor_of(x).cuda().requires_grad_() for x in arrays)

        @wrap
        def step(a, b, c):
            y = minigan.einsum("ij,jk,lk->il", a, b, c)
            return [y.detach(), *minigan.grad(y.square().sum(), [a, b, c])]

        found.append([x.cpu().numpy() for x in step(a, b, c)])
    for x, y in zip(*found):
        np.testing.assert_allclose(x, y, rtol=1e-5)
    a, b, c = arrays
    np.testing.assert_allclose(found[0][0], a @ b @ c.T, rtol=1e-4, atol=1e-5)


def test_a_device_that_is_not_there():
    with pytest.raises(minigan.DeviceError, match="cuda:99"):
        resolve_device("cuda:99")


def test_too_much_memory():
    with pytest.raises(MemoryError, match="lower the batch size"):
        x = tensor_of(np.ones((1, 1), np.float32)).cuda()
        (
            minigan.matmul(
                minigan.ones(1 << 22, 1, device="cuda"), minigan.ones(1, 1 << 22, device="cuda")
            )
            + x
        )


# Last, as the CPU's kernels are compiled for it, which takes half a minute.
@pytest.mark.parametrize("kind, steps", [("mlp", 100), ("dcgan", 25)])
def test_training_agrees_with_the_cpu(kind, steps):
    """The same seed: weights that agree within 2 % of their spread, and values within 2 %. Rounding
    differs, and training amplifies it: in the convolutional game other rounding is other digits
    after some 30 steps."""
    found = []
    for place in (CPU, GPU):
        trainer, batches = training(kind, place, lambda p: SGD(p, 1e-2))
        found.append((run(round_of(trainer, batches, graph=False), batches, steps), state(trainer)))
    (v1, s1), (v2, s2) = found
    np.testing.assert_allclose(v2, v1, rtol=0.02, atol=0.01)
    for name, value in s1.items():
        np.testing.assert_allclose(
            s2[name], value, rtol=0.02, atol=0.02 * max(float(value.std()), 1e-3), err_msg=name
        )
