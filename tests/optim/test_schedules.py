"""Schedules against PyTorch's over 50 steps. `rates.json` holds PyTorch's; `python
tests/optim/test_schedules.py` writes it anew."""

import json
import math
import pathlib

import pytest

import minigan

FILE = pathlib.Path(__file__).parent / "rates.json"
BEST = [10 / (1 + i) + (0.3 * (i % 7)) + (i > 25) * 2 for i in range(50)]
CASES = {
    "constant": lambda s, o: s.ConstantLR(o, 0.25, 7),
    "linear": lambda s, o: s.LinearLR(o, 0.2, 0.9, 11),
    "polynomial": lambda s, o: s.PolynomialLR(o, 30, 1.7),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda t: 0.9 if t % 3 else 1.1),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 4, 2, 0.001),
    "restarts of one length": lambda s, o: s.CosineAnnealingWarmRestarts(o, 6),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.7, 49),
    "one cycle, linear, three phases": lambda s, o: s.OneCycleLR(
        o, [0.7, 0.2], epochs=7, steps_per_epoch=7, anneal_strategy="linear", three_phase=True
    ),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, 0.3, 5, 7),
    "cyclic, halved": lambda s, o: s.CyclicLR(o, 0.01, 0.3, 6, mode="triangular2"),
    "cyclic, exponential": lambda s, o: s.CyclicLR(
        o, 0.01, 0.3, 6, mode="exp_range", gamma=0.97, cycle_momentum=False
    ),
    "sequential": lambda s, o: s.SequentialLR(
        o,
        [s.LinearLR(o, 0.1, 1.0, 6), s.CosineAnnealingLR(o, 20), s.ExponentialLR(o, 0.9)],
        [6, 30],
    ),
    "sequential, steps": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 20), s.StepLR(o, 5, 0.5)], [10]
    ),
    "chained": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.1, 9), s.ExponentialLR(o, 0.9)], o
    ),
    "plateau": lambda s, o: s.ReduceLROnPlateau(o, "min", 0.5, 2, cooldown=3, min_lr=0.01),
    "plateau, max": lambda s, o: s.ReduceLROnPlateau(
        o, "max", 0.5, 4, threshold=0.1, threshold_mode="abs", min_lr=[0.001, 0.05]
    ),
}


def optimizer(torch):
    a, b = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    return torch.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.05}], lr=0.4, momentum=0.9)


def steps(schedule, o, which):
    """[rate and momentum of each group] after each of the steps `which`."""
    rows = []
    for i in which:
        o.step()
        if type(schedule).__name__ == "ReduceLROnPlateau":
            schedule.step(BEST[i])
        else:
            schedule.step()
        rows.append([x for g in o.param_groups for x in (g["lr"], g["momentum"])])
    return rows


def rates(torch, make):
    o = optimizer(torch)
    schedule = make(torch.optim.lr_scheduler, o)
    first = [x for g in o.param_groups for x in (g["lr"], g["momentum"])]
    return [first, *steps(schedule, o, range(49))]


def close(found, expected):
    pairs = [
        (a, b) for x, y in zip(found, expected, strict=True) for a, b in zip(x, y, strict=True)
    ]
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in pairs)


@pytest.mark.filterwarnings("ignore:lr_scheduler.step")
@pytest.mark.parametrize("name", CASES)
def test_rates(name):
    assert close(rates(minigan, CASES[name]), json.loads(FILE.read_text())[name])


@pytest.mark.filterwarnings("ignore:lr_scheduler.step")
@pytest.mark.parametrize("name", CASES)
def test_a_saved_schedule_goes_on(name):
    expected = json.loads(FILE.read_text())[name]
    o = optimizer(minigan)
    schedule = CASES[name](minigan.optim.lr_scheduler, o)
    steps(schedule, o, range(20))
    again = optimizer(minigan)
    twin = CASES[name](minigan.optim.lr_scheduler, again)
    again.load_state_dict(o.state_dict())
    twin.load_state_dict(schedule.state_dict())
    assert close(steps(twin, again, range(20, 49)), expected[21:])


def test_the_users_own_schedule():
    """Written as torch's base class asks: get_lr() gives also the first rates."""

    class Warmup(minigan.optim.lr_scheduler._LRScheduler):
        def get_lr(self):
            return [base * min(1.0, (self.last_epoch + 1) / 4) for base in self.base_lrs]

    o = optimizer(minigan)
    schedule = Warmup(o)
    assert [row[0] for row in [[o.param_groups[0]["lr"]], *steps(schedule, o, range(4))]] == [
        0.1,
        0.2,
        0.30000000000000004,
        0.4,
        0.4,
    ]


def test_step_with_an_epoch():
    o = optimizer(minigan)
    schedule = minigan.optim.lr_scheduler.StepLR(o, 10, 0.5)
    o.step()
    with pytest.warns(UserWarning, match="without it"):
        schedule.step(25)
    assert schedule.last_epoch == 25 and schedule.get_last_lr() == [0.1, 0.0125]


def test_errors():
    o, s = optimizer(minigan), minigan.optim.lr_scheduler
    for make, message in [
        (lambda: s.OneCycleLR(o, 0.1), "pass total_steps"),
        (lambda: s.SequentialLR(o, [s.ConstantLR(o)], [3]), "one milestone less"),
        (lambda: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []), "whose step needs a number"),
        (lambda: s.ReduceLROnPlateau(o, factor=1.0), "factor must be below 1"),
        (lambda: s.ReduceLROnPlateau(o, "least"), "mode='least'"),
        (lambda: s.CosineAnnealingWarmRestarts(o, 0), "T_0 must be a positive integer"),
        (lambda: s.CyclicLR(o, 0.1, [0.2], 3), "max_lr has 1 entries for 2"),
        (
            lambda: s.CyclicLR(minigan.optim.Adagrad([minigan.ones(1)]), 0.1, 0.2),
            "neither momentum nor betas",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_the_rates_are_those_of_torch(name):
    torch = pytest.importorskip("torch")
    assert close(rates(torch, CASES[name]), json.loads(FILE.read_text())[name])


if __name__ == "__main__":
    import torch

    FILE.write_text(
        json.dumps({name: rates(torch, make) for name, make in CASES.items()}, indent=0) + "\n"
    )
