"""Steps of tiny networks in machine code: equal to the program that they were, to the bit."""

import contextlib
import math

import numpy as np
import pytest
from fast.test_program import batches, game, state

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.data.batches import Batches
from minigan.data.toy import TOYS, PointBatches
from minigan.gan import CGAN, GAN, NonSaturating, Trainer
from minigan.gan.cgan import Joined
from minigan.nn import functional as F
from minigan.ops import cat
from minigan.optim import EMA, SGD, Adam, RMSprop
from minigan.optim.lr_scheduler import StepLR
from minigan.training import Checkpoints, Run

pytest.importorskip("numba")
from minigan.fast.cpu import threads
from minigan.fast.cpu.threads import num_threads, set_num_threads
from minigan.fast.replay import jit
from minigan.fast.replay.native import Native
from minigan.fast.replay.native.code import Code, Unknown
from minigan.fast.replay.native.sums import total

NEVER = 10**9


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(jit, "TINY", 2)


@contextlib.contextmanager
def with_threads(n):
    before, asked = num_threads(), list(threads._set)
    set_num_threads(n)
    try:
        yield
    finally:
        set_num_threads(before)
        threads._set[:] = asked


@pytest.fixture
def one_thread():
    with with_threads(1):
        yield


def repeated(step, real):
    """The values of the steps' moves, with `step` repeated, and the graph."""
    graph, values = minigan.cpu.graph(step), []
    for x in real:
        values.append([move.value.item() for move in graph(x)])
    return graph, values


def assert_equal(states, others):
    (arrays, random), (again, same_random) = states, others
    assert random == same_random
    for a, b in zip(arrays, again, strict=True):
        np.testing.assert_array_equal(a, b)


NATIVE = ["gan", "lsgan", "hinge", "wgan", "wgan-gp", "dragan", "r1", "pacgan2", "veegan", "madgan",
          "ebgan-pt"]  # fmt: skip


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("name", NATIVE)
def test_games_of_the_plane(name, most, monkeypatch):
    with with_threads(most):
        trainer = game(name)
        graph, values = repeated(trainer.play, batches(trainer, 12, 40))
        assert isinstance(graph.native, Native) and graph.why_not_native is None
        end = state(trainer)
        monkeypatch.setattr(jit, "TINY", NEVER)
        other = game(name)
        plain, same = repeated(other.play, batches(other, 12, 40))
    assert plain.native is None and plain.program is not None
    assert values == same
    assert_equal(end, state(other))


def line(optimizer, seed=0, width=8):
    """A GAN on a line; `optimizer` makes that of each player."""
    minigan.manual_seed(seed)
    G = nn.Sequential(nn.Linear(1, 4), nn.Softplus(), nn.Linear(4, 1))
    D = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Sigmoid(),
                      nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))  # fmt: skip
    players = {"G": G, "D": D}
    return Trainer(
        GAN(G, D, NonSaturating(), latent_dim=1),
        {name: optimizer(player.parameters()) for name, player in players.items()},
    )


def reals(n, size=12):
    points = Generator(1)
    return [tensor_of(points.normal((size, 1))) for _ in range(n)]


