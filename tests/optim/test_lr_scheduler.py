"""Schedules against closed forms, and against torch where it is installed."""

import math

import numpy as np
import pytest

from minigan import optim
from minigan.autograd import tensor_of
from minigan.optim import lr_scheduler as schedules

STEPS = 25
RATES = (0.5, 0.02)


def warm(t):
    return 1 / (1 + t)


CASES = {  # name: (class, arguments, lr(initial lr, epoch))
    "lambda": (schedules.LambdaLR, dict(lr_lambda=warm), lambda lr, t: lr * warm(t)),
    "step": (schedules.StepLR, dict(step_size=4, gamma=0.3), lambda lr, t: lr * 0.3 ** (t // 4)),
    "multistep": (
        schedules.MultiStepLR, dict(milestones=[9, 3, 9, 15], gamma=0.5),
        lambda lr, t: lr * 0.5 ** sum(t >= m for m in (3, 9, 9, 15)),
    ),
    "exponential": (schedules.ExponentialLR, dict(gamma=0.9), lambda lr, t: lr * 0.9**t),
    "cosine": (
        schedules.CosineAnnealingLR, dict(T_max=7, eta_min=0.01),
        lambda lr, t: 0.01 + (lr - 0.01) * (1 + math.cos(math.pi * t / 7)) / 2,
    ),
    "cosine to 0": (schedules.CosineAnnealingLR, dict(T_max=5), lambda lr,
        t: lr * (1 + math.cos(math.pi * t / 5)) / 2),
    "linear": (schedules.LinearLR, dict(start_factor=0.25, total_iters=8), lambda lr,
        t: lr * (0.25 + 0.75 * min(t, 8) / 8)),
    "linear to 0": (schedules.LinearLR, dict(start_factor=1.0, end_factor=0.0, total_iters=6),
        lambda lr, t: lr * (1 - min(t, 6) / 6)),
}  # fmt: skip
each_case = pytest.mark.parametrize("cls, options, closed", CASES.values(), ids=CASES)


def optimizer():
    groups = [
        {"params": [tensor_of(np.zeros(2, np.float32), requires_grad=True)], "lr": lr}
        for lr in RATES
    ]
    return optim.SGD(groups, lr=1.0)


def stepped(o, scheduler, n=STEPS):
    """The rates before each of n steps."""
    path = []
    for _ in range(n):
        assert scheduler.get_last_lr() == [g["lr"] for g in o.param_groups]
        path.append(scheduler.get_last_lr())
        o.step_with([None, None])
        scheduler.step()
    return np.array(path)


@each_case
def test_closed_form(cls, options, closed):
    o = optimizer()
    expected = [[closed(lr, t) for lr in RATES] for t in range(STEPS)]
    np.testing.assert_allclose(stepped(o, cls(o, **options)), expected, rtol=1e-9, atol=1e-15)


@each_case
def test_resume(cls, options, closed):
    """A schedule and an optimizer that load both states go on alike; one made with last_epoch
    too."""
    o = optimizer()
    scheduler = cls(o, **options)
    stepped(o, scheduler, 6)
    saved, groups = scheduler.state_dict(), o.state_dict()
    later = optimizer()
    again = cls(later, **options)
    later.load_state_dict(groups)
    again.load_state_dict(saved)
    assert again.last_epoch == 6
    np.testing.assert_array_equal(stepped(later, again, 6), stepped(o, scheduler, 6))


def test_two_schedules_multiply():
    o = optimizer()
    warmup, decay = schedules.LinearLR(o, 0.5, total_iters=4), schedules.ExponentialLR(o, 0.9)
    for t in range(8):
        np.testing.assert_allclose(
            [g["lr"] for g in o.param_groups],
            [lr * (0.5 + 0.5 * min(t, 4) / 4) * 0.9**t for lr in RATES],
        )
        o.step_with([None, None])
        warmup.step()
        decay.step()


def test_errors():
    o = optimizer()
    with pytest.raises(TypeError, match="expected an Optimizer"):
        schedules.StepLR([1], 2)
    with pytest.raises(ValueError, match="3 entries for 2"):
        schedules.LambdaLR(o, [warm] * 3)
    with pytest.raises(ValueError, match="start_factor"):
        schedules.LinearLR(o, 0)
    with pytest.raises(KeyError, match="initial_lr"):
        schedules.StepLR(o, 2, last_epoch=3)
    with pytest.warns(UserWarning, match="before optimizer.step"):
        schedules.StepLR(optimizer(), 2).step()


@pytest.mark.torch
@each_case
def test_same_as_torch(cls, options, closed):
    torch = pytest.importorskip("torch")
    o = optimizer()
    theirs = torch.optim.SGD(
        [{"params": [torch.zeros(2, requires_grad=True)], "lr": lr} for lr in RATES], lr=1.0
    )
    peer, path = getattr(torch.optim.lr_scheduler, cls.__name__)(theirs, **options), []
    for _ in range(STEPS):
        path.append(peer.get_last_lr())
        theirs.step()
        peer.step()
    np.testing.assert_allclose(stepped(o, cls(o, **options)), path, rtol=1e-12, atol=1e-17)
