"""minigan.compile: a step gives what it gives uncompiled, to the bit, and what is no step runs as
it is."""

import numpy as np
import pytest

import minigan as torch
from minigan import nn, optim
from minigan.compat.compiling import Compiled

REAL = np.random.default_rng(0).standard_normal((12, 16, 4)).astype(np.float32)


class GAN:
    """A step as ported scripts write it."""

    def __init__(self):
        torch.manual_seed(1)
        self.G = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 4))
        self.D = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), nn.Sigmoid())
        self.g_optimizer = optim.Adam(self.G.parameters(), 1e-2, betas=(0.5, 0.999))
        self.d_optimizer = optim.Adam(self.D.parameters(), 1e-2, betas=(0.5, 0.999))
        self.loss = nn.BCELoss()
        self.ones, self.zeros = torch.ones(16, 1), torch.zeros(16, 1)

    def g_first(self, real):
        """D's weights keep their gradients until its own move clears them."""
        fake = self.G(torch.randn(16, 3))
        self.g_optimizer.zero_grad()
        g_loss = self.loss(self.D(fake), self.ones)
        g_loss.backward()
        self.g_optimizer.step()
        self.d_optimizer.zero_grad()
        d_loss = self.loss(self.D(real), self.ones) + self.loss(self.D(fake.detach()), self.zeros)
        d_loss.backward()
        self.d_optimizer.step()
        return {"D": d_loss.detach(), "G": g_loss.detach()}

    def sums_up(self, real):
        """Gradients of all steps are summed up: each depends on those before."""
        loss = self.loss(self.D(real), self.ones)
        loss.backward()
        self.d_optimizer.step()
        return {"D": loss.detach(), "G": self.D[0].weight.grad.sum()}

    def step(self, real):
        fake = self.G(torch.randn(16, 3))
        self.d_optimizer.zero_grad()
        d_loss = self.loss(self.D(real), self.ones) + self.loss(self.D(fake.detach()), self.zeros)
        d_loss.backward()
        self.d_optimizer.step()
        self.g_optimizer.zero_grad()
        g_loss = self.loss(self.D(fake), self.ones)
        g_loss.backward()
        self.g_optimizer.step()
        return {"D": d_loss.detach(), "G": g_loss.detach()}


def played(step):
    """The losses of all batches: kept, and read at the end."""
    losses = [step(torch.from_numpy(x)) for x in REAL]
    return [(found["D"].item(), found["G"].item()) for found in losses]


@pytest.mark.parametrize("name", ("step", "g_first", "sums_up"))
def test_a_step_is_repeated_to_the_bit(name):
    plain, gan = GAN(), GAN()
    expected = played(getattr(plain, name))
    torch.manual_seed(1)
    gan = GAN()
    step = torch.compile(getattr(gan, name))
    assert played(step) == expected
    assert [graph.repeats for graph in step.graphs.values()] == [True]
    for a, b in zip(
        [*gan.G.parameters(), *gan.D.parameters()],
        [*plain.G.parameters(), *plain.D.parameters()],
        strict=True,
    ):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


def test_gradients_that_are_cleared_outside():
    """A step that sums them up begins anew."""
    plain, gan = GAN(), GAN()
    step = torch.compile(gan.sums_up)
    for i, x in enumerate(REAL):
        found, expected = (f(torch.from_numpy(x)) for f in (step, plain.sums_up))
        assert {k: v.item() for k, v in found.items()} == {k: v.item() for k, v in expected.items()}
        if i in (5, 9):
            gan.d_optimizer.zero_grad()
            plain.d_optimizer.zero_grad()


def test_as_a_decorator_of_a_method():
    class Compiled_(GAN):
        @torch.compile
        def step(self, real):
            return super().step(real)

    expected = played(GAN().step)
    assert played(Compiled_().step) == expected
    other = Compiled_()
    assert played(other.step) == expected  # of an object of its own
    assert other.step is other.step


@pytest.mark.parametrize("make", (torch.compile, torch.cpu.graph))
def test_kept_in_the_object_whose_step_it_is(make):
    """What the compiled step remembers of its calls is nothing that the step changes."""
    expected, gan = played(GAN().step), GAN()
    gan.quick = make(gan.step)
    if make is torch.compile:
        assert played(gan.quick) == expected
        assert gan.quick.graphs[True].repeats
    else:
        assert [
            (found["D"].item(), found["G"].item())
            for found in (gan.quick(torch.from_numpy(x)) for x in REAL)
        ] == expected
        assert gan.quick.repeats


def test_another_batch_size_runs_as_it_is():
    gan = GAN()
    step = torch.compile(lambda x: gan.D(x).detach().sum())
    for n in (16, 16, 16, 16, 5, 16, 7):
        x = torch.from_numpy(REAL[0][:n])
        assert step(x).item() == gan.D(x).sum().item()


def test_what_gradients_are_wanted_of_runs_as_it_is():
    gan = GAN()
    loss = torch.compile(lambda x: gan.D(x).mean())
    for _ in range(5):
        gan.D.zero_grad()
        loss(torch.from_numpy(REAL[0])).backward()
        assert gan.D[0].weight.grad.abs().sum() > 0
    assert loss.graphs == {True: None}
    with torch.no_grad():
        values = [loss(torch.from_numpy(x)).item() for x in REAL]
        assert values == [gan.D(torch.from_numpy(x)).mean().item() for x in REAL]
    assert loss.graphs[False].repeats
    loss(torch.from_numpy(REAL[0])).backward()  # recorded again


COUNT = 0


def test_numbers_that_the_code_decides_by():
    """A module's name, or one around the function, that is bound anew."""
    global COUNT
    factor = 1.0

    def step(x):
        return x * factor if COUNT % 2 else x + factor

    compiled, x = torch.compile(step), torch.ones(2)
    for COUNT in range(12):
        factor = 1.0 + COUNT // 6
        assert compiled(x).tolist() == step(x).tolist()


def test_what_is_printed_is_printed_each_time(capsys):
    @torch.compile
    def step(x):
        print("step")
        return x + 1

    for _ in range(6):
        step(torch.ones(1))
    assert capsys.readouterr().out == "step\n" * 6


def test_values_that_are_read_in_a_step():
    """It runs as it is, and says why."""
    gan = GAN()

    def step(x):
        return gan.step(x)["D"].item()

    with pytest.warns(RuntimeWarning, match="reads a Tensor's values"):
        found = [step_(torch.from_numpy(x)) for step_ in [torch.compile(step)] for x in REAL]
    assert found == [d for d, _ in played(GAN().step)]


def test_modules_names_and_switches():
    D = GAN().D
    assert torch.compile(D, mode="max-autotune") is D
    assert torch.compile(played, disable=True) is played
    step = torch.compile(dynamic=True)(lambda x, scale=1: x * scale)
    assert isinstance(step, Compiled)
    assert [step(torch.ones(1), scale=k).item() for k in range(5)] == [0, 1, 2, 3, 4]
    assert [step(torch.ones(1), k).item() for k in (1, 1, 1, 1, 1, 2, 3)] == [1, 1, 1, 1, 1, 2, 3]