OPTIMIZERS = {
    "sgd": lambda p: SGD(p, 0.05),
    "momentum": lambda p: SGD(p, 0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: Adam(p, 0.01),
    "amsgrad": lambda p: Adam(p, 0.01, amsgrad=True),
    "rmsprop": lambda p: RMSprop(p, 0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gan_on_a_line_whose_rate_changes(name, monkeypatch):
    def run():
        trainer = line(OPTIMIZERS[name])
        schedules = [StepLR(o, 4, 0.5) for o in trainer.optimizers.values()]
        graph, values = minigan.cpu.graph(trainer.play), []
        for x in reals(14):
            values.append([move.value.item() for move in graph(x)])
            for schedule in schedules:
                schedule.step()
        return graph, values, state(trainer)

    graph, values, end = run()
    assert graph.native is not None and graph.repeats
    monkeypatch.setattr(jit, "TINY", NEVER)
    plain, same, other = run()
    assert plain.native is None and values == same
    assert_equal(end, other)
    steps = line(OPTIMIZERS[name])
    assert [m.value.item() for m in steps.play(reals(1)[0])] == values[0]


@pytest.mark.parametrize("after", [1, 5, 9])
def test_a_resumed_run_ends_in_the_same_bits(after):
    """Wherever it was interrupted: the part behind is repeated from another step on."""
    real = reals(16)
    whole = line(OPTIMIZERS["adam"])
    graph, _ = repeated(whole.play, real)
    end = state(whole)
    first = line(OPTIMIZERS["adam"])
    repeated(first.play, real[:after])
    random = minigan.get_rng_state()
    second = line(OPTIMIZERS["adam"], seed=1)
    for name, player in first.game.players.items():
        second.game.players[name].load_state_dict(player.state_dict())
        second.optimizers[name].load_state_dict(first.optimizers[name].state_dict())
    minigan.set_rng_state(random)
    again, _ = repeated(second.play, real[after:])
    assert graph.native is not None and again.native is not None
    assert_equal(end, state(second))


@pytest.mark.parametrize("images", [False, True])
def test_a_run_that_was_stopped(tmp_path, images, monkeypatch):
    """Its checkpoint goes on to the same bits, with batches picked out of a data set."""

    def run(folder, steps, resume=False):
        trainer = game("gan")
        if images:
            pixels = np.random.default_rng(0).integers(0, 256, (500, 2), np.uint8)
            data = Batches(pixels, 20, 0)
        else:
            data = PointBatches(TOYS["grid"](), 20, size=500)
        run = Run(trainer, data, tmp_path / folder, {}, epochs=2, max_steps=steps, resume=resume,
                  callbacks=[Checkpoints()])  # fmt: skip
        run.train()
        return run.round.graph, state(trainer)

    graph, end = run("whole", 40)
    assert graph.native is not None and graph.why_not_native is None
    run("stopped", 15)
    monkeypatch.setattr(jit, "TINY", 9)
    again, other = run("stopped", 40, resume=True)
    assert again.native is not None
    assert_equal(end, other)
    monkeypatch.setattr(jit, "TINY", NEVER)
    plain, same = run("plain", 40)
    assert plain.native is None
    assert_equal(end, same)


LOSSES = {
    "bce": lambda y, t: F.binary_cross_entropy_with_logits(y, t),
    "probabilities": lambda y, t: F.binary_cross_entropy(y.sigmoid(), t),
    "sum": lambda y, t: F.binary_cross_entropy_with_logits(y, t, reduction="sum"),
    "mse": lambda y, t: F.mse_loss(y, t) + y.abs().mean(),
    "norm": lambda y, t: (y - t).norm(dim=1).clamp(0.1, 2.0).mean() + F.logsigmoid(y).sum(0).mean(),
    "classes": lambda y, t: -(F.log_softmax(y, -1) * t).sum(1).mean(),
    "classes of a column": lambda y, t: -(F.log_softmax(y.T, 0).T * t).sum(1).mean(),
    "shares": lambda y, t: (F.softmax(y, -1) - t).abs().mean() + (F.softmax(y, 0) * t).sum(),
}
ACTIVATIONS = [nn.ELU(), nn.SiLU(), nn.Softplus(), nn.LeakyReLU(0.1), nn.Tanh(), nn.Mish()]


def learning(loss, activations):
    """Losses and parameters of a network that learns by `backward` and `step`."""
    minigan.manual_seed(0)
    layers = [layer for f in activations for layer in (nn.Linear(6, 6), f)]
    model = nn.Sequential(*layers, nn.Linear(6, 3))
    optimizer = Adam(model.parameters(), 0.01)

    def step(x, target):
        optimizer.zero_grad()
        value = loss(model(x), target)
        value.backward()
        optimizer.step()
        return value

    graph, points = minigan.cpu.graph(step), Generator(2)
    values = [
        graph(tensor_of(points.normal((50, 6))), tensor_of(points.uniform((50, 3)))).item()
        for _ in range(9)
    ]
    return graph, values, [p.array for p in model.parameters()]


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_activations(name, monkeypatch):
    graph, values, arrays = learning(LOSSES[name], ACTIVATIONS)
    assert graph.why_not_native is None and graph.native is not None
    monkeypatch.setattr(jit, "TINY", NEVER)
    plain, same, others = learning(LOSSES[name], ACTIVATIONS)
    assert plain.native is None and values == same
    for a, b in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_error_of_a_step_is_raised_where_the_program_would(monkeypatch):
    """The first network has learnt by then, the second has not, and nothing is counted of it."""

    def run():
        minigan.manual_seed(0)
        models = [nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()) for _ in range(2)]
        first, second = (Adam(m.parameters(), 0.01) for m in models)

        @minigan.cpu.graph
        def step(x, target):
            for optimizer, model in ((first, models[0]), (second, models[1])):
                optimizer.zero_grad()
                given = x + minigan.rand(5, 3)
                F.binary_cross_entropy(model(given), target).backward()
                optimizer.step()
                x = x * target  # NaN for the second one

        for _ in range(6):
            step(minigan.ones(5, 3), minigan.ones(5, 1))
        native = step.native
        with pytest.raises(Exception, match="probabilities") as error:
            step(minigan.ones(5, 3), minigan.full((5, 1), math.nan))
        counts = [slot.step for o in (first, second) for slot in o._slots]
        drawn = minigan.rand(3).tolist()
        return native, str(error.value), counts, drawn

    native, *found = run()
    assert native is not None
    monkeypatch.setattr(jit, "TINY", NEVER)
    plain, *expected = run()
    assert plain is None and found == expected
    assert found[1] == [7, 7, 6, 6]


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_classes_that_are_told(dtype, monkeypatch):
    """As the conditional games tell them; of what is no class the step says the same."""

    def run():
        minigan.manual_seed(0)
        model = nn.Linear(5, 1)
        optimizer = Adam(model.parameters(), 0.01)

        @minigan.cpu.graph
        def step(x, labels):
            optimizer.zero_grad()
            told = F.one_hot(labels.reshape(2, 3).T, 3).reshape(6, 3)
            value = model(cat([x, told.to(x.dtype)], 1)).square().mean()
            value.backward()
            optimizer.step()
            return value, told

        numbers = np.random.default_rng(0).integers(0, 3, (9, 6)).astype(dtype)
        values = []
        for row in numbers:
            value, told = step(minigan.ones(6, 2), tensor_of(row.copy()))
            one = told.numpy()
            np.testing.assert_array_equal(one.argmax(1), row.reshape(2, 3).T.reshape(-1))
            assert one.dtype == np.int64 and (one.sum(1) == 1).all()
            values.append(value.item())
        with pytest.raises(ValueError, match="classes from 0 to 3, num_classes is 3") as error:
            step(minigan.ones(6, 2), tensor_of(np.array([0, 1, 2, 3, 0, 0], dtype)))
        return step, values, model.weight.array, str(error.value)

    step, values, weight, said = run()
    assert step.native is not None, step.why_not_native
    monkeypatch.setattr(jit, "TINY", NEVER)
    plain, same, other, as_said = run()
    assert plain.native is None and values == same and said == as_said
    np.testing.assert_array_equal(weight, other)


def test_classes_of_few_bits_of_which_there_are_more():
    """In uint8 class 261 would be class 5."""
    step = minigan.cpu.graph(lambda labels: F.one_hot(labels, 300))
    for labels in ([100, 200, 60],) * 5 + ([100, 5, 60],):
        told = step(tensor_of(np.array(labels, np.uint8))).numpy()
    assert step.native is not None, step.why_not_native
    assert (told.sum(1) == 1).all() and told.argmax(1).tolist() == labels


def test_a_conditional_game_has_a_form():
    minigan.manual_seed(0)
    G, D = Joined(nn.Linear(5, 2), 3), Joined(nn.Linear(5, 1), 3)
    game = CGAN(G, D, NonSaturating(), latent_dim=2, classes=3)
    trainer = Trainer(game, {name: Adam(p.parameters()) for name, p in game.players.items()})
    play = minigan.cpu.graph(trainer.play)
    for _ in range(6):
        play(minigan.randn(8, 2), tensor_of(np.arange(8) % 3))
    assert play.native is not None, play.why_not_native


def test_gradients_that_are_added_to(monkeypatch):
    """A second `backward` adds to what the first has left, and it is changed in place."""

    def run():
        minigan.manual_seed(0)
        model = nn.Linear(3, 1)

        @minigan.cpu.graph
        def step(x):
            for p in model.parameters():
                p.grad = None
            for scale in (1.0, 0.5, 0.25):
                (model(x).square().mean() * scale).backward()
            model.weight.grad.mul_(2.0).sub_(0.5)
            with minigan.no_grad():
                for p in model.parameters():
                    p.sub_(p.grad * 0.1)
            return model.weight.grad.sum()

        values = [step(minigan.ones(5, 3) * i).item() for i in range(9)]
        return step, values, [p.array for p in model.parameters()]

    step, values, arrays = run()
    assert step.native is not None, step.why_not_native
    monkeypatch.setattr(jit, "TINY", NEVER)
    plain, same, others = run()
    assert plain.native is None and values == same
    for a, b in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_has_no_form_stays_a_program_and_says_so(monkeypatch):
    def run():
        minigan.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 1))
        optimizer = SGD(model.parameters(), 0.1)

        @minigan.cpu.graph
        def step(x):
            loss = model(x).square().mean()
            optimizer.step_with(minigan.grad(loss, list(model.parameters())))
            return loss

        losses = [step(minigan.ones(5, 3) * i).item() for i in range(9)]
        return step, losses, [p.array for p in model.parameters()]

    step, losses, arrays = run()
    assert step.native is None and step.why_not_native == "gelu, which has no form in machine code"
    assert step.repeats and step.why is None
    monkeypatch.setattr(jit, "TINY", NEVER)
    plain, same, others = run()
    assert plain.why_not_native is None and losses == same
    for a, b in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(a, b)


def test_large_arrays_stay_with_the_program():
    trainer = line(OPTIMIZERS["sgd"], width=600)
    graph, _ = repeated(trainer.play, reals(8))
    assert graph.native is None and "360000 elements" in graph.why_not_native


def test_values_of_earlier_steps_stay_what_they_were():
    trainer = line(OPTIMIZERS["sgd"])
    graph, kept = minigan.cpu.graph(trainer.play), []
    for x in reals(12):
        kept.append([move.value.array for move in graph(x)])
    assert graph.native is not None
    _, values = repeated(line(OPTIMIZERS["sgd"]).play, reals(12))
    assert [[float(a) for a in arrays] for arrays in kept] == values


def test_what_is_exchanged_is_noticed():
    """Another state of an optimiser, and another memory of a parameter."""
    trainer, other = line(OPTIMIZERS["adam"]), line(OPTIMIZERS["adam"])
    graph, plain = minigan.cpu.graph(trainer.play), other.play
    real = reals(30)
    saved = None
    for i, x in enumerate(real):
        for one, play in ((trainer, graph), (other, plain)):
            random = minigan.get_rng_state()
            if i == 8:
                saved = one.optimizers["D"].state_dict()
            if i == 16:
                one.optimizers["D"].load_state_dict(saved)
            if i == 24:
                layer = one.game.players["G"][0]
                layer.weight.data = layer.weight * 0.5
            values = [move.value.item() for move in play(x)]
            if play is graph:
                expected = values
                minigan.set_rng_state(random)
        assert values == expected
        if i in (8, 23, 29):
            assert graph.native is not None or i == 29
    assert_equal(state(trainer), state(other))


def test_a_comparison_decides(monkeypatch):
    """Machine code that computes something else is not used."""
    run = Native.run

    def wrong(self, *arrays):
        results = run(self, *arrays)
        results[0] += 1
        return results

    monkeypatch.setattr(Native, "run", wrong)
    trainer = line(OPTIMIZERS["sgd"])
    graph, values = repeated(trainer.play, reals(9))
    assert graph.native is None and "its result" in graph.why_not_native
    end = state(trainer)
    monkeypatch.setattr(jit, "TINY", NEVER)
    other = line(OPTIMIZERS["sgd"])
    _, same = repeated(other.play, reals(9))
    assert values == same
    assert_equal(end, state(other))


def test_whatever_goes_wrong_the_program_stays(monkeypatch):
    def fails(self):
        raise AttributeError("an LLVM of another time")

    monkeypatch.setattr(Code, "finish", fails)
    trainer = line(OPTIMIZERS["sgd"])
    graph, values = repeated(trainer.play, reals(9))
    assert graph.native is None and "another time" in graph.why_not_native and graph.repeats
    monkeypatch.setattr(jit, "TINY", NEVER)
    assert repeated(line(OPTIMIZERS["sgd"]).play, reals(9))[1] == values


def test_averages(monkeypatch):
    def run():
        minigan.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        average, optimizer = EMA(model, 0.9), SGD(model.parameters(), 0.1)

        @minigan.cpu.graph
        def step(x):
            loss = model(x).square().mean()
            optimizer.step_with(minigan.grad(loss, list(model.parameters())))
            average.update()
            return loss

        points = Generator(0)
        for _ in range(12):
            step(tensor_of(points.normal((5, 3))))
        return step, average.updates, [t.array.copy() for t in average.averages.values()]

    step, updates, arrays = run()
    assert step.why_not_native is None and step.native is not None and updates == 12
    monkeypatch.setattr(jit, "TINY", NEVER)
    plain, same, others = run()
    assert plain.native is None and same == 12
    for a, b in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(a, b)


# --- the calls themselves ---


class Writing:
    """What a form needs of a `Native`."""

    def __init__(self):
        self.code = Code()


def layouts(shape, dtype):
    """Arrays of this shape that lie in memory in different ways."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(dtype)
    yield x
    yield np.asfortranarray(x)
    yield np.repeat(x, 2, -1)[..., ::2]
    yield np.broadcast_to(x[..., :1], shape)


SHAPES = [(), (1,), (37,), (24, 1), (100, 2), (3, 70), (7, 5, 6), (64, 128)]


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("shape", SHAPES[1:])
def test_ufuncs_are_numpys(shape, dtype):
    for x in layouts(shape, dtype):
        for function, others in (
            (np.negative, ()), (np.exp, ()), (np.tanh, ()), (np.log1p, ()), (np.multiply, (0.3,)),
            (np.add, (x[..., :1],)), (np.less, (x[..., -1:],)), (np.true_divide, (x[:1] + 3,)),
        ):  # fmt: skip
            x = np.abs(x)
            code = Code()
            y = code.ufunc(function, x, *others)
            y[...] = 0
            code.finish()(0, 0)
            expected = function(x, *others)
            assert y.dtype == expected.dtype and y.strides == np.asarray(expected).strides
            np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_add_up_in_the_same_order(shape, dtype):
    from minigan.arrays import total as reference

    for x in layouts(shape, dtype) if shape else [np.array(0.5, dtype)]:
        for axes in {(), tuple(range(x.ndim)), (0,)[: x.ndim], (x.ndim - 1,)[: x.ndim]}:
            for keepdims in (False, True):
                native = Writing()
                y = total(native, x, axes, keepdims)
                y[...] = 7
                native.code.finish()(0, 0)
                np.testing.assert_array_equal(y, reference(x, axes, keepdims), strict=True)


def test_what_is_not_known_is_said():
    with pytest.raises(Unknown, match="tanh of l"):
        Code()._loop(np.tanh, [np.arange(3)] * 2, [3], [8, 8])
    with pytest.raises(Unknown, match="a float"):
        Code().ufunc(np.multiply, np.arange(3), 0.5)
    with pytest.raises(Unknown, match="without elements"):
        Code().ufunc(np.tanh, np.empty((0, 3), "f"))
